"""Every route, asked in every way by everybody about everything, answers as `expected` says."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Final
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import Service
from tests.matrix.asking import Asked, Matrix, Told, admissions, asked, refusals, send
from tests.matrix.callers import CALLERS, KNOWN
from tests.matrix.expected import DISTRICT, lines
from tests.matrix.untouched import digests

LINES: Final = tuple(lines())
OF_A_DISTRICT: Final = tuple(line for line in LINES if line.path.startswith(f"{DISTRICT}/"))
OF_ONE_DISTRICT: Final = ("admin", "stranger", "lead", "otherlead", "auditor")
"""Who has a role in one district; the others are refused whichever it is."""
METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
NOWHERE: Final = (
    "/",
    "/v1",
    "/v1/nothing",
    "/v3.2/users",
    "/v3.1/nothing",
    "/v3.1/users/",
    "/docs",
    "/oauth",
    "/admin",
)


def operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of everything that the application answers."""
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            yield method, str(route.path)


def parameters(path: str) -> set[str]:
    """The parameters of a path that a line must vary; that of the district varies in a test of its own."""
    return {*re.findall(r"{(\w+)}", path.removeprefix(f"{DISTRICT}/"))} - {"kind"}


async def gathered(found: AsyncIterator[str]) -> list[str]:
    """All differences."""
    return [difference async for difference in found]


@pytest.mark.asvs("V8.1.1", "V8.2.1")
def test_every_route_has_its_row_and_every_row_its_route(settings: Settings, service: Service) -> None:
    """The matrix names every operation of the application with every parameter of its path, and no others.

    Catches a new route of which nobody has said who may call it.
    """
    app = create_app(settings, database_url=service.database.url)
    there = {*operations(app)}
    varied = {(line.method, line.path, line.varied) for line in LINES}

    assert {(line.method, line.path) for line in LINES} == there
    assert len(there) > 120
    assert {(*one, name) for one in there for name in parameters(one[1])} - varied == set()


@pytest.mark.asvs("V8.2.1", "V8.3.1", "V16.5.3")
async def test_who_is_refused_learns_and_changes_nothing(service: Service, matrix: Matrix) -> None:
    """Whoever may not do or see a thing is told so with the right status, a foreign object as an absent one, byte for
    byte, and no row of any table is another one afterwards.

    Catches a route that lost its caller, an id that is looked up in all districts, one that is found by another
    spelling, and a refusal that comes after the deed.
    """
    before = await digests(service.by_hand, matrix.pair.own.id, matrix.pair.foreign.id)
    wrong = []
    for line in LINES:
        wrong += await gathered(refusals(service.client, matrix, line))
        if line.method != "GET":
            after = await digests(service.by_hand, matrix.pair.own.id, matrix.pair.foreign.id)
            wrong += [f"{line}: {table} changed" for table in before if before[table] != after[table]]
            before = after

    assert wrong == []


@pytest.mark.asvs("V8.2.2", "V8.4.1")
async def test_who_is_admitted_sees_nobody_elses(matrix: Matrix, undone: httpx2.AsyncClient) -> None:
    """Whoever may do or see a thing can, and the answer holds no id of another district, nor of what is not shared."""
    wrong = [difference for line in LINES for difference in await gathered(admissions(undone, matrix, line))]

    assert wrong == []


@pytest.mark.asvs("V8.2.2", "V8.4.1")
async def test_another_district_is_no_district(service: Service, matrix: Matrix) -> None:
    """On every route of a district another one is answered as one that does not exist, byte for byte.

    Catches a route that looks for the district, or reads the body, before it looks at the caller.
    """
    own, foreign, absent = matrix.pair.own.id, matrix.pair.foreign.id, str(uuid4())
    before = await digests(service.by_hand, own, foreign)
    wrong = []
    for line in OF_A_DISTRICT:
        request = asked(matrix, line, "own")
        for caller in KNOWN:
            status = 404 if caller in OF_ONE_DISTRICT else 403
            told = set()
            for district in (own if caller == "stranger" else foreign, absent):
                moved = Asked(line.method, request.path.replace(own, district), district, request.content)
                told.add(Told.by(await send(service.client, matrix, moved, caller), district))
            if len(told) != 1 or {one.status for one in told} != {status}:
                wrong.append(f"{line}: {caller} is answered {[one.status for one in told]}, not {status} twice alike")

    assert wrong == []
    assert await digests(service.by_hand, own, foreign) == before


async def test_other_methods_are_refused_alike(service: Service, matrix: Matrix) -> None:
    """A method that a path does not have is refused with the same bytes whoever asks, and changes nothing.

    Six ask each time, and everybody in turn: the method is looked at before the caller.

    Catches a route that answers a method nobody wrote down, as HEAD or OPTIONS.
    """
    there = [(line.method, re.compile(re.sub(r"{\w+}", "[^/]+", line.path))) for line in LINES]
    before = await digests(service.by_hand, matrix.pair.own.id, matrix.pair.foreign.id)
    wrong, tried = [], 0
    for request in {asked(matrix, line, "own").path: asked(matrix, line, "own") for line in LINES}.values():
        taken = {method for method, path in there if path.fullmatch(request.path)}
        taken |= {"HEAD"} if request.path.startswith("/v3.") else set()
        for method in (method for method in METHODS if method not in taken):
            asking = [CALLERS[(tried + step) % len(CALLERS)] for step in range(0, len(CALLERS), 3)]
            told = {Told.by(await send(service.client, matrix, request, who, method), None) for who in asking}
            if len(told) != 1 or {one.status for one in told} != {405}:
                wrong.append(f"{method} {request.path}: {sorted(one.status for one in told)}")
            tried += 1

    assert wrong == []
    assert tried > 500
    assert await digests(service.by_hand, matrix.pair.own.id, matrix.pair.foreign.id) == before


async def test_a_path_that_is_not_there_is_not_there_for_anybody(service: Service, matrix: Matrix) -> None:
    """Paths without a route answer 404 with the same bytes, whoever asks."""
    for path in NOWHERE:
        answers = {Told.by(await send(service.client, matrix, Asked("GET", path, None), who), None) for who in CALLERS}
        assert [one.status for one in answers] == [404], path


async def test_digests_tell_a_change(service: Service, matrix: Matrix, undone: httpx2.AsyncClient) -> None:
    """A write of a row shows in the digests, and one that is taken back does not.

    Catches digests that would be equal whatever happened.
    """
    own, foreign = matrix.pair.own, matrix.pair.foreign
    before = await digests(service.by_hand, own.id, foreign.id)
    body = {"declined": ["students.email"]}
    path = f"{own.path}{matrix.pair.app.path}/fields"
    tried = await undone.put(path, json=body, headers=own.admin)
    between = await digests(service.by_hand, own.id, foreign.id)
    await own.call("PUT", f"{matrix.pair.app.path}/fields", body)
    after = await digests(service.by_hand, own.id, foreign.id)

    await own.call("PUT", f"{matrix.pair.app.path}/fields", {"declined": []})

    assert tried.status_code == 200
    assert between == before
    changed = {table.partition(" ")[0] for table in before if before[table] != after[table]}
    assert {"audit_entries", "districts", "grants", "revisions"} <= changed
