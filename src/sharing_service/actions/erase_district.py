"""Erase a district: at once for everybody who asks, row by row in the background."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import jobs
from sharing_service.access.callers import Operator
from sharing_service.access.models import IdempotencyKey, Token
from sharing_service.audit import trail
from sharing_service.audit.models import AuditEntry
from sharing_service.audit.trail import AuditAction
from sharing_service.database import Base, enter_district
from sharing_service.roster import beside, revisions
from sharing_service.roster.models import District

KEPT: Final = frozenset({AuditEntry.__tablename__, Token.__tablename__})
"""The trail outlives the district; tokens go last, since they tell whose kept answers must go."""


async def erase_district(session: AsyncSession, caller: Operator, district_id: UUID) -> None:
    """Make a district unreachable from now on and queue the job that deletes its rows."""
    await enter_district(session, district_id)
    district = await revisions.lock(session, district_id)
    district.erasing_since = datetime.now(UTC)
    await session.execute(
        update(Token)
        .where(Token.district_id == district_id, Token.revoked_at.is_(None))
        .values(revoked_at=district.erasing_since)
    )
    trail.record(
        session,
        caller,
        AuditAction.ERASE_DISTRICT,
        district_id=district_id,
        subject={"kind": "district", "id": str(district_id)},
    )
    await session.flush()
    await jobs.enqueue(session, AuditAction.ERASE_DISTRICT, {"district_id": str(district_id)})


async def erase_batch(session: AsyncSession, district_id: UUID, limit: int) -> bool:
    """Delete up to `limit` rows of a district that is being erased; True once all but its trail is gone."""
    await enter_district(session, district_id)
    district = await session.get_one(District, district_id, populate_existing=True)
    if district.erasing_since is None:
        raise ValueError("Only a district that is being erased loses its rows.")
    await beside.wait_for_all(session, district_id)
    left = limit
    for table, rows in _rows_of_a_district():
        if left > 0:
            left -= await _delete(session, table, rows, district_id=district_id, limit=left)
    if left > 0:
        district.name = ""
    return left > 0


def _rows_of_a_district() -> Iterator[tuple[str, str]]:
    """Tables and the condition on their rows, those that refer to others first."""
    for table in reversed(Base.metadata.sorted_tables):
        if "district_id" in table.columns and table.name not in KEPT:
            yield table.name, "district_id = :district_id"
    holders = "select id::text from tokens where district_id = :district_id"
    yield IdempotencyKey.__tablename__, f"caller in ({holders})"
    yield Token.__tablename__, "district_id = :district_id"


async def _delete(session: AsyncSession, table: str, rows: str, *, district_id: UUID, limit: int) -> int:
    """Delete some rows by their place, since a join with the whole table would read all of it for every batch."""
    places = f"select ctid from {table} where {rows} limit :limit"  # noqa: S608 - names of our own tables
    statement = text(f"delete from {table} where ctid = any(array({places})) returning 1")  # noqa: S608
    deleted = await session.execute(statement, {"district_id": district_id, "limit": limit})
    return len(deleted.all())
