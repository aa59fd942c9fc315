"""What callers are told about how often they may call, and when they are refused."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import httpx2
import pytest
from pydantic import SecretStr

from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.clients import register
from tests.factories.minutes import uncounted
from tests.factories.service import Connected, District, Service, answered, bearer
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application that reads a district."""
    await district.publish(render(SMALL_DISTRICT))
    tutor = await district.connect()
    await tutor.share({"mode": "district"})
    return tutor


@pytest.fixture
async def strict(service: Service) -> AsyncIterator[Service]:
    """The same service where a token has 3 requests a minute, and a district 5."""
    settings = Settings(token_key=SecretStr("k" * 32), rate_limit=3, district_requests_a_minute=5)
    app = create_app(settings, database_url=service.database.url)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test") as client:
        yield replace(service, client=client)
    await app.state.database.close()


def told(headers: Mapping[str, str], name: str) -> dict[str, dict[str, int]]:
    """A list of the header's items with their parameters, as RFC 9651 writes them."""
    items: dict[str, dict[str, int]] = {}
    for item in headers[name].split(", "):
        word, *parameters = item.split(";")
        assert re.fullmatch(r'"[a-z]+"', word)
        items[word.strip('"')] = {key: int(value) for key, value in (one.split("=") for one in parameters)}
    return items


async def test_each_answer_tells_the_pace(tutor: Connected, service: Service) -> None:
    """Answers, errors included, tell the quota of the token and what is left, and partners also their district's."""
    admin, client = tutor.district.admin, service.client
    for path, headers, status in (
        (f"{tutor.district.path}/students", admin, 200),
        (f"{tutor.district.path}/students/nobody", admin, 404),
        ("/v3.1/users", tutor.headers, 200),
        ("/v3.0/users/nobody", tutor.headers, 404),
        ("/v3.1/users?limit=x", tutor.headers, 400),
    ):
        response = await client.get(path, headers=headers)
        assert response.status_code == status
        policy, left = told(response.headers, "RateLimit-Policy"), told(response.headers, "RateLimit")
        districts = {"district": {"q": 60_000, "w": 60}} if path.startswith("/v3") else {}
        assert policy == {"token": {"q": 10**9, "w": 60}} | districts
        for name in policy:
            assert 0 < left[name]["r"] < policy[name]["q"]
            assert 0 < left[name]["t"] <= 60


async def test_an_operator_has_no_district(service: Service) -> None:
    """An operator is told of its token alone, and whoever is nobody of nothing."""
    response = await service.client.get("/v1/districts", headers=service.operator)
    assert list(told(response.headers, "RateLimit")) == ["token"]
    for path, headers in (("/v1/districts", {}), ("/v3.1/users", {}), ("/health/live", service.operator)):
        assert "RateLimit" not in (await service.client.get(path, headers=headers)).headers


async def asked(service: Service, headers: Mapping[str, str], path: str, times: int) -> list[httpx2.Response]:
    """Answers to the same request, one after the other."""
    return [await service.client.get(path, headers=headers) for _ in range(times)]


@pytest.mark.asvs("V2.3.2", "V2.4.1", "V15.2.2")
async def test_a_token_that_calls_too_often(strict: Service, service: Service) -> None:
    """Beyond its quota a token is answered 429 with the time to wait, and is told which quota it has used up."""
    token = bearer(await service.token(role="operator"))
    await uncounted(service.by_hand)
    answers = await asked(strict, token, "/v1/districts", times=4)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [told(answer.headers, "RateLimit")["token"]["r"] for answer in answers] == [2, 1, 0, 0]
    refusal = answers[-1]
    assert refusal.json()["code"] == "too_many_requests"
    assert refusal.headers["Retry-After"] == str(told(refusal.headers, "RateLimit")["token"]["t"])
    assert told(refusal.headers, "RateLimit-Policy") == {"token": {"q": 3, "w": 60}}


@pytest.mark.parametrize("path", ["/v3.1/users", "/v3.1/users/nobody", "/v3.1/users?limit=2000"])
@pytest.mark.asvs("V2.4.1")
async def test_a_partner_that_calls_too_often(strict: Service, tutor: Connected, path: str) -> None:
    """A partner is refused in its own form, whatever it asks for: nothing looks like an empty list."""
    await uncounted(strict.by_hand)
    *_, refusal = await asked(strict, tutor.headers, path, times=4)

    assert refusal.status_code == 429
    assert list(refusal.json()) == ["message"]
    assert int(refusal.headers["Retry-After"]) > 0
    assert told(refusal.headers, "RateLimit")["token"]["r"] == 0


@pytest.mark.asvs("V2.4.1", "V15.2.2")
async def test_a_district_that_calls_too_often(strict: Service, tutor: Connected, service: Service) -> None:
    """The applications of a district share its quota; its admin pauses one that uses it up, and another district reads.

    Catches an application that obtains so many tokens that nobody can stop it.
    """
    other = await (await service.district()).connect()
    wanted = {"role": "application", "district_id": tutor.district.id, "application_id": tutor.id}
    more = bearer(await service.token(**wanted))
    await uncounted(service.by_hand)
    answers = [answer for token in (tutor.headers, more) for answer in await asked(strict, token, "/v3.1/users", 3)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert told(answers[-1].headers, "RateLimit-Policy") == {"district": {"q": 5, "w": 60}}
    [calm] = await asked(strict, other.headers, "/v3.1/me", times=1)
    assert told(calm.headers, "RateLimit")["district"]["r"] == 4
    pause = f"{tutor.district.path}{tutor.path}/pause"
    answered(await strict.client.post(pause, headers=tutor.district.admin))


async def test_a_client_is_told_its_pace(strict: Service, service: Service) -> None:
    """Whoever asks for tokens is told how often it may, right or wrong."""
    client = replace(await register(service), service=strict)
    await uncounted(service.by_hand)
    wrong = [await client.holding("a wrong one").ask() for _ in range(2)]
    right = [await client.ask() for _ in range(4)]

    assert [answer.status_code for answer in wrong] == [401, 429]
    assert [told(answer.headers, "RateLimit-Policy") for answer in wrong] == [{"guess": {"q": 1, "w": 60}}] * 2
    assert [answer.status_code for answer in right] == [400, 400, 400, 429]  # no district has connected it
    assert told(right[0].headers, "RateLimit-Policy") == {"client": {"q": 3, "w": 60}}
    assert [told(answer.headers, "RateLimit")["client"]["r"] for answer in right] == [2, 1, 0, 0]
