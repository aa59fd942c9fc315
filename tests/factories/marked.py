"""A district in which every value of every record is a marker of its own, and what each marker belongs to."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from sharing_service.roster.catalogue import FIELDS, Kind
from tests.factories.roster import Roster
from tests.oracle_answers import Shared
from tests.world import Contact, Key, Person, School, Section, World

MARKER: Final = re.compile(r"zq\d+zq")
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "schools": ("ext",),
    "sections": ("ext",),
    "students": ("email", "numbers", "demographics", "status", "address", "contacts", "credentials", "ext"),
    "teachers": ("email", "numbers", "credentials", "ext"),
    "staff": ("email", "credentials", "ext"),
}
"""The groups beside identity that each kind has."""
GROUP_OF: Final = {
    **dict.fromkeys(("state_id", "student_number", "teacher_number"), "numbers"),
    **dict.fromkeys(("gender", "race", "hispanic_ethnicity", "dob", "home_language"), "demographics"),
    **dict.fromkeys(("ell_status", "frl_status", "iep_status"), "status"),
    **dict.fromkeys(("street", "city", "state", "zip"), "address"),
    "email": "email",
    "username": "credentials",
}
"""The group of each field of a person that is not identity, as the contract has it."""
PERSONS: Final = ("students", "teachers", "staff")


@dataclass(frozen=True)
class Mark:
    """A marker, the field and record that it belongs to, and where there is a place for it."""

    text: str
    kind: str
    key: Any
    """The sis_id; of courses, terms and contacts what the oracle knows them by."""
    name: str
    """Of the field."""
    group: str
    told: bool = False
    """Whether partner documents have a place for it."""
    listed: bool = False
    """Whether the district's lists of what is shared have one; they know no contacts, courses or terms."""
    student: str | None = None
    """Whose contact it tells something of."""

    def is_seen(self, shared: Shared, groups: Set[str]) -> bool:
        """Whether an application that receives these groups, and with which this is shared, may see it."""
        if self.group not in groups and not self.group.endswith(".identity"):
            return False
        if self.key not in getattr(shared, self.kind):
            return False
        return self.student is None or self.student in shared.contacts[self.key]


