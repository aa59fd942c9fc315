"""References between records: which public ids a row names beside its own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pyroaring import AbstractBitMap
from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Text, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.catalogue import PEOPLE, Kind
from sharing_service.roster.models import RECORDS, school_people, section_students, section_teachers, sections

References = dict[str, str | list[str] | None]
"""The members of one row that name other records."""
Seen = Mapping[Kind, AbstractBitMap]
"""The records that may be named."""

OF_SECTIONS: Final = ("school", "course", "term", "teachers", "students")
OF_PERSONS: Final = ("school", "schools")
_Links = dict[int, list[int]]


def names(kind: Kind) -> tuple[str, ...]:
    """The members of a kind's rows that name other records."""
    return OF_SECTIONS if kind is Kind.SECTIONS else OF_PERSONS if kind in PEOPLE else ()


def among(column: ColumnElement[int], ordinals: Iterable[int]) -> ColumnElement[bool]:
    """Whether a column holds one of these ordinals."""
    return column == any_(literal(list(ordinals), ARRAY(Integer)))


async def references(
    session: AsyncSession, district_id: UUID, kind: Kind, ordinals: Sequence[int], *, seen: Seen | None
) -> dict[int, References]:
    """The references of some records of one kind, by ordinal; without `seen` every record may be named."""
    if kind is Kind.SECTIONS:
        return await _of_sections(session, district_id, ordinals, seen)
    return await _of_persons(session, district_id, ordinals, seen)


async def _of_sections(
    session: AsyncSession, district_id: UUID, ordinals: Sequence[int], seen: Seen | None
) -> dict[int, References]:
    one = (sections.c.ordinal, sections.c.school, sections.c.course, sections.c.term)
    statement = select(*one).where(sections.c.district_id == district_id, among(sections.c.ordinal, ordinals))
    rows = (await session.execute(statement)).all()
    teaching = section_teachers.c
    teachers = await _links(
        session,
        select(teaching.section, _aggregated(teaching.teacher, teaching.position))
        .where(teaching.district_id == district_id, among(teaching.section, ordinals))
        .group_by(teaching.section),
        None if seen is None else seen[Kind.TEACHERS],
    )
    enrolled = section_students.c
    students = await _links(
        session,
        select(enrolled.section, enrolled.students).where(
            enrolled.district_id == district_id, among(enrolled.section, ordinals)
        ),
        None if seen is None else seen[Kind.STUDENTS],
    )
    ids = {
        "school": await _ids(session, district_id, Kind.SCHOOLS, {row.school for row in rows}, seen),
        "course": await _ids(session, district_id, Kind.COURSES, {row.course for row in rows} - {None}, seen),
        "term": await _ids(session, district_id, Kind.TERMS, {row.term for row in rows} - {None}, seen),
    }
    teacher_ids = await _ids(session, district_id, Kind.TEACHERS, _linked(teachers), seen)
    student_ids = await _ids(session, district_id, Kind.STUDENTS, _linked(students), seen)
    return {
        row.ordinal: {
            **{name: of_kind.get(getattr(row, name)) for name, of_kind in ids.items()},
            "teachers": [teacher_ids[teacher] for teacher in teachers[row.ordinal]],
            "students": [student_ids[student] for student in students[row.ordinal]],
        }
        for row in rows
    }


async def _of_persons(
    session: AsyncSession, district_id: UUID, ordinals: Sequence[int], seen: Seen | None
) -> dict[int, References]:
    at = school_people.c
    schools = await _links(
        session,
        select(at.person, _aggregated(at.school, at.position.asc().nulls_last(), at.school))
        .where(at.district_id == district_id, among(at.person, ordinals))
        .group_by(at.person),
        None if seen is None else seen[Kind.SCHOOLS],
    )
    ids = await _ids(session, district_id, Kind.SCHOOLS, _linked(schools), seen)
    found: dict[int, References] = {}
    for ordinal in ordinals:
        named = [ids[school] for school in schools[ordinal]]
        found[ordinal] = {"school": named[0] if named else None, "schools": named}
    return found


async def _links(session: AsyncSession, statement: Select[Any], seen: AbstractBitMap | None) -> _Links:
    links: _Links = defaultdict(list)
    for record, others in await session.execute(statement):
        links[record] = others if seen is None else [other for other in others if other in seen]
    return links


def _aggregated(value: ColumnElement[int], *order: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.array_agg(aggregate_order_by(value, *order), type_=ARRAY(Integer))


def _linked(links: _Links) -> set[int]:
    return {other for others in links.values() for other in others}


async def _ids(
    session: AsyncSession, district_id: UUID, kind: Kind, ordinals: Iterable[int], seen: Seen | None
) -> dict[int, str]:
    table = RECORDS[kind]
    wanted = [ordinal for ordinal in ordinals if seen is None or ordinal in seen[kind]]
    statement = select(table.c.ordinal, cast(table.c.id, Text).label("id")).where(
        table.c.district_id == district_id, among(table.c.ordinal, wanted)
    )
    return {row.ordinal: row.id for row in await session.execute(statement)}
