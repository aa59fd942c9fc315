"""Whoever finds a token or a client secret can end it at once, and learns nothing by that."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from sharing_service.access.tokens import CLIENT, OPERATOR, compose, random_secret
from sharing_service.audit.models import AuditEntry
from sharing_service.database import SERVICE, Database, enter_district
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.api.test_tokens import connected_application, issue, school_of
from tests.factories.clients import Client, register
from tests.factories.contending import contending
from tests.factories.logged import logged
from tests.factories.minutes import uncounted
from tests.factories.service import District, Json, Service, bearer

PATH = "/v1/leaked-tokens"
PLACE = "https://example.org/somebody/notes/blob/main/.env"


async def report(service: Service, *texts: str, status: int = 202) -> httpx2.Response:
    """What a report of these texts is answered; nobody says who reports."""
    found = [{"token": text, "url": PLACE, "source": "content"} for text in texts]
    response = await service.client.post(PATH, json={"tokens": found})
    assert response.status_code == status, response.text
    return response


async def works(service: Service, text: str) -> bool:
    """Whether a token opens anything, if only the knowledge that it may not."""
    answers = [await service.client.get(path, headers=bearer(text)) for path in ("/v1/tokens", "/v3.1/me")]
    return {answer.status_code for answer in answers} != {401}


async def lines_about(service: Service, district_id: UUID, subject: str) -> list[AuditEntry]:
    """The lines of the trail about something, oldest first."""
    async with service.by_hand.read() as session:
        await enter_district(session, district_id)
        statement = select(AuditEntry).where(
            AuditEntry.district_id == district_id, AuditEntry.subject["id"].astext == subject
        )
        return list((await session.scalars(statement.order_by(AuditEntry.id))).all())


@pytest.mark.asvs("V7.4.1")
async def test_a_leaked_token_ends_at_once(service: Service, district: District) -> None:
    """A token of whatever role is refused from the next request on, and no other one is.

    Catches a report that is kept for somebody to read, and one that ends what only begins alike.
    """
    school, application = await school_of(service, district), await connected_application(service, district)
    own: Json = {"district_id": district.id}
    wanted: list[Json] = [
        {"role": "operator"},
        {"role": "district_admin", **own},
        {"role": "school_lead", **own, "school_ids": [school]},
        {"role": "audit_reader", **own},
        {"role": "application", **own, "application_id": application},
    ]
    leaked, kept = [[(await issue(service, service.operator, **one))["token"] for one in wanted] for _ in range(2)]
    await report(service, *leaked, "no token", compose(OPERATOR, random_secret()))

    assert [await works(service, text) for text in leaked] == [False] * 5
    assert [await works(service, text) for text in kept] == [True] * 5


async def test_a_list_alone_is_a_report(service: Service, district: District) -> None:
    """A report may be the list that GitHub's secret scanning sends, whatever further members it has."""
    issued = await issue(service, service.operator, role="district_admin", district_id=district.id)
    found = {"token": issued["token"], "type": "sharing_service_token", "url": PLACE, "source": "commit", "new": 1}
    response = await service.client.post(PATH, json=[found])

    assert response.status_code == 202
    assert not await works(service, issued["token"])


async def test_what_stands_around_a_token_is_no_part_of_it(service: Service, district: District) -> None:
    """A token is found with white space at its ends, and beside a text that is far too long to be one.

    Catches a report that ends nothing because of a line break or of its neighbour.
    """
    issued = await issue(service, service.operator, role="district_admin", district_id=district.id)
    await report(service, "x" * 100_000, f" {issued['token']}\r\n")

    assert not await works(service, issued["token"])


