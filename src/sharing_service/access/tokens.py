"""Tokens: their text, their keyed hash, and the caller that a text stands for.

A token reads `sharing_PLACE_SECRETCHECKS`: the district in hexadecimal (or `operator`, `client`), 30 random characters
and six of a checksum, so that a scanner of leaked secrets recognises one and a mistyped one costs no query.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, assert_never
from uuid import UUID

from sqlalchemy import delete, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from sharing_service.access.callers import (
    ApplicationCaller,
    AuditReader,
    Caller,
    DistrictAdmin,
    Operator,
    SchoolLead,
)
from sharing_service.access.models import Token
from sharing_service.database import SERVICE, inside


class Role(StrEnum):
    """What a token lets its holder be."""

    OPERATOR = "operator"
    DISTRICT_ADMIN = "district_admin"
    SCHOOL_LEAD = "school_lead"
    AUDIT_READER = "audit_reader"
    APPLICATION = "application"


PREFIX: Final = "sharing"
OPERATOR: Final = "operator"
CLIENT: Final = "client"
SECRET_LENGTH: Final = 30
"""Characters of base 62: 178 bits."""
CHECKSUM_LENGTH: Final = 6

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM: Final = re.compile(rf"{PREFIX}_([0-9a-f]{{32}}|{OPERATOR}|{CLIENT})_[0-9A-Za-z]{{36}}", re.ASCII)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def random_secret() -> str:
    """Thirty random characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_LENGTH))


def compose(place: UUID | str, secret: str) -> str:
    """The text of a token: `place` is its district, OPERATOR or CLIENT."""
    body = f"{PREFIX}_{place.hex if isinstance(place, UUID) else place}_{secret}"
    return body + _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def is_well_formed(text: str) -> bool:
    """Whether a text can be a token at all, told without a query."""
    if _FORM.fullmatch(text) is None:
        return False
    body, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return hmac.compare_digest(checksum, _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH))


def district_of(text: str) -> UUID | None:
    """The district that a well-formed token names, whether or not there is such a token."""
    if not is_well_formed(text):
        return None
    place = text.split("_")[1]
    return None if place in (OPERATOR, CLIENT) else UUID(place)


def described(token: Token) -> dict[str, Any]:
    """A token without its secret, as JSON: for the trail."""
    return {
        "role": token.role,
        "label": token.label,
        "expires_at": token.expires_at and token.expires_at.isoformat(),
        **({"secret_id": str(token.secret_id)} if token.secret_id else {}),
        **({"application_id": str(token.application_id)} if token.application_id else {}),
        **({"school_ids": [str(school_id) for school_id in token.school_ids]} if token.school_ids else {}),
    }


IDENTIFYING: Final = (Token.id, Token.role, Token.district_id, Token.application_id, Token.school_ids)
"""What `caller_from` looks at."""
USABLE: Final = (Token.revoked_at.is_(None), or_(Token.expires_at.is_(None), Token.expires_at > func.now()))

ISSUED: Final = (Token.revoked_at.is_(None), Token.secret_id.is_(None))
PURGED_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Tokens:
    """The server's key, which alone can tell what a token stands for, and the operator's token of the environment."""

    key: bytes = field(repr=False)
    operator_token: str | None = field(default=None, repr=False)

    @property
    def key_id(self) -> str:
        """Names the key beside every digest without revealing it."""
        return self._keyed("key id").hex()[:16]

    def digest(self, text: str) -> bytes:
        """What is kept of a token or client secret."""
        return self._keyed("token", text)

    def derived_secret(self, *purpose: str) -> str:
        """A secret for `compose` that is computed again instead of kept: the same for the same purpose."""
        return _base62(int.from_bytes(self._keyed("derived", *purpose), "big"), SECRET_LENGTH)

    async def caller_of(self, session: AsyncSession | AsyncConnection, text: str) -> Caller | None:
        """Who calls with this token, by one statement at most; None if it is malformed, unknown, revoked or expired."""
        if self.is_operators(text):
            return Operator()
        if not is_well_formed(text):
            return None
        statement = select(*IDENTIFYING).where(Token.digest == self.digest(text), *USABLE)
        place = literal(str(district_of(text) or SERVICE))
        found = (await session.execute(inside(statement, district_id=place))).one_or_none()
        return None if found is None else caller_from(dict(found._mapping))

    def is_operators(self, text: str) -> bool:
        """Whether this is the operator's token of the environment."""
        return self.operator_token is not None and hmac.compare_digest(text.encode(), self.operator_token.encode())

    def _keyed(self, *parts: str) -> bytes:
        return hmac.digest(self.key, "\x1f".join(parts).encode(), hashlib.sha256)


def caller_from(token: Mapping[str, Any]) -> Caller:
    """The caller that a usable row of tokens stands for."""
    token_id, district_id = token["id"], token["district_id"]
    match Role(token["role"]):
        case Role.OPERATOR:
            return Operator(token_id=token_id)
        case Role.DISTRICT_ADMIN:
            return DistrictAdmin(token_id=token_id, district_id=district_id)
        case Role.SCHOOL_LEAD:
            return SchoolLead(token_id=token_id, district_id=district_id, school_ids=tuple(token["school_ids"]))
        case Role.AUDIT_READER:
            return AuditReader(token_id=token_id, district_id=district_id)
        case Role.APPLICATION:
            return ApplicationCaller(token_id=token_id, district_id=district_id, application_id=token["application_id"])
        case unhandled:
            assert_never(unhandled)


async def page(
    session: AsyncSession, district_id: UUID | None, *, by_secret: bool, after: UUID | None, limit: int
) -> tuple[Sequence[Token], int]:
    """Up to `limit` tokens that are not revoked, of one district or of all, and how many there are.

    Those of all are seen only from within the service, those of a district from there as well.
    Either those that somebody issued or, with `by_secret`, those that applications obtained and that still work: they
    are many and end soon, so that they stand apart.
    """
    kept = select(Token).where(*(*USABLE, Token.secret_id.is_not(None)) if by_secret else ISSUED)
    if district_id is not None:
        kept = kept.where(Token.district_id == district_id)
    total = await session.scalar(select(func.count()).select_from(kept.subquery()))
    if after is not None:
        kept = kept.where(Token.id > after)
    return (await session.scalars(kept.order_by(Token.id).limit(limit))).all(), total or 0


async def operator_can_call(session: AsyncSession, tokens: Tokens) -> bool:
    """Whether any token of the operator works now, from within the service; those of a lost key do not."""
    usable = select(Token.id).where(Token.role == Role.OPERATOR, Token.key_id == tokens.key_id, *USABLE).limit(1)
    return await session.scalar(usable) is not None


async def purge(session: AsyncSession, district_id: UUID) -> None:
    """Delete some of a district's tokens that applications obtained and that have ended; the trail still has them."""
    ended = (
        select(Token.id)
        .where(Token.district_id == district_id, Token.secret_id.is_not(None), Token.expires_at < func.now())
        .limit(PURGED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    await session.execute(delete(Token).where(Token.district_id == district_id, Token.id.in_(ended)))
