"""A filled database, and connections in each role."""

from collections.abc import AsyncIterator

import pytest

from sharing_service.database import Database
from tests.walls.rows import Filled, filled


@pytest.fixture(scope="package")
async def rows(by_hand: Database) -> AsyncIterator[Filled]:
    """Two districts with rows in every table."""
    async with filled(by_hand) as made:
        yield made
