"""Writes that are sent twice happen once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, select, update

from sharing_service.access.models import IdempotencyKey
from tests.factories.service import District, Service, answered


async def create(service: Service, key: str, name: str = "Riverbend", path: str = "districts") -> httpx2.Response:
    """Create something under a key."""
    headers = service.operator | {"Idempotency-Key": key}
    return await service.client.post(f"/v1/{path}", json={"name": name}, headers=headers)


async def test_a_repeat_is_answered_as_the_first(service: Service) -> None:
    """The second request gets the stored status and body and says so; nothing is created twice."""
    key = str(uuid4())
    first, second = await create(service, key), await create(service, key)

    assert (second.status_code, second.json()) == (201, first.json())
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_repeats_at_the_same_time(service: Service) -> None:
    """Of ten requests at once one creates; the others wait for it and answer the same.

    Catches: a key that is looked up before it is taken."""
    key = str(uuid4())
    answers = await asyncio.gather(*(create(service, key) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 9


async def test_a_key_is_for_one_request(service: Service) -> None:
    """The same key with another body or path is refused."""
    key = str(uuid4())
    answered(await create(service, key), 201)
    other_body = answered(await create(service, key, "Lakeside"), 422)
    other_path = answered(await create(service, key, path="applications"), 422)

    assert {other_body["code"], other_path["code"]} == {"idempotency_key_reused"}


async def test_keys_of_two_callers_are_two(service: Service, district: District) -> None:
    """A caller never gets what another caller was answered under the same key."""
    key = str(uuid4())
    answered(await create(service, key), 201)
    headers = district.admin | {"Idempotency-Key": key}
    problem = answered(await service.client.post("/v1/tokens", json={"role": "operator"}, headers=headers), 403)

    assert problem["code"] == "forbidden"


@pytest.mark.parametrize(("path", "body"), [("tokens", {"role": "operator"}), ("applications", {"name": "A"})])
async def test_a_secret_is_not_repeated(service: Service, path: str, body: dict[str, str]) -> None:
    """A repeated request for a secret is told that it was issued; the secret is kept nowhere."""
    headers = service.operator | {"Idempotency-Key": str(uuid4())}
    first = await service.client.post(f"/v1/{path}", json=body, headers=headers)
    second = answered(await service.client.post(f"/v1/{path}", json=body, headers=headers), 409)
    async with service.by_hand.read() as session:
        kept = await session.get_one(IdempotencyKey, ("operator", headers["Idempotency-Key"]))

    assert first.status_code == 201
    assert second["code"] == "already_issued"
    assert (kept.status, kept.answer) == (None, None)


async def test_a_failed_request_keeps_nothing(service: Service) -> None:
    """A key whose request was refused may be used again, for a request that is right."""
    key = str(uuid4())
    answered(await create(service, key, name=""), 422)

    answered(await create(service, key, name="Riverbend"), 201)


async def test_keys_live_a_day(service: Service) -> None:
    """After 24 hours a key means a new request, and old keys of others are removed on the way."""
    key, old = str(uuid4()), str(uuid4())
    first = answered(await create(service, key), 201)
    answered(await create(service, old), 201)
    async with service.by_hand.write() as session:
        aged = update(IdempotencyKey).where(IdempotencyKey.key.in_([key, old]))
        await session.execute(aged.values(created_at=func.now() - timedelta(hours=25)))
    again = answered(await create(service, key), 201)

    async with service.by_hand.read() as session:
        left = set(await session.scalars(select(IdempotencyKey.key).where(IdempotencyKey.key.in_([key, old]))))
    assert again["id"] != first["id"]
    assert left == {key}


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there", "\xe4"])
async def test_unfit_keys(service: Service, key: str) -> None:
    """A key has 1 to 200 printable ASCII characters."""
    headers = [*service.operator.items(), ("Idempotency-Key", key.encode("latin-1"))]
    response = await service.client.post("/v1/districts", json={"name": "A"}, headers=headers)  # type: ignore[arg-type]

    assert answered(response, 422)["problems"][0]["where"][0] == "header"
