"""Errors as callers see them: problem documents that never repeat what was sent."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from sharing_service.api.dependencies import WriteSession
from sharing_service.database import Database, DatabaseRole
from sharing_service.main import BODY_LIMIT, create_app
from sharing_service.settings import Settings
from tests.factories.logged import logged
from tests.factories.service import Service, answered, bearer

PRIVATE = "Dolores-4711"
RULE = {"match": "students", "where": [{"field": "grade", "operator": "is", "values": ["3"]}]}


def problem(response: httpx2.Response, status: int) -> Any:
    """The problem document of an answer, whose members agree with its status and code."""
    document = answered(response, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == f"/problems/{document['code']}"
    assert {"title", "detail"} <= document.keys()
    return document


def recommending(sharing: Any) -> dict[str, Any]:
    """An application with a recommendation, the deepest body of these routes."""
    return {"name": "A", "recommended_sharing": sharing}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": PRIVATE + "\x00"}, ["name"]),
        ({"name": {PRIVATE: 1}}, ["name"]),
        ({"name": "A", PRIVATE: 1}, []),
        ({"name": "A", "fields": {"students": {"required": [PRIVATE]}}}, ["fields", "students", "required", 0]),
        ({"name": "A", "fields": PRIVATE}, ["fields"]),
        (recommending({"mode": PRIVATE}), ["recommended_sharing"]),
        (recommending({"mode": "rules", "rules": [{"match": PRIVATE}]}), ["recommended_sharing", "rules", 0]),
        (
            recommending({"mode": "rules", "rules": [RULE | {"where": []}]}),
            ["recommended_sharing", "rules", 0, "where"],
        ),
        (
            recommending({"mode": "rules", "rules": [RULE | {"where": [{"field": PRIVATE, "operator": "is"}]}]}),
            ["recommended_sharing", "rules", 0, "where", 0],
        ),
        (recommending({"mode": "district", "include_staff": PRIVATE}), ["recommended_sharing", "include_staff"]),
        (recommending({"mode": "schools", "school_ids": [PRIVATE]}), ["recommended_sharing", "school_ids", 0]),
        ([PRIVATE], []),
        (PRIVATE, []),
    ],
)
@pytest.mark.asvs("V2.2.1", "V15.3.3", "V15.3.5")
async def test_wrong_bodies(service: Service, body: Any, where: list[str | int]) -> None:
    """A wrong body is refused with the place of what is wrong and never with what was sent.

    Catches: pydantic's own messages, which quote the input."""
    response = await service.client.post("/v1/applications", json=body, headers=service.operator)
    document = problem(response, 422)

    assert PRIVATE not in response.text
    assert document["problems"]
    assert document["problem_count"] == len(document["problems"])
    assert document["problems"][0]["where"] == ["body", *where]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"",
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'{"\\ud800":1}',
        b"[" * 30,
        b'{"name":' + b"9" * 5000 + b"}",
        b"null",
        b"NaN",
        b'"' + PRIVATE.encode() + b'"',
    ],
    ids=["cut short", "empty", "not UTF-8", "surrogate", "surrogate key", "deep", "huge number", "null", "NaN", "text"],
)
@pytest.mark.asvs("V2.2.1", "V1.4.2")
async def test_bodies_that_are_no_objects(service: Service, content: bytes) -> None:
    """Whatever bytes come instead of a JSON object, the answer is 422 and quotes none of them."""
    headers = service.operator | {"Content-Type": "application/json"}
    response = await service.client.post("/v1/districts", content=content, headers=headers)

    problem(response, 422)
    assert PRIVATE not in response.text


async def test_many_problems(service: Service) -> None:
    """Of very many problems the first hundred are listed, and all are counted."""
    fields = {"students": {"required": [PRIVATE] * 9}}
    wrong = {"role": "school_lead", "district_id": PRIVATE, "school_ids": [str(uuid4()), *[PRIVATE] * 500]}
    few = await service.client.post("/v1/applications", json={"name": "A", "fields": fields}, headers=service.operator)
    many = await service.client.post("/v1/tokens", json=wrong, headers=service.operator)

    assert problem(few, 422)["problem_count"] == 9
    assert len(problem(many, 422)["problems"]) == 100
    assert problem(many, 422)["problem_count"] == 501


