"""A sync while others decide: what was decided last holds, on the roster that came last."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import cycle, islice
from uuid import UUID

import pytest
from sqlalchemy import select, text

from sharing_service.actions.sync_roster import ATTEMPTS, sync_roster
from sharing_service.database import enter_district
from sharing_service.delivery import ledger, publication
from sharing_service.delivery.models import StoredLedger
from sharing_service.roster import syncs
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.beside import Beside
from sharing_service.sharing.models import Grant
from tests.actions.uploads import BEFORE_THE_LEDGERS
from tests.factories.reading import seen_by
from tests.factories.service import Connected, District, Json
from tests.factories.upload import render
from tests.oracle import share
from tests.stories.test_no_instant import roster
from tests.test_resolution import select_sites

BEFORE_THE_LOCK = 0.95
"""The progress at which all ledgers are evaluated and the district is not locked yet."""


WAITING = "select exists (select from pg_locks where relation = 'site_selections'::regclass and not granted)"


async def queued(district: District, files: dict[str, str]) -> str:
    """Upload files without running the sync."""
    parts = [(name, (name, text, "text/csv")) for name, text in files.items()]
    response = await district.service.client.post(f"{district.path}/syncs", files=parts, headers=district.admin)
    return str(response.json()["id"])


async def run(
    district: District,
    meanwhile: Callable[[], Awaitable[object]],
    *,
    at: float = BEFORE_THE_LOCK,
    times: int = 1,
    attempt: int = 1,
    beside: Beside | None = None,
) -> None:
    """Run the queued sync, and something else at the instant before it takes the lock, or at another progress.

    That is done once, or each of some `times` that the sync gets there.
    """
    district_id = UUID(district.id)
    left = iter(range(times))

    async def progress(done: float) -> None:
        if done == at and next(left, None) is not None:
            await meanwhile()

    async with district.service.jobs.write() as session:
        await enter_district(session, district_id)
        await syncs.take_turn(session, district_id)
        sync = await syncs.next_of(session, district_id)
        assert sync is not None
        await sync_roster(session, sync, attempt=attempt, limits=ArchiveLimits(), progress=progress, beside=beside)


async def shared_by_all(district: District) -> Connected:
    """An application that the whole first roster is shared with."""
    await district.publish(render(roster(0)))
    application = await district.connect()
    await application.share({"mode": "district"})
    return application


@pytest.mark.asvs("V2.3.4")
async def test_narrowing_does_not_wait_for_a_sync_and_holds_after_it(district: District) -> None:
    """A permission saved while a sync works is answered at once, and the sync publishes the ledger of that permission.

    Catches a sync that swaps in the ledgers it evaluated before the lock, which would share again what was unshared.
    """
    application = await shared_by_all(district)
    await queued(district, render(roster(1)))
    ids = await district.ids()
    narrow = {"mode": "schools", "school_ids": [ids["schools", "N"]]}

    async def narrowed() -> None:
        await application.share(narrow)
        assert await seen_by(application) == share(roster(0), narrow, ids=ids)

    await run(district, narrowed)
    ids |= await district.ids()
    assert await seen_by(application) == share(roster(1), narrow, ids=ids)


async def test_what_is_decided_all_the_time_holds_after_a_sync(district: District) -> None:
    """A sync during which each draft is outdated at once publishes what was decided last, of each application.

    Catches a sync that publishes what it drafted last before the lock, or that goes on drafting for ever.
    """
    application = await shared_by_all(district)
    await queued(district, render(roster(1)))
    ids = await district.ids()
    chosen = islice(cycle("NS"), publication.DRAFTED_AHEAD + 1)
    wanted = [{"mode": "schools", "school_ids": [ids["schools", school]]} for school in chosen]
    left = iter(wanted)
    await run(district, lambda: application.share(next(left)), times=len(wanted))
    assert list(left) == wanted[-1:]
    ids |= await district.ids()
    assert await seen_by(application) == share(roster(1), wanted[-2], ids=ids)


async def test_narrowing_between_two_ledgers_does_not_fail_the_sync(district: District) -> None:
    """A permission saved while a sync evaluates the ledger of another application holds, and the sync is published.

    Catches a sync that reads the grants first and their ledgers one by one: a save has deleted the one it looks for.
    """
    await district.publish(render(roster(0)))
    first, second = await district.connect(), await district.connect()
    await first.share({"mode": "school_site"})
    await second.share({"mode": "district"})
    await queued(district, render(roster(1)))
    narrow = {"mode": "schools", "school_ids": [(await district.ids())["schools", "N"]]}
    selections_wait = asyncio.Event()

    async def save_while_the_first_waits() -> None:
        async with district.service.by_hand.write() as holder:
            await holder.execute(text("lock table site_selections in access exclusive mode"))
            selections_wait.set()
            while not await holder.scalar(text(WAITING)):  # noqa: ASYNC110 - only the server knows who waits
                await asyncio.sleep(0.01)
            await second.share(narrow)
            ledger._decoded.clear()  # the worker is a process of its own, which has never seen these ledgers

    async def begin() -> None:
        saving.append(asyncio.create_task(save_while_the_first_waits()))
        await selections_wait.wait()

    saving: list[asyncio.Task[None]] = []
    await run(district, begin, at=BEFORE_THE_LEDGERS)
    await saving[0]
    assert await seen_by(second) == share(roster(1), narrow, ids=await district.ids())


async def test_a_block_set_while_a_sync_works_holds_after_it(district: District) -> None:
    """A person who is blocked while a sync works stays blocked when it is published."""
    application = await shared_by_all(district)
    await queued(district, render(roster(1)))
    ids = await district.ids()
    body = {"kind": "teachers", "record_id": ids["teachers", "t1"], "application_id": None, "reason": "asked for"}
    await run(district, lambda: district.call("POST", "/blocks", body, status=201))
    ids |= await district.ids()
    expected = share(roster(1), {"mode": "district"}, ids=ids, blocks={("teachers", "t1")})
    assert await seen_by(application) == expected


async def test_a_grant_paused_while_a_sync_works_stays_paused(district: District) -> None:
    """A pause set while a sync works is still there when it is published."""
    application = await shared_by_all(district)
    await queued(district, render(roster(1)))
    await run(district, lambda: district.call("POST", f"{application.path}/pause"))
    await application.read("/users", 423)


async def test_an_application_connected_while_a_sync_works_sees_its_roster(district: District) -> None:
    """A grant that is made and shared with while a sync works shares the new roster."""
    await shared_by_all(district)
    await queued(district, render(roster(1)))
    found: list[Connected] = []

    async def connected() -> None:
        found.append(await district.connect())
        await found[0].share({"mode": "district"})

    await run(district, connected)
    assert await seen_by(found[0]) == share(roster(1), {"mode": "district"}, ids=await district.ids())


async def test_a_disconnected_application_is_not_brought_back(district: District) -> None:
    """A grant that ends while a sync works is gone when it is published."""
    application = await shared_by_all(district)
    sync_id = await queued(district, render(roster(1)))
    await run(district, lambda: district.call("DELETE", application.path, status=204))
    assert (await district.sync_report(sync_id))["status"] == "published"
    await district.get(application.path, 404)


async def test_replaced_ledgers_go_after_a_sync(district: District) -> None:
    """Of what a sync leaves behind only the ledgers go that no grant points to.

    Catches ledgers that stay for ever, one a night for each application, and one deleted under a reader.
    """
    application = await shared_by_all(district)
    await queued(district, render(roster(1)))
    await run(district, nothing)
    assert await ledgers_pointed_to(district) == [False, True]
    await district.clear_away()
    assert await ledgers_pointed_to(district) == [True]
    assert await seen_by(application) == share(roster(1), {"mode": "district"}, ids=await district.ids())


async def ledgers_pointed_to(district: District) -> list[bool]:
    """Of each ledger of a district, whether a grant points to it."""
    pointed = select(Grant.ledger_id).where(Grant.ledger_id == StoredLedger.id).exists()
    statement = select(pointed).where(StoredLedger.district_id == UUID(district.id)).order_by(pointed)
    async with district.service.by_hand.read() as session:
        return list(await session.scalars(statement))


async def nothing() -> None:
    """Decide nothing."""


async def test_a_sync_that_keeps_failing_is_given_up(district: District) -> None:
    """After the last attempt a sync fails with a reason, nothing changes, and the next one gets its turn."""
    sync_id = await queued(district, render(roster(0)))

    async def nothing() -> None:
        raise AssertionError("a sync that is given up does no work")

    await run(district, nothing, attempt=ATTEMPTS + 1)
    report = await district.sync_report(sync_id)
    assert report["status"] == "failed"
    assert [problem["code"] for problem in report["problems"]] == ["given_up"]
    assert report["revision"] is None
    await district.publish(render(roster(0)))


def by_grade(grade: str, operator: str = "is", **rest: bool) -> Json:
    """A permission of one rule, on the grade of students."""
    where = [{"field": "grade", "operator": operator, "values": [grade]}]
    return {"mode": "rules", "rules": [{"match": "students", "where": where, **rest}]}


async def test_grants_are_given_what_their_own_rules_match(district: District) -> None:
    """After a sync each grant shares what its rules match, whether others have the same rules, nearly the same or none.

    Catches an answer that is remembered for one grant and given to another whose rules, or schools, are not the same.
    """
    await district.publish(render(roster(0)))
    permissions = [
        by_grade("2"),
        by_grade("2"),
        by_grade("3"),
        by_grade("2", operator="is_not"),
        by_grade("2", companions=False),
        {"mode": "school_site"},
    ]
    applications = [await district.connect() for _ in permissions]
    for application, permission in zip(applications, permissions, strict=True):
        await application.share(permission)
    ids = await district.ids()
    sites: dict[str, Json] = {"N": {"share": "rules", "rules": by_grade("2")["rules"]}}
    await select_sites(applications[-1], sites, ids)
    await district.publish(render(roster(1)))
    ids |= await district.ids()
    for application, permission in zip(applications, permissions, strict=True):
        assert await seen_by(application) == share(roster(1), permission, ids=ids, sites=sites)
