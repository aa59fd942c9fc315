"""Requests that are made to meet: all of them have come as far as they can before any of them goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text

from sharing_service.access.models import Token
from sharing_service.database import Database, enter_district

WAITING = text("select count(distinct pid) from pg_locks where not granted")


@asynccontextmanager
async def contending(by_hand: Database, district_id: str, token_id: str, *, requests: int) -> AsyncIterator[None]:
    """Hold a token until as many requests, which the block begins, wait for it or for each other."""
    async with by_hand.write() as holding:
        await enter_district(holding, UUID(district_id))
        assert await holding.get(Token, UUID(token_id), with_for_update=True)
        yield
        async with asyncio.timeout(20), by_hand.engine.connect() as watching:
            while await watching.scalar(WAITING) < requests:  # noqa: ASYNC110 - of a table
                await asyncio.sleep(0.01)
