"""Restore an earlier sharing permission."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import saving
from sharing_service.delivery.saving import Saved
from sharing_service.roster import revisions
from sharing_service.sharing import grants, kept, versions
from sharing_service.sharing.permissions import SHARING
from sharing_service.sharing.versions import Expected


async def restore_sharing(
    session: AsyncSession, caller: DistrictAdmin, application_id: UUID, version: int, *, expected: Expected | None
) -> Saved:
    """Set the permission that a version had, as a new version; one that shared nothing unshares."""
    district_id = caller.district_id
    await kept.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    wanted = await versions.get(session, district_id, application_id, version=version)
    if expected is not None:
        expected.check(grant)
    sharing = None if wanted.after is None else SHARING.validate_python(wanted.after)
    if saving.is_set(grant, sharing):
        return await saving.unchanged(session, district_id, grant)
    revision = await revisions.take(session, district_id, cause=AuditAction.RESTORE_SHARING, caller=caller)
    before = saving.described(grant)
    saved = await saving.save(session, district_id, caller, grant, sharing, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.RESTORE_SHARING,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id), "restored": version},
        before=before,
        after=saving.described(grant),
        revision=revision,
    )
    return saved
