"""Who asks for a token: a client that sends its id and a secret, by HTTP Basic or among the parameters."""

from base64 import b64decode
from typing import Annotated, Final
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials
from fastapi.security.http import HTTPBase

from sharing_service.access.tokens import Tokens
from sharing_service.api.dependencies import ServiceDatabase, ServiceTokens
from sharing_service.api.pacing import admit_client, admit_guess
from sharing_service.database import Database
from sharing_service.errors import InvalidClient, OAuthRefusal, TooLarge
from sharing_service.sharing import clients
from sharing_service.sharing.clients import Client

FORM: Final = "application/x-www-form-urlencoded"
FORM_LIMIT: Final = 16 * 1024
"""Bytes of the parameters: anybody may send them."""

basic = HTTPBase(
    scheme="basic",
    scheme_name="client",
    auto_error=False,
    description="`client_id` and `client_secret` of an application, as RFC 6749, section 2.3.1 writes them.",
)
Basic = Annotated[HTTPAuthorizationCredentials | None, Security(basic)]


async def form_of(request: Request) -> dict[str, str]:
    """The parameters of a token request; one without a value counts as left out (RFC 6749, section 3.2)."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT:
            raise TooLarge
    if not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthRefusal(f"Send the parameters as {FORM}.")
    try:
        parameters = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise OAuthRefusal("The parameters cannot be read.") from None
    form = dict(parameters)
    if len(form) < len(parameters):
        raise OAuthRefusal("A parameter is given more than once.")
    return {name: value for name, value in form.items() if value}


FormOf = Annotated[dict[str, str], Depends(form_of)]


async def client_by_basic(request: Request, database: ServiceDatabase, tokens: ServiceTokens, sent: Basic) -> Client:
    """The client of the Authorization header."""
    if sent is None:
        raise InvalidClient
    client_id, secret = _from_header(sent)
    return await _authenticated(request, database, tokens, client_id=client_id, secret=secret)


async def client_of(
    request: Request, database: ServiceDatabase, tokens: ServiceTokens, sent: Basic, form: FormOf
) -> Client:
    """The client of the Authorization header or of the parameters; one that sends a secret in both is refused."""
    if sent is None:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        return await _authenticated(request, database, tokens, client_id=client_id, secret=secret)
    # Libraries repeat the id among the parameters, which identifies and does not authenticate (section 3.2.1).
    if "client_secret" in form or form.get("client_id", _from_header(sent)[0]) != _from_header(sent)[0]:
        raise OAuthRefusal("Authenticate in one way: by the header or by parameters.")
    return await client_by_basic(request, database, tokens, sent)


ClientByBasic = Annotated[Client, Depends(client_by_basic)]
ClientOf = Annotated[Client, Depends(client_of)]


def _from_header(sent: HTTPAuthorizationCredentials) -> tuple[str, str]:
    """The id and secret of an Authorization header: each is form-encoded before they are joined."""
    if sent.scheme.lower() != "basic":
        raise InvalidClient
    try:
        client_id, _, secret = b64decode(sent.credentials, validate=True).decode().partition(":")
    except ValueError:
        raise InvalidClient from None
    return unquote_plus(client_id), unquote_plus(secret)


async def _authenticated(
    request: Request, database: Database, tokens: Tokens, *, client_id: str, secret: str
) -> Client:
    # Without a transaction, on a connection that is given back at once, as tokens are looked up.
    look_ups = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with look_ups.connect() as connection:
        known = await clients.named(connection, client_id)
    sent = clients.matching(known, tokens.digest(secret))
    if sent is None or not sent.live:
        # Compared first and counted apart, or anybody who knows its id could shut out a client by guesses. Ids that
        # nobody has share one allowance, so that inventing them costs no memory.
        await admit_guess(request, known[0].application_id if known else None)
        raise InvalidClient
    await admit_client(request, sent.application_id)
    return Client(sent.application_id, sent.id, sent.expires_at)
