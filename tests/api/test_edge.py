"""What every answer gets, what is measured, and what the service says about itself."""

import os
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from sharing_service.api.edge import Edge, Measures
from sharing_service.database import Database
from sharing_service.main import create_app, tokens_for
from sharing_service.settings import Settings
from tests.architecture.test_routes import OPEN
from tests.factories.logged import logged
from tests.factories.service import District, Service, answered

PRIVATE = "Dolores-4711"
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.mark.asvs("V3.2.1", "V3.4.3", "V3.4.4", "V3.4.5", "V3.4.6", "V14.2.2", "V14.3.2")
async def test_answers_are_not_stored(service: Service) -> None:
    """No cache keeps an answer, errors included; no browser guesses what it is, shows it in a page or runs it."""
    kept = {"/v3.1/users": "private, no-store"}
    for path in ("/v1/districts", "/v1/nowhere", "/health/live", *kept):
        response = await service.client.get(path, headers=service.operator)
        expected = HEADERS | {"cache-control": kept.get(path, "no-store")}
        assert expected.items() <= dict(response.headers).items()
        assert "Strict-Transport-Security" not in response.headers


@pytest.mark.asvs("V3.4.1")
async def test_transport_is_secured_where_it_can_be(service: Service) -> None:
    """Over TLS a browser is told never to come without it again."""
    response = await service.client.get("https://service.test/health/live")

    assert response.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


@pytest.mark.asvs("V16.2.1", "V16.2.4", "V16.2.5", "V16.3.1", "V16.3.2", "V16.3.3", "V14.2.1")
async def test_a_request_is_logged_by_its_route(district: District) -> None:
    """A request leaves one line with method, route, status and its ids, which the client is told too.

    Catches a path or a query in the log: they hold ids and search words.
    """
    trace, given = "0af7651916cd43dd8448eb211c80319c", str(uuid4())
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-Id": given}
    with logged() as log:
        response = await district.service.client.get(
            f"{district.path}/students", params={"q": PRIVATE}, headers=district.admin | headers
        )

    [line] = log.lines("request")
    route = "/v1/districts/{district_id}/{kind}"
    assert (line["method"], line["route"], line["status"]) == ("GET", route, response.status_code)
    assert (line["request_id"], line["trace_id"]) == (given, trace)
    assert response.headers["X-Request-Id"] == given
    assert PRIVATE not in log.text
    assert district.id not in log.text


@pytest.mark.asvs("V16.4.1")
async def test_a_request_id_is_no_place_to_write(service: Service) -> None:
    """A request id that is not well formed is replaced, in the answer and in the log."""
    with logged() as log:
        response = await service.client.get("/v1/nowhere", headers={"X-Request-Id": PRIVATE, "traceparent": PRIVATE})

    [line] = log.lines("request")
    assert response.headers["X-Request-Id"] == line["request_id"] != PRIVATE
    assert PRIVATE not in log.text


async def test_polls_are_not_logged(service: Service) -> None:
    """Of routes that are asked every few seconds only failures are logged."""
    with logged() as log:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await service.client.get(path)).status_code == 200
        await service.client.post("/health/live")

    assert [(line["route"], line["status"]) for line in log.lines()] == [("/health/live", 405)]


async def test_a_request_that_is_cut(service: Service) -> None:
    """A request that its client cuts is no fault of the service: it is logged and measured as cut, with no answer."""

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    measures = Measures()
    edge = Edge(reading, measures=measures, body_limit=1, unbounded=re.compile("/syncs"))
    with logged() as log:
        await edge({"type": "http", "method": "PUT", "path": "/", "headers": []}, receive, send)

    labels = {"method": "PUT", "route": "unmatched", "status": "499"}
    assert measures.registry.get_sample_value("sharing_requests_total", labels) == 1
    assert [(line["level"], line["status"]) for line in log.lines()] == [("info", 499)]


async def test_health(service: Service) -> None:
    """The service is ready where the database stands at the newest migration, without a token."""
    assert answered(await service.client.get("/health/live")) == {"status": "ok"}
    assert answered(await service.client.get("/health/ready")) == {"status": "ok"}


async def test_an_old_schema_is_not_ready(service: Service, by_hand: Database) -> None:
    """The service is not ready on a database that lacks a migration."""
    async with by_hand.write() as session:
        present = await session.scalar(text("select version_num from alembic_version"))
        await session.execute(text("update alembic_version set version_num = 'old'"))
    try:
        problem = answered(await service.client.get("/health/ready"), 503)
    finally:
        async with by_hand.write() as session:
            await session.execute(text("update alembic_version set version_num = :head"), {"head": present})
    assert "migration" in problem["detail"]


