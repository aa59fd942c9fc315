"""References of records to others: what stands ready in the documents of persons, and what one application sees of it.

Sets of schools are small and looked up in SQL; those of people may be a million, so the ordinals that a page refers to
come along and `delivery.pages` compares them.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    Subquery,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from sharing_service.delivery.models import documents
from sharing_service.roster.catalogue import Kind, Numbering
from sharing_service.roster.enrollments import STUDENT, STUDENTS_OF_SECTIONS
from sharing_service.roster.models import (
    Identity,
    contact_students,
    school_people,
    section_students,
    section_teachers,
    sections,
)

SECTION_REFERENCES: Final[dict[str, Numbering]] = {"school": "schools", "course": "courses", "term": "terms"}
DISTRICT: Final = bindparam("district_id", type_=Uuid)
SCHOOLS: Final = bindparam("schools", type_=LargeBinary)
"""The schools that an application sees, as the mask of its ledger."""
QUOTED_ID: Final = 38
"""Bytes of an id in quotes."""
NO_SCHOOLS: Final[ColumnElement[Any]] = literal_column("'{}'::integer[]")
HIDDEN: Final = bindparam("hidden", type_=ARRAY(Integer))
"""Students that an application does not see, though contacts that it sees refer to them."""


def among(column: ColumnElement[int], name: str = "ordinals") -> ColumnElement[bool]:
    """Whether a column holds one of the ordinals that the statement is given under this name."""
    return column == any_(bindparam(name, type_=ARRAY(Integer)))


def of_persons(kind: Kind, district_id: UUID, listed: FromClause | None, within: range | None = None) -> Subquery:
    """What persons of a kind refer to, shared or not: `schools` and `referring` of documents.

    All of them, those that are listed, or those whose ordinals are `within` a range.
    """
    numbering: Numbering
    if kind is Kind.CONTACTS:
        owner, other, numbering = contact_students.c.contact, contact_students.c.student, "people"
    else:
        owner, other, numbering = school_people.c.person, school_people.c.school, "schools"
    record = aliased(Identity)
    schools = NO_SCHOOLS if kind is Kind.CONTACTS else _aggregated(other, *_SCHOOL_ORDER)
    found = (
        select(owner.label("person"), schools.label("schools"), _text_of(kind, record).label("referring"))
        .join(record, _identifies(record, literal(district_id), numbering, other))
        .where(owner.table.c.district_id == district_id)
        .group_by(owner)
    )
    if kind is not Kind.CONTACTS:
        found = found.where(school_people.c.kind == kind.value)
    if within is not None:
        found = found.where(owner.between(within.start, within.stop - 1))
    if listed is not None:
        found = found.where(owner == listed.c.ordinal, listed.c.numbering == "people")
    return found.subquery("referring")


def seen_by_grant(kind: Kind, district_id: ColumnElement[UUID]) -> ColumnElement[str]:
    """What a person's document refers to, reduced to what is shared: `SCHOOLS` are, `HIDDEN` students are not."""
    record = aliased(Identity)
    partly: ColumnElement[bool]
    if kind is Kind.CONTACTS:
        link, hidden = contact_students.c, func.unnest(HIDDEN).column_valued("hidden_student")
        theirs = (link.district_id == district_id, link.contact == documents.c.ordinal)
        is_hidden = link.student.in_(select(hidden))
        partly = (func.cardinality(HIDDEN) > 0) & exists().where(*theirs, is_hidden)
        text = select(_text_of(kind, record)).join_from(
            contact_students, record, _identifies(record, district_id, "people", link.student)
        )
        shared = text.where(*theirs, ~is_hidden)
    else:
        at = school_people.c
        own = select(func.unnest(documents.c.schools).label("school")).correlate(documents).subquery("own")
        # Almost everybody is at one school.
        single = func.octet_length(documents.c.referring) == QUOTED_ID
        partly = case((single, ~_is_in_mask(documents.c.schools[1])), else_=exists().where(~_is_in_mask(own.c.school)))
        text = select(_text_of(kind, record)).join_from(
            school_people, record, _identifies(record, district_id, "schools", at.school)
        )
        shared = text.where(at.district_id == district_id, at.person == documents.c.ordinal, _is_in_mask(at.school))
    found = func.coalesce(shared.correlate(documents).scalar_subquery(), "")
    return case((partly, found), else_=documents.c.referring)


def _is_in_mask(school: ColumnElement[int]) -> ColumnElement[bool]:
    # In a case, since get_bit fails beyond the end, and only a case says what is evaluated first.
    return case((school < 8 * func.octet_length(SCHOOLS), func.get_bit(SCHOOLS, school) == 1), else_=False)


def _text_of(kind: Kind, record: type[Identity]) -> ColumnElement[str]:
    """The ids of schools, own rows first, or the relationships of a contact, as members of a JSON array."""
    record_id = cast(record.id, Text)
    if kind is not Kind.CONTACTS:
        return func.string_agg('"' + record_id + '"', aggregate_order_by(literal(",", Text), *_SCHOOL_ORDER))
    link = contact_students.c
    relationship = (
        '{"student":"'
        + record_id
        + '","relationship":'
        + cast(func.to_json(link.relationship), Text)
        + ',"type":'
        + cast(func.to_json(link.type), Text)
        + "}"
    )
    return func.string_agg(relationship, aggregate_order_by(literal(",", Text), link.student))


_SCHOOL_ORDER: Final = (school_people.c.position.asc().nulls_last(), school_people.c.school)


def with_sections(statement: Select[Any], district_id: ColumnElement[UUID]) -> Select[Any]:
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
    students = _students_of_sections(district_id)
    teachers = _teachers_of_sections(district_id)
    return (
        statement.outerjoin(students, students.c.section == documents.c.ordinal)
        .outerjoin(teachers, teachers.c.section == documents.c.ordinal)
        .add_columns(students.c.students, students.c.student_ids, teachers.c.teachers, teachers.c.teacher_ids)
    )


def _students_of_sections(district_id: ColumnElement[UUID]) -> Subquery:
    record = aliased(Identity)
    link = section_students.c
    return (
        select(
            link.section,
            _aggregated(STUDENT, STUDENT).label("students"),
            _aggregated(cast(record.id, Text), STUDENT).label("student_ids"),
        )
        .select_from(STUDENTS_OF_SECTIONS)
        .join(record, _identifies(record, district_id, "people", STUDENT))
        .where(link.district_id == district_id, among(link.section))
        .group_by(link.section)
        .subquery()
    )


def _teachers_of_sections(district_id: ColumnElement[UUID]) -> Subquery:
    record = aliased(Identity)
    link = section_teachers.c
    return (
        select(
            link.section,
            _aggregated(link.teacher, link.position, link.teacher).label("teachers"),
            _aggregated(cast(record.id, Text), link.position, link.teacher).label("teacher_ids"),
        )
        .join(record, _identifies(record, district_id, "people", link.teacher))
        .where(link.district_id == district_id, among(link.section))
        .group_by(link.section)
        .subquery()
    )


def _identifies(
    record: type[Identity], district_id: ColumnElement[UUID], numbering: Numbering, ordinal: ColumnElement[int]
) -> ColumnElement[bool]:
    return (record.district_id == district_id) & (record.numbering == numbering) & (record.ordinal == ordinal)


def _aggregated(value: ColumnElement[Any], *order: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.array_agg(aggregate_order_by(value, *order), type_=ARRAY(value.type))
