"""Minutes as requests are counted in them."""

import asyncio
import time

from sqlalchemy import delete

from sharing_service.access.models import PaceWindow
from sharing_service.database import Database

ROOM = 5
"""Seconds in which a test makes its requests."""


async def uncounted(by_hand: Database) -> None:
    """Forget all requests so far, at a time after which those that follow are of one minute."""
    left = 60 - time.time() % 60
    if left < ROOM:
        await asyncio.sleep(left + 0.1)
    async with by_hand.write() as session:
        await session.execute(delete(PaceWindow))
