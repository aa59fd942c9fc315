"""Sets of ordinals as statements: the steps from records to the records around them. Nothing is run here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    Column,
    CompoundSelect,
    Integer,
    Select,
    Uuid,
    and_,
    cast,
    literal,
    null,
    select,
    true,
)

from sharing_service.roster.catalogue import Kind, numbering_of
from sharing_service.roster.models import (
    RECORDS,
    Identity,
    contact_students,
    enrollments,
    school_people,
    section_teachers,
    sections,
)
from sharing_service.sharing.matching import Predicate

Ordinals = Select[int] | CompoundSelect[int]


def records(district_id: UUID, kind: Kind, *conditions: Predicate) -> Select[int]:
    """The records of a kind that exist now and meet the conditions."""
    table = RECORDS[kind]
    return select(table.c.ordinal).where(table.c.district_id == district_id, *conditions)


def nothing() -> Select[int]:
    """No record at all."""
    return select(cast(null(), Integer).label("ordinal")).where(literal(value=False))


def ordinals_of(district_id: UUID, kind: Kind, ids: Sequence[UUID]) -> Select[int]:
    """The ordinals of public ids of one kind, whether or not the records are there now."""
    listed = literal(list(ids), ARRAY(Uuid))
    return select(Identity.ordinal).where(
        Identity.district_id == district_id,
        Identity.numbering == numbering_of(kind),
        Identity.kind == kind.value,
        Identity.id == listed.any_(),
    )


def people_at(district_id: UUID, kind: Kind, chosen: Ordinals) -> Select[int]:
    """Persons of one kind at any of the chosen schools: by a row of their own or through a section there."""
    return (
        select(school_people.c.person.label("ordinal"))
        .where(
            school_people.c.district_id == district_id,
            school_people.c.kind == kind.value,
            school_people.c.school.in_(chosen),
        )
        .distinct()
    )


def at_school(district_id: UUID, kind: Kind, school: int | None) -> Predicate:
    """Whether a record is at the one school that is looked at; without one, every record is."""
    if school is None:
        return true()
    if kind is Kind.SECTIONS:
        return sections.c.school == school
    table = RECORDS[kind]
    membership = and_(
        school_people.c.district_id == district_id,
        school_people.c.person == table.c.ordinal,
        school_people.c.school == school,
    )
    return select(literal(1)).select_from(school_people).where(membership).correlate(table).exists()


def enrolled_in(district_id: UUID, chosen: CTE) -> Select[int]:
    """The students of sections."""
    return select(enrollments.c.student.label("ordinal")).where(
        enrollments.c.district_id == district_id, enrollments.c.section.in_(select(chosen.c.ordinal))
    )


def teaching(district_id: UUID, chosen: CTE) -> Select[int]:
    """The teachers of sections."""
    return select(section_teachers.c.teacher.label("ordinal")).where(
        section_teachers.c.district_id == district_id, section_teachers.c.section.in_(select(chosen.c.ordinal))
    )


def sections_of_students(district_id: UUID, chosen: CTE) -> Select[int]:
    """The sections that students are enrolled in."""
    return select(enrollments.c.section.label("ordinal")).where(
        enrollments.c.district_id == district_id, enrollments.c.student.in_(select(chosen.c.ordinal))
    )


def sections_of_teachers(district_id: UUID, chosen: CTE) -> Select[int]:
    """The sections that teachers teach."""
    return select(section_teachers.c.section.label("ordinal")).where(
        section_teachers.c.district_id == district_id, section_teachers.c.teacher.in_(select(chosen.c.ordinal))
    )


def schools_of(district_id: UUID, chosen: CTE) -> Select[int]:
    """The schools of sections."""
    return (
        select(sections.c.school.label("ordinal"))
        .where(sections.c.district_id == district_id, sections.c.ordinal.in_(select(chosen.c.ordinal)))
        .distinct()
    )


def own_schools(district_id: UUID, chosen: CTE, *, home_only: bool) -> Select[int]:
    """The schools of persons by rows of their own: all of them, or the first row's, the home school."""
    own = school_people.c.position == 0 if home_only else school_people.c.position.is_not(None)
    return (
        select(school_people.c.school.label("ordinal"))
        .where(school_people.c.district_id == district_id, own, school_people.c.person.in_(select(chosen.c.ordinal)))
        .distinct()
    )


def linked_to(district_id: UUID, column: Column[Any], chosen: CTE) -> Select[int]:
    """The courses or terms of sections: `column` is the one of `sections` that names them."""
    return (
        select(column.label("ordinal"))
        .where(
            sections.c.district_id == district_id, column.is_not(None), sections.c.ordinal.in_(select(chosen.c.ordinal))
        )
        .distinct()
    )


def contacts_of(district_id: UUID, chosen: CTE) -> Select[int]:
    """The contacts of students."""
    return (
        select(contact_students.c.contact.label("ordinal"))
        .where(contact_students.c.district_id == district_id, contact_students.c.student.in_(select(chosen.c.ordinal)))
        .distinct()
    )
