"""Exports: what a grant shares as rows, a page of them or all as CSV (RFC 4180)."""

from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final
from uuid import UUID

from pyroaring import AbstractBitMap
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import Database
from sharing_service.delivery import ledger, sheets
from sharing_service.delivery.ledger import Ledger
from sharing_service.delivery.sheets import Turn
from sharing_service.roster import queries
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.queries import Json, Search, Shape
from sharing_service.sharing import grants
from sharing_service.sharing.fields import GrantedFields
from sharing_service.sharing.models import Grant

AT_ONCE: Final = 20_000
"""Records read at once by a connection: what an export holds in memory."""


@dataclass(frozen=True, slots=True)
class Export:
    """What one grant shares, in the fields that its application receives."""

    grant: Grant
    fields: GrantedFields
    ledger: Ledger

    def shape(self, kind: Kind) -> Shape:
        """Which fields the rows of a kind have, and which records they may name."""
        return Shape(self.fields.granted(kind), self.ledger.sets)


async def of(session: AsyncSession, district_id: UUID, application_id: UUID) -> Export:
    """The export of a connected application."""
    grant = await grants.get(session, district_id, application_id)
    return Export(grant, grants.fields_of(grant), await ledger.current(session, district_id, grant))


async def page(
    session: AsyncSession,
    district_id: UUID,
    kind: Kind,
    export: Export,
    *,
    search: Search | None,
    after: UUID | None,
    limit: int,
) -> tuple[list[Json], int]:
    """Up to `limit` shared records after an id, and how many are found on all pages.

    A search looks into the fields of the rows only: else it would tell what the others hold.
    """
    shape = export.shape(kind)
    shared: AbstractBitMap = export.ledger.of(kind)
    if search is not None:
        shared = shared & await queries.found_by(session, district_id, kind, search, groups=shape.groups)
    last = None if after is None else await queries.last_ordinal_up_to(session, district_id, kind, after)
    start = 0 if last is None else shared.rank(last)
    rows = await queries.rows(session, district_id, kind, list(shared[start : start + limit]), shape=shape)
    return rows, len(shared)


async def as_csv(
    database: Database,
    session: AsyncSession,
    district_id: UUID,
    kind: Kind,
    export: Export,
    *,
    at_once: int = AT_ONCE,
) -> AsyncGenerator[bytes]:
    """All shared records of a kind, the header first; close it before its session, which must outlive it.

    Two connections, where there are, make the turns side by side: to write a line takes longer than to send it.
    """
    shape, shared = export.shape(kind), export.ledger.of(kind)
    yield ",".join(shape.columns(kind)).encode() + b"\r\n"
    statement = sheets.statement(district_id, kind, shape=shape, seen=export.ledger.sets)
    turns: deque[Turn] = deque()
    async with database.side_by_side(session, district_id) as drivers:
        for driver in drivers:
            await sheets.plan_for_bulk(driver)
        coming = (
            Turn(driver, statement, shared[start : start + at_once])
            for start, driver in zip(range(0, len(shared), at_once), cycle(drivers))
        )
        try:
            turns.extend(islice(coming, len(drivers)))
            while turns:
                async for piece in turns[0].pieces():
                    yield piece
                turns.popleft()
                turns.extend(islice(coming, 1))
        finally:
            for turn in turns:
                await turn.close()
