"""A second connection that writes rows of a new district while the sync goes on with its own.

A first import is bound by what one connection can write, so another one writes identities, links, contacts,
enrollments and a part of the documents. It commits what it has written: nobody reads the rows of a district that has
published nothing. If the sync is undone afterwards they stay behind, and are taken away when the next first import
begins.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.errors import NotFound
from sharing_service.roster import staging

TABLES: Final = (
    "identities",
    "section_teachers",
    "contact_students",
    "school_people",
    "contacts",
    "section_students",
    "student_sections",
    "documents",
)
"""What the second connection writes, here or in an earlier release."""

_PLACE: Final = "hashtextextended('rows of ' || cast({} as text), 0)"
_ENTER: Final = f"select set_config('app.district_id', $1, true), pg_advisory_xact_lock_shared({_PLACE.format('$1')})"


class Beside:
    """The second connection of a first import: it writes one lot of rows after the other, in the background."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], district_id: UUID) -> None:
        """Connect when there is something to write."""
        self._connect = connect
        self._district_id = district_id
        self._connection: asyncpg.Connection | None = None
        self._last: asyncio.Task[None] | None = None
        self._begun: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Nothing is written yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo the lot that is being written, if one is, and close the connection."""
        await self._stop()
        if self._connection is not None:
            await self._connection.close()

    async def clear(self) -> None:
        """Take away what was written, be it by an earlier attempt."""
        await self._stop()
        async with self._writing() as connection:
            for table in TABLES:
                await connection.execute(f"delete from {table} where district_id = $1", self._district_id)  # noqa: S608

    async def take(self, session: AsyncSession, rows: str, *, table: str, columns: str) -> None:
        """Write the rows of a query that only the session can make, as `begin` does."""
        blocks: deque[bytes] = deque()

        async def keep(block: bytes) -> None:
            blocks.append(block)

        await (await staging.driver(session)).copy_from_query(rows, output=keep, format="binary")
        self.begin(_emptied(blocks), table=table, columns=columns)

    def begin(self, rows: AsyncIterator[bytes], *, table: str, columns: str) -> None:
        """Write rows, given in the binary format of COPY, after all that was begun before."""

        async def write(connection: asyncpg.Connection) -> None:
            shape = f"select {columns} from {table} with no data"  # noqa: S608 - names of ours, as below
            await connection.execute(f"create temp table lot on commit drop as {shape}")
            await connection.copy_to_table("lot", source=rows, format="binary")
            insert = f"insert into {table} (district_id, {columns}) select $1, {columns} from lot"  # noqa: S608
            await connection.execute(insert, self._district_id)

        self._begin(write, table)

    def run(self, statements: Iterable[str], *, table: str) -> None:
        """Write what statements make of rows that this connection has written, after all that was begun before.

        Each is asked for when the one before is done.
        """

        async def write(connection: asyncpg.Connection) -> None:
            # As for the session: nobody has counted these rows yet.
            await connection.execute("set local work_mem = '128MB'; set local enable_nestloop = off")
            for statement in statements:
                await connection.execute(statement)

        self._begin(write, table)

    def _begin(self, write: Callable[[asyncpg.Connection], Awaitable[None]], table: str) -> None:
        self._last = self._begun[table] = asyncio.create_task(self._write(write, after=self._last))

    async def finish(self, *tables: str) -> None:
        """Wait until the rows of these tables that were begun are committed; without tables, of all."""
        await asyncio.gather(*[self._begun[table] for table in tables or self._begun if table in self._begun])

    async def _stop(self) -> None:
        if self._last is not None:
            self._last.cancel()
            await asyncio.gather(self._last, return_exceptions=True)
            self._last = None

    async def _write(
        self, write: Callable[[asyncpg.Connection], Awaitable[None]], *, after: asyncio.Task[None] | None
    ) -> None:
        if after is not None:
            await after
        async with self._writing() as connection:
            await write(connection)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[asyncpg.Connection]:
        """A transaction of the district, unless that is being erased."""
        if self._connection is None:
            self._connection = await self._connect()
        async with self._connection.transaction():
            await self._connection.execute(_ENTER, str(self._district_id))
            erasing = "select 1 from districts where id = $1 and erasing_since is not null"
            if await self._connection.fetchval(erasing, self._district_id):
                raise NotFound
            yield self._connection


async def wait_for_all(session: AsyncSession, district_id: UUID) -> None:
    """Wait until no second connection writes rows of a district that is being erased: none begins any more."""
    lock = text(f"select pg_advisory_xact_lock({_PLACE.format(':district_id')})")
    await session.execute(lock, {"district_id": str(district_id)})


async def _emptied(blocks: deque[bytes]) -> AsyncIterator[bytes]:
    """The blocks, none of which is kept longer than it is needed."""
    while blocks:
        yield blocks.popleft()
