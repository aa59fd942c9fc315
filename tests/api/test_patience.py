"""Statements that take too long, because somebody else holds what they need, are ended and told as what they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sharing_service.database import Database, DatabaseRole
from sharing_service.main import create_app
from sharing_service.patience import Patience
from sharing_service.settings import Settings
from tests.factories.service import Connected, Service
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

SHORT, LONG = 0.3, 20
NOBODY = uuid4()
WHOLE = {"mode": "district"}


@pytest.fixture(scope="module")
async def tutor(service: Service) -> Connected:
    """An application that reads a district."""
    district = await service.district()
    await district.publish(render(SMALL_DISTRICT))
    tutor = await district.connect()
    await tutor.share(WHOLE)
    return tutor


@asynccontextmanager
async def patient(settings: Settings, tutor: Connected, patience: Patience) -> AsyncIterator[Connected]:
    """The same service that waits for its database otherwise."""
    app: FastAPI = create_app(settings, database_url=tutor.district.service.database.url)
    app.state.database = Database(tutor.district.service.database.url, patience=patience)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
        service = replace(tutor.district.service, client=client, database=app.state.database)
        yield replace(tutor, district=replace(tutor.district, service=service))
    await app.state.database.close()
    await app.state.disclosures._database.close()


@asynccontextmanager
async def locked(by_hand: Database, table: str) -> AsyncIterator[None]:
    """Nobody reads a table meanwhile."""
    async with by_hand.write() as session:
        await session.execute(text(f"lock table {table} in access exclusive mode"))
        async with asyncio.timeout(LONG / 2):
            yield


@pytest.mark.parametrize(
    ("method", "path", "table", "kind"),
    [
        ("GET", "D/students", "students", "request"),
        ("GET", "D/applications/A/sharing/history", "sharing_versions", "request"),
        ("POST", "D/applications/A/sharing/preview", "grants", "save"),
        ("PUT", "D/applications/A/sharing", "grants", "save"),
        ("POST", "D/applications/A/pause", "grants", "save"),
        ("GET", "D/applications/A/shared/students.csv", "grants", "request"),
        ("GET", "/v3.1/users", "documents", "partner"),
        ("GET", "/v3.1/users?limit=2000", "documents", "partner"),
        ("GET", "/v3.1/users/{id}", "documents", "partner"),
        ("GET", "/v3.1/users/{id}", "tokens", "partner"),
    ],
)
@pytest.mark.asvs("V15.2.2")
async def test_what_takes_too_long_is_told(
    settings: Settings, tutor: Connected, by_hand: Database, method: str, path: str, table: str, kind: str
) -> None:
    """Each request waits for the database as long as its kind may, and is then told to come again.

    Catches a request that waits for ever, and holds its connection, and one whose answer is empty.
    """
    [somebody, *_] = await tutor.records("/users")
    path = path.replace("D/", f"{tutor.district.path}/").replace("/A/", f"/{tutor.id}/").format(id=somebody["id"])
    bounds = {one: SHORT if one == kind else LONG for one in ("partner", "request", "save")}
    async with patient(settings, tutor, Patience(**bounds)) as hurried, locked(by_hand, table):
        headers = tutor.headers if path.startswith("/v3") else tutor.district.admin
        client = hurried.district.service.client
        response = await client.request(method, path, headers=headers, json=WHOLE if method != "GET" else None)

    assert response.status_code == 503, response.text
    assert int(response.headers["Retry-After"]) > 0
    if path.startswith("/v3"):
        assert response.json() == {"message": "The answer took too long to find. Try again, later or for less."}
    else:
        assert response.json()["code"] == "took_too_long"


async def test_a_connection_serves_on(settings: Settings, tutor: Connected, by_hand: Database) -> None:
    """A connection whose statement was ended serves the next request, of the same kind and of any other."""
    async with patient(settings, tutor, Patience(partner=SHORT, request=SHORT, save=SHORT)) as hurried:
        for _ in range(2):
            async with locked(by_hand, "documents"):
                assert (await hurried.fetch("/users")).status_code == 503
            async with locked(by_hand, "grants"):
                await hurried.district.call("PUT", f"{hurried.path}/sharing", WHOLE, 503)
            assert len(await hurried.records("/users")) > 0
            await hurried.share(WHOLE)


async def test_the_worker_takes_its_time(database_url: str, by_hand: Database) -> None:
    """No statement of a sync is ended, however long it takes."""
    hurried = Patience(partner=SHORT, request=SHORT, save=SHORT)
    database = Database(database_url, role=DatabaseRole.WORKER, patience=hurried)
    async with database.write() as session:
        assert await session.scalar(text("select current_setting('statement_timeout')")) == "0"
        await session.execute(text("select pg_sleep(:long)"), {"long": 2 * SHORT})
    await database.close()


async def test_a_transaction_that_waits_for_its_client_ends(database_url: str) -> None:
    """PostgreSQL ends a transaction that is idle too long, and the pool connects anew."""
    database = Database(database_url, patience=Patience(idle=SHORT))

    async def dawdle() -> None:
        async with database.read() as session:
            await session.execute(text("select 1"))
            await asyncio.sleep(3 * SHORT)
            await session.execute(text("select 1"))

    with pytest.raises(DBAPIError, match="connection"):
        await dawdle()
    async with database.read() as session:
        assert await session.scalar(text("select 1")) == 1
    await database.close()


async def test_bounds_of_each_way(database: Database) -> None:
    """What each connection is for says how long its statements may take."""
    shown = "select current_setting('statement_timeout')"
    async with database.read() as session:
        assert await session.scalar(text(shown)) == "30s"
    async with database.exports.read(NOBODY) as session:
        assert await session.scalar(text(shown)) == "0"
    async with database.uploads.write(NOBODY) as session:
        assert await session.scalar(text(shown)) == "1min"
    for drivers, expected in (
        (database.drivers, "10s"),
        (database.pages, "10s"),
        (database.recorders, "10s"),
        (database.helpers, "0"),
        (database.counters, "30s"),
    ):
        async with drivers.lend() as driver:
            assert await driver.fetchval(shown) == expected
