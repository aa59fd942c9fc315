"""Change an application."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Operator
from sharing_service.audit import trail
from sharing_service.audit.models import SERVICE
from sharing_service.audit.trail import AuditAction
from sharing_service.database import enter_district
from sharing_service.roster import revisions
from sharing_service.sharing import applications, grants
from sharing_service.sharing.models import Application


async def change_application(
    session: AsyncSession, caller: Operator, application_id: UUID, changes: dict[str, Any]
) -> Application:
    """Change columns of an application; every connected district learns of other fields in its trail.

    Fields decide what every connected application sees, so that each district takes a revision.
    """
    before = await applications.get(session, application_id)
    changed = {name: value for name, value in changes.items() if getattr(before, name) != value}
    told: list[tuple[UUID, int | None]] = [(SERVICE, None)]
    if "fields" in changed:
        # Districts before the application, each in the order of ids: connecting locks in this order too.
        for district_id in await applications.connected_districts(session, application_id):
            told.append((district_id, await _touch(session, district_id, application_id, caller=caller)))
    application = await applications.get_for_update(session, application_id)
    old = {name: getattr(application, name) for name in changed}
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


async def _touch(session: AsyncSession, district_id: UUID, application_id: UUID, *, caller: Operator) -> int:
    """Give a grant a new revision, since its application sees other fields from now on."""
    await enter_district(session, district_id)
    revision = await revisions.take(session, district_id, cause=AuditAction.CHANGE_APPLICATION, caller=caller)
    grant = await grants.get_for_update(session, district_id, application_id)
    grant.revision, grant.changed_at = revision, datetime.now(UTC)
    await session.flush()
    return revision
