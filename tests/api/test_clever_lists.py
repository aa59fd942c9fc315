"""Lists of the partner API: pages, cursors, parameters, and when there is no list."""

import pytest
from pyroaring import BitMap
from sqlalchemy import text

from sharing_service.delivery.joining import JOINED_AT_MOST
from sharing_service.roster.catalogue import Kind
from tests.factories.partner import Partner, Readers, Riverbend
from tests.factories.roster import Roster
from tests.factories.service import EVERY_FIELD


async def test_pages_follow_each_other_both_ways(readers: Readers, riverbend: Riverbend) -> None:
    """Following next gives every record once, following prev the same backwards, and links keep other parameters."""
    reader = await readers.connect(riverbend.roster.everything())
    everybody = await reader.ids("/users")
    assert everybody == sorted(everybody)
    seen, path = list[str](), "/v3.1/users?count=true&limit=4"
    while path:
        answer = await reader.get(path)
        assert answer["count"] == len(everybody)
        assert all(item["uri"] == f"/v3.1/users/{item['data']['id']}" for item in answer["data"])
        seen += [item["data"]["id"] for item in answer["data"]]
        links = {link["rel"]: link["uri"] for link in answer["links"]}
        assert links["self"] == path
        assert ("prev" in links) is (len(seen) > 4)
        path = links.get("next", "")
        assert not path or path == f"/v3.1/users?count=true&limit=4&starting_after={seen[-1]}"
    assert seen == everybody
    before = await reader.get(f"/users?limit=2&ending_before={everybody[3]}")
    assert [item["data"]["id"] for item in before["data"]] == everybody[1:3]
    links = {link["rel"]: link["uri"] for link in before["links"]}
    assert links["prev"] == f"/v3.1/users?limit=2&ending_before={everybody[1]}"
    assert await reader.ids(links["prev"]) == everybody[:1]
    assert await reader.ids(links["next"]) == everybody[3:5]


async def test_a_page_of_many_is_one_list(readers: Readers) -> None:
    """A page that is read and sent in parts has every record once, in order, and each of its persons is disclosed.

    Catches parts without a comma between them, a disclosure of the last part only, and contacts on a later part who
    tell of a student that is not shared.
    """
    roster = Roster()
    school = roster.record(Kind.SCHOOLS, name="North")
    students = [roster.person(Kind.STUDENTS, schools=[school]) for _ in range(JOINED_AT_MOST + 3)]
    hidden, *shared = students
    contact = roster.contact(students=[(hidden, "Mother", "guardian"), (shared[0], "Mother", "guardian")])
    async with readers.by_hand.write() as session:
        await roster.publish(session)
        sets = roster.everything() | {Kind.STUDENTS: shared}
        reader = Partner(
            readers.client, await roster.grant(session, readers.app.state.tokens, sets=sets, fields=EVERY_FIELD)
        )
    answer = await reader.ask("/users?limit=1000&count=true", {"Accept-Encoding": "identity"})
    assert int(answer.headers["content-length"]) == len(answer.content)
    listed = answer.json()
    everybody = [roster.ids["people", ordinal] for ordinal in (*shared, contact)]
    assert [item["data"]["id"] for item in listed["data"]] == everybody
    assert listed["count"] == len(everybody)
    assert [link["rel"] for link in listed["links"]] == ["self"]
    assert roster.ids["people", hidden] not in answer.text
    assert (await reader.get(f"/users?limit=1000&starting_after={everybody[0]}"))["data"] == listed["data"][1:]
    async with readers.by_hand.read() as session:
        found = "select persons from disclosures where district_id = :id order by id limit 1"
        disclosed = await session.scalar(text(found), {"id": roster.district_id})
    assert BitMap.deserialize(disclosed) == BitMap([*shared, contact])


async def test_a_cursor_is_compared_and_need_not_exist(readers: Readers, riverbend: Riverbend) -> None:
    """An id that is not shared, or was never given, is a cursor too; an empty page links back to the list."""
    everything = riverbend.roster.everything()
    reader = await readers.connect(everything | {Kind.STUDENTS: [riverbend.ann, riverbend.cal]})
    ann, ben, cal = riverbend.ids("people", riverbend.ann, riverbend.ben, riverbend.cal)
    assert await reader.ids(f"/users?role=student&starting_after={ben}") == [cal]
    assert await reader.ids(f"/users?role=student&ending_before={ben}") == [ann]
    first, last = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
    assert await reader.ids(f"/users?role=student&starting_after={first}") == [ann, cal]
    assert await reader.ids(f"/users?role=student&ending_before={last}&limit=1") == [cal]
    for empty, rel in ((f"starting_after={cal}", "prev"), (f"ending_before={ann}", "next")):
        answer = await reader.get(f"/users?role=student&{empty}")
        [link] = [link["uri"] for link in answer["links"] if link["rel"] != "self"]
        assert (answer["data"], answer["links"][1]["rel"]) == ([], rel)
        assert await reader.ids(link) == [ann, cal]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400),
        ("limit=-1", 400),
        ("limit=ten", 400),
        ("limit=", 400),
        ("limit=10001", 413),
        (f"limit={'9' * 5000}", 413),
        ("limit=10000", 200),
        ("starting_after=x", 400),
        ("ending_before=01A20A5A-A42E-7008-91F5-394749DF7FC8", 400),
        ("starting_after=01a20a5a-a42e-7008-91f5-394749df7fc8&ending_before=01a20a5a-a42e-7008-91f5-394749df7fc8", 400),
        ("role=principal", 400),
        ("role=district_admin", 200),
        ("colour=red", 200),
    ],
)
@pytest.mark.asvs("V1.4.2", "V2.2.1")
async def test_malformed_parameters_are_refused(
    readers: Readers, riverbend: Riverbend, query: str, status: int
) -> None:
    """A parameter that has no meaning is refused with a message, one that is not known is ignored."""
    reader = await readers.connect(riverbend.roster.everything())
    answer = await reader.get(f"/users?{query}", status=status)
    assert set(answer) == ({"message"} if status != 200 else {"data", "links"})