@pytest.mark.parametrize("media_type", ["text/plain", "application/zip", None])
@pytest.mark.asvs("V3.5.2")
async def test_other_content_types(service: Service, media_type: str | None) -> None:
    """A body that does not call itself JSON is not read as JSON."""
    headers = service.operator | ({"Content-Type": media_type} if media_type else {})
    response = await service.client.post("/v1/districts", content=b'{"name":"A"}', headers=headers)

    assert problem(response, 415)["code"] == "unsupported_content"


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/districts"), ("PATCH", "/v1/applications/syncs")])
@pytest.mark.asvs("V2.4.1")
async def test_large_bodies(service: Service, method: str, path: str, declared: bool) -> None:
    """A body beyond the limit is refused, whether it declares its length or just goes on.

    Catches: a path that only ends like the one of uploads, which have a limit of their own."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 2**20 + 1):
            yield b" " * 2**20

    content = b" " * (BODY_LIMIT + 1) if declared else pieces()
    headers = service.operator | {"Content-Type": "application/json"}
    response = await service.client.request(method, path, content=content, headers=headers)

    assert problem(response, 413)["code"] == "too_large"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer nonsense", 401),
        ("Basic b3BlcmF0b3I6", 401),
        ("bearer {token}", 200),
        ("BEARER {token}", 200),
    ],
)
async def test_authorization(service: Service, authorization: str | None, status: int) -> None:
    """The scheme is Bearer in any case; without a token that works the answer is 401 and asks for one."""
    token = service.operator["Authorization"].removeprefix("Bearer ")
    headers = {} if authorization is None else {"Authorization": authorization.format(token=token)}
    response = await service.client.get("/v1/districts", headers=headers)

    assert response.status_code == status
    assert status == 200 or response.headers["WWW-Authenticate"] == "Bearer"
    assert status == 200 or problem(response, 401)["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/districts/", 404, "not_found"),
        ("GET", "/v1/districts/%00", 404, "not_found"),
        ("GET", "/v1/districts/%ff", 404, "not_found"),
        ("PUT", "/v1/districts", 405, "method_not_allowed"),
        ("GET", "/v1/districts?limit=0", 422, "invalid"),
        ("GET", "/v1/districts?limit=1001", 422, "invalid"),
        ("GET", "/v1/districts?limit=ten", 422, "invalid"),
        ("GET", "/v1/districts?after=%00", 422, "invalid"),
        ("GET", "/v1/districts?after=%ff", 422, "invalid"),
        ("GET", "/v1/districts?after=IjEi", 422, "invalid"),
        ("GET", "/v1/districts?after=MQ", 422, "invalid"),
        pytest.param("GET", f"/v1/districts?after={'W1tb' * 10_000}", 422, "invalid", id="nested cursor"),
    ],
)
@pytest.mark.asvs("V13.4.3")
async def test_unknown_paths_and_parameters(service: Service, method: str, path: str, status: int, code: str) -> None:
    """An unknown path, a wrong method and a wrong parameter are problems like all others."""
    response = await service.client.request(method, path, headers=service.operator)

    assert problem(response, status)["code"] == code
    assert status != 405 or response.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("spelling", [str.upper, lambda text: text.replace("-", ""), lambda text: f"{{{text}}}"])
@pytest.mark.asvs("V1.1.1")
async def test_ids_have_one_spelling(service: Service, spelling: Any) -> None:
    """Only the canonical form of an id is a path: another spelling of an existing one answers as if it were absent."""
    district = await service.district()
    response = await service.client.get(f"/v1/districts/{spelling(district.id)}", headers=service.operator)

    assert problem(response, 404)["code"] == "not_found"


async def test_the_partner_api_speaks_its_own_way(service: Service) -> None:
    """Below /v3.0 and /v3.1 an error is {"message"}, also on unknown paths."""
    response = await service.client.get("/v3.1/nowhere")

    assert list(answered(response, 404)) == ["message"]


@pytest.fixture
async def faulty(by_hand: Database, database_url: str, tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The service with routes that fail in ways that its own never should."""
    settings = Settings(data_dir=tmp_path, operator_token=SecretStr("o" * 32), rate_limit=10**9)
    app = create_app(settings, database_url=database_url)

    @app.post("/v1/commit", status_code=201)
    async def fail_at_commit(session: WriteSession) -> str:
        await session.execute(text("insert into checked_late values (1), (1)"))
        return PRIVATE

    @app.get("/v1/statement")
    async def fail_in_a_statement(session: WriteSession, sql: str) -> None:
        await session.execute(text(sql))

    @app.get("/v1/bug")
    async def fail_by_a_bug() -> None:
        raise KeyError(PRIVATE)

    async with by_hand.write() as session:
        await session.execute(
            text("create table checked_late (number int, unique (number) deferrable initially deferred)")
        )
        await session.execute(text(f"grant all on checked_late to {DatabaseRole.APPLICATION}"))
    yield app
    async with by_hand.write() as session:
        await session.execute(text("drop table checked_late"))
    await app.state.database.close()


