"""Tokens: the operator issues all of them, a district admin those of school leads, audit readers and applications.

Who may issue a token may also rotate it; the operator revokes all, and a district admin all of the own district.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query, status
from pydantic import BaseModel, ConfigDict, Field

from sharing_service.access import tokens as kept
from sharing_service.access.callers import DistrictAdmin, Operator
from sharing_service.access.tokens import Role
from sharing_service.actions.issue_token import TokenWanted, issue_token
from sharing_service.actions.revoke_token import revoke_token
from sharing_service.actions.rotate_token import Rotation, rotate_token
from sharing_service.api.dependencies import ManagementCaller, PageOf, PathId, ReadSession, ServiceTokens, WriteSession
from sharing_service.api.idempotency import RunOnce
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import Forbidden
from sharing_service.pagination import Page, page_of


async def issuer(caller: ManagementCaller) -> Operator | DistrictAdmin:
    """Who manages tokens at all."""
    if not isinstance(caller, Operator | DistrictAdmin):
        raise Forbidden("Only the operator and a district admin manage tokens.")
    return caller


Issuer = Annotated[Operator | DistrictAdmin, Depends(issuer)]
router = APIRouter(prefix="/v1/tokens", tags=["tokens"], dependencies=[Depends(issuer)])


class TokenShown(BaseModel):
    """A token without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    role: Role
    district_id: UUID | None
    application_id: UUID | None
    school_ids: list[UUID] | None
    label: str
    created_at: datetime
    created_by: dict[str, Any] = Field(description="Role and id of the token that issued this one.")
    expires_at: datetime | None
    secret_id: UUID | None = Field(description="The client secret by which an application obtained the token itself.")
    last_used_at: datetime | None = Field(description="To about a minute; null if nobody has used it yet.")
    predecessor_id: UUID | None = Field(description="The token in whose place this one was issued.")


class TokenIssued(TokenShown):
    """A token with its secret, which is shown this once."""

    token: str


class TokenRotated(TokenIssued):
    """A token's successor with its secret, which is shown this once."""

    predecessor_ends_at: datetime


@router.post(
    "", status_code=status.HTTP_201_CREATED, responses={404: {"description": "No such district or application."}}
)
async def post_token(
    wanted: Annotated[TokenWanted, Body()], caller: Issuer, session: WriteSession, tokens: ServiceTokens, _once: RunOnce
) -> TokenIssued:
    """Issue a token; its text is in this answer only."""
    token, secret = await issue_token(session, caller, tokens, wanted)
    return TokenIssued(**dict(TokenShown.model_validate(token)), token=secret)


@router.get("")
async def get_tokens(
    caller: Issuer,
    session: ReadSession,
    wanted: PageOf,
    by_secret: Annotated[
        bool, Query(description="Instead those that applications obtained by a client secret and that still work.")
    ] = False,
) -> Page[TokenShown]:
    """List issued tokens that are not revoked: all of them, or for a district admin those of the own district."""
    district_id = caller.district_id if isinstance(caller, DistrictAdmin) else None
    await enter_district(session, district_id or SERVICE)
    rows, total = await kept.page(
        session, district_id, by_secret=by_secret, after=wanted.after_id, limit=wanted.limit + 1
    )
    shown = [TokenShown.model_validate(row) for row in rows]
    return page_of(shown, limit=wanted.limit, total=total, position=lambda token: str(token.id))


@router.delete("/{token_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_token(token_id: PathId, caller: Issuer, session: WriteSession) -> None:
    """Revoke a token; its next request is refused."""
    await revoke_token(session, caller, token_id)


@router.post(
    "/{token_id}/rotate",
    status_code=status.HTTP_201_CREATED,
    responses={
        409: {
            "description": "`being_rotated`: another token of the rotation works, `token_id`. `token_ended`: issue one."
            " `obtained_by_secret`: obtain another one. `already_issued`: the Idempotency-Key was used."
        }
    },
)
async def post_rotation(
    token_id: PathId,
    caller: Issuer,
    session: WriteSession,
    tokens: ServiceTokens,
    _once: RunOnce,
    rotation: Annotated[Rotation, Body()] = Rotation(),  # noqa: B008 - frozen
) -> TokenRotated:
    """Issue a successor, whose text is in this answer only; both tokens work until the overlap ends."""
    rotated = await rotate_token(session, caller, tokens, token_id, rotation)
    return TokenRotated(
        **dict(TokenShown.model_validate(rotated.successor)),
        token=rotated.text,
        predecessor_ends_at=rotated.predecessor_ends_at,
    )
