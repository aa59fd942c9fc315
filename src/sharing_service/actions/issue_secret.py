"""Issue a client secret."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Operator
from sharing_service.access.expiry import check_future
from sharing_service.access.tokens import Tokens
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import Conflict
from sharing_service.sharing import applications, clients
from sharing_service.sharing.models import ClientSecret


async def issue_secret(
    session: AsyncSession, caller: Operator, tokens: Tokens, application_id: UUID, *, expires_at: datetime | None
) -> tuple[ClientSecret, str]:
    """Give an application a further secret; the second value is its text, which is shown once."""
    check_future(expires_at)
    await applications.get_for_update(session, application_id)
    if len(await clients.live_secrets(session, application_id)) >= clients.MAX_LIVE:
        raise Conflict(
            f"{clients.MAX_LIVE} secrets of this application work. Delete the older one first.", code="too_many_secrets"
        )
    secret, text = clients.new_secret(tokens, application_id, created_by=caller, expires_at=expires_at)
    session.add(secret)
    await session.flush()
    await enter_district(session, SERVICE)
    trail.record(
        session,
        caller,
        AuditAction.ISSUE_SECRET,
        district_id=None,
        subject={"kind": "application", "id": str(application_id)},
        after=clients.described(secret),
    )
    return secret, text
