"""Validators of the partner API: who has the present answer is told so cheaply, and a validator opens nothing."""

import re

import httpx2
import pytest
from sqlalchemy import text

from sharing_service.roster.catalogue import Kind
from tests.api.test_clever_costs import COLLECTIONS, OTHERS, RECORDS, RELATED, asked, filled, statements_of
from tests.api.test_clever_disclosure import disclosed
from tests.factories.partner import Partner, Readers, Riverbend
from tests.factories.service import EVERY_FIELD, Connected

EVENTS = "/v3.1/events"
ROUTES = [*OTHERS, *COLLECTIONS, *RECORDS, *RELATED]


async def again(reader: Partner, path: str, tag: str) -> httpx2.Response:
    """The answer to a client that has the one with this tag."""
    return await reader.ask(path, {"If-None-Match": tag})


@pytest.mark.parametrize("path", ROUTES)
async def test_an_unchanged_answer_is_not_read_again(readers: Readers, riverbend: Riverbend, path: str) -> None:
    """With the tag of the present answer a route says 304 after one statement, with nothing to put on record.

    Catches a validator that is compared after the records were read.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    path = filled(path, riverbend)
    first = await reader.ask(path)
    before = len(await disclosed(readers))
    with statements_of(readers.database) as seen:
        answer = await again(reader, path, first.headers["ETag"])
    assert (first.status_code, answer.status_code, answer.content) == (200, 304, b"")
    assert len(asked(seen)) == 1
    assert len(await disclosed(readers)) == before
    told = ("etag", "x-sharing-revision", "cache-control", "vary")
    assert {name: answer.headers[name] for name in told} == {name: first.headers[name] for name in told}
    assert "content-type" not in answer.headers


async def test_a_tag_is_compared_as_such(readers: Readers, riverbend: Riverbend) -> None:
    """A tag may stand in a list, strong or weak; another one, or a part of it, is none."""
    reader = await readers.connect(riverbend.roster.everything())
    tag = (await reader.ask("/users")).headers["ETag"]
    assert re.fullmatch(r'W/"[0-9A-Za-z]{30}"', tag)
    for same in (tag, tag.removeprefix("W/"), f'"x", {tag}', f'W/"a,b",{tag} , "c"'):
        assert (await again(reader, "/users", same)).status_code == 304, same
    for other in ('"x"', tag[:-2] + '"', tag.strip('W/"'), "", tag.lower()):
        assert (await again(reader, "/users", other)).status_code == 200, other


async def test_a_tag_is_of_one_application_and_one_address(readers: Readers, riverbend: Riverbend) -> None:
    """Two applications that see the same have different tags, and so have all addresses; coding and method have not.

    Catches a tag that tells one application the revision of another, or that stands for another page.
    """
    first, second = [await readers.connect(riverbend.roster.everything()) for _ in range(2)]
    ann = riverbend.id("people", riverbend.ann)
    paths = ("/users", "/v3.0/users", "/users?limit=1", "/users?limit=01", "/schools", f"/users/{ann}", "/users?")
    tags = [(await reader.ask(path)).headers["ETag"] for reader in (first, second) for path in paths[:-1]]
    assert len(set(tags)) == len(tags)
    assert (await again(second, "/users", tags[0])).status_code == 200
    for headers, method in (({"Accept-Encoding": "identity"}, "GET"), ({}, "HEAD")):
        assert (await first.ask("/users", headers, method=method)).headers["ETag"] == tags[0]


async def test_an_old_tag_opens_nothing(full_reader: Connected) -> None:
    """After a change of sharing, of fields, or a pause, a tag taken earlier stands for nothing.

    Catches a validator that survives a change: its client would keep a record that is no longer shared.
    """
    district = full_reader.district
    reader = await district.connect(await district.service.application(fields={"students": {"optional": ["email"]}}))
    await reader.share({"mode": "district"})
    ids = await district.ids()
    client, ann = district.service.client, f"/v3.1/users/{ids['students', 'ann']}"

    async def asked_again(path: str, tags: dict[str, str]) -> int:
        headers = reader.headers | {"If-None-Match": tags[path]}
        return (await client.get(path, headers=headers)).status_code

    async def tags() -> dict[str, str]:
        answers = {path: await client.get(path, headers=reader.headers) for path in (ann, "/v3.1/users", EVENTS)}
        return {path: answer.headers["ETag"] for path, answer in answers.items() if answer.status_code == 200}

    known = await tags()
    assert [await asked_again(path, known) for path in known] == [304, 304, 304]
    await district.call("PUT", f"{reader.path}/fields", {"declined": ["email"]})
    assert [await asked_again(path, known) for path in known] == [200, 200, 200]
    known = await tags()
    await district.call("POST", f"{reader.path}/pause")
    assert [await asked_again(path, known) for path in known] == [423, 423, 423]
    await district.call("POST", f"{reader.path}/resume")
    known = await tags()
    await reader.share({"mode": "sections", "section_ids": []})
    assert [await asked_again(path, known) for path in known] == [404, 200, 200]
    known = await tags()
    response = await client.delete(f"{district.path}{reader.path}", headers=district.admin)
    assert response.is_success
    assert await asked_again("/v3.1/users", known) == 401


async def test_the_tag_of_the_district_moves_with_its_sync(readers: Readers, riverbend: Riverbend) -> None:
    """A sync that changes nothing for an application moves the tags of the district, which shows it, and no others."""
    reader = await readers.connect(riverbend.roster.everything())
    district = riverbend.roster.district_id
    paths = ("/districts", f"/districts/{district}", f"/users/{riverbend.id('people', riverbend.ann)}/district")
    tags = {path: (await reader.ask(path)).headers["ETag"] for path in (*paths, "/users", "/me")}
    async with readers.by_hand.write() as session:
        change = "update districts set published_at = coalesce(published_at, now()) + interval '1 s' where id = :id"
        await session.execute(text(change), {"id": district})
    statuses = {path: (await again(reader, path, tag)).status_code for path, tag in tags.items()}
    assert statuses == {**dict.fromkeys(paths, 200), "/users": 304, "/me": 304}


async def test_a_refusal_has_no_tag(readers: Readers, riverbend: Riverbend) -> None:
    """What is refused has no validator, whether or not the request brings one, and tells the revision as all else."""
    reader = await readers.connect(riverbend.roster.everything() | {Kind.STUDENTS: []})
    tag = (await reader.ask("/users")).headers["ETag"]
    hidden = f"/users/{riverbend.id('people', riverbend.ann)}"
    without_term = f"/sections/{riverbend.id('sections', riverbend.art)}/term"
    for path, status in ((hidden, 404), (without_term, 404), ("/users?limit=0", 400), ("/users?limit=10001", 413)):
        answer = await again(reader, path, tag)
        assert (answer.status_code, "etag" in answer.headers) == (status, False)
        assert answer.headers["X-Sharing-Revision"]