class Marked:
    """Two schools: ann is at North, ben at South, cal at both; una teaches at both, tom at North only.

    The values of `ext.team` are no markers: rules look at them, and permissions repeat what rules look at.
    """

    def __init__(self) -> None:
        self.roster = Roster()
        self.marks: list[Mark] = []
        self.keys: dict[str, str] = {}
        """The sis_id by the name by which this page calls a record."""
        self._ordinals: dict[str, int] = {}
        self._numbers = count()
        schools = [self._school("North"), self._school("South")]
        students = [
            self._person("students", "ann", ["North"], "red"),
            self._person("students", "ben", ["South"], "blue"),
            self._person("students", "cal", ["North", "South"], "gold"),
        ]
        teachers = [
            self._person("teachers", "tom", ["North"], "red"),
            self._person("teachers", "una", ["South"], "blue", through=["North"]),
        ]
        staff = [self._person("staff", "yan", ["North"], "red"), self._person("staff", "zoe", ["South"], "blue")]
        enrolled = {"algebra": ["ann", "cal"], "art": ["ben", "cal"]}
        sections = [
            self._section("algebra", "North", ["tom", "una"], enrolled["algebra"], "red"),
            self._section("art", "South", ["una"], enrolled["art"], "blue"),
        ]
        self.world = World(
            schools={one.sis_id: one for one in schools},
            sections={one.sis_id: one for one in sections},
            students={one.sis_id: one for one in students},
            teachers={one.sis_id: one for one in teachers},
            staff={one.sis_id: one for one in staff},
            enrollments={(self.keys[name], self.keys[one]) for name, members in enrolled.items() for one in members},
            contacts=[self._contact("mum", ["ann", "ben"]), self._contact("dad", ["cal"])],
        )

    def id(self, name: str) -> str:
        """The public id of a school, section or person."""
        return next(record_id for (_, key), record_id in self.ids.items() if key == self.keys[name])

    @property
    def ids(self) -> dict[Key, str]:
        """Public ids by kind and sis_id."""
        kinds = {kind: "people" if kind in PERSONS else kind for kind in ("schools", "sections", *PERSONS)}
        places = {self.keys[name]: ordinal for name, ordinal in self._ordinals.items()}
        return {
            (kind, key): self.roster.ids[numbering, places[key]]  # type: ignore[index]
            for kind, numbering in kinds.items()
            for key in self.world.of(kind)
        }

    def below(self, path: str) -> list[str]:
        """The ids of the records whose paths begin so."""
        numbering = {"users": "people"}.get(path, path)
        return [record_id for (own, _), record_id in self.roster.ids.items() if own == numbering]

    def of(self, kind: str, name: str) -> list[Mark]:
        """The markers of one field of all records of a kind."""
        return [mark for mark in self.marks if (mark.kind, mark.name) == (kind, name)]

    def _text(self) -> str:
        return f"zq{next(self._numbers)}zq"

    def _values(self, kind: str, name: str) -> tuple[str, dict[str, str]]:
        """A new record: its sis_id, and the values of its fields."""
        key = self.keys[name] = self._text()
        values = {one.name: key if one.name == "sis_id" else self._text() for one in FIELDS[Kind(kind)]}
        for one in FIELDS[Kind(kind)]:
            group = GROUP_OF.get(one.name, "identity") if kind in PERSONS else "identity"
            told = one.path != ""
            self.marks.append(Mark(values[one.name], kind, key, one.name, f"{kind}.{group}", told=told, listed=True))
        values["ext.note"] = self._text()
        self.marks.append(Mark(values["ext.note"], kind, key, "ext.note", f"{kind}.ext", told=True, listed=True))
        return key, values

    def _school(self, name: str) -> School:
        key, values = self._values("schools", name)
        self._ordinals[name] = self.roster.record(Kind.SCHOOLS, **row(values))
        return School(key, values)

    def _person(self, kind: str, name: str, at: Sequence[str], team: str, *, through: Sequence[str] = ()) -> Person:
        key, values = self._values(kind, name)
        values["ext.team"] = team
        own, others = ([self._ordinals[school] for school in schools] for schools in (at, through))
        self._ordinals[name] = self.roster.person(Kind(kind), schools=own, through=others, **row(values))
        return Person(key, [self.keys[school] for school in at], values)

    def _section(self, name: str, school: str, teachers: Sequence[str], students: Sequence[str], team: str) -> Section:
        key, values = self._values("sections", name)
        values["ext.team"] = team
        section = Section(key, self.keys[school], [self.keys[teacher] for teacher in teachers], values)
        course = {"number": values["course_number"], "name": values["course_name"]}
        term = {one: values[f"term_{one.removesuffix('_date')}"] for one in ("name", "start_date", "end_date")}
        self._derived("courses", section.course, course)
        self._derived("terms", section.term, term)
        self._ordinals[name] = self.roster.section(
            school=self._ordinals[school],
            students=[self._ordinals[student] for student in students],
            teachers=[self._ordinals[teacher] for teacher in teachers],
            course=self.roster.record(Kind.COURSES, **course),
            term=self.roster.record(Kind.TERMS, **term),
            **row(values),
        )
        return section

    def _derived(self, kind: str, key: tuple[str, ...] | None, values: Mapping[str, str]) -> None:
        self.marks += [Mark(text, kind, key, name, f"{kind}.identity", told=True) for name, text in values.items()]

    def _contact(self, name: str, students: Sequence[str]) -> Contact:
        values = {one.name: self._text() for one in FIELDS[Kind.CONTACTS]}
        contact = Contact(
            values["sis_id"], {self.keys[student]: (self._text(), self._text()) for student in students}, values
        )
        self.marks += [
            Mark(text, "contacts", contact.key, name, "students.contacts", told=True) for name, text in values.items()
        ]
        for student, link in contact.students.items():
            self.marks += [
                Mark(text, "contacts", contact.key, "relationship", "students.contacts", told=True, student=student)
                for text in link
            ]
        self.roster.contact(
            students=[(self._ordinals[student], *contact.students[self.keys[student]]) for student in students],
            **values,
        )
        return contact


def row(values: Mapping[str, str]) -> dict[str, Any]:
    """Values as the tables hold them."""
    extensions = {name.removeprefix("ext."): text for name, text in values.items() if name.startswith("ext.")}
    return {name: text for name, text in values.items() if not name.startswith("ext.")} | {"ext": extensions}


def markers(text: str) -> set[str]:
    """The markers in a text."""
    return {*MARKER.findall(text)}
