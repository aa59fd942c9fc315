"""The graphs that a process keeps: a published roster never changes, and to read one takes up to some seconds."""

import asyncio
import logging
from collections import OrderedDict
from datetime import datetime
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import Database, enter_district
from sharing_service.roster import revisions
from sharing_service.roster.models import District
from sharing_service.sharing import graph
from sharing_service.sharing.graph import Graph

KEPT_BYTES: Final = 256 * 1024 * 1024
"""What the kept graphs of a process may take together; the one used last is kept however large it is."""
READ_AHEAD: Final = 2
"""How often a graph is read before the district is locked."""
REFRESH_SECONDS: Final = 10
"""How often a process looks whether another roster was published."""

Published = tuple[UUID, int, datetime]
"""A district, its published revision, and when that was published."""

log = logging.getLogger(__name__)


class Kept:
    """The graphs that were used last, as many as fit into `limit` bytes, and in any case the very last one."""

    def __init__(self, limit: int) -> None:
        """Keep nothing yet."""
        self._limit = limit
        self._graphs: OrderedDict[Published, Graph] = OrderedDict()

    def get(self, key: Published) -> Graph | None:
        """A graph that is kept."""
        return self._graphs.get(key)

    def keep(self, key: Published, graph: Graph) -> None:
        """Keep a graph that is used just now; those that were not used for longest go."""
        self._graphs[key] = graph
        self._graphs.move_to_end(key)
        while len(self._graphs) > 1 and sum(kept.bytes for kept in self._graphs.values()) > self._limit:
            self._graphs.popitem(last=False)

    def forget(self, district_id: UUID) -> None:
        """Let go of what is kept of a district."""
        for key in [key for key in self._graphs if key[0] == district_id]:
            del self._graphs[key]

    def districts(self) -> list[UUID]:
        """The districts of which a graph is kept, those used last at the end."""
        return [district_id for district_id, _, _ in self._graphs]


_kept: Final = Kept(KEPT_BYTES)
_turns: Final[WeakValueDictionary[UUID, asyncio.Lock]] = WeakValueDictionary()
"""Of one district one graph is read at a time: whoever else wants it waits until it is kept."""


async def published(session: AsyncSession, district_id: UUID) -> Graph:
    """The graph of the roster that serves now.

    For a snapshot, or a transaction that has locked the district: else a sync could publish meanwhile.
    Not for a transaction that has changed the roster: a revision that it takes may yet be given to another roster.
    """
    key = await _key(session, district_id)
    async with _turns.setdefault(district_id, asyncio.Lock()):
        found = None if key is None else _kept.get(key)
        if found is None:
            _kept.forget(district_id)  # before, since the memory of a process is that of both otherwise
            found = await graph.read(session, district_id)
            # For `lock`, each of whose statements sees what is published by then.
            if await _key(session, district_id) != key:
                return found
        if key is not None:
            _kept.keep(key, found)
        return found


async def lock(session: AsyncSession, district_id: UUID) -> None:
    """Lock the district for a decision that needs the graph of its roster, which is nearly always kept by then.

    Nobody else could decide in the seconds that it may take to read: if a sync has published meanwhile, the district is
    let go and the graph read once more, though not a third time.
    """

    async def is_kept(district: District) -> bool:
        key = _key_of(district_id, district.published_revision, district.published_at)
        return key is None or _kept.get(key) is not None

    for _ in range(READ_AHEAD):
        await published(session, district_id)
        if await revisions.lock_if(session, district_id, is_kept):
            return
    await revisions.lock(session, district_id)


async def refresh(database: Database) -> None:
    """Read the graphs of rosters that were published since, for each district of which one is kept."""
    for district_id in _kept.districts():
        async with database.read() as session:
            await enter_district(session, district_id)
            await published(session, district_id)


async def stay_fresh(database: Database, *, every: float = REFRESH_SECONDS) -> None:
    """Refresh every so many seconds until it is cancelled, so that a decision rarely has to read a graph itself."""
    while True:
        await asyncio.sleep(every)
        try:
            await refresh(database)
        except Exception as error:
            # Its message may hold values of a statement.
            log.warning("graphs could not be refreshed; decisions read them", extra={"kind": type(error).__name__})


async def _key(session: AsyncSession, district_id: UUID) -> Published | None:
    statement = select(District.published_revision, District.published_at).where(District.id == district_id)
    revision, at = (await session.execute(statement)).one()
    return _key_of(district_id, revision, at)


def _key_of(district_id: UUID, revision: int | None, at: datetime | None) -> Published | None:
    return None if revision is None or at is None else (district_id, revision, at)
