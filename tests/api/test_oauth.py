"""Short-lived tokens: `POST /oauth/token` (RFC 6749)."""

from base64 import b64encode
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from sharing_service.access.models import Token
from sharing_service.access.tokens import Tokens
from sharing_service.audit import trail
from sharing_service.database import enter_district
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.clients import Client, register
from tests.factories.minutes import uncounted
from tests.factories.service import District, Json, Service, answered, bearer, everything

GRANT = {"grant_type": "client_credentials"}
TOKENS = Tokens(b"k" * 32)
"""As the service of the tests has it."""


def refused(response: httpx2.Response, error: str, status: int = 400) -> Json:
    """The refusal of RFC 6749, section 5.2, which nobody keeps."""
    refusal: Json = answered(response, status)
    assert refusal.keys() == {"error", "error_description"}
    assert refusal["error"] == error
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert "private" not in response.text
    return refusal


@pytest.mark.asvs("V7.2.2", "V10.4.4")
async def test_a_secret_is_exchanged_for_a_token(client: Client) -> None:
    """The answer is that of RFC 6749, section 5.1, and its token reads what the application may read for an hour."""
    response = await client.ask()
    granted = answered(response)
    users = await client.service.client.get("/v3.1/users", headers=bearer(granted["access_token"]))

    assert granted == {
        "access_token": granted["access_token"],
        "token_type": "bearer",
        "expires_in": 3600,
        "scope": "read:sis",
    }
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert answered(users)["data"]
    assert await client.read(granted["access_token"], "/me") == 200


async def test_a_client_authenticates_by_parameters_or_by_the_header(client: Client) -> None:
    """Id and secret stand in the header, each form-encoded, or among the parameters, and not in both."""
    post = client.service.client.post
    parameters = {"client_id": client.client_id, "client_secret": client.secret}
    encoded = b64encode(f"{client.client_id.replace('_', '%5F')}:{client.secret}".encode()).decode()

    answered(await post("/oauth/token", data=GRANT | parameters))
    answered(await post("/oauth/token", data=GRANT, auth=client.basic))
    answered(await post("/oauth/token", data=GRANT | {"client_id": client.client_id}, auth=client.basic))
    answered(await post("/oauth/token", data=GRANT, headers={"Authorization": f"basic {encoded}"}))
    refused(await post("/oauth/token", data=GRANT | parameters, auth=client.basic), "invalid_request")
    refused(await post("/oauth/token", data=GRANT | {"client_id": "private"}, auth=client.basic), "invalid_request")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "private"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "private"}, "unsupported_grant_type"),
        ({"scope": "private"}, "invalid_scope"),
        ({"scope": "read:sis private"}, "invalid_scope"),
        ({"district_id": "private"}, "invalid_grant"),
        ({"district_id": str(uuid4())}, "invalid_grant"),
    ],
)
@pytest.mark.asvs("V10.3.2", "V10.4.4", "V10.4.11")
async def test_what_is_refused(client: Client, parameters: Json, error: str) -> None:
    """Each fault of a request has the word that RFC 6749 has for it."""
    refused(await client.ask(**parameters), error)


@pytest.mark.parametrize("parameters", [{"scope": "read:sis"}, {"scope": ""}, {"district_id": ""}, {"resource": "x"}])
async def test_what_changes_nothing(client: Client, parameters: Json) -> None:
    """The one scope, a parameter without a value and an unknown one are no faults (RFC 6749, sections 3.2 and 3.3)."""
    assert answered(await client.ask(**parameters))["scope"] == "read:sis"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"grant_type":"private"}', "application/json", 400),
        (b"grant_type=client_credentials", "text/plain", 400),
        (b"grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded", 400),
        (b"grant_type=\xff", "application/x-www-form-urlencoded", 400),
        (b"grant_type=%ff", "application/x-www-form-urlencoded", 400),
        (b"private=" + b"a" * 20_000, "application/x-www-form-urlencoded", 413),
    ],
)
@pytest.mark.asvs("V15.3.7")
async def test_parameters_that_cannot_be_read(client: Client, content: bytes, kind: str, status: int) -> None:
    """Only a form is read, each parameter once, and not without end."""
    headers = {"Content-Type": kind}
    response = await client.service.client.post("/oauth/token", content=content, headers=headers, auth=client.basic)

    refused(response, "invalid_request", status)


@pytest.mark.parametrize(
    "header",
    ["Bearer private", "Basic private", "Basic", "Basic " + b64encode(b"\xff:private").decode(), "Digest a=b"],
)
async def test_headers_that_name_no_client(service: Service, header: str) -> None:
    """A header that cannot be read names nobody, and the answer says how to do it (RFC 9110, section 11.6.1)."""
    response = await service.client.post("/oauth/token", data=GRANT, headers={"Authorization": header})

    refused(response, "invalid_client", 401)
    assert response.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.asvs("V10.4.10")
async def test_who_is_no_client(client: Client, service: Service) -> None:
    """A wrong secret, another client's secret, an unknown id and nothing at all are answered byte for byte alike.

    Catches: a secret that is looked up without its client, so that every application could act as every other."""
    other = await register(service)
    strangers = [
        client.holding("private"),
        client.holding(other.secret),
        client.holding(""),
        Client(service, "", "private", client.secret),
        Client(service, "", f"client_{'0' * 30}", client.secret),
        Client(service, "", "private\x00", "private"),
        Client(service, "", "", ""),
    ]
    answers = [await stranger.ask() for stranger in strangers] + [await service.client.post("/oauth/token")]

    assert len({answer.content for answer in answers}) == 1
    for answer in answers:
        refused(answer, "invalid_client", 401)


