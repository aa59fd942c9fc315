"""Slots for what may last: a few at once, and half of them for one district, so that it cannot keep out the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from sharing_service.errors import Busy


class Slots:
    """So many may be at work at once, half of them at most for one district."""

    def __init__(self, size: int, *, wait_seconds: float) -> None:
        """Let whoever waits longer than this be told to come again."""
        self._wait_seconds = wait_seconds
        self._free = asyncio.Semaphore(size)
        self._of_one = max(1, size // 2)
        self._own: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        """The slots of each district for which somebody is at work or waits."""

    @asynccontextmanager
    async def taken(self, district_id: UUID) -> AsyncIterator[None]:
        """A slot for the length of the block; `Busy` if none comes free in time."""
        own = self._own.setdefault(district_id, asyncio.Semaphore(self._of_one))
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    # The own one first: who waits for it stands in no other district's way.
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._free)
            except TimeoutError:
                raise Busy from None
            yield
