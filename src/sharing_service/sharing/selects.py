"""Sets of ordinals that only the database knows: what ids and rules name. Built as statements, run one by one."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from pyroaring import BitMap
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Uuid,
    and_,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.catalogue import Kind, numbering_of
from sharing_service.roster.models import RECORDS, Identity, school_people, sections
from sharing_service.sharing.links import bitmap
from sharing_service.sharing.matching import Predicate

MANY: Final = 1000
"""Ids from which on a plan of their own is worth its time."""
ARRAY_HEADER_BYTES: Final = 20
"""Of an array of one dimension as PostgreSQL sends it, before elements of a 32-bit length and a value each."""


async def found(session: AsyncSession, wanted: Select[int]) -> BitMap:
    """What a select finds: as bytes, since a driver decodes arrays number by number.

    One statement a set: in a union of several the server gives each set one process, alone each gets all of them.
    """
    part = wanted.subquery()
    ordinals = func.array_send(func.array_agg(part.c.ordinal), type_=LargeBinary)
    sent = await session.scalar(select(ordinals).select_from(part))
    if sent is None:
        return BitMap()
    return bitmap(np.frombuffer(sent, ">u4", offset=ARRAY_HEADER_BYTES)[1::2])


def records(district_id: UUID, kind: Kind, *conditions: Predicate) -> Select[int]:
    """The records of a kind that exist now and meet the conditions."""
    table = RECORDS[kind]
    return select(table.c.ordinal).where(table.c.district_id == district_id, *conditions)


def given_ids(ids: Sequence[UUID]) -> Any:
    """Ids as the column of a table, one in a row."""
    return func.unnest(literal(list(ids), ARRAY(Uuid))).column_valued("given")


def identified(district_id: UUID, kind: Kind, given: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether an identity is that of a given id of schools or sections, whose numberings have no other kinds."""
    return and_(Identity.district_id == district_id, Identity.numbering == numbering_of(kind), Identity.id == given)


async def plan_for(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Let PostgreSQL plan for so many ids, until the transaction ends.

    Planned for any it expects ten of them, and looks 100,000 up one by one.
    """
    if len(ids) > MANY:
        await session.execute(text("set local plan_cache_mode = force_custom_plan"))


async def ordinals_of(session: AsyncSession, district_id: UUID, kind: Kind, ids: Sequence[UUID]) -> BitMap:
    """The ordinals of public ids of schools or sections, whether or not the records are there now."""
    await plan_for(session, ids)
    given = given_ids(ids)
    return await found(session, select(Identity.ordinal).where(identified(district_id, kind, given)))


def at_schools(district_id: UUID, kind: Kind, within: BitMap | None) -> Predicate:
    """Whether a record is at one of the schools that are looked at; without any, every record is."""
    if within is None:
        return true()
    listed = select(func.unnest(literal(list(within), ARRAY(Integer))))
    if kind is Kind.SECTIONS:
        return sections.c.school.in_(listed)
    here = select(school_people.c.person).where(
        school_people.c.district_id == district_id,
        school_people.c.kind == kind.value,
        school_people.c.school.in_(listed),
    )
    return RECORDS[kind].c.ordinal.in_(here)


def frozen_sections(district_id: UUID, picks: Sequence[tuple[int, UUID]]) -> Select[int]:
    """Sections picked by schools that are still at the school which picked them."""
    picked: Any = (
        func.unnest(
            literal([school for school, _ in picks], ARRAY(Integer)), literal([pick for _, pick in picks], ARRAY(Uuid))
        )
        .table_valued("school", "id")
        .render_derived()
    )
    pairs = select(picked.c.school, Identity.ordinal).join(
        Identity,
        identified(district_id, Kind.SECTIONS, picked.c.id),
    )
    return records(district_id, Kind.SECTIONS, tuple_(sections.c.school, sections.c.ordinal).in_(pairs))
