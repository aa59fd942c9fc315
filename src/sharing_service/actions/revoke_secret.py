"""Revoke a client secret."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Operator
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import Conflict, NotFound
from sharing_service.sharing import applications, clients
from sharing_service.sharing.models import ClientSecret


async def revoke_secret(session: AsyncSession, caller: Operator, application_id: UUID, secret_id: UUID) -> None:
    """Make a secret, and every token that was obtained by it, useless from the next request on."""
    await applications.get_for_update(session, application_id)
    secret = await session.get(ClientSecret, secret_id, with_for_update=True)
    if secret is None or secret.application_id != application_id or secret.revoked_at is not None:
        raise NotFound
    if await clients.live_secrets(session, application_id) == [secret_id]:
        raise Conflict("No other secret of this application works. Issue one first.", code="last_secret")
    await enter_district(session, SERVICE)
    await clients.end(session, secret)
    trail.record(
        session,
        caller,
        AuditAction.REVOKE_SECRET,
        district_id=None,
        subject={"kind": "application", "id": str(application_id)},
        before=clients.described(secret),
    )
