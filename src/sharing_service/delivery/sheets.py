"""Sheets: shared records of one kind as the cells of a CSV file (RFC 4180), written by PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import asyncpg
from anyio import CancelScope
from pyroaring import AbstractBitMap
from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from sharing_service.database import DIALECT
from sharing_service.roster.catalogue import PEOPLE, Kind, ValueType
from sharing_service.roster.enrollments import STUDENT, STUDENTS_OF_SECTIONS
from sharing_service.roster.linked import Seen
from sharing_service.roster.models import RECORDS, school_people, section_students, section_teachers, sections
from sharing_service.roster.queries import Shape, display_name

FORMULA: Final = "=+-@\t\r"
"""A spreadsheet runs a cell that begins so (CWE-1236); an apostrophe makes it text."""
NO_CELL: Final = " "
"""What stands for NULL in COPY: no cell is a lone space, so an empty one is written without quotes."""

ENDING: Final = 30.0
"""Seconds that PostgreSQL has to make the rest of a turn that nobody takes."""
THESE: Final = ":these"
"""What stands in a statement for the condition of one turn, so that it is made once for all."""

_Cells = Mapping[str, ColumnElement[Any]]


async def plan_for_bulk(driver: asyncpg.Connection) -> None:
    """Have the rest of the transaction planned for many records that lie in the order of their ordinals.

    After an import nobody has counted the rows yet: taken for a handful they would be looked up one by one, and taken
    for scattered ones they would be sorted.
    """
    await driver.execute("set local enable_nestloop = off; set local random_page_cost = 1")


def statement(district_id: UUID, kind: Kind, *, shape: Shape, seen: Seen) -> str:
    """What selects the cells that `shape.columns` names, of the records that stand for `THESE`, in ascending order."""
    table = RECORDS[kind]
    source, references = _references(district_id, kind, seen)
    cells = {
        "id": table.c.id,
        "sis_id": _guarded(table.c.sis_id),
        "name": _guarded(display_name(kind)),
        "ext": _compact(table.c.ext),
        **references,
        **{
            one.name: _guarded(table.c[one.name]) if one.type is ValueType.TEXT else table.c[one.name]
            for one in shape.fields(kind)
        },
    }
    selected = (
        select(*(cells[name] for name in shape.columns(kind)))
        .select_from(source)
        .where(table.c.district_id == district_id, _is_one_of_these(table.c.ordinal))
        .order_by(table.c.ordinal)
    )
    # COPY takes no parameters: the values are ids, numbers and signs of ours, and SQLAlchemy quotes them.
    return str(selected.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


class Turn:
    """The lines of some records, which PostgreSQL makes from now on, whether or not somebody takes them already."""

    def __init__(self, driver: asyncpg.Connection, statement: str, ordinals: AbstractBitMap) -> None:
        """Begin; close it before the transaction of this connection ends."""
        self._driver = driver
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        query = statement.replace(THESE, _among(ordinals))
        self._copying = asyncio.create_task(
            driver.copy_from_query(query, output=self._keep, format="csv", null=NO_CELL)
        )
        self._copying.add_done_callback(lambda _: self._pieces.put_nowait(None))

    async def pieces(self) -> AsyncGenerator[bytes]:
        """All of it in order; whatever keeps PostgreSQL from its end is raised behind what it has made."""
        ends = _LineEnds()
        while (piece := await self._pieces.get()) is not None:
            yield ends.of_rfc_4180(piece)
        await self._copying

    async def close(self, *, seconds: float = ENDING) -> None:
        """Wait until PostgreSQL has made the rest, which nobody takes any more; if it never does, hang up."""
        # The copying is not cancelled: between the arrival of a piece and the driver's look at it that would break the
        # connection. Without the shield, whoever answers a client that left would be cancelled anew at each turn of the
        # event loop, which would do nothing else. Others are cancelled once, and wait on.
        hanging_up = asyncio.get_running_loop().call_later(seconds, self._hang_up)
        with CancelScope(shield=True):
            while not self._copying.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([self._copying])
        hanging_up.cancel()

    def _hang_up(self) -> None:
        self._driver.terminate()
        self._copying.cancel()

    # It never waits, so that the rest is soon there.
    async def _keep(self, piece: bytearray) -> None:
        self._pieces.put_nowait(bytes(piece))


class _LineEnds:
    """Gives the pieces of one COPY the line ends of RFC 4180; those within a cell stay."""

    def __init__(self) -> None:
        self.within = 0
        """Whether what follows is within quotes."""

    def of_rfc_4180(self, copied: bytes) -> bytes:
        # A quote within quotes is doubled, so every other part is outside of quotes.
        parts = copied.split(b'"')
        parts[self.within :: 2] = [part.replace(b"\n", b"\r\n") for part in parts[self.within :: 2]]
        self.within ^= (len(parts) - 1) & 1
        return b'"'.join(parts)


def _guarded(value: ColumnElement[str]) -> ColumnElement[str]:
    """A cell that no spreadsheet runs; letters and digits are told by two comparisons, which costs least."""
    first = func.ascii(value)
    harmless = or_(first > ord("@"), first.between(ord("0"), ord("9")), first.not_in([ord(sign) for sign in FORMULA]))
    return case((harmless, value), else_=literal("'").concat(value))


def _compact(ext: ColumnElement[Any]) -> ColumnElement[str]:
    """Extensions without the spaces that PostgreSQL sets between names and values.

    Both are texts that do not end in a space, so a quote, sign, space and quote are never part of one.
    """
    spaced: ColumnElement[str] = cast(ext, Text)
    for sign in (":", ","):
        spaced = func.replace(spaced, f'"{sign} "', f'"{sign}"')
    return spaced


def _references(district_id: UUID, kind: Kind, seen: Seen) -> tuple[FromClause, _Cells]:
    """What a kind's rows are read from, and their cells that name other records."""
    if kind is Kind.SECTIONS:
        return _of_sections(district_id, seen)
    if kind in PEOPLE:
        return _of_persons(district_id, kind, seen)
    return RECORDS[kind], {}


