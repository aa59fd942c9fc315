"""Temporary tables that hold an upload while it is checked and merged.

Temporary, because children's data then leaves no trace after a crash and costs no write-ahead log; PostgreSQL drops
them with the transaction. Four sorts: `staged_KIND` has the rows as they were read, `fresh_KIND` the keys that never
had an ordinal, `wanted_...` what the roster is to become, in ordinals (of single enrollments only those that are new,
beside `left_enrollments`), and `touched`, `relinked` and `left_records` (numbering, ordinal) what the merge did. If
only the rows that may differ were read, `affected` says of which records.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import driver_of
from sharing_service.roster.catalogue import PEOPLE, UPLOADED, Kind
from sharing_service.roster.columns import columns_of

BLOCK: Final = 4 * 1024 * 1024
"""Bytes that are sent at once, encoded outside the event loop; one row may have as many."""
BATCH: Final = 16
"""Rows that are encoded at once."""
AHEAD: Final = 3
"""Blocks that are formed while PostgreSQL takes one."""

TEXT: Final = 'text collate "C"'

_STAGED: Final = {f"staged_{kind}": kind for kind in UPLOADED}
_PLACED = f"line int, key {TEXT}, school int, nth int, contact {TEXT}, contact_nth int"
_TABLES: Final[dict[str, str]] = {
    **{f"wanted_{kind}": f"line int, key {TEXT}, ordinal int, id uuid" for kind in Kind},
    **{f"fresh_{kind}": f"line int, key {TEXT}" for kind in Kind},
    **{f"placed_{kind}": _PLACED for kind in (*PEOPLE[:3], Kind.SECTIONS)},
    "staged_courses": f"line int, number {TEXT}, name {TEXT}",
    "staged_terms": f"line int, name {TEXT}, start_date {TEXT}, end_date {TEXT}",
    "formed_sections": f"section int, school int, course int, term int, name {TEXT}",
    "wanted_section_teachers": "section int, teacher int, position smallint",
    "wanted_contact_students": f"contact int, student int, relationship {TEXT}, type {TEXT}",
    "wanted_school_people": f"person int, school int, kind {TEXT}, position smallint",
    "wanted_enrollments": "section int, student int",
    "left_enrollments": "section int, student int",
    "wanted_section_students": "section int, students int[]",
    "wanted_student_sections": "student int, sections int[]",
    "enrolled_at": "person int, school int",
    "affected": f"kind {TEXT}, ordinal int",
    "moved": f"numbering {TEXT}, ordinal int, own boolean",
    "restamped": f"numbering {TEXT}, ordinal int",
    "touched": f"numbering {TEXT}, ordinal int",
    "relinked": f"numbering {TEXT}, ordinal int",
    "left_records": f"numbering {TEXT}, ordinal int",
}

_GONE: Final = f"drop table if exists {', '.join(f'pg_temp.{name}' for name in (*_STAGED, *_TABLES))}"

_LOOKED_UP: Final = (
    *((name, "line") for name in _STAGED),
    *((f"wanted_{kind}", "ordinal") for kind in Kind),
    ("formed_sections", "section"),
)

_TYPES: Final = {"line": "int", "ext": "jsonb"}


def _staged(kind: Kind) -> str:
    return ", ".join(f"{column} {_TYPES.get(column, TEXT)}" for column in columns_of(kind))


async def create(session: AsyncSession) -> None:
    """Create the tables of one sync, which live until the transaction ends or the next sync in it."""
    await plan_for_bulk(session, bulk=True)
    tables = {**{name: _staged(kind) for name, kind in _STAGED.items()}, **_TABLES}
    making = [f"create temp table {name} ({columns}) on commit drop" for name, columns in tables.items()]
    await _execute_together(session, _GONE, *making)


async def drop(session: AsyncSession) -> None:
    """Drop the tables of a sync already: at the end of its transaction all who wait for the district would wait."""
    await _execute_together(session, _GONE)


async def plan_for_few(session: AsyncSession) -> None:
    """Index the tables that `create` made, and let the planner look up row by row what a few rows of an upload name.

    Without an index, one wrong guess of how few they are makes 25,000 rows be compared with as many others each.
    """
    await _execute_together(session, *(f"create index on {table} ({column})" for table, column in _LOOKED_UP))
    await plan_for_bulk(session, bulk=False)


async def plan_for_bulk(session: AsyncSession, *, bulk: bool) -> None:
    """Turn nested loops off, as `create` does, or on again, for the rest of the transaction.

    Nobody has counted the rows of a new district yet: taken for a handful, 20,000 students took 48 seconds, not 2.
    """
    await session.execute(text(f"set local enable_nestloop = {'off' if bulk else 'on'}"))


async def analyse(session: AsyncSession, *tables: str) -> None:
    """Let the planner know how large temporary tables became; nothing else would."""
    await session.execute(text(f"analyze {', '.join(tables)}"))


async def load(session: AsyncSession, kind: Kind, rows: Iterator[tuple[Any, ...]]) -> int:
    """Copy the rows of one file, in the shape of `columns_of(kind)`, and count them."""
    blocks = iter(partial(next_block, rows), b"")
    return await load_blocks(session, kind, (partial(bytes, block) for block in blocks))


async def load_blocks(session: AsyncSession, kind: Kind, blocks: Iterator[Callable[[], bytes]]) -> int:
    """Copy blocks of rows in the text format of COPY, as `load` does with rows; several of them are formed at once."""
    connection = await driver(session)
    status: str = await connection.copy_to_table(
        f"staged_{kind}", source=_in_threads(blocks), columns=columns_of(kind), format="text"
    )
    # The checks join by these; a look at each of forty columns costs a fifth of the load.
    joined = [column for column in ("line", "sis_id", "school") if column in columns_of(kind)]
    await analyse(session, f"staged_{kind} ({', '.join(joined)})")
    return int(status.removeprefix("COPY "))


async def write(session: AsyncSession, district_id: UUID, statement: str, numbering: str) -> int:
    """Run a statement that writes records or links of one numbering, and count the rows that it writes."""
    return await written(session, text(statement), {"district_id": district_id, "numbering": numbering})


async def written(session: AsyncSession, statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
    """How many rows a statement writes."""
    result = await session.execute(statement, parameters)
    assert isinstance(result, CursorResult)  # noqa: S101 - a statement that writes has a row count
    return result.rowcount


async def _execute_together(session: AsyncSession, *statements: str) -> None:
    """Run statements in one round trip: one by one they took a third of a small district's sync."""
    await (await driver(session)).execute("; ".join(statements))


