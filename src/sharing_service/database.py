"""Declarative base, connections by what they are for, and the district context of a transaction."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, MetaData, Select, func, literal_column, select, text, true
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter

from sharing_service.patience import Patience, in_milliseconds
from sharing_service.pools import Pools

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class DatabaseRole(StrEnum):
    """Who a connection is to PostgreSQL, whatever login opened it; the migrations say what each may do."""

    OWNER = "sharing_owner"
    """Owns every table and changes the schema."""
    APPLICATION = "sharing_application"
    """Answers requests but those of partners."""
    PARTNER = "sharing_partner"
    """Answers partners: sees what the presented token opens, and writes disclosures."""
    WORKER = "sharing_worker"
    """Runs syncs and erasures."""
    AUDIT = "sharing_audit"
    """Reads the trail, revisions and disclosures of all districts."""


SERVICE: Final = UUID(int=0)
"""Stands in place of a district for what concerns the service as a whole, such as the tokens of operators."""
SERVER_SETTINGS: Final = {"application_name": "sharing-service", "jit": "off"}
DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
"""How SQLAlchemy writes what the driver is given directly."""
LETTERS = "unicode_letters"
"""The collation of the migrations under which lower() knows every alphabet."""


class Base(DeclarativeBase):
    """Declarative base whose metadata names every constraint, so that migrations can drop them."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read-only transaction of one district, for the reads that are asked most."""

    driver: asyncpg.Connection
    """A connection without SQLAlchemy, for `Prepared` statements."""


class Prepared:
    """A statement compiled once for all and run by the driver, which keeps it prepared.

    SQLAlchemy takes longer to send a statement than PostgreSQL to answer one that finds a record by its key.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        """Compile a statement whose values are named bind parameters; constants become part of its text."""
        constant = visitors.cloned_traverse(statement, {}, {"bindparam": _write_out})
        compiled = constant.compile(
            dialect=DIALECT,
            compile_kwargs={"render_postcompile": True},
        )
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - what a statement compiles to
        self.sql = str(compiled)
        self._names = tuple(compiled.positiontup or ())

    async def fetchrow(self, driver: asyncpg.Connection, **values: Any) -> asyncpg.Record | None:
        """The first row that it finds with these values."""
        return await driver.fetchrow(self.sql, *self._ordered(values))

    async def fetch(self, driver: asyncpg.Connection, **values: Any) -> Sequence[asyncpg.Record]:
        """All rows that it finds with these values."""
        rows: Sequence[asyncpg.Record] = await driver.fetch(self.sql, *self._ordered(values))
        return rows

    async def rows(self, driver: asyncpg.Connection, **values: Any) -> AsyncGenerator[asyncpg.Record]:
        """All rows that it finds with these values, each formed when it is asked for; within a transaction."""
        async for row in driver.cursor(self.sql, *self._ordered(values), prefetch=1):
            yield row

    def _ordered(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] for name in self._names]


class Database(Pools):
    """Two kinds of sessions, and the partner API's snapshot on connections of its own."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        role: DatabaseRole | None = DatabaseRole.APPLICATION,
        patience: Patience = Patience(),  # noqa: B008 - frozen
    ) -> None:
        """Connect lazily to `url`, any `postgresql://` form, up to `pool_size` times by each of the two ways.

        Sessions are in `role`, or in that of the login with None; partners' connections always in theirs.
        """
        # What partners ask is found by keys. Planned for its values, a large page would read the whole table.
        partners = {"role": DatabaseRole.PARTNER.value, "plan_cache_mode": "force_generic_plan"}
        super().__init__(
            url,
            size=pool_size,
            settings=SERVER_SETTINGS | ({"role": role.value} if role else {}),
            of_partners=SERVER_SETTINGS | partners,
            patience=patience,
            serving=role is DatabaseRole.APPLICATION,
        )

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction, committed when the block ends well."""
        async with self.sessions.write() as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One read-only snapshot: everything read in the block is of one instant."""
        async with self.sessions.read() as session:
            yield session

    @asynccontextmanager
    async def snapshot(self, district_id: UUID, digest: bytes, *, large: bool = False) -> AsyncIterator[Snapshot]:
        """What `read` gives, as whoever presents a token of this digest, begun by one round trip and ended by one.

        For a large page it is read from one of the connections that there are for these, by whoever has a slot.
        """
        async with (self.pages if large else self.drivers).lend() as driver:
            # A UUID and hexadecimal digits can stand in the text; parameters would make three round trips of it.
            await driver.execute(
                "begin isolation level repeatable read, read only;"
                f" set local app.district_id = '{district_id}'; set local app.token_digest = '{digest.hex()}'"
            )
            try:
                yield Snapshot(driver)
            finally:
                await driver.execute("commit")

    @asynccontextmanager
    async def side_by_side(self, session: AsyncSession, district_id: UUID) -> AsyncIterator[list[asyncpg.Connection]]:
        """The connection of a session that reads, and one that sees the same snapshot of the district, if it is free.

        It is never waited for: whoever holds one connection and waits for another may wait for ever.
        """
        own = await driver_of(await session.connection())
        if self.helpers.are_busy:
            yield [own]
            return
        # Borrowed before anything is waited for: else several that begin together would all find the last one free.
        async with self.helpers.lend() as helper:
            snapshot = await own.fetchval("select pg_export_snapshot()")
            await helper.execute("begin isolation level repeatable read, read only")
            try:
                await helper.execute(
                    f"set transaction snapshot '{snapshot}'; set local app.district_id = '{district_id}'"
                )
                yield [own, helper]
            finally:
                if not helper.is_closed():
                    await helper.execute("rollback")


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's own connection."""
    return (await connection.get_raw_connection()).driver_connection


def _write_out(parameter: BindParameter[Any]) -> None:
    parameter.literal_execute = parameter.value is not None
    parameter.required = False  # the others get their values later


async def enter_district(session: AsyncSession, district_id: UUID, *, seconds: float | None = None) -> None:
    """Set the district of this transaction only, since a pooled connection serves other districts next.

    Row level security shows the rows of that district and no others; without one every statement on them fails. In the
    same round trip it can be said how many seconds each statement may take from now on.
    """
    statement, values = "select set_config('app.district_id', :id, true)", {"id": str(district_id)}
    if seconds is not None:
        statement += ", set_config('statement_timeout', :most, true)"
        values["most"] = in_milliseconds(seconds)
    await session.execute(text(statement), values)


def inside(statement: Select[*tuple[Any, ...]], **settings: ColumnElement[str]) -> Select[*tuple[Any, ...]]:
    """A statement that makes settings `app.NAME` for its own transaction before it looks at a table.

    For a read that is one statement and one round trip. It depends on the settings and, with its OFFSET 0, stays a
    query of its own, so that PostgreSQL runs it after them: the policies of its tables read what they say.
    """
    made = [func.set_config(literal_column(f"'app.{name}'"), value, true()) for name, value in settings.items()]
    context = select(func.concat(*made).label("made")).subquery("context")
    found = statement.where(context.c.made.is_not(None)).offset(literal_column("0")).lateral("found")
    return select(*found.c).select_from(context.join(found, true()))