@pytest.mark.asvs("V8.2.2")
async def test_absent_foreign_and_unshared_answer_alike(readers: Readers, riverbend: Riverbend) -> None:
    """What the application may not see answers byte for byte as what is not there.

    Catches an answer that tells an unshared record from an absent one.
    """
    other = Riverbend()
    async with readers.by_hand.write() as session:
        await other.roster.publish(session)
    sets = riverbend.roster.everything() | {Kind.STUDENTS: [riverbend.ann]}
    reader = await readers.connect(sets)
    unshared = riverbend.id("people", riverbend.ben)
    foreign = other.id("people", other.ben)
    odd = [unshared.upper(), "x", riverbend.id("schools", riverbend.north)]
    for path in ("", "/schools", "/district"):
        answers = {
            (answer.status_code, answer.content, answer.headers["X-Sharing-Revision"])
            for record in (unshared, foreign, "01a20a5a-a42e-7008-91f5-394749df7fc8", *odd)
            for answer in [await reader.ask(f"/v3.1/users/{record}{path}")]
        }
        assert answers == {(404, b'{"message":"Resource not found"}', "7")}
    district = (await reader.get("/districts"))["data"][0]["data"]["id"]
    assert district == str(riverbend.roster.district_id)
    await reader.get(f"/districts/{other.roster.district_id}", status=404)


async def test_the_token_decides(readers: Readers, riverbend: Riverbend) -> None:
    """Without a working token there is no answer; with no sharing set the lists are empty."""
    assert (await readers.client.get("/v3.1/users")).status_code == 401
    wrong = await readers.client.get("/v3.1/users", headers={"Authorization": "Bearer x"})
    assert (wrong.status_code, list(wrong.json()), wrong.headers["WWW-Authenticate"]) == (401, ["message"], "Bearer")
    reader = await readers.connect(None)
    for path in ("schools", "sections", "courses", "terms", "users"):
        assert await reader.ids(f"/{path}") == []
    answer = await reader.ask("/v3.0/users?count=true")
    assert answer.json()["count"] == 0
    assert answer.headers["X-Sharing-Revision"] == "7"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("update grants set paused_at = now() where district_id = :district", 423),
        ("update districts set published_revision = null where id = :district", 503),
    ],
)
@pytest.mark.asvs("V16.5.2")
async def test_a_truth_that_cannot_be_told_is_no_empty_list(
    readers: Readers, riverbend: Riverbend, change: str, status: int
) -> None:
    """A paused grant and an unpublished district answer no list at all.

    Catches an empty list in their place, after which a partner archives everybody.
    """
    reader = await readers.connect(riverbend.roster.everything())
    async with readers.by_hand.write() as session:
        await session.execute(text(change), {"district": riverbend.roster.district_id})
    for path in ("users", "sections", "districts", "me", f"users/{riverbend.id('people', riverbend.ann)}"):
        answer = await reader.ask(f"/v3.1/{path}")
        assert (answer.status_code, list(answer.json())) == (status, ["message"])
        assert ("Retry-After" in answer.headers) is (status == 503)
        assert answer.headers["X-Sharing-Revision"] == "7"


async def test_the_owner_of_a_token_is_its_district(readers: Readers, riverbend: Riverbend) -> None:
    """`me` names the district, and so does the only entry of the list of districts."""
    reader = await readers.connect(riverbend.roster.everything())
    district = str(riverbend.roster.district_id)
    assert await reader.get("/v3.0/me") == {
        "type": "district",
        "data": {"id": district, "district": district, "type": "district", "authorized_by": "district"},
        "links": [{"rel": "self", "uri": "/me"}, {"rel": "canonical", "uri": f"/v3.0/districts/{district}"}],
    }
    assert await reader.ids("/districts?count=true") == [district]
    assert (await reader.get(f"/districts/{district}"))["data"]["name"] == "Riverbend"
