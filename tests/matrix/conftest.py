"""The matrix over one pair of districts, and the application over a database that keeps nothing."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import Service
from tests.matrix import callers, world
from tests.matrix.asking import Matrix
from tests.matrix.untouched import in_vain


@pytest.fixture(scope="package")
async def matrix(service: Service) -> Matrix:
    """Everybody who asks, and everything that they ask for."""
    pair = await world.districts(service)
    found = await world.records(pair.own, pair.foreign)
    return Matrix(pair, await callers.callers(pair, found), await world.objects(pair, found))


@pytest.fixture(scope="package")
async def undone(settings: Settings, service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """The service, but what it writes is taken back."""
    async with in_vain(create_app(settings, database_url=service.database.url)) as client:
        yield client
