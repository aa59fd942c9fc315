"""Unshare everything with an application."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import saving
from sharing_service.delivery.saving import Saved
from sharing_service.errors import NotShared
from sharing_service.roster import revisions
from sharing_service.sharing import grants
from sharing_service.sharing.versions import Expected


async def unshare(
    session: AsyncSession, caller: DistrictAdmin, application_id: UUID, *, expected: Expected | None
) -> Saved:
    """Take the sharing permission from a grant; NotShared where none is set."""
    district_id = caller.district_id
    await revisions.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    if expected is not None:
        expected.check(grant)
    if grant.sharing is None:
        raise NotShared
    revision = await revisions.take(session, district_id, cause=AuditAction.UNSHARE, caller=caller)
    before = saving.described(grant)
    saved = await saving.save(session, district_id, caller, grant, None, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.UNSHARE,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id)},
        before=before,
        after=saving.described(grant),
        revision=revision,
    )
    return saved