def _of_sections(district_id: UUID, seen: Seen) -> tuple[FromClause, _Cells]:
    source: FromClause = sections
    cells: dict[str, ColumnElement[Any]] = {}
    for name, kind in (("school", Kind.SCHOOLS), ("course", Kind.COURSES), ("term", Kind.TERMS)):
        named = _ids(district_id, kind, seen).alias(name)
        source = source.outerjoin(named, named.c.ordinal == sections.c[name])
        cells[name] = func.coalesce(named.c.id, "")
    teaching, enrolled = section_teachers.c, section_students.c
    for name, links, section, other, order in (
        ("teachers", section_teachers, teaching.section, teaching.teacher, teaching.position),
        ("students", STUDENTS_OF_SECTIONS, enrolled.section, STUDENT, STUDENT),
    ):
        named = _ids(district_id, Kind(name), seen)
        listed = (
            _linked(links, district_id, section, other, named)
            .add_columns(_joined(named.c.id, order))
            .group_by(section)
            .subquery(name)
        )
        source = source.outerjoin(listed, listed.c.section == sections.c.ordinal)
        cells[name] = func.coalesce(listed.c.ids, "")
    return source, cells


def _of_persons(district_id: UUID, kind: Kind, seen: Seen) -> tuple[FromClause, _Cells]:
    """Most are at one school, so lists are made of the others only."""
    table, at = RECORDS[kind], school_people.c
    named = _ids(district_id, Kind.SCHOOLS, seen)
    linked = _linked(school_people, district_id, at.person, at.school, named)
    home = linked.add_columns(named.c.id).where(at.position == 0).subquery("home")
    others = (
        linked.add_columns(_joined(named.c.id, at.position.nulls_last(), at.school))
        .where(at.position.is_distinct_from(0))
        .group_by(at.person)
        .subquery("others")
    )
    source = table.outerjoin(home, home.c.person == table.c.ordinal)
    return source.outerjoin(others, others.c.person == table.c.ordinal), {
        "school": func.coalesce(home.c.id, func.split_part(others.c.ids, ";", 1), ""),
        "schools": case(
            (others.c.ids.is_(None), func.coalesce(home.c.id, "")), else_=func.concat_ws(";", home.c.id, others.c.ids)
        ),
    }


def _linked(
    links: FromClause, district_id: UUID, owner: Column[int], other: ColumnElement[int], named: FromClause
) -> Select[Any]:
    """The links of these records to those of which the id may be named."""
    return (
        select(owner)
        .select_from(links.join(named, named.c.ordinal == other))
        .where(owner.table.c.district_id == district_id, _is_one_of_these(owner))
    )


def _ids(district_id: UUID, kind: Kind, seen: Seen) -> CTE:
    """The ids of the records of a kind that may be named."""
    table = RECORDS[kind]
    among = table.c.ordinal.op("")(literal_column(_among(seen[kind])))
    return (
        select(table.c.ordinal, cast(table.c.id, Text).label("id"))
        .where(table.c.district_id == district_id, among)
        .cte(f"shared_{kind}")
    )


def _joined(ids: ColumnElement[str], *order: ColumnElement[Any]) -> ColumnElement[str]:
    return func.string_agg(ids, aggregate_order_by(literal(";"), *order)).label("ids")


def _is_one_of_these(ordinal: ColumnElement[int]) -> ColumnElement[bool]:
    return ordinal.op("")(literal_column(THESE))


def _among(ordinals: AbstractBitMap) -> str:
    """The condition that a number is one of some ordinals, without the number."""
    if ordinals and ordinals.max() - ordinals.min() + 1 == len(ordinals):
        return f"between {ordinals.min()} and {ordinals.max()}"
    return f"= any('{{{','.join(map(str, ordinals))}}}'::int[])"
