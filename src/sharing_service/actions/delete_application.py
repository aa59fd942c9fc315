"""Delete an application."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Operator
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import Conflict
from sharing_service.sharing import applications


async def delete_application(session: AsyncSession, caller: Operator, application_id: UUID) -> None:
    """Delete an application that no district has connected; its row stays, since histories refer to it."""
    application = await applications.get_for_update(session, application_id, delete=True)
    connected = await applications.connected_districts(session, application_id)
    if connected:
        raise Conflict(
            "Districts have connected this application; each must disconnect it first.",
            code="connected",
            districts=len(connected),
        )
    application.deleted_at = datetime.now(UTC)
    await enter_district(session, SERVICE)
    trail.record(
        session,
        caller,
        AuditAction.DELETE_APPLICATION,
        district_id=None,
        subject={"kind": "application", "id": str(application_id)},
        before={"name": application.name},
    )
