"""Pause a grant."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.roster import revisions
from sharing_service.sharing import grants


async def pause_grant(session: AsyncSession, caller: DistrictAdmin, application_id: UUID) -> bool:
    """Answer an application 423 until the grant is resumed; False if it is paused already."""
    district_id = caller.district_id
    await revisions.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    if grant.paused_at is not None:
        return False
    # A paused grant keeps its ledger: after the resume only what changed meanwhile is new.
    grant.revision = await revisions.take(session, district_id, cause=AuditAction.PAUSE_GRANT, caller=caller)
    grant.paused_at = grant.changed_at = datetime.now(UTC)
    trail.record(
        session,
        caller,
        AuditAction.PAUSE_GRANT,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id)},
        revision=grant.revision,
    )
    return True
