"""Tokens are rotated with two that work at the same time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, update

from sharing_service.access.models import Token
from tests.api.test_tokens import issue, school_of, tokens_seen
from tests.factories.clients import Client
from tests.factories.contending import contending
from tests.factories.service import District, Headers, Json, Service, answered, bearer

DAY = timedelta(days=1)
COPIED = ("role", "district_id", "application_id", "school_ids", "label")


async def rotate(service: Service, headers: Headers, token: Json, status: int = 201, **rotation: Any) -> Any:
    """What a request to rotate a token is answered."""
    response = await service.client.post(f"/v1/tokens/{token['id']}/rotate", json=rotation or None, headers=headers)
    return answered(response, status)


async def auditor_of(service: Service, district: District, **wanted: Any) -> Json:
    """An audit reader's token."""
    issued: Json = await issue(service, district.admin, role="audit_reader", district_id=district.id, **wanted)
    return issued


async def reads(district: District, token: Json) -> int:
    """With which status the trail is read by a token."""
    response = await district.service.client.get(f"{district.path}/audit", headers=bearer(token["token"]))
    return response.status_code


async def end(service: Service, token: Json) -> None:
    """Let a token end by itself."""
    async with service.by_hand.write() as session:
        await session.execute(update(Token).where(Token.id == UUID(token["id"])).values(expires_at=func.now()))


def moment(text: str) -> datetime:
    """A time as an answer writes it."""
    return datetime.fromisoformat(text)


async def test_both_work_until_the_overlap_ends(service: Service, district: District) -> None:
    """The successor may do what the token may, its text is shown this once, and the token ends a day later.

    Catches a rotation that ends the old token at once, one that leaves it for ever, and one that forgets the places.
    """
    school = await school_of(service, district)
    wanted: Json = {"role": "school_lead", "district_id": district.id, "school_ids": [school], "label": "North"}
    old = await issue(service, district.admin, **wanted)
    new = await rotate(service, district.admin, old)

    assert {name: new[name] for name in COPIED} == {name: old[name] for name in COPIED}
    assert (new["predecessor_id"], new["expires_at"]) == (old["id"], None)
    assert abs(moment(new["predecessor_ends_at"]) - datetime.now(UTC) - DAY) < timedelta(minutes=1)
    listed = {token["id"]: token for token in await tokens_seen(service, district.admin)}
    assert listed[old["id"]]["expires_at"] == new["predecessor_ends_at"]
    assert not {"token", "predecessor_ends_at"} & listed[new["id"]].keys()
    for token in (old, new):
        response = await service.client.get(f"{district.path}/students", headers=bearer(token["token"]))
        assert response.status_code == 403  # a lead of this district, and known
    await end(service, old)
    response = await service.client.get(f"{district.path}/students", headers=bearer(old["token"]))
    assert response.status_code == 401


async def test_the_overlap_is_chosen(service: Service, district: District) -> None:
    """Without an overlap the old token is refused from the next request on; above 30 days it is no overlap any more."""
    old = await auditor_of(service, district)
    for seconds in (-1, 30 * 86_400 + 1, "soon"):
        problem = await rotate(service, district.admin, old, 422, overlap_seconds=seconds)
        assert problem["problems"][0]["where"] == ["body", "overlap_seconds"]
    new = await rotate(service, district.admin, old, overlap_seconds=0)

    assert [await reads(district, token) for token in (old, new)] == [401, 200]


async def test_no_rotation_lets_a_token_live_longer(service: Service, district: District) -> None:
    """A token that was to end before the overlap does so; its successor lives as long as it was to live, or as told.

    Catches a rotation that gives a token of an hour another day.
    """
    now = datetime.now(UTC)
    soon, later = (now + timedelta(hours=hours) for hours in (1, 48))
    old = await auditor_of(service, district, expires_at=soon.isoformat())
    new = await rotate(service, district.admin, old)
    other = await auditor_of(service, district)
    chosen = await rotate(service, district.admin, other, expires_at=later.isoformat())
    past = await rotate(service, district.admin, chosen, 422, expires_at=(now - DAY).isoformat())

    assert moment(new["predecessor_ends_at"]) == soon
    assert timedelta() <= moment(new["expires_at"]) - soon < timedelta(minutes=1)
    assert moment(chosen["expires_at"]) == later
    assert past["problems"][0]["where"] == ["body", "expires_at"]


