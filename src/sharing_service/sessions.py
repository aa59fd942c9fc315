"""Sessions of SQLAlchemy on a pool of connections, and those for long work on a pool of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from sharing_service.slots import Slots


class Sessions:
    """A pool of connections with two kinds of sessions."""

    def __init__(self, url: str, settings: Mapping[str, str], *, size: int) -> None:
        """Connect lazily to `url`, any `postgresql://` form, up to `size` times with these settings of the server."""
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=size,
            max_overflow=0,
            hide_parameters=True,  # an error in a log must not carry the values of a statement
            # From the first message of the connection on, so that no statement is ever run as the login.
            connect_args={"server_settings": dict(settings)},
        )
        snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Not pre-ping, which takes three round trips: the driver hears when a server goes away.
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
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

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()


class Reserve:
    """Sessions for long work, so many at once, of which one district has half at most."""

    def __init__(self, url: str, settings: Mapping[str, str], *, size: int, wait_seconds: float) -> None:
        """Connect as `Sessions` do; whoever waits longer than this for a slot is told to come again."""
        self.slots = Slots(size, wait_seconds=wait_seconds)
        self.sessions = Sessions(url, settings, size=size)

    @asynccontextmanager
    async def write(self, district_id: UUID) -> AsyncIterator[AsyncSession]:
        """A transaction for a district, as `Sessions.write` gives it."""
        async with self.slots.taken(district_id), self.sessions.write() as session:
            yield session

    @asynccontextmanager
    async def read(self, district_id: UUID) -> AsyncIterator[AsyncSession]:
        """A snapshot for a district, as `Sessions.read` gives it."""
        async with self.slots.taken(district_id), self.sessions.read() as session:
            yield session


def _refuse_closed(connection: Any, *_: object) -> None:
    if connection.driver_connection.is_closed():
        raise DisconnectionError
