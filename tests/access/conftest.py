"""Sessions as requests have them, and processes that count requests together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.limits import Pace
from sharing_service.database import Database
from tests.conftest import undone

LONG = 3600
"""Seconds of a window that does not end while a test runs, but once an hour."""

MakePace = Callable[..., Pace]


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A write session whose work is undone after the test."""
    async with undone(database) as session:
        yield session


@pytest.fixture
async def process(database_url: str) -> AsyncIterator[MakePace]:
    """Makes the pace of one more process, with connections of its own."""
    async with AsyncExitStack() as closing:

        def make(**limits: Any) -> Pace:
            database = Database(database_url)
            closing.push_async_callback(database.close)
            return Pace(database, **{"window": LONG, **limits})

        yield make
