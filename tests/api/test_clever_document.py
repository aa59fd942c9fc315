"""Answers of every partner route, right and wrong, are those that the OpenAPI document describes."""

from uuid import uuid4

import pytest

from sharing_service.delivery.feed import EventPlace
from tests.api.documented import PARTNER, Documented
from tests.factories.service import Connected, Headers, answered

NOWHERE = ("x", str(uuid4()), "%00", "%E2%82%AC")
ABSENT_ONLY_WHEN_DISCONNECTED = {"404"}
EARLIER = EventPlace(1, 0, 0, 0).id
"""An event of the revision at which the district began, before any application was connected."""
NOT_PROVOKED = {"429", "500"}
"""Tests of the edge provoke these."""


@pytest.fixture(scope="module")
async def refused(full_reader: Connected) -> list[Headers]:
    """Callers that are refused everything: nobody, an admin, a paused application, one of a district without roster."""
    paused, silent = (
        await full_reader.district.connect(),
        await (await full_reader.district.service.district()).connect(),
    )
    await full_reader.district.call("POST", f"{paused.path}/pause")
    return [{}, full_reader.district.admin, paused.headers, silent.headers]


async def ids_by_collection(full_reader: Connected) -> dict[str, list[str]]:
    """The ids of every collection."""
    collections = ("districts", "schools", "courses", "terms", "sections", "users")
    events = [one["data"]["id"] for one in (await full_reader.read("/events", limit=3))["data"]]
    return {path: [one["id"] for one in await full_reader.records(f"/{path}")] for path in collections} | {
        "events": events
    }


@pytest.mark.parametrize("version", ["v3.0", "v3.1"])
@pytest.mark.asvs("V2.1.1", "V4.1.1")
async def test_answers_are_as_documented(full_reader: Connected, refused: list[Headers], version: str) -> None:
    """Whatever a partner route answers has a documented status and exactly the documented form.

    And every documented status occurs, so that no client prepares for one in vain.
    """
    client = full_reader.district.service.client
    documented = Documented(answered(await client.get("/openapi.json")))
    ids = await ids_by_collection(full_reader)
    paths = [path for path in documented.paths if path.startswith(f"/{version}/")]
    assert len(paths) == len(documented.paths) / 2 > 30
    for path in paths:
        collection = path.split("/")[2]
        known = ids.get(collection, [])
        for record in [*known, *NOWHERE] if "{id}" in path else [""]:
            response = await client.get(path.replace("{id}", record), headers=full_reader.headers)
            documented.check(path, response)
            known_tag = full_reader.headers | {"If-None-Match": response.headers.get("ETag", "")}
            documented.check(path, await client.get(response.url.raw_path.decode(), headers=known_tag))
        place = path.replace("{id}", known[-1] if known else "")
        for query in documented.queries(path, known[0] if known else ""):
            documented.check(path, await client.get(f"{place}?{query}", headers=full_reader.headers))
        if path.endswith("/events"):
            answer = await client.get(f"{path}?starting_after={EARLIER}", headers=full_reader.headers)
            documented.check(path, answer)
        for headers in refused:
            documented.check(path, await client.get(place, headers=headers))
        unseen = documented.paths[path]["responses"].keys() - documented.seen[path]
        assert unseen == NOT_PROVOKED | (set() if "{id}" in path else ABSENT_ONLY_WHEN_DISCONNECTED), path


async def test_wrong_methods_and_paths(full_reader: Connected) -> None:
    """A wrong method is told the right ones, an unknown path below a version is not found; both in Clever's form."""
    client = full_reader.district.service.client
    documented = Documented(answered(await client.get("/openapi.json")))
    for path in documented.paths:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SPAM"):
            place = path.replace("{id}", str(uuid4()))
            response = await client.request(method, place, headers=full_reader.headers)
            assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD"), path
            assert response.json() == {"message": "Method Not Allowed."}
    for path in ("", "/", "/nowhere", "/users/", "/users//sections", "/users/x/y/z", "/schools/x/school", "/Users"):
        response = await client.get(f"{PARTNER}1{path}", headers=full_reader.headers)
        assert (response.status_code, response.json()) == (404, {"message": "Not Found."}), path
