"""Requests of the partner API in unusual spellings, and the links and refusals that its clients rely on."""

from typing import Any

import httpx2
import pytest

from sharing_service.api.clever_answers import PATHS
from sharing_service.roster.catalogue import Kind
from tests.factories.partner import Partner, Readers, Riverbend
from tests.factories.roster import Roster
from tests.factories.service import EVERY_FIELD

LINKS = {
    "schools": ("district", "courses", "sections", "terms", "users"),
    "courses": ("district", "schools", "sections"),
    "terms": ("district", "schools", "sections"),
    "sections": ("district", "school", "term", "course", "users"),
    "student": ("district", "schools", "sections", "myTeachers", "myContacts"),
    "teacher": ("district", "schools", "sections", "myStudents"),
    "staff": ("district", "schools", "sections"),
    "contact": ("district", "myStudents"),
}
"""The rels of each object besides self, in their order."""


async def test_a_page_has_a_hundred_records(readers: Readers) -> None:
    """Without a limit a page has a hundred records, also of a nested list, and the next one has the others."""
    roster = Roster()
    school = roster.record(Kind.SCHOOLS, name="North")
    for _ in range(101):
        roster.person(Kind.STUDENTS, schools=[school])
    async with readers.by_hand.write() as session:
        await roster.publish(session)
        token = await roster.grant(session, readers.app.state.tokens, sets=roster.everything())
    reader = Partner(readers.client, token)
    for path in ("/users", f"/schools/{roster.ids['schools', school]}/users"):
        answer = await reader.get(path)
        links = {link["rel"]: link["uri"] for link in answer["links"]}
        assert (len(answer["data"]), set(links)) == (100, {"self", "next"})
        assert len(await reader.ids(links["next"])) == 1


@pytest.mark.parametrize("version", ["v3.0", "v3.1"])
async def test_links_lead_to_related_records(readers: Readers, riverbend: Riverbend, version: str) -> None:
    """Each object links to itself, its district and its nested paths, in the version that was asked, below the host."""
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    seen = set()
    for collection in PATHS.values():
        listed = await reader.get(f"/{version}/{collection}")
        assert listed["links"] == [{"rel": "self", "uri": f"/{version}/{collection}"}]
        for item in listed["data"]:
            one = await reader.get(item["uri"])
            [name] = one["data"]["roles"] if collection == "users" else [collection]
            seen.add(name)
            own = f"/{version}/{collection}/{item['data']['id']}"
            nested = [{"rel": rel, "uri": f"{own}/{rel.lower()}"} for rel in LINKS[name]]
            assert one["links"] == [{"rel": "self", "uri": own}, *nested]
            for link in one["links"]:
                absent = link["rel"] == "term" and item["data"]["term_id"] is None
                await reader.get(link["uri"], status=404 if absent else 200)
    assert seen == LINKS.keys()


@pytest.mark.asvs("V15.3.7")
async def test_the_last_of_repeated_parameters_counts(readers: Readers, riverbend: Riverbend) -> None:
    """A parameter that is sent twice has its last value, and the links of the page go on with the same list."""
    reader = await readers.connect(riverbend.roster.everything())
    students, teachers = await reader.ids("/users?role=student"), await reader.ids("/users?role=teacher")
    answer = await reader.get(f"/users?role=student&role=teacher&limit=5&limit=1&starting_after={students[0]}")
    links = {link["rel"]: link["uri"] for link in answer["links"]}
    assert [item["data"]["id"] for item in answer["data"]] == teachers[:1]
    assert await reader.ids(links["next"]) == teachers[1:2]
    assert (await reader.get("/users?limit=1&limit=x", status=400))["message"].startswith("`limit`")


@pytest.mark.asvs("V1.1.1", "V1.2.2")
async def test_encoded_characters_are_the_characters(readers: Readers, riverbend: Riverbend) -> None:
    """What a client may encode means the same encoded; the address of the answer stays as it was asked."""
    reader = await readers.connect(riverbend.roster.everything())
    ann = riverbend.id("people", riverbend.ann)
    query = f"role=%73tudent&limit=%31&starting%5Fafter={ann.replace('-', '%2D')}"
    answer = await reader.get(f"/users?{query}")
    assert [item["data"]["id"] for item in answer["data"]] == riverbend.ids("people", riverbend.ben)
    assert answer["links"][0] == {"rel": "self", "uri": f"/v3.1/users?{query}"}
    assert await reader.ids(answer["links"][1]["uri"]) == riverbend.ids("people", riverbend.cal)
    assert (await reader.get(f"/%75sers/{ann.replace('-', '%2d')}"))["data"]["id"] == ann
    await reader.get(f"/users/{ann}%2Fschools%00", status=404)


async def test_filters_act_together(readers: Readers, riverbend: Riverbend) -> None:
    """Role, primary, count, limit and cursors hold at once, and where a list has no role or primary they mean nothing.

    Catches a count of what one filter leaves in place of what all leave.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    north = riverbend.id("schools", riverbend.north)
    query = f"role=student&primary=true&count=true&limit=1&starting_after={riverbend.id('people', riverbend.ann)}"
    answer = await reader.get(f"/schools/{north}/users?{query}")
    assert [item["data"]["id"] for item in answer["data"]] == riverbend.ids("people", riverbend.ben)
    assert answer["count"] == 2
    for path in ("/schools", f"/users/{riverbend.id('people', riverbend.una)}/mystudents"):
        for query in ("role=contact&primary=true", "role=x&primary=x"):
            assert await reader.ids(f"{path}?{query}") == await reader.ids(path)
    for path in ("/schools", "/districts"):
        for query in ("count=false", "count=undefined", "count="):
            assert "count" not in await reader.get(f"{path}?{query}")
        assert "count" in (await reader.get(f"{path}?count=yes", status=400))["message"]
    await reader.get(f"/schools/{north}/users?primary=1", status=400)


async def test_no_header_tells_unshared_from_absent(readers: Readers, riverbend: Riverbend) -> None:
    """Unshared, foreign and absent records answer the same headers too, for the record and for its nested paths.

    Catches a header, such as a length or a validator, that only a record in the roster has.
    """
    reader = await readers.connect(riverbend.roster.everything() | {Kind.STUDENTS: [riverbend.ann], Kind.SECTIONS: []})
    ben, absent = riverbend.id("people", riverbend.ben), "01a20a5a-a42e-7008-91f5-394749df7fc8"
    algebra = riverbend.id("sections", riverbend.algebra)
    pairs = [(f"/users/{ben}{end}", f"/users/{absent}{end}") for end in ("", "/district", "/sections", "/myteachers")]
    pairs += [(f"/sections/{algebra}{end}", f"/sections/{absent}{end}") for end in ("", "/term", "/users?limit=1")]
    for unshared, missing in pairs:
        assert whole(await reader.ask(unshared)) == whole(await reader.ask(missing))


def whole(answer: httpx2.Response) -> tuple[Any, ...]:
    """All of an answer that a client can see, but for the time."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content
