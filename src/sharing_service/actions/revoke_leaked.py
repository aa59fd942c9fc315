"""Revoke a leaked token or client secret."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Reporter
from sharing_service.access.models import Token
from sharing_service.access.tokens import USABLE, Tokens, described, district_of
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.sharing import clients
from sharing_service.sharing.models import ClientSecret

REPORTER: Final = Reporter()


async def revoke_leaked(session: AsyncSession, tokens: Tokens, text: str) -> None:
    """Make useless from the next request on what this text is, be it a token or a client secret, if it works at all."""
    district_id = district_of(text)
    await enter_district(session, district_id or SERVICE)
    digest = tokens.digest(text)
    if (token := await _token(session, digest)) is not None:
        token.revoked_at = datetime.now(UTC)
        subject, before = {"kind": "token", "id": str(token.id)}, described(token)
    elif district_id is None and (secret := await _secret(session, digest)) is not None:
        # Even if it is the last one that works: whoever has it is the application.
        await clients.end(session, secret)
        subject = {"kind": "application", "id": str(secret.application_id)}
        before = clients.described(secret)
    else:
        return
    trail.record(session, REPORTER, AuditAction.REVOKE_LEAKED, district_id=district_id, subject=subject, before=before)


async def _token(session: AsyncSession, digest: bytes) -> Token | None:
    statement = select(Token).where(Token.digest == digest, *USABLE).with_for_update()
    return (await session.scalars(statement)).one_or_none()


async def _secret(session: AsyncSession, digest: bytes) -> ClientSecret | None:
    statement = select(ClientSecret).where(ClientSecret.digest == digest, *clients.LIVE).with_for_update()
    return (await session.scalars(statement)).one_or_none()