@pytest.mark.asvs("V7.4.3")
async def test_a_leaked_secret_takes_its_tokens_along(district: District) -> None:
    """With a client secret all tokens end that were obtained by it, even if no other secret works.

    Catches a report that looks among tokens alone, and one that keeps the last secret of an application.
    """
    client = await register(district.service)
    await client.connect(district)
    obtained = [await client.token(), *(await client.tokens()).values()]
    assert [await client.read(text, "/me") for text in obtained] == [503, 503]
    await report(district.service, client.secret)

    assert [await client.read(text, "/me") for text in obtained] == [401, 401]
    assert (await client.list(401))["error"] == "invalid_client"
    [line] = [one for one in await lines_about(district.service, SERVICE, client.id) if one.action == "revoke_leaked"]
    assert (line.caller, line.subject["kind"]) == ({"role": "reporter"}, "application")


async def test_the_trail_tells_of_a_leak(service: Service, district: District) -> None:
    """One line of the district's trail says that somebody reported the token, and not where it was found.

    Catches two reports of the same token at once, of which the second one ends it again.
    """
    issued = await issue(service, district.admin, role="audit_reader", district_id=district.id, label="review")
    async with asyncio.TaskGroup() as reports, contending(service.by_hand, district.id, issued["id"], requests=3):
        for _ in range(3):
            reports.create_task(report(service, issued["token"]))
    made, ended = await lines_about(service, UUID(district.id), issued["id"])

    assert (made.action, ended.action, ended.caller) == ("issue_token", "revoke_leaked", {"role": "reporter"})
    assert ended.before == {"role": "audit_reader", "label": "review", "expires_at": None}
    shown = await district.get("/audit", limit=1)
    assert "example.org" not in str(shown)
    assert issued["token"] not in str(shown)


@pytest.mark.asvs("V16.5.1")
async def test_a_report_is_no_oracle(service: Service, district: District, client: Client) -> None:
    """Whether a text is a token that works, that worked, that never was, or none at all: the answer is the same bytes.

    Catches an answer that counts what was found, or another status for what is not there.
    """
    live, dead = [
        await issue(service, service.operator, role="audit_reader", district_id=district.id) for _ in range(2)
    ]
    await report(service, dead["token"])
    places: tuple[Any, ...] = (UUID(district.id), OPERATOR, CLIENT)
    never = [compose(place, random_secret()) for place in places]
    answers = [await report(service, text) for text in (live["token"], dead["token"], client.secret, *never, "none")]

    told = {(answer.content, tuple(name for name in answer.headers if name != "x-request-id")) for answer in answers}
    assert len(told) == 1
    assert told.pop()[0] == b""


async def test_the_token_of_the_environment_stays(service: Service) -> None:
    """The operator's token of the environment works on, which the log says, without a letter of it.

    Catches a report that shuts out the operator until the service is started anew, and one that nobody notices.
    """
    text = service.operator["Authorization"].removeprefix("Bearer ")
    with logged() as log:
        await report(service, text)

    [line] = [line for line in log.lines() if line["level"] == "warning"]
    assert line["event"] == "the operator's token of the environment was reported as leaked: replace it"
    assert text not in log.text
    assert "example.org" not in log.text
    assert await works(service, text)


@pytest.mark.asvs("V2.4.1")
async def test_reports_have_a_pace(database_url: str, by_hand: Database, tmp_path: Path) -> None:
    """All who report share one quota, in which each text counts that may be a token: beyond it they are to come again.

    Catches an open route by which somebody keeps the database busy, and one that any nonsense closes for the others.
    """
    settings = Settings(data_dir=tmp_path, operator_token=SecretStr("o" * 32), rate_limit=5)
    app = create_app(settings, database_url=database_url)
    transport = httpx2.ASGITransport(app=app)
    await uncounted(by_hand)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
        nonsense = await client.post(PATH, json=[{"token": "none"}] * 50)
        possible = [{"token": compose(OPERATOR, random_secret())}]
        answers = [nonsense, *[await client.post(PATH, json=possible) for _ in range(3)]]
    await app.state.database.close()

    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert int(answers[3].headers["Retry-After"]) > 0
