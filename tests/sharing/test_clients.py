"""What a client obtains while somebody takes it back."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, update

from sharing_service.access.tokens import Tokens
from sharing_service.actions.derive_token import derive_token
from sharing_service.actions.exchange_secret import exchange_secret
from sharing_service.database import enter_district
from sharing_service.errors import InvalidClient, NotFound
from sharing_service.sharing import grants
from sharing_service.sharing.clients import Client as Authenticated
from sharing_service.sharing.models import ClientSecret
from tests.factories.clients import Client, register
from tests.factories.service import District, Service

TOKENS = Tokens(b"k" * 32)


async def authenticated(client: Client) -> Authenticated:
    """A client whose secret was found to be right."""
    [secret] = (await client.secrets())["data"]
    return Authenticated(UUID(client.id), UUID(secret["id"]), None)


async def test_a_district_that_leaves_meanwhile(service: Service, district: District) -> None:
    """A district that disconnects after the client was found connected gives no token any more.

    Catches: a grant that is taken from the session, as it was before the lock."""
    client = await register(service)
    await client.connect(district)
    sent = await authenticated(client)
    async with service.database.write() as session:
        await enter_district(session, UUID(district.id))
        seen = await grants.get(session, UUID(district.id), UUID(client.id))
        await district.call("DELETE", f"/applications/{client.id}", status=204)
        with pytest.raises(NotFound):
            await exchange_secret(session, sent, TOKENS, UUID(district.id))
        assert seen in session


@pytest.mark.asvs("V2.3.4")
async def test_two_requests_at_once(service: Service, district: District) -> None:
    """Whoever comes second on a day gets the token that the first one made, although both found none.

    Catches: two tokens of one day, of which the answers name now one and now the other."""
    client = await register(service)
    await client.connect(district)
    sent, made = await authenticated(client), []
    for _ in range(2):
        async with service.database.write() as session:
            made.append((await derive_token(session, sent, TOKENS, UUID(district.id))).id)
    listed = await asyncio.gather(*(client.list() for _ in range(5)))

    assert made[0] == made[1]
    assert {answer["data"][0]["id"] for answer in listed} == {str(made[0])}


@pytest.mark.asvs("V10.4.10")
async def test_a_secret_that_ends_meanwhile(service: Service, district: District) -> None:
    """A secret that is taken back after it was found right obtains no token any more.

    Catches: a token that outlives the deletion of the secret it was obtained by."""
    client = await register(service)
    await client.connect(district)
    sent = await authenticated(client)
    async with service.database.write() as session:
        await session.execute(
            update(ClientSecret).where(ClientSecret.id == sent.secret_id).values(revoked_at=func.now())
        )
    async with service.database.write() as session:
        with pytest.raises(InvalidClient):
            await exchange_secret(session, sent, TOKENS, UUID(district.id))
