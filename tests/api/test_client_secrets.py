"""Client secrets are rotated with two that work at once."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from sharing_service.access.models import Token
from sharing_service.audit.models import AuditEntry
from sharing_service.database import SERVICE, enter_district
from sharing_service.sharing.models import ClientSecret
from tests.factories.clients import Client, register
from tests.factories.service import District, Json, Service, answered


@pytest.fixture
async def client(service: Service, district: District) -> Client:
    """An application that a district has connected."""
    client = await register(service)
    await client.connect(district)
    return client


async def post(client: Client, status: int, body: Any = None, **headers: str) -> Json:
    """What a request for a further secret is answered."""
    response = await client.service.client.post(
        f"{client.path}/secrets", json=body, headers=client.service.operator | headers
    )
    answer: Json = answered(response, status)
    return answer


async def test_rotation(client: Client) -> None:
    """While the partner's servers change over both secrets work; the old one is refused once it is deleted.

    Catches: a deleted secret that goes on working."""
    [old] = (await client.secrets())["data"]
    issued = await client.rotate()
    renewed = client.holding(issued["client_secret"])
    assert [(await each.ask()).status_code for each in (client, renewed)] == [200, 200]
    await client.revoke(old["id"])

    assert [(await each.ask()).status_code for each in (client, renewed)] == [401, 200]
    assert (await client.list(401))["error"] == "invalid_client"
    assert len((await renewed.list())["data"]) == 1
    assert [secret["id"] for secret in (await client.secrets())["data"]] == [issued["id"]]


async def test_a_deleted_secret_tells_nothing(service: Service) -> None:
    """A deleted secret does not even tell that no district has connected the client.

    Catches: a secret that is found dead only where a token is made."""
    client = await register(service)
    [old] = (await client.secrets())["data"]
    await client.rotate()
    await client.revoke(old["id"])

    assert (await client.list(401))["error"] == "invalid_client"
    assert (await client.ask()).json()["error"] == "invalid_client"


@pytest.mark.asvs("V7.4.3")
async def test_tokens_end_with_their_secret(client: Client) -> None:
    """With a secret all tokens that were obtained by it end, and none that the other one obtained.

    Catches: whoever stole a secret keeps reading with what it obtained."""
    [old] = (await client.secrets())["data"]
    renewed = client.holding((await client.rotate())["client_secret"])
    stolen = [await client.token(), *(await client.tokens()).values()]
    own = [await renewed.token(), *(await renewed.tokens()).values()]
    assert len({*stolen, *own}) == 4
    await client.revoke(old["id"])

    assert [await client.read(token, "/me") for token in stolen] == [401, 401]
    assert [await client.read(token, "/me") for token in own] == [503, 503]


@pytest.mark.asvs("V2.3.2")
async def test_two_at_most(client: Client) -> None:
    """A third secret is refused until one of the two is deleted or has expired; the last that works stays."""
    [first] = (await client.secrets())["data"]
    second = await client.rotate()
    assert (await post(client, 409))["code"] == "too_many_secrets"
    async with client.service.by_hand.write() as session:
        await session.execute(
            update(ClientSecret).where(ClientSecret.id == UUID(first["id"])).values(expires_at=func.now())
        )
    assert (await client.ask()).status_code == 401
    assert (await client.revoke(second["id"], 409))["code"] == "last_secret"
    third = await client.rotate()

    assert [secret["id"] for secret in (await client.secrets())["data"]] == [first["id"], second["id"], third["id"]]
    await client.revoke(first["id"])
    await client.revoke(second["id"])
    assert (await client.revoke(third["id"], 409))["code"] == "last_secret"


async def test_a_secret_ends(client: Client) -> None:
    """A secret may have an end, which is that of its tokens too; one in the past is refused."""
    past, soon = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (-1, 10))
    refusal = await post(client, 422, {"expires_at": past.isoformat()})
    brief = client.holding((await client.rotate(expires_at=soon.isoformat()))["client_secret"])
    granted = answered(await brief.ask())
    [entry] = (await brief.list())["data"]
    async with client.service.by_hand.read() as session:
        ends = await session.scalar(select(Token.expires_at).where(Token.id == UUID(entry["id"])))

    assert refusal["problems"][0]["where"] == ["body", "expires_at"]
    assert granted["expires_in"] <= 600
    assert ends == soon


@pytest.mark.asvs("V10.1.1")
async def test_a_secret_is_shown_once(client: Client) -> None:
    """The text stands in the first answer and nowhere else; a repeat with the same key is told so."""
    key = {"Idempotency-Key": str(uuid4())}
    issued = await post(client, 201, {}, **key)
    repeated = await post(client, 409, {}, **key)
    page = await client.secrets()

    assert repeated["code"] == "already_issued"
    assert "client_secret" not in repeated
    assert (page["total"], page["next"]) == (2, None)
    assert page["data"][1] == {name: value for name, value in issued.items() if name != "client_secret"}
    assert page["data"][1]["created_by"] == {"role": "operator"}


async def test_secrets_come_in_pages(client: Client) -> None:
    """The list is read on as every list is."""
    second = await client.rotate()
    get, path = client.service.client.get, f"{client.path}/secrets"
    first = answered(await get(path, params={"limit": 1}, headers=client.service.operator))
    rest = answered(await get(path, params={"after": first["next"]}, headers=client.service.operator))

    assert (len(first["data"]), first["total"], rest["next"]) == (1, 2, None)
    assert [secret["id"] for secret in rest["data"]] == [second["id"]]


async def test_the_trail_tells(client: Client) -> None:
    """A secret that is issued or deleted leaves a line in the trail of the service."""
    issued = await client.rotate()
    await client.revoke(issued["id"])
    async with client.service.by_hand.read() as session:
        await enter_district(session, SERVICE)
        lines = (
            select(AuditEntry)
            .where(AuditEntry.district_id == SERVICE, AuditEntry.subject["id"].astext == client.id)
            .order_by(AuditEntry.id)
        )
        _created, made, ended = (await session.scalars(lines)).all()

    assert (made.action, ended.action) == ("issue_secret", "revoke_secret")
    assert made.after == ended.before == {"secret_id": issued["id"], "expires_at": None}


async def test_another_applications_secret(client: Client, district: District) -> None:
    """A secret is found only below its own application, and only the operator finds it.

    Catches: a route that takes the secret's id alone."""
    other = await register(client.service)
    [foreign] = (await other.secrets())["data"]
    await client.revoke(foreign["id"], 404)
    await client.revoke(str(uuid4()), 404)
    response = await client.service.client.get(f"{client.path}/secrets", headers=district.admin)
    absent = await client.service.client.get(f"/v1/applications/{uuid4()}/secrets", headers=client.service.operator)

    answered(response, 403)
    answered(absent, 404)
    assert (await other.ask()).json()["error"] == "unauthorized_client"
