"""Which graphs a process keeps, and that decisions find them without holding anybody up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sharing_service.database import Database, enter_district
from sharing_service.roster import revisions
from sharing_service.roster.catalogue import Kind
from sharing_service.sharing import kept
from sharing_service.sharing.graph import Graph
from sharing_service.sharing.kept import Kept
from sharing_service.sharing.links import Links
from tests.factories.service import Connected, District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
FILES: Final = render(SMALL_DISTRICT)
NOBODY_ENROLLED: Final = FILES | {"enrollments.csv": FILES["enrollments.csv"].splitlines(keepends=True)[0]}


def small_graph() -> Graph:
    """A graph of one pair."""
    one = Links.of(np.array([1], np.uint32), np.array([7], np.uint32))
    return Graph({}, one, one, one, one, one, one, one, one, one)


async def published(district: District) -> Graph:
    """The graph that a preview would use now."""
    async with district.service.database.read() as session:
        await enter_district(session, UUID(district.id))
        return await kept.published(session, UUID(district.id))


async def enrolled(district: District) -> int:
    """In how many sections somebody is enrolled, by the graph that a preview would use now."""
    found = await published(district)
    return len(found.enrolled.lefts(found.records[Kind.STUDENTS]))


def test_the_graphs_used_last_are_kept_within_their_limit() -> None:
    """The one that was not used for longest goes first, and one is kept however large it is.

    Catches a process that grows with each district and each sync.
    """
    one = small_graph()
    keys = [(uuid4(), 1, NOW) for _ in range(3)]
    within = Kept(limit=2 * one.bytes)
    for key in (keys[0], keys[1], keys[0], keys[2]):
        within.keep(key, one)
    assert [within.get(key) is one for key in keys] == [True, False, True]
    assert within.districts() == [keys[0][0], keys[2][0]]
    within.forget(keys[0][0])
    assert within.districts() == [keys[2][0]]
    small = Kept(limit=1)
    small.keep(keys[0], one)
    assert small.get(keys[0]) is one


async def test_a_published_roster_is_read_once(district: District) -> None:
    """A graph serves until another roster is published; one without a published roster is empty and not kept.

    Catches a graph that outlives its roster.
    """
    assert (await published(district)).records[Kind.STUDENTS].to_array().tolist() == []
    await district.publish(FILES)
    first, again = await asyncio.gather(published(district), published(district))
    assert len(first.records[Kind.STUDENTS]) == len(SMALL_DISTRICT.students)
    assert again is first
    assert await published(district) is first
    await district.publish(NOBODY_ENROLLED)
    assert await enrolled(district) == 0


async def test_kept_graphs_follow_their_rosters(district: District) -> None:
    """Once a roster whose graph is kept has been replaced, the graph of the new one is read before it is needed."""
    await district.publish(FILES)
    first = await published(district)
    await kept.refresh(district.service.database)
    assert await published(district) is first
    await district.publish(NOBODY_ENROLLED)
    await kept.refresh(district.service.database)
    async with held(district), asyncio.timeout(30):
        assert await enrolled(district) == 0


async def test_graphs_are_refreshed_again_after_an_error(district: District, caplog: pytest.LogCaptureFixture) -> None:
    """A process goes on refreshing when the database was away, and its log tells no more than that."""
    await district.publish(FILES)
    await published(district)
    refreshing = asyncio.create_task(kept.stay_fresh(Database("postgresql://nobody@127.0.0.1:1/none"), every=0.01))
    async with asyncio.timeout(30):
        while len(caplog.messages) < 2:
            await asyncio.sleep(0.01)
            assert not refreshing.done()
    refreshing.cancel()
    await asyncio.wait([refreshing])
    assert {"nobody" in message for message in caplog.messages} == {False}


@asynccontextmanager
async def held(district: District, table: str = "contact_students") -> AsyncIterator[AsyncConnection]:
    """A transaction that lets nobody read a part of a graph, by default the last one."""
    async with district.service.by_hand.engine.begin() as connection:
        await connection.execute(text(f"lock table {table} in access exclusive mode"))
        yield connection


async def waiting(connection: AsyncConnection, what: str = "relation") -> None:
    """Come back when somebody waits for what `held` holds, or for a transaction to end."""
    wanted = text("select exists (select from pg_locks where not granted and locktype = :what)")
    async with asyncio.timeout(30):
        while True:
            if await connection.scalar(wanted, {"what": what}):
                return
            await asyncio.sleep(0.01)


async def test_a_roster_that_changes_while_it_is_read_is_not_kept(district: District) -> None:
    """A graph of which a part is older than a publication and a part newer serves nobody.

    Catches one that is kept for the revision at which it was begun, for a preview that still sees that revision.
    """
    await district.publish(FILES)
    district_id = UUID(district.id)
    database = district.service.database
    async with database.read() as snapshot, database.write() as session:
        for reader in (snapshot, session):
            await enter_district(reader, district_id)
        async with held(district, "section_students") as connection:
            reading = asyncio.create_task(kept.published(session, district_id))
            await waiting(connection)
            ids = {"district": district_id}
            await connection.execute(text("delete from section_students where district_id = :district"), ids)
            await connection.execute(text("update districts set published_at = now() where id = :district"), ids)
        await reading
        before = await kept.published(snapshot, district_id)
        assert before.enrolled.lefts(before.records[Kind.STUDENTS])
    assert await enrolled(district) == 0


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application to which the small district is shared by school site."""
    await district.publish(FILES)
    tutor = await district.connect()
    await tutor.share({"mode": "district"})
    await tutor.share({"mode": "school_site"})
    return tutor