@pytest.mark.asvs("V16.2.5")
async def test_measures_name_templates(service: Service, district: District) -> None:
    """Requests are counted by route template, method and status; no id and no made-up word becomes a label.

    Catches: labels from paths, which leak ids and grow without end."""
    await service.client.get(f"/v1/districts/{district.id}", headers=service.operator)
    await service.client.get("/v1/made-up-word")
    await service.client.request("MADE-UP", "/v1/districts")
    measured = (await service.client.get("/metrics")).text

    assert 'sharing_requests_total{method="GET",route="/v1/districts/{district_id}",status="200"}' in measured
    assert 'sharing_requests_total{method="GET",route="unmatched",status="404"}' in measured
    assert 'sharing_request_seconds_count{method="GET",route="/v1/districts/{district_id}"}' in measured
    assert district.id not in measured
    assert "made-up" not in measured.lower()


@pytest.mark.asvs("V16.2.5", "V16.5.3")
async def test_an_answer_that_breaks_off() -> None:
    """An error after the answer began ends the connection, and the server that logs it learns no words of it."""

    async def breaking(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError(PRIVATE)

    async def receive() -> Message:
        raise NotImplementedError

    async def send(_message: Message) -> None:
        pass

    app = FastAPI()
    app.state.database = Database("postgresql://nowhere")
    edge = Edge(breaking, measures=Measures(), body_limit=1, unbounded=re.compile("/syncs"))
    with logged() as log, pytest.raises(RuntimeError, match="broke off") as broken:
        await edge({"type": "http", "app": app, "method": "GET", "path": "/", "headers": []}, receive, send)

    assert broken.value.__suppress_context__
    assert [line["event"] for line in log.lines()] == ["unexpected error", "request"]
    assert PRIVATE not in log.text


@pytest.mark.asvs("V2.1.1", "V6.1.3", "V8.1.1")
async def test_the_openapi_document(service: Service) -> None:
    """Routes that need a token say so, every error has its one form, and nothing refers to what is absent."""
    document = answered(await service.client.get("/openapi.json"))
    schemas = document["components"]["schemas"]
    schemes = document["components"]["securitySchemes"]

    assert {name: (scheme["type"], scheme["scheme"]) for name, scheme in schemes.items()} == {
        "token": ("http", "bearer"),
        "client": ("http", "basic"),
    }
    assert "HTTPValidationError" not in schemas
    for path, operations in document["paths"].items():
        for method in operations.keys() & METHODS:
            operation = operations[method]
            errors = {code: answer for code, answer in operation["responses"].items() if code[0] in "45"}
            assert ("401" in errors) == (path.startswith(("/v1", "/v3", "/oauth")) and path not in OPEN), path
            for answer in errors.values():
                [media_type] = answer["content"]
                assert media_type == (
                    "application/json" if path.startswith(("/v3", "/oauth")) else "application/problem+json"
                )
    assert {reference for reference in references(document) if not refers(reference, document)} == set()


def refers(reference: str, document: dict[str, Any]) -> bool:
    """Whether what a $ref names is there."""
    hash_, *steps = reference.split("/")
    found: Any = document
    for step in steps:
        found = found.get(step, {})
    return hash_ == "#" and found != {}


def references(document: object) -> set[str]:
    """Every $ref in a document."""
    match document:
        case {"$ref": str(reference)}:
            return {reference}
        case dict():
            return set().union(*map(references, document.values()))
        case list():
            return set().union(*map(references, document))
        case _:
            return set()


@pytest.mark.asvs("V13.3.1", "V13.3.2")
def test_the_token_key_is_made_once(tmp_path: Path) -> None:
    """Without a key in the settings one is kept in the data directory, for its owner only, and found again."""
    settings = Settings(data_dir=tmp_path / "state")
    first, second = tokens_for(settings), tokens_for(settings)

    assert first == second
    assert os.listdir(tmp_path / "state") == ["token.key"]
    assert (tmp_path / "state" / "token.key").stat().st_mode & 0o777 == 0o600
    assert len(first.key) == 64


def test_the_settings_give_the_key(tmp_path: Path) -> None:
    """A key in the settings is used and written nowhere."""
    tokens = tokens_for(Settings(data_dir=tmp_path, token_key=SecretStr("k" * 32)))

    assert tokens.key == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_database_is_needed(tmp_path: Path) -> None:
    """Without any database there is no application."""
    with pytest.raises(ValueError, match="SHARING_DATABASE_URL"):
        create_app(Settings(data_dir=tmp_path, database_url=None))


async def test_routes_of_a_district_are_counted_with_their_prefix(district: District) -> None:
    """The label is the whole template, so that an operator can tell the audiences apart.

    Catches labels that hold only the part of the route after its router's prefix, or an id.
    """
    await district.get("/students")
    await district.get(f"/applications/{uuid4()}", 404)
    measured = (await district.service.client.get("/metrics")).text
    assert 'route="/v1/districts/{district_id}/{kind}",status="200"' in measured
    assert 'route="/v1/districts/{district_id}/applications/{application_id}",status="404"' in measured
    assert district.id not in measured
