"""Resume a grant."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.roster import revisions
from sharing_service.sharing import grants


async def resume_grant(session: AsyncSession, caller: DistrictAdmin, application_id: UUID) -> bool:
    """Let an application read on; False if it is not paused."""
    district_id = caller.district_id
    await revisions.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    if grant.paused_at is None:
        return False
    grant.revision = await revisions.take(session, district_id, cause=AuditAction.RESUME_GRANT, caller=caller)
    grant.changed_at = datetime.now(UTC)
    grant.paused_at = None
    trail.record(
        session,
        caller,
        AuditAction.RESUME_GRANT,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id)},
        revision=grant.revision,
    )
    return True
