"""Relations between records that partner paths follow: the sections of a school, the teachers of a student."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on

from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery.references import DISTRICT, among
from sharing_service.delivery.views import View
from sharing_service.roster.catalogue import Numbering
from sharing_service.roster.enrollments import SECTION, SECTIONS_OF_STUDENTS
from sharing_service.roster.models import (
    contact_students,
    school_people,
    section_students,
    section_teachers,
    sections,
    student_sections,
)

Pairs = Select[*tuple[Any, ...]]
"""Two columns: the ordinal of the record through which another is reached, or null, and the ordinal of that one."""
DistrictId = ColumnElement[UUID]
Ordinal = ColumnElement[int]
DIRECT: Final = type_coerce(null(), Integer)


@dataclass(frozen=True, slots=True)
class Relation:
    """Leads from one record to those of another numbering, by way of shared records only."""

    parent: Numbering
    name: str
    child: Numbering
    select: Callable[[DistrictId, Ordinal], list[Pairs]]
    through: Numbering = "sections"
    single: bool = False
    roles: bool = False
    """Whether `role` filters the list."""
    primary: bool = False
    """Whether `primary` keeps only people with their own school."""


async def follow(snapshot: Snapshot, view: View, relation: Relation, parent: int) -> BitMap:
    """The shared records that a relation leads to from a shared one."""
    row: Any = await _following(relation).fetchrow(snapshot.driver, district_id=view.district_id, parent=parent)
    shared = view.of(relation.through)
    ways = zip(row["ways"] or (), row["ends"] or (), strict=True)
    open_ends = (end for way, end in ways if way is None or way in shared)
    return BitMap([end for end in open_ends if end is not None]) & view.of(relation.child)


@cache
def _following(relation: Relation) -> Prepared:
    """One row: what the relation leads to, and through what."""
    parent: Ordinal = bindparam("parent", type_=Integer)
    pairs = union_all(*relation.select(DISTRICT, parent)).subquery()
    way, end = pairs.c
    return Prepared(
        select(
            func.array_agg(way, type_=ARRAY(Integer)).label("ways"),
            func.array_agg(end, type_=ARRAY(Integer)).label("ends"),
        )
    )


async def primary(snapshot: Snapshot, view: View, relation: Relation, parent: int, found: AbstractBitMap) -> BitMap:
    """Of a school's people those who show it as their `school`, of a person's schools the one that is shown as such."""
    people = found if relation.child == "people" else BitMap([parent])
    own = await OWN_SCHOOL.fetch(
        snapshot.driver,
        district_id=view.district_id,
        people=people.to_array(),
        schools=view.of("schools").to_array(),
    )
    if relation.child == "people":
        return BitMap([person for person, school in own if school == parent])
    return BitMap([school for _, school in own])


_at = school_people.c
OWN_SCHOOL: Final = Prepared(
    select(_at.person, _at.school)
    .ext(distinct_on(_at.person))
    .where(_at.district_id == DISTRICT, among(_at.person, "people"), among(_at.school, "schools"))
    .order_by(_at.person, _at.position.asc().nulls_last(), _at.school)
)


def _sections_with(key: str, found: str) -> Callable[[DistrictId, Ordinal], list[Pairs]]:
    """What the sections with this school, course or term have in another column."""

    def pairs(district_id: DistrictId, parent: Ordinal) -> list[Pairs]:
        statement = select(sections.c.ordinal, sections.c[found])
        return [statement.where(sections.c.district_id == district_id, sections.c[key] == parent)]

    return pairs


def _linked(key: Column[int], found: ColumnElement[int]) -> Callable[[DistrictId, Ordinal], Pairs]:
    def pairs(district_id: DistrictId, parent: Ordinal) -> Pairs:
        return select(DIRECT, found).where(key.table.c.district_id == district_id, key == parent)

    return pairs


_EACH_STUDENT: Final = func.unnest(section_students.c.students, type_=Integer)


def _people_of_school(district_id: DistrictId, school: Ordinal) -> list[Pairs]:
    contacts = (
        select(contact_students.c.student, contact_students.c.contact)
        .join(
            school_people,
            (school_people.c.district_id == district_id) & (school_people.c.person == contact_students.c.student),
        )
        .where(contact_students.c.district_id == district_id, school_people.c.school == school)
    )
    return [_linked(school_people.c.school, school_people.c.person)(district_id, school), contacts]


def _people_of_section(district_id: DistrictId, section: Ordinal) -> list[Pairs]:
    return [
        _linked(section_students.c.section, _EACH_STUDENT)(district_id, section),
        _linked(section_teachers.c.section, section_teachers.c.teacher)(district_id, section),
    ]


def _sections_of_person(district_id: DistrictId, person: Ordinal) -> list[Pairs]:
    return [
        _linked(student_sections.c.student, func.unnest(student_sections.c.sections, type_=Integer))(
            district_id, person
        ),
        _linked(section_teachers.c.teacher, section_teachers.c.section)(district_id, person),
    ]


def _schools_of_person(district_id: DistrictId, person: Ordinal) -> list[Pairs]:
    return [_linked(school_people.c.person, school_people.c.school)(district_id, person)]


def _contacts_of_student(district_id: DistrictId, student: Ordinal) -> list[Pairs]:
    return [_linked(contact_students.c.student, contact_students.c.contact)(district_id, student)]


def _students_of_person(district_id: DistrictId, person: Ordinal) -> list[Pairs]:
    """A teacher's students through sections, or a contact's own."""
    return [
        select(section_students.c.section, _EACH_STUDENT)
        .join(
            section_teachers,
            (section_teachers.c.district_id == district_id)
            & (section_teachers.c.section == section_students.c.section),
        )
        .where(section_students.c.district_id == district_id, section_teachers.c.teacher == person),
        _linked(contact_students.c.contact, contact_students.c.student)(district_id, person),
    ]


def _teachers_of_student(district_id: DistrictId, student: Ordinal) -> list[Pairs]:
    return [
        select(section_teachers.c.section, section_teachers.c.teacher)
        .select_from(SECTIONS_OF_STUDENTS)
        .join(
            section_teachers,
            (section_teachers.c.district_id == district_id) & (section_teachers.c.section == SECTION),
        )
        .where(student_sections.c.district_id == district_id, student_sections.c.student == student)
    ]


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