async def asked(app: FastAPI, method: str, path: str, **parameters: str) -> httpx2.Response:
    """What an application answers."""
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, path, params=parameters, headers=bearer("o" * 32))


@pytest.mark.asvs("V2.3.3", "V16.5.3")
async def test_a_commit_that_fails(faulty: FastAPI) -> None:
    """Nobody is told that something happened when its commit failed.

    Catches: a write session of FastAPI's default scope, which commits after the answer."""
    response = await asked(faulty, "POST", "/v1/commit")

    assert problem(response, 409)["code"] == "conflict"
    assert PRIVATE not in response.text


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        (f"select '{PRIVATE}'::uuid", 422),
        (f"insert into {PRIVATE} values (1)", 500),
        (f"do $$ begin raise '{PRIVATE}' using errcode = '40001'; end $$", 503),
        (f"do $$ begin raise '{PRIVATE}' using errcode = '57014'; end $$", 503),
        (f"do $$ begin raise '{PRIVATE}' using errcode = '23503'; end $$", 409),
    ],
)
@pytest.mark.asvs("V16.5.1")
async def test_database_errors_stay_inside(
    faulty: FastAPI, caplog: pytest.LogCaptureFixture, sql: str, status: int
) -> None:
    """A database error becomes a problem without its words; so does the line in the log."""
    with logged() as log:
        response = await asked(faulty, "GET", "/v1/statement", sql=sql)

    assert problem(response, status)["detail"]
    assert PRIVATE not in response.text + caplog.text + log.text
    [line] = log.lines("database error")
    assert len(line["sqlstate"]) == 5
    assert (response.headers.get("Retry-After") is not None) == (status == 503)


@pytest.mark.asvs("V13.4.2", "V16.3.4", "V16.5.1")
async def test_a_bug_is_logged_by_its_place(faulty: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error answers 500 without details; the log has its type and place, not its words."""
    with logged() as log:
        response = await asked(faulty, "GET", "/v1/bug")

    assert problem(response, 500)["code"] == "internal"
    assert PRIVATE not in response.text + caplog.text + log.text
    [line] = log.lines("unexpected error")
    [error] = line["error"]
    assert error["type"] == "builtins.KeyError"
    assert error["frames"][-1].endswith(" fail_by_a_bug")
    assert line["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.asvs("V16.5.2")
async def test_a_database_that_is_gone(tmp_path: Path) -> None:
    """Without its database the service is alive, not ready, and asks callers to try again."""
    settings = Settings(data_dir=tmp_path, operator_token=SecretStr("o" * 32))
    app = create_app(settings, database_url="postgresql://nobody:nothing@127.0.0.1:1/none")

    assert (await asked(app, "GET", "/health/live")).status_code == 200
    for path in ("/health/ready", "/v1/districts"):
        response = await asked(app, "GET", path)
        assert problem(response, 503)["code"] == "unavailable"
        assert response.headers["Retry-After"]