async def driver(session: AsyncSession) -> asyncpg.Connection:
    """The connection below a session, for COPY."""
    return await driver_of(await session.connection())


async def _in_threads(blocks: Iterator[Callable[[], bytes]]) -> AsyncIterator[bytes]:
    """The blocks in their order."""
    forming: deque[asyncio.Task[bytes]] = deque()
    reading = asyncio.create_task(asyncio.to_thread(next, blocks, None))
    try:
        while (form := await reading) is not None or forming:
            if form is not None:
                forming.append(asyncio.create_task(asyncio.to_thread(form)))
                reading = asyncio.create_task(asyncio.to_thread(next, blocks, None))
            if form is None or len(forming) == AHEAD:
                yield await forming.popleft()
    finally:
        # If PostgreSQL refused a block, the next one is still read from the file that is about to be closed.
        await asyncio.gather(reading, *forming, return_exceptions=True)


def next_block(rows: Iterator[tuple[Any, ...]]) -> bytes:
    """The next rows in the text format of COPY; nothing if there are none."""
    parts, size = [], 0
    while size < BLOCK and (batch := list(islice(rows, BATCH))):
        parts.append(copy_text(batch))
        size += len(parts[-1])
    return b"".join(parts)


def copy_text(batch: list[tuple[Any, ...]]) -> bytes:
    """Rows in the text format of COPY."""
    block = "".join(["\t".join((str(line), *cells)) + "\n" for line, *cells in batch])
    tabs = (len(batch[0]) - 1) * len(batch)
    # Nearly no cell holds a character that needs escaping: looking once at the whole block costs a fifth.
    if block.count("\t") == tabs and block.count("\n") == len(batch) and "\\" not in block and "\r" not in block:
        return block.encode()
    return "".join(["\t".join((str(line), *map(_escaped, cells))) + "\n" for line, *cells in batch]).encode()


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
