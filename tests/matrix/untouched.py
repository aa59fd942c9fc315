"""Proof that a request changed nothing: digests of all tables, and a database that takes every write back."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final
from uuid import UUID

import httpx2
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import SERVER_SETTINGS, SERVICE, Database, DatabaseRole, enter_district
from sharing_service.delivery.disclosures import Disclosures
from sharing_service.sessions import Reserve
from tests.architecture.test_tables import TENANT, tables

QUEUE: Final = "pgqueuer"
"""The table of jobs."""
COUNTED: Final = "paces"
"""The table in which every request is counted, refused or not."""


class _TakenBack(Exception):
    """Ends a transaction that did all it was asked."""


@asynccontextmanager
async def _in_vain(writing: AbstractAsyncContextManager[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """A transaction that does all of its work in vain."""
    with suppress(_TakenBack):
        async with writing as session:
            yield session
            await session.flush()
            raise _TakenBack


class UndoneUploads(Reserve):
    """Sessions for uploads of which nothing stays."""

    @asynccontextmanager
    async def write(self, district_id: UUID) -> AsyncIterator[AsyncSession]:
        """One transaction."""
        async with _in_vain(super().write(district_id)) as session:
            yield session


class Undone(Database):
    """The service's database, but a write is taken back when it is about to be committed."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        role = {"role": DatabaseRole.APPLICATION.value}
        self.uploads = UndoneUploads(url, SERVER_SETTINGS | role, size=2, wait_seconds=self.patience.slot)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction."""
        async with _in_vain(super().write()) as session:
            yield session


@asynccontextmanager
async def in_vain(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application of which nothing that it writes stays: everything can be asked again and again."""
    real: Database = app.state.database
    await real.close()
    app.state.database = Undone(real.url)
    app.state.disclosures = Disclosures(app.state.database)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
        yield client
    await app.state.database.close()


async def digests(database: Database, *districts: str) -> dict[str, str]:
    """By table a digest of the rows of these districts, and of all rows where they belong to no district."""
    found: dict[str, str] = {}
    async with database.read() as session:
        for district_id in (*map(UUID, districts), SERVICE):
            await enter_district(session, district_id)
            for name, table in tables().items():
                if TENANT in table.columns:
                    found[f"{name} of {district_id}"] = await _digest(session, name, "t.district_id = :id", district_id)
        shared = {name for name, table in tables().items() if TENANT not in table.columns} - {COUNTED}
        for name in (QUEUE, *sorted(shared)):
            found[name] = await _digest(session, name, "true", SERVICE)
    return found


async def _digest(session: AsyncSession, name: str, rows: str, district_id: UUID) -> str:
    statement = text(f"select t::text from {name} as t where {rows} and cast(:id as uuid) is not null order by 1")
    read = await session.execute(statement, {"id": district_id})
    return hashlib.sha256("\n".join(read.scalars()).encode()).hexdigest()
