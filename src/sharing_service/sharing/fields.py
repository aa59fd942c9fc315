"""Field groups: what an application asks for, what a district declines, and what answers therefore hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, Group, Kind
from sharing_service.sharing.rules import Strict

Groups = Annotated[tuple[Group, ...], Field(max_length=len(Group))]


class KindGroup(NamedTuple):
    """One group of one kind."""

    kind: Kind
    group: Group

    @property
    def name(self) -> str:
        """How callers write it: `students.email`."""
        return f"{self.kind.value}.{self.group.value}"


GroupSet = frozenset[KindGroup]
"""Any choice of groups; identity is in none, since every record has it."""

REQUESTED: Final = (Kind.SCHOOLS, Kind.SECTIONS, Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF)
"""Kinds of which groups are asked for; contacts are a group of the students."""


def _groups_of(kind: Kind) -> set[Group]:
    own = {field.group for field in FIELDS[kind]} | ({Group.EXT} if kind in EXTENSIBLE else set())
    return own | ({Group.CONTACTS} if kind is Kind.STUDENTS else set())


EVERY_GROUP: Final[GroupSet] = frozenset(
    KindGroup(kind, group) for kind in REQUESTED for group in _groups_of(kind) - {Group.IDENTITY}
)
"""Each group that a kind has."""
BY_NAME: Final[dict[str, GroupSet]] = {
    **{group.value: frozenset(each for each in EVERY_GROUP if each.group is group) for _, group in EVERY_GROUP},
    **{each.name: frozenset({each}) for each in EVERY_GROUP},
}
"""What callers may name: one group of one kind (`students.email`), or a group of every kind that has it (`email`)."""


class FieldRequest(Strict):
    """The groups that an application needs of one kind, and those it can do without."""

    required: Groups = ()
    optional: Groups = ()


class ApplicationFields(Strict):
    """The field groups that an application asks for, kind by kind; without any: identity only.

    A group that a kind does not have may be asked for, and stands for nothing.
    """

    schools: FieldRequest = FieldRequest()
    sections: FieldRequest = FieldRequest()
    students: FieldRequest = FieldRequest()
    teachers: FieldRequest = FieldRequest()
    staff: FieldRequest = FieldRequest()

    @property
    def required(self) -> GroupSet:
        """What the application cannot do without; a group that is listed twice is required."""
        return (
            frozenset(KindGroup(kind, group) for kind in REQUESTED for group in self._of(kind).required) & EVERY_GROUP
        )

    @property
    def asked(self) -> GroupSet:
        """All that the application asks for."""
        optional = frozenset(KindGroup(kind, group) for kind in REQUESTED for group in self._of(kind).optional)
        return self.required | optional & EVERY_GROUP

    def _of(self, kind: Kind) -> FieldRequest:
        request: FieldRequest = getattr(self, kind.value)
        return request


@dataclass(frozen=True)
class GrantedFields:
    """The groups that answers of one grant hold beside identity."""

    groups: GroupSet

    def granted(self, kind: Kind) -> frozenset[Group]:
        """The groups of one kind that an answer may hold; contacts follow the students'."""
        if kind is Kind.CONTACTS:
            return frozenset({Group.IDENTITY, Group.CONTACTS} if self.wants_contacts else {Group.IDENTITY})
        return frozenset((Group.IDENTITY, *(each.group for each in self.groups if each.kind is kind)))

    @property
    def wants_contacts(self) -> bool:
        """Whether contacts of shared students are part of the application's roster."""
        return KindGroup(Kind.STUDENTS, Group.CONTACTS) in self.groups

    @cached_property
    def named(self) -> str:
        """All of them by name, in order."""
        return ",".join(names_of(self.groups))

    @lru_cache(maxsize=256)  # noqa: B019 - what is kept is as small as that
    def of_disclosure(self, kinds: frozenset[Kind]) -> Sequence[str]:
        """All groups granted for these kinds of persons, as a disclosure records them; their ids are identity too."""
        return tuple(sorted({Group.IDENTITY.value, *(group.value for kind in kinds for group in self.granted(kind))}))


def names_of(groups: GroupSet) -> list[str]:
    """Groups as a grant stores them and callers read them, in order."""
    return sorted(each.name for each in groups)


def from_names(names: Sequence[str]) -> GroupSet:
    """The groups that these names stand for; a name that is not known stands for none."""
    return frozenset[KindGroup]().union(*(BY_NAME.get(name, ()) for name in names))
