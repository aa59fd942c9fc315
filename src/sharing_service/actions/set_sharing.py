"""Set a sharing permission."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import saving
from sharing_service.delivery.saving import Saved
from sharing_service.roster import revisions
from sharing_service.sharing import grants, kept, picks
from sharing_service.sharing.permissions import SharingPermission
from sharing_service.sharing.versions import Expected


async def set_sharing(
    session: AsyncSession,
    caller: DistrictAdmin,
    application_id: UUID,
    sharing: SharingPermission,
    *,
    expected: Expected | None,
) -> Saved:
    """Give a grant a new sharing permission; the very permission that is set changes nothing."""
    district_id = caller.district_id
    await kept.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    if expected is not None:
        expected.check(grant)
    await picks.check_known(session, district_id, sharing)
    if saving.is_set(grant, sharing):
        return await saving.unchanged(session, district_id, grant)
    revision = await revisions.take(session, district_id, cause=AuditAction.SET_SHARING, caller=caller)
    before = saving.described(grant)
    saved = await saving.save(session, district_id, caller, grant, sharing, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.SET_SHARING,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id)},
        before=before,
        after=saving.described(grant),
        revision=revision,
    )
    return saved
