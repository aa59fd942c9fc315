"""Tokens of a day: `GET /oauth/tokens`, as clients of Clever ask for them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from sharing_service.access.models import Token
from sharing_service.audit.models import AuditEntry
from sharing_service.database import enter_district
from tests.factories.clients import Client, register
from tests.factories.service import District, Service, answered


async def move(service: Service, client: Client, hours: int) -> None:
    """Let the tokens of a client be this much older."""
    past = timedelta(hours=hours)
    async with service.by_hand.write() as session:
        await session.execute(
            update(Token)
            .where(Token.application_id == UUID(client.id), Token.day.is_not(None))
            .values(
                created_at=Token.created_at - past,
                expires_at=Token.expires_at - past,
                day=func.date(func.timezone("UTC", Token.created_at - past)),
            )
        )


async def lines(service: Service, district: District, client: Client) -> list[Any]:
    """The actions in the trail by which a client obtained tokens."""
    async with service.by_hand.read() as session:
        await enter_district(session, UUID(district.id))
        made = AuditEntry.caller["application_id"].astext == client.id
        statement = select(AuditEntry.action).where(AuditEntry.district_id == UUID(district.id), made)
        return list(await session.scalars(statement))


async def test_a_token_for_each_connected_district(client: Client, published: District, service: Service) -> None:
    """The list has the form that Clever's has, in the order of district ids, and each token reads its own district."""
    lakeside, _ = await service.district("Lakeside"), await service.district("Hilltop")
    await client.connect(lakeside)
    response = await service.client.get("/oauth/tokens?owner_type=district", auth=client.basic)
    listed = answered(response)
    first, second = listed["data"]

    assert listed["links"] == [{"rel": "self", "uri": "/oauth/tokens?owner_type=district"}]
    assert [entry["owner"] for entry in listed["data"]] == [
        {"type": "district", "id": district.id} for district in (published, lakeside)
    ]
    assert first.keys() == {"id", "created", "owner", "access_token", "scopes"}
    assert first["scopes"] == ["read:sis"]
    assert datetime.fromisoformat(first["created"]) <= datetime.now(UTC)
    assert await client.read(first["access_token"]) == 200
    assert await client.read(second["access_token"]) == 503
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")


async def test_the_same_all_day(client: Client, published: District, service: Service) -> None:
    """Asked again on the same day, the list is the same, the trail gets no further line, and no text is stored."""
    first, second = await client.list(), await client.list()
    token = first["data"][0]["access_token"]
    async with service.by_hand.read() as session:
        row = await session.get_one(Token, UUID(first["data"][0]["id"]))

    assert first == second
    assert await lines(service, published, client) == ["derive_token"]
    assert token.encode() not in row.digest
    assert token not in str(vars(row))


@pytest.mark.asvs("V7.1.1", "V7.3.2")
async def test_valid_for_48_hours(client: Client, service: Service) -> None:
    """Yesterday's token still works beside today's; 48 hours after it was made it does not.

    Catches: derived tokens that never end, or that end before the client asks again."""
    first = await client.tokens()
    await move(service, client, 47)
    second = await client.tokens()
    assert [await client.read(token) for token in (*first.values(), *second.values())] == [200, 200]
    await move(service, client, 1)

    assert [await client.read(token) for token in (*first.values(), *second.values())] == [401, 200]


async def test_disconnecting_ends_tokens(client: Client, published: District) -> None:
    """A disconnected district is gone from the list, its token is refused, and connecting again brings a new one.

    Catches: a token that is derived from what is the same after a reconnect, and so comes alive again."""
    [token] = (await client.tokens()).values()
    await published.call("DELETE", f"/applications/{client.id}", status=204)
    assert (await client.list())["data"] == []
    assert await client.read(token) == 401
    await (await client.connect(published)).share({"mode": "district"})
    [renewed] = (await client.tokens()).values()

    assert await client.read(token) == 401
    assert await client.read(renewed) == 200


@pytest.mark.asvs("V10.4.9")
async def test_a_revoked_token_is_replaced(client: Client, published: District, service: Service) -> None:
    """A district that revokes the token of the day stops it, and the client gets another one by asking again.

    Catches: a list that hands out what was revoked."""
    [entry] = (await client.list())["data"]
    path = f"/v1/tokens/{entry['id']}"
    answered(await service.client.delete(path, headers=published.admin), 204)
    [renewed] = (await client.tokens()).values()

    assert await client.read(entry["access_token"]) == 401
    assert await client.read(renewed) == 200


async def test_a_paused_grant(client: Client, published: District) -> None:
    """While paused the token is listed and the data answers 423: a list without it would read like a disconnection."""
    await published.call("POST", f"/applications/{client.id}/pause")
    [token] = (await client.tokens()).values()

    assert await client.read(token) == 423


@pytest.mark.asvs("V7.4.2")
async def test_an_erased_district(client: Client, service: Service) -> None:
    """A district that is being erased gives no token, although its rows are still there."""
    lakeside = await service.district("Lakeside")
    await client.connect(lakeside)
    token = (await client.tokens())[lakeside.id]
    answered(await service.client.delete(lakeside.path, headers=service.operator), 202)

    assert lakeside.id not in await client.tokens()
    assert await client.read(token) == 401
    assert (await client.ask(district_id=lakeside.id)).json()["error"] == "invalid_grant"


async def test_a_deleted_application(service: Service, district: District) -> None:
    """The secret of a deleted application opens nothing.

    Catches: secrets that outlive their application."""
    client = await register(service)
    await client.connect(district)
    await district.call("DELETE", f"/applications/{client.id}", status=204)
    answered(await service.client.delete(client.path, headers=service.operator), 204)

    assert (await client.list(401))["error"] == "invalid_client"
    assert (await client.ask()).json()["error"] == "invalid_client"


async def test_one_district_of_the_list(client: Client, published: District, service: Service) -> None:
    """`district` names the only one that is wanted; one that has not connected the client is not on the list."""
    await client.connect(await service.district("Lakeside"))
    listed = await client.list(district=published.id)

    assert [entry["owner"]["id"] for entry in listed["data"]] == [published.id]
    assert listed["links"][0]["uri"] == f"/oauth/tokens?owner_type=district&district={published.id}"
    assert (await client.list(district=str(uuid4())))["data"] == []


async def test_only_districts_give_tokens(client: Client) -> None:
    """Another type of owner is refused: an empty list would read as if every district had left."""
    assert (await client.list(400, owner_type="user"))["error"] == "invalid_request"


@pytest.mark.asvs("V10.1.1", "V14.2.1")
async def test_only_basic_authentication(client: Client, service: Service) -> None:
    """The list wants the header; a secret in the address, which logs keep, or a token is refused."""
    for headers in ({}, {"Authorization": f"Bearer {await client.token()}"}):
        response = await service.client.get(
            "/oauth/tokens", params={"client_id": client.client_id, "client_secret": client.secret}, headers=headers
        )

        assert answered(response, 401)["error"] == "invalid_client"
