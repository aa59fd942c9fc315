"""Sessions as requests have them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from sharing_service.database import Database


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A write session whose work is undone after the test."""
    async with database.engine.connect() as connection:
        transaction = await connection.begin()
        make_session = async_sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with make_session() as session:
            yield session
        await transaction.rollback()
