"""Discard a held sync."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.roster import syncs
from sharing_service.roster.sync_models import Sync


async def discard_sync(session: AsyncSession, caller: DistrictAdmin, sync_id: UUID) -> Sync:
    """End a held sync without publishing it, and have its upload deleted."""
    district_id = caller.district_id
    sync = await syncs.get_held(session, district_id, sync_id)
    sync.status, sync.finished_at = "discarded", datetime.now(UTC)
    await syncs.let_go(session, district_id)
    trail.record(
        session,
        caller,
        AuditAction.DISCARD_SYNC,
        district_id=district_id,
        subject={"kind": "sync", "id": str(sync_id)},
    )
    await session.flush()
    return sync
