"""Connections of the database without SQLAlchemy, for what is asked most or must not wait for the others."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

WAIT_SECONDS: Final = 30
"""How long a request waits for a connection before it is told to come again."""


class Drivers:
    """Connections without SQLAlchemy, which takes as long to lend one as PostgreSQL to find a record by its key."""

    def __init__(self, options: Mapping[str, Any], *, size: int) -> None:
        """Connect with these options of the driver, up to `size` times, when somebody needs it."""
        self.idle: list[asyncpg.Connection] = []
        self._options = options
        self._free = asyncio.Semaphore(size)
        self._closed = False

    @property
    def are_busy(self) -> bool:
        """Whether somebody who wanted to borrow would have to wait."""
        return self._free.locked()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection without a transaction, for one borrower at a time; TimeoutError if none comes free."""
        if self.are_busy:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        else:
            await self._free.acquire()
        try:
            driver = await self._taken()
            try:
                yield driver
            except asyncio.CancelledError:
                driver.terminate()  # a statement may be under way, and its transaction begin only then
                raise
            finally:
                self._take_back(driver)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Close the connections that nobody has borrowed; the others close when they come back."""
        self._closed = True
        while self.idle:
            await self.idle.pop().close()

    async def _taken(self) -> asyncpg.Connection:
        while self.idle:
            driver = self.idle.pop()
            if not driver.is_closed():
                return driver
        return await asyncpg.connect(**self._options)

    def _take_back(self, driver: asyncpg.Connection) -> None:
        if driver.is_closed():
            return
        # Whoever gets a connection whose transaction goes on would read an old roster.
        if self._closed or driver.is_in_transaction():
            driver.terminate()
        else:
            self.idle.append(driver)
