"""Exchange a client's secret for a token."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.models import Token
from sharing_service.access.tokens import Tokens, described
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.sharing import clients
from sharing_service.sharing.clients import Client

LIFETIME: Final = timedelta(hours=1)


async def exchange_secret(
    session: AsyncSession, client: Client, tokens: Tokens, district_id: UUID
) -> tuple[Token, str]:
    """Give a client a short-lived token of a district that connected it; NotFound for any other district."""
    await clients.enter(session, client, district_id)
    token, text = await clients.add_token(session, tokens, client, district_id, lifetime=LIFETIME)
    trail.record(
        session,
        client.calling(district_id),
        AuditAction.EXCHANGE_SECRET,
        district_id=district_id,
        subject={"kind": "token", "id": str(token.id)},
        after=described(token),
    )
    return token, text
