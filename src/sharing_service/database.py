"""Engine, declarative base, sessions and the district context of a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

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


class Database:
    """An engine and the two kinds of sessions that the service knows."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Connect lazily to `url`, any `postgresql://` form."""
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # an error in a log must not carry the values of a statement
            connect_args={"server_settings": {"application_name": "sharing-service", "jit": "off"}},
        )
        snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
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


async def enter_district(session: AsyncSession, district_id: UUID) -> None:
    """Set the district of this transaction only, since a pooled connection serves other districts next."""
    await session.execute(text("select set_config('app.district_id', :id, true)"), {"id": str(district_id)})
