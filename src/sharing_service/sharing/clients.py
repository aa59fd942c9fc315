"""Clients: applications that prove who they are by a secret, and the tokens that they obtain by it themselves."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import ApplicationCaller, Caller
from sharing_service.access.models import Token
from sharing_service.access.tokens import CLIENT, USABLE, Role, Tokens, compose, purge, random_secret
from sharing_service.database import enter_district
from sharing_service.errors import InvalidClient, NotFound
from sharing_service.roster import revisions
from sharing_service.sharing.models import Application, ClientSecret, Grant

MAX_LIVE: Final = 2
"""Secrets of one application that work at once: the old one until every server of the partner has the new one."""
LIVE: Final = (
    ClientSecret.revoked_at.is_(None),
    or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > func.now()),
)
_SENDABLE: Final = re.compile(r"[\x20-\x7e]{1,100}")
"""What RFC 6749, appendix A allows a client's id to be."""


class KnownSecret(NamedTuple):
    """A secret that an application has or had."""

    id: UUID
    application_id: UUID
    digest: bytes
    expires_at: datetime | None
    live: bool


@dataclass(frozen=True)
class Client:
    """An application and the secret that it sent."""

    application_id: UUID
    secret_id: UUID
    secret_expires_at: datetime | None

    def calling(self, district_id: UUID) -> ApplicationCaller:
        """The application as the trail of a district names it."""
        return ApplicationCaller(district_id=district_id, application_id=self.application_id)


def new_secret(
    tokens: Tokens, application_id: UUID, *, created_by: Caller, expires_at: datetime | None = None
) -> tuple[ClientSecret, str]:
    """A secret to be stored, and its text, which is shown once."""
    text = compose(CLIENT, random_secret())
    secret = ClientSecret(
        id=uuid7(),
        application_id=application_id,
        key_id=tokens.key_id,
        digest=tokens.digest(text),
        created_by=created_by.described(),
        expires_at=expires_at,
    )
    return secret, text


def described(secret: ClientSecret) -> dict[str, Any]:
    """A secret without its text, as JSON: for the trail."""
    return {"secret_id": str(secret.id), "expires_at": secret.expires_at and secret.expires_at.isoformat()}


async def secrets_of(session: AsyncSession, application_id: UUID) -> Sequence[ClientSecret]:
    """The secrets of an application that are not revoked, oldest first; one that has expired is among them."""
    kept = ClientSecret.application_id == application_id, ClientSecret.revoked_at.is_(None)
    return (await session.scalars(select(ClientSecret).where(*kept).order_by(ClientSecret.id))).all()


async def live_secrets(session: AsyncSession, application_id: UUID) -> Sequence[UUID]:
    """The ids of the secrets of an application that work now."""
    statement = select(ClientSecret.id).where(ClientSecret.application_id == application_id, *LIVE)
    return (await session.scalars(statement)).all()


async def end(session: AsyncSession, secret: ClientSecret) -> None:
    """End a secret, and every token that was obtained by it; within SERVICE, since these are of many districts."""
    secret.revoked_at = datetime.now(UTC)
    obtained = update(Token).where(Token.secret_id == secret.id, Token.revoked_at.is_(None))
    await session.execute(obtained.values(revoked_at=secret.revoked_at))


async def named(connection: AsyncConnection, client_id: str) -> Sequence[KnownSecret]:
    """Every secret that the application with this client id ever had, and whether it works; none if it is deleted."""
    if _SENDABLE.fullmatch(client_id) is None:
        return ()
    statement = (
        select(ClientSecret.id, ClientSecret.application_id, ClientSecret.digest, ClientSecret.expires_at, and_(*LIVE))
        .join(Application, Application.id == ClientSecret.application_id)
        .where(Application.client_id == client_id, Application.deleted_at.is_(None))
    )
    return [KnownSecret(*row) for row in await connection.execute(statement)]


def matching(secrets: Sequence[KnownSecret], digest: bytes) -> KnownSecret | None:
    """The secret of this digest; each is compared, in constant time, so that the time tells nothing."""
    equal = [secret for secret in secrets if hmac.compare_digest(secret.digest, digest)]
    return equal[0] if equal else None


async def enter(session: AsyncSession, client: Client, district_id: UUID) -> None:
    """Enter a district that connected the client; NotFound otherwise, InvalidClient if the secret was just revoked.

    Until the transaction ends nobody takes back the grant or the secret, and so leaves behind a token that is made now.
    """
    held = select(ClientSecret.id).where(ClientSecret.id == client.secret_id, *LIVE)
    if await session.scalar(held.with_for_update(read=True, key_share=True)) is None:
        raise InvalidClient
    await enter_district(session, district_id)
    await revisions.lock(session, district_id)
    # Asked anew, not of the session, which may have seen the grant before the lock.
    connected = select(Grant.revision).where(
        Grant.district_id == district_id, Grant.application_id == client.application_id
    )
    if await session.scalar(connected) is None:
        raise NotFound


async def add_token(
    session: AsyncSession,
    tokens: Tokens,
    client: Client,
    district_id: UUID,
    *,
    lifetime: timedelta,
    day: date | None = None,
) -> tuple[Token, str]:
    """Store a token that a client obtains, and in passing delete some that have ended.

    The second value is its text; that of a day can be computed anew.
    """
    await purge(session, district_id)
    now, token_id = datetime.now(UTC), uuid7()
    text = compose(district_id, random_secret()) if day is None else text_of_day(tokens, district_id, token_id)
    token = Token(
        id=token_id,
        key_id=tokens.key_id,
        digest=tokens.digest(text),
        role=Role.APPLICATION,
        district_id=district_id,
        application_id=client.application_id,
        label="",
        created_at=now,
        created_by=client.calling(district_id).described(),
        expires_at=now + lifetime
        if client.secret_expires_at is None
        else min(now + lifetime, client.secret_expires_at),
        secret_id=client.secret_id,
        day=day,
    )
    session.add(token)
    return token, text


def text_of_day(tokens: Tokens, district_id: UUID, token_id: UUID) -> str:
    """The text of a token of a day: computed from the server's key and the id of the token's row, and kept nowhere."""
    return compose(district_id, tokens.derived_secret("token of a day", str(token_id)))


async def token_of_day(session: AsyncSession, client: Client, district_id: UUID, day: date) -> Token | None:
    """The token that this client's secret has for a day in a district."""
    named = (Token.district_id == district_id, Token.secret_id == client.secret_id, Token.day == day)
    return (await session.scalars(select(Token).where(*named, *USABLE))).one_or_none()
