"""Client secrets: the operator rotates them, with two that work at the same time."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, status
from pydantic import BaseModel, ConfigDict, Field

from sharing_service.access.expiry import ExpiresAt
from sharing_service.actions.issue_secret import issue_secret
from sharing_service.actions.revoke_secret import revoke_secret
from sharing_service.api.dependencies import OperatorCaller, PageOf, PathId, ReadSession, ServiceTokens, WriteSession
from sharing_service.api.dependencies import operator as operator_only
from sharing_service.api.idempotency import RunOnce
from sharing_service.pagination import Page, page_of
from sharing_service.sharing import applications, clients
from sharing_service.sharing.rules import Strict

router = APIRouter(
    prefix="/v1/applications/{application_id}/secrets", tags=["operator"], dependencies=[Depends(operator_only)]
)


class SecretWanted(Strict):
    """A secret to issue."""

    expires_at: ExpiresAt | None = None


class SecretShown(BaseModel):
    """A client secret without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    created_by: dict[str, Any] = Field(description="Role and id of the token that issued it.")
    expires_at: datetime | None


class SecretIssued(SecretShown):
    """A client secret with its text, which is shown this once."""

    client_secret: str


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses={409: {"description": "`too_many_secrets`: two work. `already_issued`: the Idempotency-Key was used."}},
)
async def post_secret(
    application_id: PathId,
    caller: OperatorCaller,
    session: WriteSession,
    tokens: ServiceTokens,
    _once: RunOnce,
    wanted: Annotated[SecretWanted, Body()] = SecretWanted(),  # noqa: B008 - frozen
) -> SecretIssued:
    """Issue a further secret; its text is in this answer only. The others go on working."""
    secret, text = await issue_secret(session, caller, tokens, application_id, expires_at=wanted.expires_at)
    return SecretIssued(**dict(SecretShown.model_validate(secret)), client_secret=text)


@router.get("")
async def get_secrets(application_id: PathId, session: ReadSession, wanted: PageOf) -> Page[SecretShown]:
    """List the secrets that are not revoked, oldest first."""
    await applications.get(session, application_id)
    kept = [SecretShown.model_validate(secret) for secret in await clients.secrets_of(session, application_id)]
    rest = kept if wanted.after_id is None else [secret for secret in kept if secret.id > wanted.after_id]
    return page_of(rest, limit=wanted.limit, total=len(kept), position=lambda secret: str(secret.id))


@router.delete(
    "/{secret_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses={409: {"description": "`last_secret`: no other one works; issue one first."}},
)
async def delete_secret(
    application_id: PathId, secret_id: PathId, caller: OperatorCaller, session: WriteSession
) -> None:
    """Revoke a secret, and with it every token that was obtained by it; the next request is refused."""
    await revoke_secret(session, caller, application_id, secret_id)