Decide = Callable[[Connected], Coroutine[Any, Any, None]]


async def save(tutor: Connected) -> None:
    """Save a permission."""
    await tutor.share({"mode": "district", "include_staff": True})


async def restore(tutor: Connected) -> None:
    """Restore the first version."""
    await tutor.district.call("POST", f"{tutor.path}/sharing/history/1/restore")


async def choose(tutor: Connected) -> None:
    """Select everyone of a school."""
    north = (await tutor.district.ids())["schools", "N"]
    await tutor.district.call("PUT", f"{tutor.path}/sites/{north}", {"share": "everyone"})


async def block(tutor: Connected) -> None:
    """Block a student for all applications."""
    ann = (await tutor.district.ids())["students", "ann"]
    await tutor.district.call("POST", "/blocks", {"kind": "students", "record_id": ann, "reason": "Asked for it"}, 201)


async def unblock(tutor: Connected) -> None:
    """Unblock her."""
    [there] = (await tutor.district.get("/blocks"))["data"]
    await tutor.district.call("DELETE", f"/blocks/{there['id']}", status=204)


@pytest.mark.parametrize("decide", [save, restore, choose, unblock], ids=lambda decide: decide.__name__)
async def test_decisions_read_before_they_lock(tutor: Connected, decide: Decide) -> None:
    """While the first decision after a publication reads the new roster, the district can be locked by others.

    Catches seconds for which nobody narrows what is shared.
    """
    district = tutor.district
    if decide is unblock:
        await block(tutor)
    await district.publish(NOBODY_ENROLLED)
    async with held(district) as connection:
        deciding = asyncio.create_task(decide(tutor))
        await waiting(connection)
        await lock_at_once(district)
    await deciding


@pytest.mark.parametrize("decide", [save, restore, choose, unblock], ids=lambda decide: decide.__name__)
async def test_decisions_that_waited_for_a_publication_let_go_to_read(tutor: Connected, decide: Decide) -> None:
    """A decision that gets the lock from a publication reads the new roster without it.

    Catches one that reads ahead but once: it had the old graph, and reads the new one while all others wait.
    """
    district = tutor.district
    if decide is unblock:
        await block(tutor)
    await published(district)
    async with held(district) as reading:
        async with district.service.by_hand.engine.begin() as publishing:
            ids = {"district": UUID(district.id)}
            await publishing.execute(text("update districts set published_at = now() where id = :district"), ids)
            deciding = asyncio.create_task(decide(tutor))
            await waiting(publishing, "transactionid")
        await waiting(reading)
        await lock_at_once(district)
    await deciding


async def test_a_decision_that_publications_overtake_is_made(tutor: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision for which no graph could be read ahead reads it when it has locked the district.

    Catches one that gives up.
    """
    monkeypatch.setattr(kept, "READ_AHEAD", 0)
    await tutor.district.publish(NOBODY_ENROLLED)
    await save(tutor)
    assert (await tutor.district.get(f"{tutor.path}/sharing"))["sharing"]["include_staff"]


async def test_a_block_waits_for_no_graph(district: District) -> None:
    """Somebody is blocked while the new roster cannot be read as a whole.

    Catches a block that reads it: of a large district that takes seconds, for which she is still shared.
    """
    await district.publish(FILES)
    application = await district.connect()
    await application.share({"mode": "district"})
    await district.publish(NOBODY_ENROLLED)
    ann = (await district.ids())["students", "ann"]
    async with held(district, "school_people"):
        await district.call("POST", "/blocks", {"kind": "students", "record_id": ann, "reason": "Asked for it"}, 201)
    await application.read(f"/users/{ann}", 404)


async def lock_at_once(district: District) -> None:
    """Lock the district as any decision does, without waiting for another."""
    async with district.service.database.write() as session:
        await session.execute(text("set local lock_timeout = 100"))
        await revisions.lock(session, UUID(district.id))
