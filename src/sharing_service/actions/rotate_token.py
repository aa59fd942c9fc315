"""Rotate a token."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin, Operator
from sharing_service.access.expiry import ExpiresAt, check_future
from sharing_service.access.issuing import check_may_issue, new_token
from sharing_service.access.models import Token
from sharing_service.access.tokens import USABLE, Tokens, described
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import Conflict, NotFound
from sharing_service.roster import revisions
from sharing_service.sharing.rules import Strict

SECOND: Final = timedelta(seconds=1)
OVERLAP: Final = timedelta(days=1)
LONGEST_OVERLAP: Final = timedelta(days=30)


class Rotation(Strict):
    """How long the token goes on working beside its successor, and when that one ends."""

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP // SECOND)] = OVERLAP // SECOND
    expires_at: Annotated[
        ExpiresAt | None, Field(description="Without it the successor lives as long as the token was to live.")
    ] = None


class Rotated(NamedTuple):
    """A token's successor, its text, which is shown once, and when the old one ends."""

    successor: Token
    text: str
    predecessor_ends_at: datetime


async def rotate_token(
    session: AsyncSession, caller: Operator | DistrictAdmin, tokens: Tokens, token_id: UUID, rotation: Rotation
) -> Rotated:
    """Issue a successor of the same role, places and label; the token ends after the overlap, or when it was to end."""
    check_future(rotation.expires_at)
    token = await _locked(session, caller, token_id)
    check_may_issue(caller, token.role, token.district_id)
    now = datetime.now(UTC)
    await _check_can_be_rotated(session, token, now)
    before = described(token)
    lifetime = await _lifetime(session, token)
    successor, text = new_token(
        tokens,
        caller,
        district_id=token.district_id,
        role=token.role,
        application_id=token.application_id,
        school_ids=token.school_ids,
        label=token.label,
        expires_at=rotation.expires_at or (lifetime and now + lifetime),
        predecessor_id=token.id,
    )
    session.add(successor)
    overlapped = now + timedelta(seconds=rotation.overlap_seconds)
    token.expires_at = ends_at = overlapped if token.expires_at is None else min(token.expires_at, overlapped)
    await session.flush()
    trail.record(
        session,
        caller,
        AuditAction.ROTATE_TOKEN,
        district_id=token.district_id,
        subject={"kind": "token", "id": str(token.id)},
        before=before,
        after={"ends_at": ends_at.isoformat(), "successor": {"id": str(successor.id), **described(successor)}},
    )
    return Rotated(successor, text, ends_at)


async def _locked(session: AsyncSession, caller: Operator | DistrictAdmin, token_id: UUID) -> Token:
    """The token as it is now, and its district, which is locked first, so that nobody erases it meanwhile."""
    await enter_district(session, caller.district_id if isinstance(caller, DistrictAdmin) else SERVICE)
    found = await session.get(Token, token_id)
    if found is None or (isinstance(caller, DistrictAdmin) and found.district_id != caller.district_id):
        raise NotFound
    if found.district_id is not None:
        await enter_district(session, found.district_id)
        await revisions.lock(session, found.district_id)
    token = await session.get(Token, token_id, with_for_update=True, populate_existing=True)
    if token is None or token.revoked_at is not None:
        raise NotFound
    return token


async def _lifetime(session: AsyncSession, token: Token) -> timedelta | None:
    """How long the token was to live; if it was rotated before, its own end has moved, and its successor tells."""
    successors = (
        select(Token).where(Token.predecessor_id == token.id).order_by(Token.created_at.desc(), Token.id.desc())
    )
    model = (await session.scalars(successors.limit(1))).one_or_none() or token
    return None if model.expires_at is None else model.expires_at - model.created_at


async def _check_can_be_rotated(session: AsyncSession, token: Token, now: datetime) -> None:
    """Refuse a token that has ended, that somebody obtains otherwise, or beside which another of its rotation works."""
    if token.secret_id is not None:
        raise Conflict(
            "An application obtained this token by its client secret. Obtain a new one by the secret.",
            code="obtained_by_secret",
        )
    if token.expires_at is not None and token.expires_at <= now:
        raise Conflict("This token has ended. Issue a new one.", code="token_ended")
    of_its_rotation = or_(Token.predecessor_id == token.id, Token.id == token.predecessor_id)
    if (other := await session.scalar(select(Token.id).where(of_its_rotation, *USABLE).limit(1))) is not None:
        raise Conflict(
            "Two tokens of this rotation work. Revoke the one that is out of use first.",
            code="being_rotated",
            token_id=str(other),
        )
