"""Create an application."""

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import Operator
from sharing_service.access.tokens import CLIENT, Tokens, random_secret
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.sharing import applications, clients
from sharing_service.sharing.fields import ApplicationFields
from sharing_service.sharing.models import Application
from sharing_service.sharing.permissions import SharingPermission, as_json


async def create_application(
    session: AsyncSession,
    caller: Operator,
    tokens: Tokens,
    *,
    name: str,
    fields: ApplicationFields,
    recommended_sharing: SharingPermission | None,
) -> tuple[Application, str]:
    """Create an application; the second value is its client secret, which is shown once and kept as a keyed hash."""
    application = Application(
        id=uuid7(),
        name=name,
        fields=as_json(fields),
        recommended_sharing=recommended_sharing and as_json(recommended_sharing),
        client_id=f"{CLIENT}_{random_secret()}",
    )
    session.add(application)
    await session.flush()
    kept, secret = clients.new_secret(tokens, application.id, created_by=caller)
    session.add(kept)
    await enter_district(session, SERVICE)
    trail.record(
        session,
        caller,
        AuditAction.CREATE_APPLICATION,
        district_id=None,
        subject={"kind": "application", "id": str(application.id)},
        after=applications.described(application),
    )
    return application, secret
