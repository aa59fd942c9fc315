"""A roster as plain values."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]  # kind and sis_id
Ids = Mapping[Key, str]  # the public id of each record
Json = Mapping[str, Any]  # a permission, selection, rule or condition as callers send it, with public ids
Values = Mapping[str, str]  # by field name, `ext.NAME` among them; what is not there is empty


@dataclass(frozen=True)
class School:
    """A school."""

    sis_id: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """A student, teacher or staff member; one school per row of the upload, the home school first."""

    sis_id: str
    schools: Sequence[str]
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A section; the first teacher is the primary one."""

    sis_id: str
    school: str
    teachers: Sequence[str] = ()
    values: Values = field(default_factory=dict)

    @property
    def schools(self) -> Sequence[str]:
        """Its one school, in the form that people have."""
        return (self.school,)

    @property
    def course(self) -> tuple[str, ...] | None:
        """Number and name."""
        return self._derived("course_number", "course_name")

    @property
    def term(self) -> tuple[str, ...] | None:
        """Name, start and end."""
        return self._derived("term_name", "term_start", "term_end")

    def _derived(self, *names: str) -> tuple[str, ...] | None:
        key = tuple(self.values.get(name, "") for name in names)
        return key if any(key) else None


@dataclass(frozen=True)
class Contact:
    """A guardian: relationship and type by student."""

    sis_id: str
    students: Mapping[str, tuple[str, str]]
    values: Values = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """Its sis_id, or for want of one its only student, name and relationship."""
        if self.sis_id:
            return (self.sis_id,)
        [(student, (relationship, _))] = self.students.items()
        return (student, self.values.get("name", ""), relationship)


@dataclass(frozen=True)
class World:
    """A whole roster; enrollments are pairs of section and student."""

    schools: Mapping[str, School] = field(default_factory=dict)
    sections: Mapping[str, Section] = field(default_factory=dict)
    students: Mapping[str, Person] = field(default_factory=dict)
    teachers: Mapping[str, Person] = field(default_factory=dict)
    staff: Mapping[str, Person] = field(default_factory=dict)
    enrollments: Set[tuple[str, str]] = frozenset()
    contacts: Sequence[Contact] = ()

    def of(self, kind: str) -> Mapping[str, Any]:
        """The records of a kind by sis_id."""
        records: Mapping[str, Any] = getattr(self, kind)
        return records

    def sections_of(self, kind: str, sis_id: str) -> set[str]:
        """The section itself, or those that a student is enrolled in, or that a teacher teaches."""
        match kind:
            case "sections":
                return {sis_id}
            case "students":
                return {section for section, student in self.enrollments if student == sis_id}
            case "teachers":
                return {section for section, record in self.sections.items() if sis_id in record.teachers}
            case _:
                return set()

    def at(self, kind: str, sis_id: str) -> set[str]:
        """The schools that a section or person is at: its own, and those of its sections."""
        return {*self.of(kind)[sis_id].schools} | {self.sections[s].school for s in self.sections_of(kind, sis_id)}

    def students_in(self, section: str) -> set[Key]:
        """The students enrolled in a section."""
        return {("students", student) for enrolled, student in self.enrollments if enrolled == section}

    def teachers_in(self, section: str) -> set[Key]:
        """The teachers of a section."""
        return {("teachers", teacher) for teacher in self.sections[section].teachers}
