"""Everybody who may come and ask, and what no answer to them may hold."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import text

from sharing_service.access.tokens import OPERATOR, compose, random_secret
from sharing_service.database import enter_district
from tests.factories.clients import Client
from tests.factories.service import Headers, Service, bearer
from tests.matrix.world import Objects, Pair, everything_in, issued

AUDIENCES: Final = ("operator", "district", "application", "client")
UNKNOWN: Final = (
    *("nobody", "malformed", "never issued", "expired", "revoked", "lead who left", "disconnected application"),
)
"""Those who bring nothing that works."""
KNOWN: Final = (
    *("operator", "admin", "stranger", "lead", "otherlead", "auditor", "app", "other", "elsewhere", "suspended"),
)
CALLERS: Final = UNKNOWN + KNOWN


@dataclass(frozen=True)
class Callers:
    """Who calls by which headers; whoever had a role once had the one that the audience of the path has."""

    headers: Mapping[str, Mapping[str, Headers]]
    hidden: Mapping[str, frozenset[str]]
    """By caller the ids that it must never be told."""

    def calling(self, caller: str, path: str) -> Headers:
        """The headers with which somebody asks for a path."""
        return self.headers[caller][audience_of(path)]


def audience_of(path: str) -> str:
    """Whom a path is for."""
    if path.startswith("/oauth/"):
        return "client"
    if path.startswith("/v3."):
        return "application"
    return "district" if path.startswith("/v1/districts/") else "operator"


async def callers(pair: Pair, records: Mapping[str, Objects]) -> Callers:
    """Everybody."""
    headers = {**await known(pair, records["schools"]), **await unknown(pair, records["schools"])}
    assert set(headers) == set(CALLERS)
    return Callers(headers, await hidden(pair, records))


async def known(pair: Pair, schools: Objects) -> dict[str, dict[str, Headers]]:
    """Those whose credentials work."""
    service, own = pair.service, pair.own.id
    lead = {"role": "school_lead", "district_id": own}
    tokens = {
        "operator": service.operator,
        "admin": pair.own.admin,
        "stranger": pair.foreign.admin,
        "lead": bearer(await service.token(**lead, school_ids=[schools.own])),
        "otherlead": bearer(await service.token(**lead, school_ids=[schools.sibling])),
        "auditor": bearer(await service.token(role="audit_reader", district_id=own)),
        "app": pair.app.headers,
        "other": pair.other.headers,
        "elsewhere": pair.elsewhere.headers,
        "suspended": pair.suspended.headers,
    }
    client, other = pair.clients
    secrets = {"app": basic(client), "elsewhere": basic(client), "other": basic(other)}
    secrets["suspended"] = basic(await client_again(service, pair.suspended.id))
    everywhere = {caller: dict.fromkeys(AUDIENCES, own_headers) for caller, own_headers in tokens.items()}
    return {
        caller: by | ({"client": secrets[caller]} if caller in secrets else {}) for caller, by in everywhere.items()
    }


async def client_again(service: Service, application_id: str) -> Client:
    """An application with a further secret of it."""
    path = f"/v1/applications/{application_id}"
    client_id = (await service.client.get(path, headers=service.operator)).json()["client_id"]
    client = Client(service, application_id, client_id, "")
    return client.holding((await client.rotate())["client_secret"])


async def unknown(pair: Pair, schools: Objects) -> dict[str, dict[str, Headers]]:
    """Those whose credentials never worked or do not any more."""
    service, own, client = pair.service, UUID(pair.own.id), pair.clients[0]
    never: dict[str, UUID | str] = {"operator": OPERATOR, "district": own, "application": own}
    left = await issued(service, role="school_lead", district_id=pair.own.id, school_ids=[schools.own])
    await revoke(service, left["id"])
    disconnected = await pair.own.connect()
    await pair.own.call("DELETE", disconnected.path, status=204)
    return {
        "nobody": {audience: {} for audience in AUDIENCES},
        "malformed": dict.fromkeys(AUDIENCES, bearer("nonsense")) | {"client": basic(replace(client, client_id="%"))},
        "never issued": {audience: bearer(compose(place, random_secret())) for audience, place in never.items()}
        | {"client": basic(client.holding(random_secret()))},
        "expired": await no_more(pair, by="expired"),
        "revoked": await no_more(pair, by="revoked"),
        "lead who left": dict.fromkeys(AUDIENCES, bearer(left["token"])),
        "disconnected application": dict.fromkeys(AUDIENCES, disconnected.headers),
    }


async def no_more(pair: Pair, *, by: str) -> dict[str, Headers]:
    """For each audience credentials that worked and have expired or been revoked."""
    service, client = pair.service, pair.clients[0]
    own = {"district_id": pair.own.id}
    tokens = {
        "operator": await issued(service, role="operator"),
        "district": await issued(service, role="district_admin", **own),
        "application": await issued(service, role="application", **own, application_id=pair.app.id),
    }
    secret = await client.rotate()
    if by == "revoked":
        await client.revoke(secret["id"])
        for token in tokens.values():
            await revoke(service, token["id"])
    else:
        await expire(service, own["district_id"], "client_secrets", [secret["id"]])
        await expire(service, own["district_id"], "tokens", [token["id"] for token in tokens.values()])
    headers = {audience: bearer(token["token"]) for audience, token in tokens.items()}
    return headers | {"client": basic(client.holding(secret["client_secret"]))}


async def revoke(service: Service, token_id: str) -> None:
    """Revoke a token."""
    answer = await service.client.delete(f"/v1/tokens/{token_id}", headers=service.operator)
    assert answer.status_code == 204


async def expire(service: Service, district_id: str, table: str, ids: list[str]) -> None:
    """Let the time pass that these rows have."""
    async with service.by_hand.write() as session:
        await enter_district(session, UUID(district_id))
        changed = await session.execute(
            text(f"update {table} set expires_at = now() - interval '1 hour' where id = any(:ids) returning id"),
            {"ids": [UUID(one) for one in ids]},
        )
        assert len(changed.all()) == len(ids)


def basic(client: Client) -> Headers:
    """The header of a client."""
    return {"Authorization": f"Basic {b64encode(f'{client.client_id}:{client.secret}'.encode()).decode()}"}


async def hidden(pair: Pair, records: Mapping[str, Objects]) -> dict[str, frozenset[str]]:
    """What belongs to the other district, to applications also what is not shared, to the operator every person."""
    own, foreign = [await everything_in(district) for district in (pair.own, pair.foreign)]
    here = frozenset({pair.own.id}.union(*own.values()))
    there = frozenset({pair.foreign.id}.union(*foreign.values()))
    persons = frozenset().union(*(ids[kind] for ids in (own, foreign) for kind in ("students", "teachers", "staff")))
    unshared = frozenset(one.sibling for kind, one in records.items() if kind in own)
    shared = frozenset(one.own for kind, one in records.items() if kind in own)
    return {
        **dict.fromkeys(KNOWN, there),
        **dict.fromkeys(UNKNOWN, here | there),
        **dict.fromkeys(("stranger", "elsewhere"), here),
        "operator": persons,
        "app": there | unshared,
        "other": there | shared,
    }