@pytest.mark.asvs("V8.4.1")
async def test_the_district_of_a_token(client: Client, published: District, service: Service) -> None:
    """With one district none need be named, with several one must be, and each token reads its own district.

    Catches: a token for a district that has not connected the client."""
    lakeside, stranger = await service.district("Lakeside"), await service.district("Hilltop")
    await client.connect(lakeside)
    refused(await client.ask(), "invalid_request")
    refused(await client.ask(district_id=stranger.id), "invalid_grant")

    assert await client.read(await client.token(district_id=published.id)) == 200
    assert await client.read(await client.token(district_id=lakeside.id)) == 503


async def test_a_client_without_districts(service: Service) -> None:
    """A client that no district has connected is not authorized at all."""
    refused(await (await register(service)).ask(), "unauthorized_client")


async def test_a_paused_grant(client: Client, published: District) -> None:
    """While paused the token is given and the data answers 423, so that the partner keeps what it has."""
    await published.call("POST", f"/applications/{client.id}/pause")

    assert await client.read(await client.token()) == 423


@pytest.mark.asvs("V7.4.2")
async def test_disconnecting_ends_tokens(client: Client, published: District) -> None:
    """A disconnected client's token stops at once, and connecting again does not bring it back.

    Catches: tokens that only a check of the grant keeps closed."""
    token = await client.token()
    await published.call("DELETE", f"/applications/{client.id}", status=204)
    assert await client.read(token) == 401
    refused(await client.ask(district_id=published.id), "invalid_grant")
    await (await client.connect(published)).share({"mode": "district"})

    assert await client.read(token) == 401
    assert await client.read(await client.token()) == 200


@pytest.mark.asvs("V7.2.2", "V7.3.2", "V7.4.1")
async def test_an_hour_later(client: Client, service: Service) -> None:
    """An ended token is refused, and gone from the table with the next one that is obtained.

    Catches: rows that pile up for ever."""
    token = await client.token()
    ended = Token.digest == TOKENS.digest(token)
    async with service.by_hand.write() as session:
        await session.execute(update(Token).where(ended).values(expires_at=Token.created_at))
    assert await client.read(token) == 401
    await client.token()

    async with service.by_hand.read() as session:
        assert (await session.scalars(select(Token).where(ended))).all() == []


@pytest.mark.asvs("V16.3.1")
async def test_the_trail_tells(client: Client, published: District, service: Service) -> None:
    """Each token leaves a line in the district's trail, with the application and its secret, and no other list shows
    it unless asked for; the district can revoke it."""
    token = await client.token()
    async with service.by_hand.read() as session:
        await enter_district(session, UUID(published.id))
        [line] = await session.scalars(trail.select_entries(UUID(published.id), after=None, limit=1))
    [secret] = (await client.secrets())["data"]
    listed, obtained = await tokens_seen(published), await tokens_seen(published, by_secret=True)

    assert (line.action, line.caller) == ("exchange_secret", {"role": "application", "application_id": client.id})
    assert line.after is not None
    assert line.after["secret_id"] == secret["id"]
    assert line.subject["id"] not in listed
    assert obtained[line.subject["id"]]["secret_id"] == secret["id"]
    path = f"/v1/tokens/{line.subject['id']}"
    answered(await service.client.delete(path, headers=published.admin), 204)
    assert await client.read(token) == 401


async def tokens_seen(district: District, **query: Any) -> dict[str, Json]:
    """The tokens on the district's list, by id."""
    tokens = await everything(district.service.client, "/v1/tokens", district.admin, **query)
    return {token["id"]: token for token in tokens}


async def test_other_methods(service: Service) -> None:
    """Another method is told which one there is."""
    for method, path, allowed in (("GET", "/oauth/token", "POST"), ("POST", "/oauth/tokens", "GET")):
        response = await service.client.request(method, path)

        refused(response, "invalid_request", 405)
        assert response.headers["allow"] == allowed


@pytest.mark.asvs("V6.3.1", "V2.4.1")
async def test_guesses_are_limited(client: Client, service: Service) -> None:
    """Who sends secrets that do not work is soon told to wait, and whoever sends the right one is not.

    Catches: a limit that only counts what succeeds, and guesses that shut out the client whose id they name."""
    [secret] = (await client.secrets())["data"]
    old, client = client, client.holding((await client.rotate())["client_secret"])
    await client.revoke(secret["id"])
    settings = Settings(token_key=SecretStr("k" * 32), rate_limit=300)
    app = create_app(settings, database_url=service.database.url)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://slow.test") as slow:
        limited = replace(service, client=slow)
        await uncounted(service.by_hand)
        guess = client.holding("private")
        guesses = [await replace(one, service=limited).ask() for one in (old, guess, guess, guess, old)]
        granted = answered(await replace(client, service=limited).ask())
    await app.state.database.close()

    assert [answer.status_code for answer in guesses] == [401, 401, 401, 429, 429]
    for answer in guesses[3:]:
        refused(answer, "temporarily_unavailable", 429)
        assert int(answer.headers["retry-after"]) > 0
    assert await client.read(granted["access_token"]) == 200
