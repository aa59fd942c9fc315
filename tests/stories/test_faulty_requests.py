"""Faulty requests to the whole service: each is refused exactly, repeats nothing that was sent and changes nothing."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, update

from sharing_service.access.models import Token
from tests.factories.service import Connected, District, Headers, Json, Service, answered, bearer
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.stories.faulty.shape import JSON, NOTHING, UNKNOWN, ZEBRA, FaultyRequest
from tests.stories.faulty_requests import FAULTY_REQUESTS

PARTNER = "/v3."
TOTALS = ("/applications", "/blocks", "/syncs")
OPERATOR_TOTALS = ("/v1/districts", "/v1/applications", "/v1/tokens")

PLACES = {
    "north": ("schools", "N"),
    "south": ("schools", "S"),
    **{name: ("sections", name) for name in ("algebra", "art", "lab")},
    "ann": ("students", "ann"),
    "cal": ("students", "cal"),
    "blocked": ("students", "ben"),
}
THEIR_PLACES = {"school": ("schools", "N"), "section": ("sections", "algebra"), "ann": ("students", "ann")}


@dataclass(frozen=True)
class Story:
    """A district with every kind of application, its callers, and the ids that requests name."""

    tutor: Connected
    callers: Mapping[str, Headers]
    names: Mapping[str, str]

    @property
    def service(self) -> Service:
        """The service that answers."""
        return self.tutor.district.service

    def named(self, text: str) -> str:
        """A text of the table with the ids of this story."""
        return Template(text).substitute(self.names)

    async def send(self, faulty: FaultyRequest) -> httpx2.Response:
        """What the service answers to a request of the table."""
        content, headers = faulty.content, {"X-Request-Id": ZEBRA, **self.callers[faulty.caller], **faulty.headers}
        if faulty.body is not NOTHING:
            content, headers = self.named(json.dumps(faulty.body)).encode(), headers | JSON
        headers = {name: self.named(value) for name, value in headers.items()}
        return await self.service.client.request(
            faulty.method, self.named(faulty.path), content=content, headers=headers
        )

    async def moved(self) -> Json:
        """What any change would move: the trail, what the operator has, and what the application sees."""
        shown: Json = {"/audit": (await self.tutor.district.get("/audit", limit=1))["total"]}
        for path in OPERATOR_TOTALS:
            response = await self.service.client.get(path, params={"limit": 1}, headers=self.callers["operator"])
            shown[path] = answered(response)["total"]
        response = await self.tutor.fetch("/users", limit=1, count="true")
        return shown | {"users": (response.content, response.headers["X-Sharing-Revision"])}

    async def state(self) -> Json:
        """All that a request could have changed, as operator, district and application see it."""
        district, tutor, client = self.tutor.district, self.tutor, self.service.client
        shown = await self.moved()
        shown |= {
            path: (await district.get(path, limit=1))["total"] for path in (*TOTALS, f"{tutor.path}/sharing/history")
        }
        for path in (district.path, f"/v1/districts/{self.names['their_district']}", f"/v1/applications/{tutor.id}"):
            shown[path] = answered(await client.get(path, headers=self.callers["operator"]))
        shown["connected"] = await district.get("/applications")
        shown["sites"] = await district.get(f"/applications/{self.names['choir']}/sites")
        return shown


async def published(service: Service, name: str) -> tuple[District, str]:
    """A district with the small roster, and the sync that published it."""
    district = await service.district(name)
    return district, (await district.publish(render(SMALL_DISTRICT)))["id"]


async def dead_tokens(service: Service, district: District) -> dict[str, Headers]:
    """Tokens of an admin that have expired, were revoked, or were mistyped."""
    issued = {}
    for name in ("expired", "revoked"):
        wanted = {"role": "district_admin", "district_id": district.id}
        response = await service.client.post("/v1/tokens", json=wanted, headers=service.operator)
        issued[name] = answered(response, 201)
    async with service.by_hand.write() as session:
        await session.execute(update(Token).where(Token.id == issued["expired"]["id"]).values(expires_at=func.now()))
    answered(await service.client.delete(f"/v1/tokens/{issued['revoked']['id']}", headers=service.operator), 204)
    token = issued["expired"]["token"]
    mistyped = token[:-1] + ("a" if token[-1] != "a" else "b")
    return {name: bearer(one["token"]) for name, one in issued.items()} | {"mistyped": bearer(mistyped)}


async def used_keys(service: Service) -> str:
    """Two requests whose Idempotency-Keys are taken from now on; what makes these keys this run's own."""
    run = uuid4().hex
    for path, key, body in (
        ("districts", f"{ZEBRA}-{run}", {"name": "A"}),
        ("tokens", f"{ZEBRA}-secret-{run}", {"role": "operator", "label": ZEBRA}),
    ):
        headers = service.operator | JSON | {"Idempotency-Key": key}
        answered(await service.client.post(f"/v1/{path}", content=json.dumps(body), headers=headers), 201)
    return run


