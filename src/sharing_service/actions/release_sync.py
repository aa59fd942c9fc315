"""Release a held sync."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.jobs import enqueue
from sharing_service.roster import syncs
from sharing_service.roster.sync_models import Sync


async def release_sync(session: AsyncSession, caller: DistrictAdmin, sync_id: UUID) -> Sync:
    """Let a held sync run again and pass, whatever it removes or newly shares."""
    district_id = caller.district_id
    sync = await syncs.get_held(session, district_id, sync_id)
    sync.status, sync.released, sync.attempts = "queued", True, 0
    sync.progress, sync.finished_at = 0.0, None
    trail.record(
        session,
        caller,
        AuditAction.RELEASE_SYNC,
        district_id=district_id,
        subject={"kind": "sync", "id": str(sync_id)},
    )
    await session.flush()
    await enqueue(session, AuditAction.SYNC_ROSTER, {"district_id": str(district_id), "sync_id": str(sync_id)})
    return sync
