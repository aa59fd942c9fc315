"""Engine, declarative base, sessions and the district context of a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import MetaData, Select, event, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


LETTERS = "unicode_letters"
"""The collation of the migrations under which lower() knows every alphabet."""


class Base(DeclarativeBase):
    """Declarative base whose metadata names every constraint, so that migrations can drop them."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read-only transaction of one district, for the reads that are asked most."""

    connection: AsyncConnection
    driver: asyncpg.Connection
    """The same connection without SQLAlchemy, for `Prepared` statements."""


class Prepared:
    """A statement compiled once for all and run by the driver, which keeps it prepared.

    SQLAlchemy takes longer to send a statement than PostgreSQL to answer one that finds a record by its key.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        """Compile a statement whose values are named bind parameters."""
        compiled = statement.compile(dialect=PGDialect_asyncpg())  # type: ignore[no-untyped-call]
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - what a statement compiles to
        self.sql = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._given = compiled.params

    async def fetchrow(self, driver: asyncpg.Connection, **values: Any) -> asyncpg.Record | None:
        """The first row that it finds with these values."""
        given = self._given | values
        return await driver.fetchrow(self.sql, *(given[name] for name in self._names))


class Database:
    """An engine, the two kinds of sessions that the service knows, and the snapshot of the partner API."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Connect lazily to `url`, any `postgresql://` form."""
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,  # an error in a log must not carry the values of a statement
            connect_args={"server_settings": {"application_name": "sharing-service", "jit": "off"}},
        )
        snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Not pre-ping, which takes three round trips: the driver hears when a server goes away.
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writes = async_sessionmaker(self.engine, expire_on_commit=False)
        self._reads = async_sessionmaker(snapshots, expire_on_commit=False)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction, committed when the block ends well."""
        async with self._writes() as session, session.begin():
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One read-only snapshot: everything read in the block is of one instant."""
        async with self._reads() as session, session.begin():
            yield session

    @asynccontextmanager
    async def snapshot(self, district_id: UUID) -> AsyncIterator[Snapshot]:
        """What `read` gives, inside of a district, begun by one round trip and ended by one."""
        async with self.autocommit() as connection:
            driver = await driver_of(connection)
            try:
                # An id is a UUID, so it can stand in the text; parameters would make two round trips of it.
                await driver.execute(
                    "begin isolation level repeatable read, read only; "
                    # What is asked here is found by keys.
                    # Planned for its values, a large page would read the whole table.
                    "set local plan_cache_mode = force_generic_plan; "
                    f"select set_config('app.district_id', '{district_id}', true)"
                )
                yield Snapshot(connection, driver)
            finally:
                await _end(driver)

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """A connection each of whose statements is a transaction of its own."""
        async with self._autocommit.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's own connection."""
    return (await connection.get_raw_connection()).driver_connection


async def _end(driver: asyncpg.Connection) -> None:
    try:
        await driver.execute("commit")
    finally:
        # Whoever gets a connection whose transaction goes on would read an old roster.
        if driver.is_in_transaction():
            driver.terminate()


def _refuse_closed(connection: Any, *_: object) -> None:
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def enter_district(session: AsyncSession, district_id: UUID) -> None:
    """Set the district of this transaction only, since a pooled connection serves other districts next."""
    await session.execute(text("select set_config('app.district_id', :id, true)"), {"id": str(district_id)})
