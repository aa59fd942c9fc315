"""The partner API: alone, over a district written straight into the tables, and over uploaded ones; and its clients."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from sharing_service.access.limits import Pace
from sharing_service.access.tokens import Tokens
from sharing_service.access.usage import Usage
from sharing_service.api import clever, problems
from sharing_service.database import Database
from sharing_service.delivery.disclosures import Disclosures
from tests.factories.clients import Client, register
from tests.factories.full_district import full_district
from tests.factories.partner import Readers, Riverbend
from tests.factories.service import Connected, District, Service
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render


@pytest.fixture
async def riverbend(by_hand: Database) -> Riverbend:
    """A published district."""
    district = Riverbend()
    async with by_hand.write() as session:
        await district.roster.publish(session)
    return district


@pytest.fixture
async def readers(database: Database, by_hand: Database, riverbend: Riverbend) -> AsyncIterator[Readers]:
    """Connects applications to the district."""
    app = FastAPI()
    app.state.database, app.state.tokens = database, Tokens(b"a key for tests that is long enough")
    app.state.pace, app.state.disclosures, app.state.usage = Pace(database), Disclosures(database), Usage()
    problems.install(app)
    app.include_router(clever.router)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test") as client:
        yield Readers(app, client, riverbend, by_hand)


@pytest.fixture(scope="session")
async def full_reader(service: Service) -> Connected:
    """An application that sees all of an uploaded district, contacts included."""
    district = await service.district()
    await district.publish(full_district())
    connected = await district.connect()
    await connected.share({"mode": "district", "include_staff": True})
    return connected


@pytest.fixture(scope="module")
async def published(service: Service) -> District:
    """A district with a roster."""
    district = await service.district()
    await district.publish(render(SMALL_DISTRICT))
    return district


@pytest.fixture
async def client(service: Service, published: District) -> Client:
    """An application with which the district shares everything."""
    client = await register(service)
    await (await client.connect(published)).share({"mode": "district"})
    return client
