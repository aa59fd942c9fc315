"""Rules as SQL predicates on the record tables. Nothing is run here.

A negative operator is the denial of its positive twin, for one value and for many: so `is_not` holds when none of a
field's values is any of the listed ones, and a field without any value is empty.
"""

from collections.abc import Iterable
from typing import Final, assert_never
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)

from sharing_service.database import LETTERS
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.enrollments import STUDENT, STUDENTS_OF_SECTIONS
from sharing_service.roster.models import (
    RECORDS,
    school_people,
    schools,
    section_students,
    section_teachers,
    students,
    teachers,
)
from sharing_service.sharing.rules import EXT, Condition, Operator, Rule

Predicate = ColumnElement[bool]

DENIALS: Final = frozenset({Operator.IS_NOT, Operator.DOES_NOT_CONTAIN, Operator.IS_EMPTY})


def matches_any(district_id: UUID, kind: Kind, rules: Iterable[Rule]) -> Predicate:
    """Whether a record of the kind's table fits at least one of the rules of this kind; none fit an empty list."""
    own = [rule for rule in rules if rule.match == kind.value]
    return or_(false(), *(and_(*(_holds(district_id, kind, condition) for condition in rule.where)) for rule in own))


def _holds(district_id: UUID, kind: Kind, condition: Condition) -> Predicate:
    fits = _some_value_fits(district_id, kind, condition)
    return not_(fits) if condition.operator in DENIALS else fits


def _some_value_fits(district_id: UUID, kind: Kind, condition: Condition) -> Predicate:
    """The positive twin of the condition, over all values that the field has."""
    table, field = RECORDS[kind], condition.field
    match field:
        case "school" | "school_name" | "school_number":
            return _some_school_fits(district_id, kind, condition)
        case "teacher_sis_id" | "teacher_email":
            column = teachers.c.sis_id if field == "teacher_sis_id" else teachers.c.email
            linked = _linked(section_teachers, section_teachers.c.teacher, teachers, district_id)
            return _for_some(
                linked.where(section_teachers.c.section == table.c.ordinal, _fits(column, condition)), table
            )
        case "student_grade":
            linked = _linked(section_students, STUDENT, students, district_id, rows=STUDENTS_OF_SECTIONS)
            grade = _fits(students.c.grade, condition)
            return _for_some(linked.where(section_students.c.section == table.c.ordinal, grade), table)
        case _ if field.startswith(EXT):
            return _fits(func.coalesce(table.c.ext[field.removeprefix(EXT)].astext, ""), condition)
        case _:
            return _fits(table.c[field], condition)


def _some_school_fits(district_id: UUID, kind: Kind, condition: Condition) -> Predicate:
    """A section has one school; a person those of the person's own rows in the upload."""
    table = RECORDS[kind]
    columns = {
        "school": cast(schools.c.id, Text),
        "school_name": schools.c.name,
        "school_number": schools.c.school_number,
    }
    fits = _fits(columns[condition.field], condition)
    if kind is Kind.SECTIONS:
        fitting = select(schools.c.ordinal).where(schools.c.district_id == district_id, fits)
        return table.c.school.in_(fitting.correlate(None))
    linked = _linked(school_people, school_people.c.school, schools, district_id)
    own_row = and_(school_people.c.person == table.c.ordinal, school_people.c.position.is_not(None))
    return _for_some(linked.where(own_row, fits), table)


def _linked(
    link: Table, reference: ColumnElement[int], target: Table, district_id: UUID, rows: FromClause | None = None
) -> Select[int]:
    """The rows of a link table of one district, or `rows` made of it, each joined with the record it refers to."""
    links = link if rows is None else rows
    joined = links.join(target, and_(target.c.district_id == link.c.district_id, target.c.ordinal == reference))
    return select(literal(1)).select_from(joined).where(link.c.district_id == district_id)


def _for_some(linked: Select[int], table: Table) -> Predicate:
    """EXISTS probes an index row by row; a denied IN would be planned as a scan per row once it outgrows work_mem."""
    return linked.correlate(table).exists()


def _fits(column: ColumnElement[str], condition: Condition) -> Predicate:
    """One value against the listed ones, by the positive twin of the operator."""
    given = func.unnest(literal(list(condition.values), ARRAY(Text))).column_valued("given")
    value, wanted = _folded(column, condition), _folded(given, condition)
    match condition.operator:
        case Operator.IS | Operator.IS_NOT:
            return value.in_(select(wanted))
        case Operator.CONTAINS | Operator.DOES_NOT_CONTAIN:
            return select(given).where(func.strpos(value, wanted) > 0).exists()
        case Operator.STARTS_WITH:
            return select(given).where(func.starts_with(value, wanted)).exists()
        case Operator.IS_EMPTY | Operator.IS_NOT_EMPTY:
            return column != ""
        case unhandled:
            assert_never(unhandled)


def _folded(value: ColumnElement[str], condition: Condition) -> ColumnElement[str]:
    """The value as it is compared: byte for byte, or both sides through lower()."""
    if condition.case_sensitive:
        return collate(value, "C")
    return collate(func.lower(collate(value, LETTERS)), "C")