@pytest.mark.asvs("V7.1.2")
async def test_two_of_a_rotation_at_most(service: Service, district: District) -> None:
    """While two tokens of a rotation work neither is rotated again, and the answer names the other one.

    Catches a chain of rotations that leaves any number of tokens behind, a look at the successor alone, and a second
    rotation that takes the end which the first one set for that of the token.
    """
    first = await auditor_of(service, district)
    second = await rotate(service, district.admin, first)
    for token, other in ((first, second), (second, first)):
        refused = await rotate(service, district.admin, token, 409)
        assert (refused["code"], refused["token_id"]) == ("being_rotated", other["id"])
    answered(await service.client.delete(f"/v1/tokens/{first['id']}", headers=district.admin), 204)
    third = await rotate(service, district.admin, second)

    assert [await reads(district, token) for token in (first, second, third)] == [401, 200, 200]
    answered(await service.client.delete(f"/v1/tokens/{third['id']}", headers=district.admin), 204)
    again = await rotate(service, district.admin, second)
    assert (again["predecessor_id"], again["expires_at"]) == (second["id"], None)


async def test_rotations_at_the_same_time(service: Service, district: District) -> None:
    """Of five rotations at once one succeeds.

    Catches a look at the successors before the token is locked.
    """
    old = await auditor_of(service, district)
    path = f"/v1/tokens/{old['id']}/rotate"
    # Two of them wait until others are done, in whose slots they then go on.
    async with asyncio.TaskGroup() as requests, contending(service.by_hand, district.id, old["id"], requests=3):
        asked = [requests.create_task(service.client.post(path, headers=district.admin)) for _ in range(5)]

    assert sorted(one.result().status_code for one in asked) == [201, 409, 409, 409, 409]


async def test_who_may_rotate(service: Service, district: District) -> None:
    """Who may issue a role may rotate its tokens, the operator's own among them; nobody else learns that there is one.

    Catches a district admin who keeps an admin's token alive that the operator lets end.
    """
    admin = await issue(service, service.operator, role="district_admin", district_id=district.id)
    operators = await issue(service, service.operator, role="operator", label="night shift")
    foreign = await auditor_of(service, await service.district("Lakeside"))

    assert (await rotate(service, district.admin, admin, 403))["code"] == "forbidden"
    unseen = [await rotate(service, district.admin, token, 404) for token in (foreign, operators, {"id": uuid4()})]
    assert unseen[0] == unseen[1] == unseen[2]
    assert (await rotate(service, service.operator, admin))["district_id"] == district.id
    renewed = await rotate(service, bearer(operators["token"]), operators)
    assert (renewed["role"], renewed["label"]) == ("operator", "night shift")
    assert (await rotate(service, service.operator, foreign))["role"] == "audit_reader"


async def test_what_is_not_rotated(service: Service, district: District, client: Client, published: District) -> None:
    """A revoked token is gone, an expired one has ended, and who has a client secret obtains another one by it.

    Catches a rotation that wakes a dead token, and one that frees a token from its secret.
    """
    revoked, expired = await auditor_of(service, district), await auditor_of(service, district)
    answered(await service.client.delete(f"/v1/tokens/{revoked['id']}", headers=district.admin), 204)
    await end(service, expired)
    await client.token(district_id=published.id)
    response = await service.client.get("/v1/tokens?by_secret=true", headers=published.admin)
    [obtained, *_] = answered(response)["data"]

    await rotate(service, district.admin, revoked, 404)
    assert (await rotate(service, district.admin, expired, 409))["code"] == "token_ended"
    assert (await rotate(service, published.admin, obtained, 409))["code"] == "obtained_by_secret"


async def test_a_successor_is_shown_once(service: Service, district: District) -> None:
    """A repeat under the same key is told that the successor was issued, and none is issued twice."""
    old, headers = await auditor_of(service, district), district.admin | {"Idempotency-Key": str(uuid4())}
    await rotate(service, headers, old)
    before = await tokens_seen(service, district.admin)

    assert (await rotate(service, headers, old, 409))["code"] == "already_issued"
    assert await tokens_seen(service, district.admin) == before


@pytest.mark.asvs("V16.2.1")
async def test_the_trail_tells_of_both(service: Service, district: District) -> None:
    """The line of a rotation names the token, when it ends, and its successor, and holds no text of either."""
    old = await auditor_of(service, district, label="review")
    new = await rotate(service, district.admin, old)
    line = (await district.get("/audit", limit=1))["data"][0]

    assert (line["action"], line["subject"]) == ("rotate_token", {"kind": "token", "id": old["id"]})
    assert line["before"] == {"role": "audit_reader", "label": "review", "expires_at": None}
    assert moment(line["after"]["ends_at"]) == moment(new["predecessor_ends_at"])
    assert line["after"]["successor"] == {"id": new["id"], **line["before"]}
    assert "sharing_" not in str(line)
