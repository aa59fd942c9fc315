"""Which field groups an application asks for; an answer holds no other field."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from sharing_service.roster.catalogue import Group, Kind
from sharing_service.sharing.rules import Strict

Groups = Annotated[tuple[Group, ...], Field(max_length=len(Group))]


class FieldRequest(Strict):
    """The groups that an application needs of one kind, and those it can do without."""

    required: Groups = ()
    optional: Groups = ()

    def groups(self) -> frozenset[Group]:
        """Everything asked for, and identity, which every record has."""
        return frozenset((Group.IDENTITY, *self.required, *self.optional))


class ApplicationFields(Strict):
    """The field groups that an application asks for, kind by kind; without any: identity only."""

    schools: FieldRequest = FieldRequest()
    sections: FieldRequest = FieldRequest()
    students: FieldRequest = FieldRequest()
    teachers: FieldRequest = FieldRequest()
    staff: FieldRequest = FieldRequest()

    def granted(self, kind: Kind) -> frozenset[Group]:
        """The groups of one kind that an answer may hold; contacts follow the students' request."""
        match kind:
            case Kind.SCHOOLS | Kind.SECTIONS | Kind.STUDENTS | Kind.TEACHERS | Kind.STAFF:
                request: FieldRequest = getattr(self, kind.value)
                return request.groups()
            case Kind.CONTACTS if self.wants_contacts:
                return frozenset({Group.IDENTITY, Group.CONTACTS})
            case _:
                return frozenset({Group.IDENTITY})

    @property
    def wants_contacts(self) -> bool:
        """Whether contacts of shared students are part of the application's roster."""
        return Group.CONTACTS in self.students.groups()

    def every_group(self, kinds: Iterable[Kind]) -> list[str]:
        """All groups granted for these kinds, as a disclosure records them."""
        return sorted({group.value for kind in kinds for group in self.granted(kind)})
