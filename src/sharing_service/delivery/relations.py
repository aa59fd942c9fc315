"""Relations between records that partner paths follow: the sections of a school, the teachers of a student."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import ARRAY, Column, Integer, Select, func, null, select, type_coerce, union_all
from sqlalchemy.dialects.postgresql import distinct_on

from sharing_service.database import Snapshot
from sharing_service.delivery.references import among
from sharing_service.delivery.views import View
from sharing_service.roster.catalogue import Numbering
from sharing_service.roster.models import contact_students, enrollments, school_people, section_teachers, sections

Pairs = Select[*tuple[Any, ...]]
"""Two columns: the ordinal of the record through which another is reached, or null, and the ordinal of that one."""
DIRECT: Final = type_coerce(null(), Integer)


@dataclass(frozen=True, slots=True)
class Relation:
    """Leads from one record to those of another numbering, by way of shared records only."""

    parent: Numbering
    name: str
    child: Numbering
    select: Callable[[UUID, int], list[Pairs]]
    through: Numbering = "sections"
    single: bool = False
    roles: bool = False
    """Whether `role` filters the list."""
    primary: bool = False
    """Whether `primary` keeps only people with their own school."""


async def follow(snapshot: Snapshot, view: View, relation: Relation, parent: int) -> BitMap:
    """The shared records that a relation leads to from a shared one."""
    pairs = union_all(*relation.select(view.district_id, parent)).subquery()
    way, end = pairs.c
    statement = select(func.array_agg(way, type_=ARRAY(Integer)), func.array_agg(end, type_=ARRAY(Integer)))
    ways, ends = (await snapshot.connection.execute(statement)).one()
    shared = view.of(relation.through)
    open_ends = (end for way, end in zip(ways or (), ends or (), strict=True) if way is None or way in shared)
    return BitMap([end for end in open_ends if end is not None]) & view.of(relation.child)


async def primary(snapshot: Snapshot, view: View, relation: Relation, parent: int, found: AbstractBitMap) -> BitMap:
    """Of a school's people those who show it as their `school`, of a person's schools the one that is shown as such."""
    people = found if relation.child == "people" else BitMap([parent])
    row = school_people.c
    statement = (
        select(row.person, row.school)
        .ext(distinct_on(row.person))
        .where(row.district_id == view.district_id, among(row.person, people), among(row.school, view.of("schools")))
        .order_by(row.person, row.position.asc().nulls_last(), row.school)
    )
    own = await snapshot.connection.execute(statement)
    if relation.child == "people":
        return BitMap([person for person, school in own if school == parent])
    return BitMap([school for _, school in own])


def _sections_with(key: str, found: str) -> Callable[[UUID, int], list[Pairs]]:
    """What the sections with this school, course or term have in another column."""

    def pairs(district_id: UUID, parent: int) -> list[Pairs]:
        statement = select(sections.c.ordinal, sections.c[found])
        return [statement.where(sections.c.district_id == district_id, sections.c[key] == parent)]

    return pairs


def _linked(key: Column[int], found: Column[int]) -> Callable[[UUID, int], Pairs]:
    def pairs(district_id: UUID, parent: int) -> Pairs:
        return select(DIRECT, found).where(key.table.c.district_id == district_id, key == parent)

    return pairs


def _people_of_school(district_id: UUID, school: int) -> list[Pairs]:
    contacts = (
        select(contact_students.c.student, contact_students.c.contact)
        .join(
            school_people,
            (school_people.c.district_id == district_id) & (school_people.c.person == contact_students.c.student),
        )
        .where(contact_students.c.district_id == district_id, school_people.c.school == school)
    )
    return [_linked(school_people.c.school, school_people.c.person)(district_id, school), contacts]


def _people_of_section(district_id: UUID, section: int) -> list[Pairs]:
    return [
        _linked(enrollments.c.section, enrollments.c.student)(district_id, section),
        _linked(section_teachers.c.section, section_teachers.c.teacher)(district_id, section),
    ]


def _sections_of_person(district_id: UUID, person: int) -> list[Pairs]:
    return [
        _linked(enrollments.c.student, enrollments.c.section)(district_id, person),
        _linked(section_teachers.c.teacher, section_teachers.c.section)(district_id, person),
    ]


def _schools_of_person(district_id: UUID, person: int) -> list[Pairs]:
    return [_linked(school_people.c.person, school_people.c.school)(district_id, person)]


def _contacts_of_student(district_id: UUID, student: int) -> list[Pairs]:
    return [_linked(contact_students.c.student, contact_students.c.contact)(district_id, student)]


def _students_of_person(district_id: UUID, person: int) -> list[Pairs]:
    """A teacher's students through sections, or a contact's own."""
    return [
        _classmates(enrollments.c.student, section_teachers.c.teacher, district_id, person),
        _linked(contact_students.c.contact, contact_students.c.student)(district_id, person),
    ]


def _teachers_of_student(district_id: UUID, student: int) -> list[Pairs]:
    return [_classmates(section_teachers.c.teacher, enrollments.c.student, district_id, student)]


def _classmates(found: Column[int], key: Column[int], district_id: UUID, person: int) -> Pairs:
    return (
        select(enrollments.c.section, found)
        .join(
            section_teachers,
            (section_teachers.c.district_id == district_id) & (section_teachers.c.section == enrollments.c.section),
        )
        .where(enrollments.c.district_id == district_id, key == person)
    )


RELATIONS: Final = (
    Relation("schools", "courses", "courses", _sections_with("school", "course")),
    Relation("schools", "sections", "sections", _sections_with("school", "ordinal")),
    Relation("schools", "terms", "terms", _sections_with("school", "term")),
    Relation("schools", "users", "people", _people_of_school, through="people", roles=True, primary=True),
    Relation("courses", "schools", "schools", _sections_with("course", "school")),
    Relation("courses", "sections", "sections", _sections_with("course", "ordinal")),
    Relation("terms", "schools", "schools", _sections_with("term", "school")),
    Relation("terms", "sections", "sections", _sections_with("term", "ordinal")),
    Relation("sections", "course", "courses", _sections_with("ordinal", "course"), single=True),
    Relation("sections", "school", "schools", _sections_with("ordinal", "school"), single=True),
    Relation("sections", "term", "terms", _sections_with("ordinal", "term"), single=True),
    Relation("sections", "users", "people", _people_of_section, roles=True),
    Relation("people", "mycontacts", "people", _contacts_of_student),
    Relation("people", "mystudents", "people", _students_of_person),
    Relation("people", "myteachers", "people", _teachers_of_student),
    Relation("people", "schools", "schools", _schools_of_person, primary=True),
    Relation("people", "sections", "sections", _sections_of_person),
)
"""Every nested path of the partner API except that to the district."""
