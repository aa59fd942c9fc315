"""The feed of the partner API: pages, cursors, filters, and what is gone."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pyroaring import BitMap
from sqlalchemy import text

from sharing_service.api.clever_models import EventResponse, EventsResponse
from sharing_service.database import enter_district
from sharing_service.delivery.feed import BEGINNING, END, EventPlace, place_of
from tests.api.test_clever_costs import asked, statements_of
from tests.factories.following import BEGINNING as FIRST
from tests.factories.following import Follower, changes, events_after, named, newest, read_lists
from tests.factories.service import Connected, District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

GREATEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@pytest.fixture
async def application(district: District) -> Connected:
    """An application with which the small district is shared whole, staff as well."""
    await district.publish(render(SMALL_DISTRICT))
    application = await district.connect()
    await application.share({"mode": "district", "include_staff": True})
    return application


async def rename(application: Connected, name: str) -> None:
    """Sync the small district with another name of a school."""
    north = replace(SMALL_DISTRICT.schools["N"], values={"name": name})
    await application.district.publish(render(replace(SMALL_DISTRICT, schools={**SMALL_DISTRICT.schools, "N": north})))


async def age(application: Connected, days: int) -> None:
    """Let all that the feed holds be older."""
    async with application.district.service.by_hand.write() as session:
        await enter_district(session, UUID(application.district.id))
        older = "update feed set at = at - make_interval(days => :days) where application_id = :application"
        await session.execute(text(older), {"days": days, "application": UUID(application.id)})


def rels(page: Any) -> set[str]:
    """Which links an answer has."""
    return {link["rel"] for link in page["links"]}


def test_ids_ascend_with_places() -> None:
    """An id tells its place and ascends with it; every other id but the first and the last tells none."""
    places = [
        EventPlace(revision, place, ordinal, operation)
        for revision in (1, 2, 2**48 - 1)
        for place in (0, 7)
        for ordinal in (0, 1, 2**31 - 1)
        for operation in (0, 1, 2)
    ]
    ids = [place.id for place in places]
    assert ids == sorted(ids)
    assert [str(one) for one in ids] == sorted(map(str, ids))
    assert {(one.version, one.variant) for one in ids} == {(8, "specified in RFC 4122")}
    assert [place_of(one) for one in ids] == places
    assert place_of(UUID(FIRST)) == BEGINNING < places[0]
    assert place_of(UUID(GREATEST)) == END > places[-1]
    assert place_of(UUID("01a20dcc-70f0-7211-b0e9-516857c9edc3")) is None
    assert place_of(UUID(int=ids[0].int | 1 << 50)) is None


async def test_pages_join_to_the_whole_feed(application: Connected) -> None:
    """Forward and backward, pages of any size hold each event once, in the order of ids; links and counts agree."""
    await rename(application, "Northern")
    everything = await application.read("/events", limit=10_000, count="true")
    EventsResponse.model_validate(everything)
    events = [item["data"] for item in everything["data"]]
    assert everything["count"] == len(events) > 20
    assert rels(everything) == {"self"}
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})
    for limit in (1, 7):
        assert await events_after(application, FIRST, limit=limit) == events
        back: list[Any] = []
        page = await application.read("/events", ending_before="last", limit=limit)
        assert "next" not in rels(page)
        while True:
            back = [item["data"] for item in page["data"]] + back
            if "prev" not in rels(page):
                break
            page = await application.read("/events", ending_before=back[0]["id"], limit=limit)
            assert "next" in rels(page)
        assert back == events
    middle = await application.read("/events", starting_after=events[4]["id"], limit=2)
    assert [item["data"] for item in middle["data"]] == events[5:7]
    assert rels(middle) == {"self", "next", "prev"}
    past = await application.read("/events", starting_after=events[-1]["id"])
    assert (past["data"], rels(past)) == ([], {"self", "prev"})
    before = await application.read("/events", ending_before=events[0]["id"])
    assert (before["data"], rels(before)) == ([], {"self", "next"})
    assert (await application.read("/events", ending_before=GREATEST, limit=1))["data"] == everything["data"][-1:]


async def test_an_event_has_an_address(application: Connected) -> None:
    """Each event of a list is found under its address, in both versions; no other address has one."""
    for item in (await application.read("/events", limit=10_000))["data"]:
        one = await application.read(item["uri"].removeprefix("/v3.1"))
        EventResponse.model_validate(one)
        assert one == {"data": item["data"], "links": [{"rel": "self", "uri": item["uri"]}]}
    event_id = UUID(item["data"]["id"])
    for absent in (event_id.int + 4, event_id.int + 1, event_id.int + (1 << 66), event_id.int | 3, 0, 2**128 - 1):
        answer = await application.fetch(f"/events/{UUID(int=absent)}")
        assert (answer.status_code, answer.json()) == (404, {"message": "Resource not found"})
    assert (await application.fetch("/events/nothing")).status_code == 404
    school = (await application.records("/schools"))[0]["id"]
    assert (await application.fetch(f"/events/{school}")).status_code == 404


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"starting_after": "last"}, 400),
        ({"starting_after": FIRST, "ending_before": "last"}, 400),
        ({"starting_after": FIRST, "ending_before": GREATEST}, 400),
        ({"starting_after": "01a20dcc-70f0-7211-b0e9-516857c9edc3"}, 400),
        ({"ending_before": "01a20dcc-70f0-7211-b0e9-516857c9edc3"}, 400),
        ({"school": "North"}, 400),
        ({"record_type": "students"}, 400),
        ({"record_type": "users,"}, 400),
        ({"limit": "0"}, 400),
        ({"limit": "10001"}, 413),
    ],
)
async def test_malformed_parameters_are_refused(
    application: Connected, parameters: dict[str, str], status: int
) -> None:
    """A parameter that cannot be meant is told, since an empty page would look as if nothing had happened."""
    answer = await application.fetch("/events", **parameters)
    assert (answer.status_code, list(answer.json())) == (status, ["message"])


async def test_types_are_filtered(application: Connected) -> None:
    """`record_type` may be repeated or separated by commas; of the district itself there are no events."""
    events = await events_after(application, FIRST)
    for types, paths in (
        ("users", {"users"}),
        ("schools,terms", {"schools", "terms"}),
        (["sections", "courses"], {"sections", "courses"}),
        ("districts", set()),
    ):
        found = await application.read("/events", record_type=types, limit=10_000, count="true")
        expected = [event for event in events if event["type"].split(".")[0] in paths]
        assert [item["data"] for item in found["data"]] == expected
        assert found["count"] == len(expected)


async def test_records_of_a_school_are_filtered(application: Connected, district: District) -> None:
    """`school` keeps the events of the records at that school, and those that say that a record went."""
    ids = await district.ids()
    block = {"kind": "students", "record_id": ids["students", "ben"], "application_id": None, "reason": "asked for"}
    await district.call("POST", "/blocks", block, status=201)
    school = ids["schools", "N"]
    found = [item["data"] for item in (await application.read("/events", school=school, limit=10_000))["data"]]
    at_school = {school}
    for path in ("courses", "sections", "terms", "users"):
        at_school |= {one["id"] for one in await application.records(f"/schools/{school}/{path}")}
    created = {record_id for type_, record_id in named(found) if type_.endswith(".created")}
    assert created == at_school
    assert ("users.deleted", ids["students", "ben"]) in named(found)
    assert ids["students", "ben"] not in created
    for nowhere in (FIRST, ids["students", "ben"]):
        others = [item["data"] for item in (await application.read("/events", school=nowhere, limit=10_000))["data"]]
        assert {type_ for type_, _ in named(others)} <= {"users.deleted"}


async def test_what_is_shared_no_more_is_skipped(application: Connected, district: District) -> None:
    """Old events of a record that is not shared any more are gone, and their ids are good cursors still.

    Catches a feed that keeps what records said when they changed, or that looks a cursor up.
    """
    before = [item["data"] for item in (await application.read("/events", limit=10_000))["data"]]
    ids = await district.ids()
    ben = ids["students", "ben"]
    [old] = [event for event in before if event["data"]["object"]["id"] == ben]
    body = {"kind": "students", "record_id": ben, "application_id": None, "reason": "asked for"}
    await district.call("POST", "/blocks", body, status=201)
    now = [item["data"] for item in (await application.read("/events", limit=10_000))["data"]]
    assert [event["data"]["object"] for event in now if ben in str(event)] == [{"id": ben}]
    assert (await application.fetch(f"/events/{old['id']}")).status_code == 404
    assert await events_after(application, old["id"]) == [event for event in now if event["id"] > old["id"]]
    assert "ben" not in {
        one.get("roles", {}).get("student", {}).get("sis_id") for one in (event["data"]["object"] for event in now)
    }


async def test_a_cursor_before_anything(district: District) -> None:
    """While nothing has happened, the id of zeros is the cursor from which all that comes is read."""
    await district.publish(render(SMALL_DISTRICT))
    application = await district.connect()
    assert (await application.read("/events", ending_before="last", limit=1, count="true"))["count"] == 0
    assert await newest(application) == FIRST
    await application.share({"mode": "district"})
    assert set(named(await events_after(application, FIRST))) == changes({}, await read_lists(application))


async def test_events_expire(application: Connected) -> None:
    """After 30 days events are gone, whether their rows are or not; only a cursor before one of them answers 410.

    Catches a cursor that goes on as if nothing were missing, and one that is refused though nothing is.
    """
    old = await events_after(application, FIRST)
    await age(application, 31)
    for cursor in (FIRST, old[0]["id"], old[-1]["id"]):
        assert (await application.fetch("/events", starting_after=cursor)).status_code == 200, "the newest stay"
    async with application.district.service.by_hand.write() as session:
        await enter_district(session, UUID(application.district.id))
        copied = "create table kept_feed as select * from feed where application_id = :application"
        await session.execute(text(copied.replace(":application", f"'{application.id}'")))
    await rename(application, "Northern")  # writes to the feed, which lets the old events go
    assert (await application.read("/events", count="true"))["count"] == 1
    await check_expired(application, old)
    async with application.district.service.by_hand.write() as session:
        await enter_district(session, UUID(application.district.id))
        await session.execute(text("insert into feed select * from kept_feed"))
        await session.execute(text("drop table kept_feed"))
        forgotten = "update grants set expired_event = null where application_id = :application"
        await session.execute(text(forgotten), {"application": UUID(application.id)})
    await check_expired(application, old)


async def check_expired(application: Connected, old: list[Any]) -> None:
    """The events before the last change are gone."""
    assert len((await application.read("/events"))["data"]) == 1
    for cursor in (FIRST, old[0]["id"], old[-2]["id"]):
        answer = await application.fetch("/events", starting_after=cursor)
        assert (answer.status_code, list(answer.json())) == (410, ["message"])
        assert "ending_before=last" in answer.json()["message"]
        assert (await application.fetch("/events", ending_before=old[0]["id"])).status_code == 410
    assert len(await events_after(application, old[-1]["id"])) == 1
    page = await application.read("/events", ending_before="last", limit=1)
    assert rels(page) == {"self"}
    assert (await application.fetch(f"/events/{old[0]['id']}")).status_code == 404


async def test_a_new_connection_has_a_new_feed(application: Connected, district: District) -> None:
    """After a disconnection nothing of the old feed is read, and its cursors answer 410 however young they are."""
    old = await events_after(application, FIRST)
    await district.call("DELETE", application.path, status=204)
    assert (await application.fetch("/events")).status_code == 401
    again = await district.connect(application.id)
    assert await newest(again) == FIRST
    for cursor in (old[0]["id"], old[-1]["id"]):
        assert (await again.fetch("/events", starting_after=cursor)).status_code == 410
        assert (await again.fetch(f"/events/{cursor}")).status_code == 404
    await again.share({"mode": "district"})
    follower = Follower(again)
    await follower.follow()
    assert follower.copy == await read_lists(again)


async def test_a_cursor_of_what_has_not_happened(application: Connected) -> None:
    """A cursor beyond the newest revision, as after a restored backup, answers 410 and not an empty page.

    Catches a follower who waits there and misses all that happens until the revisions come up to its cursor.
    """
    last = place_of(UUID(await newest(application)))
    assert last is not None
    for query in ("starting_after", "ending_before"):
        answer = await application.fetch("/events", **{query: str(last._replace(revision=last.revision + 1).id)})
        assert answer.status_code == 410
        assert (await application.fetch("/events", **{query: GREATEST})).status_code == 200


async def ordinal_of(district: District, record_id: str) -> int:
    """The ordinal of a record."""
    async with district.service.by_hand.read() as session:
        await enter_district(session, UUID(district.id))
        found = await session.execute(text("select ordinal from identities where id = :id"), {"id": UUID(record_id)})
        return int(found.scalar_one())


async def test_events_with_persons_are_on_record(application: Connected, district: District) -> None:
    """A page of the feed is recorded with everybody who is in it, be it by id only.

    Catches a feed that forgets those whom it tells as gone.
    """
    await application.read("/events", record_type="users", limit=10_000)
    await application.read("/events", record_type="schools")
    everybody, cursor = len(await application.records("/users")), await newest(application)
    ben = (await district.ids())["students", "ben"]
    body = {"kind": "students", "record_id": ben, "application_id": None, "reason": "asked for"}
    await district.call("POST", "/blocks", body, status=201)
    await application.read("/events", starting_after=cursor, record_type="users")
    async with district.service.by_hand.read() as session:
        await enter_district(session, UUID(district.id))
        rows = await session.execute(
            text("select persons from disclosures where application_id = :id and route = '/v3.1/events' order by id"),
            {"id": UUID(application.id)},
        )
        pages = [BitMap.deserialize(persons) for persons in rows.scalars()]
    gone = await ordinal_of(district, ben)
    assert len(pages[0]) == everybody
    assert gone in pages[-1]


async def test_a_paused_application_finds_what_changed_meanwhile(application: Connected, district: District) -> None:
    """A pause changes nothing; what the district does while it lasts is in the feed afterwards."""
    cursor = await newest(application)
    await district.call("POST", f"{application.path}/pause")
    await application.read("/events", 423)
    await rename(application, "Northern")
    await district.call("POST", f"{application.path}/resume")
    assert [type_ for type_, _ in named(await events_after(application, cursor))] == ["schools.updated"]


async def test_a_page_costs_few_statements_whatever_its_size(application: Connected, district: District) -> None:
    """One statement for who asks, one for the entries, one for the records of each sort, one for the ids of those gone.

    Catches a look-up for each event.
    """
    await district.call("PUT", f"{application.path}/sharing", {"mode": "schools", "school_ids": []})
    await application.share({"mode": "district"})
    await application.read("/events")
    for limit, most in ((1, 3), (10_000, 8)):
        with statements_of(district.service.database) as seen:
            page = await application.read("/events", limit=limit)
        assert len(page["data"]) >= min(limit, 30)
        assert len(asked(seen)) <= most
    with statements_of(district.service.database) as seen:
        await application.read("/events", ending_before="last", record_type="users")
    assert len(asked(seen)) == 4


async def test_a_long_feed_is_read_to_its_end(application: Connected) -> None:
    """More revisions than one statement reads are joined, forward and backward."""
    before = await events_after(application, FIRST)
    async with application.district.service.by_hand.write() as session:
        await enter_district(session, UUID(application.district.id))
        again = """
            insert into feed (district_id, application_id, revision, place, last_id, created, updated, deleted)
            select district_id, application_id, revision + n, place, last_id, updated, created, deleted
            from feed, generate_series(1, 240) n where application_id = :application and place = 0
        """
        await session.execute(text(again), {"application": UUID(application.id)})
        moved = "update grants set revision = revision + 240 where application_id = :application"
        await session.execute(text(moved), {"application": UUID(application.id)})
    schools = len(await application.records("/schools"))
    events = await events_after(application, FIRST)
    assert len(events) == len(before) + 240 * schools
    assert events == await events_after(application, FIRST, limit=331)
    back = await application.read("/events", ending_before="last", limit=10_000, count="true")
    assert [item["data"] for item in back["data"]] == events
    assert back["count"] == len(events)