async def block(district: District, ids: Mapping[tuple[str, str], str]) -> str:
    """Ben is blocked for all applications; the id of the block."""
    body = {"kind": "students", "record_id": ids["students", "ben"], "reason": "Asked for it"}
    return str((await district.call("POST", "/blocks", body, 201))["id"])


@pytest.fixture(scope="module")
async def story(service: Service) -> Story:
    """The story that all requests are sent to."""
    (district, sync), (theirs, their_sync) = [await published(service, name) for name in ("Riverbend", "Lakeside")]
    ids, their_ids = await district.ids(), await theirs.ids()
    await block(district, ids)
    tutor, choir, silent, paused = [await district.connect() for _ in range(4)]
    for permission in ({"mode": "school_site"}, {"mode": "district"}):
        await tutor.share(permission)
    await choir.share({"mode": "school_site"})
    await paused.share({"mode": "district"})
    await district.call("POST", f"{paused.path}/pause")
    lead = await service.token(role="school_lead", district_id=district.id, school_ids=[ids["schools", "N"]])
    tokens = await service.client.get("/v1/tokens", headers=theirs.admin)
    names = {name: ids[place] for name, place in PLACES.items()}
    names |= {f"their_{name}": their_ids[place] for name, place in THEIR_PLACES.items()}
    names |= {
        "D": district.path,
        "A": f"{district.path}{tutor.path}",
        "district": district.id,
        "sync": sync,
        "tutor": tutor.id,
        "tutor_hex": tutor.id.replace("-", ""),
        "choir": choir.id,
        "silent": silent.id,
        "stranger": await service.application(),
        "their_district": theirs.id,
        "their_sync": their_sync,
        "their_block": await block(theirs, their_ids),
        "their_token": answered(tokens)["data"][0]["id"],
        "run": await used_keys(service),
    }
    names |= {f"{name}_capitals": names[name].upper() for name in ("district", "tutor", "ann")}
    callers = {
        "operator": service.operator,
        "admin": district.admin,
        "lead": bearer(lead),
        "foreigner": theirs.admin,
        "application": tutor.headers,
        "paused": paused.headers,
        "nobody": {},
        **await dead_tokens(service, district),
    }
    return Story(tutor, callers, names)


@pytest.fixture(scope="module")
async def before(story: Story) -> AsyncIterator[Json]:
    """What any change would have moved since before the first faulty request; the whole state is compared at the end.

    Read after each of the requests, it took longer than all of them.
    """
    state = await story.state()
    yield await story.moved()
    assert await story.state() == state


def check_problem(response: httpx2.Response, faulty: FaultyRequest, story: Story) -> None:
    """The answer is a problem document with exactly this code, place and list of ids."""
    document = response.json()
    problems: list[Any] = document.get("problems", [])
    where = ".".join(str(step) for step in problems[0]["where"]) if problems else None

    assert response.headers["content-type"] == "application/problem+json"
    assert (document["code"], where) == (faulty.code, faulty.where)
    assert (document["status"], document["type"]) == (faulty.status, f"/problems/{faulty.code}")
    assert document["title"]
    assert document["detail"]
    listed = {name: value for name, value in document.items() if name.endswith("_ids")}
    assert listed == {name: [story.named(one) for one in ids] for name, ids in faulty.listed.items()}


def check_message(response: httpx2.Response, faulty: FaultyRequest) -> None:
    """The answer is a refusal in the words of the partner API."""
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"message": faulty.code}


@pytest.mark.parametrize("faulty", FAULTY_REQUESTS, ids=lambda faulty: faulty.name)
@pytest.mark.asvs("V2.2.1", "V2.2.2", "V8.3.1")
async def test_a_faulty_request(story: Story, before: Json, faulty: FaultyRequest) -> None:
    """A faulty request is refused with its status, code and place; it is not echoed, and nothing has changed.

    Catches: an error that quotes what was sent, a fault that ends in 500, a refusal after half of the work."""
    response = await story.send(faulty)

    assert response.status_code == faulty.status, response.text
    if faulty.path.startswith(PARTNER):
        check_message(response, faulty)
    else:
        check_problem(response, faulty, story)
    answer = response.text + str(response.headers)
    assert not [sent for sent in (ZEBRA, "zzzz", *([] if faulty.listed else [UNKNOWN])) if sent in answer]
    assert await story.moved() == before


def test_the_table() -> None:
    """Each faulty request has a name of its own, and none is expected to end in a fault of the service."""
    assert len({faulty.name for faulty in FAULTY_REQUESTS}) == len(FAULTY_REQUESTS) >= 60
    assert {faulty.status for faulty in FAULTY_REQUESTS} <= set(range(400, 500))
