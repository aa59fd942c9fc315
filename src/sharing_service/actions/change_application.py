"""Change an application."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Operator
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.delivery import projection
from sharing_service.roster import revisions
from sharing_service.sharing import applications, grants
from sharing_service.sharing.fields import ApplicationFields, GroupSet
from sharing_service.sharing.models import Application


async def change_application(
    session: AsyncSession, caller: Operator, application_id: UUID, changes: dict[str, Any]
) -> Application:
    """Change columns of an application; every connected district learns of other fields in its trail.

    What is no longer asked for ends at once in every district; what is asked for in addition waits for each of them.
    """
    # Before the districts, each in the order of ids: a district that connects meanwhile would keep the old fields.
    application = await applications.get_for_update(session, application_id)
    changed = {name: value for name, value in changes.items() if getattr(application, name) != value}
    old = {name: getattr(application, name) for name in changed}
    told: list[tuple[UUID, int | None]] = [(SERVICE, None)]
    if "fields" in changed:
        asked = ApplicationFields.model_validate(changed["fields"]).asked
        for district_id in await applications.connected_districts(session, application_id):
            told.append((district_id, await _keep(session, district_id, application_id, asked, caller=caller)))
    for name, value in changed.items():
        setattr(application, name, value)
    for district_id, revision in told if changed else ():
        await enter_district(session, district_id)
        trail.record(
            session,
            caller,
            AuditAction.CHANGE_APPLICATION,
            district_id=district_id,
            subject={"kind": "application", "id": str(application_id)},
            before=old,
            after=changed,
            revision=revision,
        )
        await session.flush()
    return application


async def _keep(
    session: AsyncSession, district_id: UUID, application_id: UUID, asked: GroupSet, *, caller: Operator
) -> int:
    """Keep of a grant's field groups those that are still asked for, under a new revision of its district."""
    await enter_district(session, district_id)
    revision = await revisions.take(session, district_id, cause=AuditAction.CHANGE_APPLICATION, caller=caller)
    grant = await grants.get_for_update(session, district_id, application_id)
    grant.fields_revision = revision
    kept = grants.fields_of(grant).groups & asked
    await projection.set_fields(session, district_id, grant, kept, revision=revision)
    await session.flush()
    return revision
