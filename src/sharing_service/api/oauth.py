"""OAuth 2.0 (RFC 6749): applications obtain tokens by their client secret, as Clever's clients do."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from sharing_service.access.models import Token
from sharing_service.access.tokens import Tokens
from sharing_service.actions.derive_token import derive_token
from sharing_service.actions.exchange_secret import exchange_secret
from sharing_service.api.dependencies import ServiceDatabase, ServiceTokens
from sharing_service.api.oauth_client import FORM, ClientByBasic, ClientOf, FormOf
from sharing_service.api.problems import NOT_KEPT
from sharing_service.database import Database, enter_district
from sharing_service.errors import NotFound, OAuthRefusal
from sharing_service.sharing import applications, clients, grants
from sharing_service.sharing.clients import Client

SCOPE: Final = "read:sis"
"""What every token allows: to read what the district shares. The name is Clever's."""


async def not_kept(response: Response) -> None:
    """Let nobody on the way keep a token."""
    response.headers.update(NOT_KEPT)


router = APIRouter(prefix="/oauth", tags=["oauth"], dependencies=[Depends(not_kept)])


CREDENTIAL: Final = {"type": "string", "description": "Without an Authorization header only."}
REQUEST: Final = {
    "type": "object",
    "description": "One without a value counts as left out, and an unknown one is ignored.",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "district_id": {
            "type": "string",
            "anyOf": [{"format": "uuid"}, {"const": ""}],
            "description": "May be left out if only one district has connected the client.",
        },
        "scope": {"type": "string", "enum": [SCOPE, ""]},
        "client_id": CREDENTIAL,
        "client_secret": CREDENTIAL,
    },
}


class AccessToken(BaseModel):
    """A short-lived token, as RFC 6749, section 5.1 writes it."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a name of the RFC
    expires_in: int = Field(description="Seconds.")
    scope: Literal["read:sis"] = "read:sis"


class Owner(BaseModel):
    """Who gave a token."""

    type: Literal["district"] = "district"
    id: UUID


class DistrictToken(BaseModel):
    """The token of one connected district."""

    id: UUID
    created: str = Field(description="Time in UTC, RFC 3339.")
    owner: Owner
    access_token: str
    scopes: list[Literal["read:sis"]] = ["read:sis"]


class Link(BaseModel):
    """A link of the list."""

    rel: Literal["self"] = "self"
    uri: str


class DistrictTokens(BaseModel):
    """One token for each connected district, in the order of their ids."""

    data: list[DistrictToken]
    links: list[Link]


@router.post(
    "/token",
    openapi_extra={
        "security": [{}],  # beside Basic: the client may stand among the parameters
        "requestBody": {"required": True, "content": {FORM: {"schema": REQUEST}}},
    },
)
async def post_token(client: ClientOf, form: FormOf, database: ServiceDatabase, tokens: ServiceTokens) -> AccessToken:
    """Exchange a client secret for a token that works for an hour (client credentials, RFC 6749, section 4.4)."""
    if "grant_type" not in form:
        raise OAuthRefusal("Send a grant_type.")
    if form["grant_type"] != "client_credentials":
        raise OAuthRefusal("The grant_type is client_credentials.", code="unsupported_grant_type")
    if set(form.get("scope", SCOPE).split()) != {SCOPE}:
        raise OAuthRefusal(f"The scope is {SCOPE}.", code="invalid_scope")
    try:
        district_id = await _district(database, client, form.get("district_id"))
        async with database.exchanges.taken(district_id), database.write() as session:
            token, text = await exchange_secret(session, client, tokens, district_id)
    except (NotFound, ValueError):
        raise OAuthRefusal("This client is not connected to that district.", code="invalid_grant") from None
    return AccessToken(access_token=text, expires_in=_lifetime(token))


@router.get("/tokens")
async def get_tokens(
    client: ClientByBasic,
    database: ServiceDatabase,
    tokens: ServiceTokens,
    owner_type: Annotated[
        str, Query(description="Only districts give tokens.", json_schema_extra={"enum": ["district"]})
    ] = "district",
    district: Annotated[str | None, Query(description="The id of one district, to list no other.")] = None,
) -> DistrictTokens:
    """List a token for each connected district: the same all day (UTC), valid for 48 hours from its first listing."""
    if owner_type != "district":
        raise OAuthRefusal("The owner_type is district.")
    query = {"owner_type": "district"} | ({"district": district} if district else {})
    # The snapshot ends before tokens are made: a request that held one connection and waited for another could starve
    # the pool.
    today, present = datetime.now(UTC).date(), {}
    async with database.read() as session:
        for district_id in await applications.connected_districts(session, client.application_id):
            if district in (None, str(district_id)):
                await enter_district(session, district_id)
                present[district_id] = await clients.token_of_day(session, client, district_id, today)
    listed = []
    for district_id, found in present.items():
        token = found or await _made(database, client, tokens, district_id)
        listed += [_shown(tokens, token, district_id)] if token else []
    return DistrictTokens(data=listed, links=[Link(uri=f"/oauth/tokens?{urlencode(query)}")])


async def _district(database: Database, client: Client, named: str | None) -> UUID:
    """The district that a request means; ValueError if it names none, NotFound if that has not connected the client.

    It is looked up before the district's slots and lock are waited for: a stranger takes neither.
    """
    async with database.read() as session:
        if named is not None:
            await enter_district(session, UUID(named))
            return (await grants.get(session, UUID(named), client.application_id)).district_id
        connected = await applications.connected_districts(session, client.application_id)
    if not connected:
        raise OAuthRefusal("No district has connected this client.", code="unauthorized_client")
    if len(connected) > 1:
        raise OAuthRefusal("Several districts have connected this client. Send the district_id of one.")
    return connected[0]


async def _made(database: Database, client: Client, tokens: Tokens, district_id: UUID) -> Token | None:
    """The first token of the day, in a short transaction of its own, since it locks its district; None if it left."""
    try:
        async with database.exchanges.taken(district_id), database.write() as session:
            return await derive_token(session, client, tokens, district_id)
    except NotFound:
        return None


def _shown(tokens: Tokens, token: Token, district_id: UUID) -> DistrictToken:
    return DistrictToken(
        id=token.id,
        created=token.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        owner=Owner(id=district_id),
        access_token=clients.text_of_day(tokens, district_id, token.id),
    )


def _lifetime(token: Token) -> int:
    """How long a token that was just made lives."""
    assert token.expires_at is not None  # noqa: S101 - what an application obtains always ends
    return int((token.expires_at - token.created_at).total_seconds())
