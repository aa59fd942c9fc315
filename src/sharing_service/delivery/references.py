"""References of a page of records to others, as columns beside their documents.

Sets of schools are small and filtered in SQL; those of people may be a million, so the ordinals of a page come
along and `delivery.pages` filters them.
"""

from typing import Any, Final
from uuid import UUID

from pyroaring import AbstractBitMap
from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Subquery, Text, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from sharing_service.delivery.models import documents
from sharing_service.roster.catalogue import Numbering
from sharing_service.roster.models import (
    Identity,
    contact_students,
    enrollments,
    school_people,
    section_teachers,
    sections,
)

SECTION_REFERENCES: Final[dict[str, Numbering]] = {"school": "schools", "course": "courses", "term": "terms"}


def among(column: ColumnElement[int], ordinals: AbstractBitMap) -> ColumnElement[bool]:
    """Whether a column holds one of these ordinals."""
    return column == any_(literal(ordinals.to_array().tolist(), ARRAY(Integer)))


def with_sections(statement: Select[Any], district_id: UUID, ordinals: AbstractBitMap) -> Select[Any]:
    """Add school, course, term, students and teachers of sections, shared or not, as ordinals and ids."""
    section = sections.alias("section")
    statement = statement.join(
        section, (section.c.district_id == district_id) & (section.c.ordinal == documents.c.ordinal)
    )
    for name, numbering in SECTION_REFERENCES.items():
        record = aliased(Identity)
        same = _identifies(record, district_id, numbering, section.c[name])
        statement = statement.outerjoin(record, same)
        statement = statement.add_columns(section.c[name], cast(record.id, Text).label(f"{name}_id"))
    students = _students_of_sections(district_id, ordinals)
    teachers = _teachers_of_sections(district_id, ordinals)
    return (
        statement.outerjoin(students, students.c.section == documents.c.ordinal)
        .outerjoin(teachers, teachers.c.section == documents.c.ordinal)
        .add_columns(students.c.students, students.c.student_ids, teachers.c.teachers, teachers.c.teacher_ids)
    )


def with_schools(
    statement: Select[Any], district_id: UUID, ordinals: AbstractBitMap, schools: AbstractBitMap
) -> Select[Any]:
    """Add the ids of those of `schools` that persons are at: own rows first, then those of their sections."""
    record = aliased(Identity)
    order = (school_people.c.position.asc().nulls_last(), school_people.c.school)
    found = (
        select(school_people.c.person, _aggregated(cast(record.id, Text), *order).label("school_ids"))
        .join(record, _identifies(record, district_id, "schools", school_people.c.school))
        .where(
            school_people.c.district_id == district_id,
            among(school_people.c.person, ordinals),
            among(school_people.c.school, schools),
        )
        .group_by(school_people.c.person)
        .subquery()
    )
    return statement.outerjoin(found, found.c.person == documents.c.ordinal).add_columns(found.c.school_ids)


def with_relationships(statement: Select[Any], district_id: UUID, ordinals: AbstractBitMap) -> Select[Any]:
    """Add the students of contacts, shared or not: ordinals, and one JSON object each."""
    record = aliased(Identity)
    link = contact_students.c
    relationship = (
        '{"student":"'
        + cast(record.id, Text)
        + '","relationship":'
        + cast(func.to_json(link.relationship), Text)
        + ',"type":'
        + cast(func.to_json(link.type), Text)
        + "}"
    )
    found = (
        select(
            link.contact,
            _aggregated(link.student, link.student).label("related"),
            _aggregated(relationship, link.student).label("relationships"),
        )
        .join(record, _identifies(record, district_id, "people", link.student))
        .where(link.district_id == district_id, among(link.contact, ordinals))
        .group_by(link.contact)
        .subquery()
    )
    return statement.outerjoin(found, found.c.contact == documents.c.ordinal).add_columns(
        found.c.related, found.c.relationships
    )


def _students_of_sections(district_id: UUID, ordinals: AbstractBitMap) -> Subquery:
    record = aliased(Identity)
    return (
        select(
            enrollments.c.section,
            _aggregated(enrollments.c.student, enrollments.c.student).label("students"),
            _aggregated(cast(record.id, Text), enrollments.c.student).label("student_ids"),
        )
        .join(record, _identifies(record, district_id, "people", enrollments.c.student))
        .where(enrollments.c.district_id == district_id, among(enrollments.c.section, ordinals))
        .group_by(enrollments.c.section)
        .subquery()
    )


def _teachers_of_sections(district_id: UUID, ordinals: AbstractBitMap) -> Subquery:
    record = aliased(Identity)
    link = section_teachers.c
    return (
        select(
            link.section,
            _aggregated(link.teacher, link.position, link.teacher).label("teachers"),
            _aggregated(cast(record.id, Text), link.position, link.teacher).label("teacher_ids"),
        )
        .join(record, _identifies(record, district_id, "people", link.teacher))
        .where(link.district_id == district_id, among(link.section, ordinals))
        .group_by(link.section)
        .subquery()
    )


def _identifies(
    record: type[Identity], district_id: UUID, numbering: Numbering, ordinal: ColumnElement[int]
) -> ColumnElement[bool]:
    return (record.district_id == district_id) & (record.numbering == numbering) & (record.ordinal == ordinal)


def _aggregated(value: ColumnElement[Any], *order: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.array_agg(aggregate_order_by(value, *order), type_=ARRAY(value.type))
