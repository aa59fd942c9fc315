"""Sessions as requests have them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import Database
from tests.conftest import undone


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A write session whose work is undone after the test."""
    async with undone(database) as session:
        yield session
