"""Connect an application."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.roster import revisions
from sharing_service.sharing import applications, versions
from sharing_service.sharing.fields import ApplicationFields, names_of
from sharing_service.sharing.models import Grant


async def connect_application(session: AsyncSession, caller: DistrictAdmin, application_id: UUID) -> bool:
    """Give an application a grant that shares nothing yet; False if it is connected already.

    The field groups for which it asks now are accepted.
    """
    district_id = caller.district_id
    application = await applications.hold(session, application_id)
    await revisions.lock(session, district_id)
    if await session.get(Grant, (district_id, application_id)) is not None:
        return False
    revision = await revisions.take(session, district_id, cause=AuditAction.CONNECT_APPLICATION, caller=caller)
    version = await versions.highest(session, district_id, application_id)
    session.add(
        Grant(
            district_id=district_id,
            application_id=application_id,
            version=version,
            fields=names_of(ApplicationFields.model_validate(application.fields).asked),
            fields_revision=revision,
            revision=revision,
            decided_revision=revision,
            connected_revision=revision,
        )
    )
    trail.record(
        session,
        caller,
        AuditAction.CONNECT_APPLICATION,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id), "name": application.name},
        revision=revision,
    )
    await session.flush()
    return True
