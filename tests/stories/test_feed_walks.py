"""Lists that are read while everything changes, writers that stand in each other's way, and what old cursors yield."""

import asyncio
import random
from typing import Any, Final
from uuid import UUID

from pyroaring import BitMap
from sqlalchemy import select

from sharing_service.database import enter_district
from sharing_service.delivery.models import FeedEntry
from tests.factories.following import BEGINNING, PATHS, Follower, as_text, events_after, folded, newest, read_lists
from tests.factories.service import Connected, District, Service
from tests.factories.upload import render
from tests.stories.test_no_instant import permissions, roster
from tests.world import Person, School, World

WALKS: Final = 6
WRITERS: Final = 8
CHANGES: Final = 8
STUDENTS: Final = 1_000
DECLINABLE: Final = ("students.email", "students.numbers", "students.status", "students.demographics")


async def change(district: District, application: Connected, drawn: random.Random) -> None:
    """Publish another roster, or share something else."""
    if drawn.random() < 0.4:
        await district.publish(render(roster(drawn.randrange(4))))
    else:
        await application.share(drawn.choice(permissions(await district.ids())))


async def test_a_walk_under_churn_ends_right(service: Service) -> None:
    """Pages that are read between changes, and then the events since, give exactly what is shared.

    Nothing comes twice in a walk, and what was shared all the while is in it. Catches a cursor that is taken too late,
    and a page that begins elsewhere when records before it come or go.
    """
    drawn = random.Random(5)
    district = await service.district()
    await district.publish(render(roster(0)))
    application = await district.connect()
    await application.share({"mode": "district"})
    for walk in range(WALKS):
        path = ("users", "sections")[walk % 2]
        cursor = await newest(application)
        throughout = {record_id for found, record_id in await read_lists(application) if found == path}
        copy, after = {}, BEGINNING
        while True:
            page = await application.read(f"/{path}", starting_after=after, limit=3)
            for item in page["data"]:
                key = path, item["data"]["id"]
                assert key not in copy
                copy[key] = as_text(item["data"])
            if "next" not in {link["rel"] for link in page["links"]}:
                break
            after = page["data"][-1]["data"]["id"] if page["data"] else after
            await change(district, application, drawn)
            throughout &= {record_id for found, record_id in await read_lists(application) if found == path}
        assert throughout <= {record_id for _, record_id in copy}
        events = [event for event in await events_after(application, cursor) if event["type"].startswith(path)]
        now = await read_lists(application)
        assert folded(copy, events) == {key: text for key, text in now.items() if key[0] == path}


async def test_an_old_cursor_yields_no_declined_field(service: Service) -> None:
    """After a group is declined no event, and no page after a cursor from before, holds it.

    Catches a feed that keeps documents, or fields that are looked up when a reader begins.
    """
    district = await service.district()
    await district.publish(render(large()))
    application = await district.connect(await service.application(fields={"students": {"optional": ["email"]}}))
    await application.share({"mode": "district"})
    first = await application.read("/users", limit=1)
    event = (await application.read("/events", record_type="users", limit=1))["data"][0]["data"]
    assert "@x.org" in str(first)
    assert "@x.org" in str(event)
    await district.call("PUT", f"{application.path}/fields", {"declined": ["students.email"]})
    later = [
        await application.read("/users", starting_after=first["data"][0]["data"]["id"], limit=10_000),
        await application.read("/events", starting_after=event["id"], limit=10_000),
        await application.read(f"/events/{event['id']}"),
        await application.read("/events", ending_before="last", limit=10_000),
    ]
    assert "@x.org" not in str(later)
    assert '"email"' not in str(later)


def large() -> World:
    """Many students who have every field that may be declined."""
    values = {"email": "{n}@x.org", "state_id": "{n}", "ell_status": "Y", "gender": "F"}
    students = {
        f"s{n}": Person(f"s{n}", ["N"], {name: value.format(n=n) for name, value in values.items()})
        for n in range(STUDENTS)
    }
    return World(schools={"N": School("N", {"name": "North"})}, students=students)


async def test_nothing_is_lost_between_many_writers(service: Service) -> None:
    """Eight writers on one district and one on each of eight others, and readers who follow: all events, each once.

    Every change is of field groups, so that it makes an event for each student. Catches events that are ordered by
    numbers drawn before the change is committed: a reader passes one that becomes visible later.
    """
    places = [await begin(service) for _ in range(1 + WRITERS)]
    done = asyncio.Event()
    followers = [Follower(application) for application in places]
    reading = [asyncio.create_task(keep_following(follower, done)) for follower in followers]
    writers = [(places[0], n) for n in range(WRITERS)] + [(place, n) for n, place in enumerate(places[1:])]
    await asyncio.gather(*(keep_changing(application, random.Random(n)) for application, n in writers))
    done.set()
    seen = await asyncio.gather(*reading)
    total = 0
    for application, follower, events in zip(places, followers, seen, strict=True):
        stored = await feed_of(application)
        assert [UUID(event["id"]).int >> 80 for event in events] == [
            revision for revision, n in stored for _ in range(n)
        ]
        assert len({event["id"] for event in events}) == len(events)
        assert follower.copy == await read_lists(application)
        assert {path for path, _ in follower.copy} <= set(PATHS)
        total += len(events)
    assert total > 100_000, total


async def begin(service: Service) -> Connected:
    """A district of many students, all of them shared."""
    district = await service.district()
    await district.publish(render(large()))
    optional = [name.removeprefix("students.") for name in DECLINABLE]
    application = await district.connect(await service.application(fields={"students": {"optional": optional}}))
    await application.share({"mode": "district"})
    return application


async def keep_changing(application: Connected, drawn: random.Random) -> None:
    """Decline one choice of groups after the other."""
    for _ in range(CHANGES):
        declined = [name for name in DECLINABLE if drawn.random() < 0.5]
        await application.district.call("PUT", f"{application.path}/fields", {"declined": declined})


async def keep_following(follower: Follower, done: asyncio.Event) -> list[Any]:
    """Follow until the writers are done, and then to the end; all events."""
    found: list[Any] = []
    while not done.is_set():
        found += await follower.follow(limit=4_999)
        await asyncio.sleep(0.05)
    return found + await follower.follow()


async def feed_of(application: Connected) -> list[tuple[int, int]]:
    """Each entry of the feed as stored: its revision, and how many events it has."""
    district_id = UUID(application.district.id)
    async with application.district.service.by_hand.read() as session:
        await enter_district(session, district_id)
        entries = await session.scalars(
            select(FeedEntry)
            .where(FeedEntry.district_id == district_id, FeedEntry.application_id == UUID(application.id))
            .order_by(FeedEntry.revision, FeedEntry.place)
        )
        return [
            (one.revision, sum(len(BitMap.deserialize(s)) for s in (one.created, one.updated, one.deleted)))
            for one in entries
        ]
