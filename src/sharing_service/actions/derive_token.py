"""Derive a token of a day."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.models import Token
from sharing_service.access.tokens import Tokens, described
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.sharing import clients
from sharing_service.sharing.clients import Client

LIFETIME: Final = timedelta(hours=48)
"""A client that lists its tokens once a day always has one that works."""


async def derive_token(session: AsyncSession, client: Client, tokens: Tokens, district_id: UUID) -> Token:
    """The client's token of today in a district that connected it, made by whoever asks first; its text is derived."""
    await clients.enter(session, client, district_id)
    today = datetime.now(UTC).date()
    present = await clients.token_of_day(session, client, district_id, today)
    if present is not None:
        return present
    token, _ = await clients.add_token(session, tokens, client, district_id, lifetime=LIFETIME, day=today)
    trail.record(
        session,
        client.calling(district_id),
        AuditAction.DERIVE_TOKEN,
        district_id=district_id,
        subject={"kind": "token", "id": str(token.id)},
        after=described(token),
    )
    return token
