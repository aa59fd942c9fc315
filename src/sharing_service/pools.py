"""The connections of a process by what they are for: how many there are, and how long their statements may take.

A district that exports, uploads or reads large pages cannot take the connections of all others: these are a few apart,
and one district has half of them. Nor can one whose writes wait for each other: of the connections that all share they
hold some at most.
"""

from collections.abc import Mapping
from typing import Final

import asyncpg

from sharing_service.drivers import Drivers
from sharing_service.patience import Patience
from sharing_service.sessions import Reserve, Sessions
from sharing_service.slots import Slots

RECORDERS: Final = 2
"""Connections that record disclosures, each for one district at a time; who waits for one may hold one to read from."""
HELPERS: Final = 2
"""Connections that read beside that of an export, each for one long reading at a time."""
EXPORTS: Final = 4
"""Connections from which files are written."""
UPLOADS: Final = 4
"""Connections by which files are received."""
LARGE_PAGES: Final = 4
"""Connections from which partners' pages of many records are read."""
COUNTERS: Final = 1
"""Connections that count requests, and look whether long answers may go on: for a moment each, so that whoever waits
for one may hold others."""


class Pools:
    """Opens connections when somebody needs them, and closes them."""

    def __init__(
        self,
        url: str,
        *,
        size: int,
        settings: Mapping[str, str],
        of_partners: Mapping[str, str],
        patience: Patience,
        serving: bool,
    ) -> None:
        """Connect with these settings of the server, `size` times for partners and as often for all else that is brief.

        Only requests have to be patient: unless `serving`, statements take as long as they do.
        """
        self.url = url
        self.patience = patience
        brief = {**settings, **(patience.with_statements(patience.request) if serving else {})}
        lasting = {**settings, **patience.with_long_statements()}
        received = {**settings, **patience.with_statements(patience.save)}
        partners = {**of_partners, **patience.with_statements(patience.partner)}
        self.sessions = Sessions(url, brief, size=size)
        self.engine = self.sessions.engine
        # What waits for a lock of its district waits with a connection. The rest reads and tells callers apart.
        self.decisions = Slots(decisions_of(size), wait_seconds=patience.slot)
        self.exchanges = Slots(exchanges_of(size), wait_seconds=patience.slot)
        self.exports = Reserve(url, lasting, size=EXPORTS, wait_seconds=patience.slot)
        self.uploads = Reserve(url, received, size=UPLOADS, wait_seconds=patience.slot)
        _, options = self.engine.dialect.create_connect_args(self.engine.url)
        options.pop("prepared_statement_cache_size", None)  # an option of SQLAlchemy, which the driver does not know
        self._options = {**options, "server_settings": settings}
        self.drivers = Drivers({**options, "server_settings": partners}, size=size)
        self.pages = Drivers({**options, "server_settings": partners}, size=LARGE_PAGES)
        self.page_slots = Slots(LARGE_PAGES, wait_seconds=patience.slot)
        self.recorders = Drivers({**options, "server_settings": partners}, size=RECORDERS)
        self.helpers = Drivers({**options, "server_settings": lasting}, size=HELPERS)
        self.counters = Drivers({**options, "server_settings": brief}, size=COUNTERS)

    async def connect(self) -> asyncpg.Connection:
        """A connection of one's own beside the pools, in the role of the sessions."""
        return await asyncpg.connect(**self._options)

    async def close(self) -> None:
        """Close every pooled connection."""
        for drivers in (self.drivers, self.pages, self.recorders, self.helpers, self.counters):
            await drivers.close()
        for sessions in (self.sessions, self.exports.sessions, self.uploads.sessions):
            await sessions.close()


def decisions_of(size: int) -> int:
    """How many sessions at once write, or read what a write would share, of a pool of this size."""
    return max(1, size * 3 // 5)


def exchanges_of(size: int) -> int:
    """How many at once give a client its tokens: apart, or an application could keep an admin waiting."""
    return max(1, size // 5)


def connections_of(size: int) -> int:
    """How many connections a process that serves opens at most, if its pools have this size."""
    return 2 * size + RECORDERS + HELPERS + EXPORTS + UPLOADS + LARGE_PAGES + COUNTERS
