"""The worker: which sync runs when, and what becomes of one whose job is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pgqueuer import PgQueuer
from sqlalchemy import text, update

from sharing_service import worker
from sharing_service.database import enter_district
from sharing_service.roster import syncs
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.models import District as DistrictRow
from sharing_service.roster.sync_models import Sync
from tests.actions.test_sync_roster import queued
from tests.factories.logged import logged
from tests.factories.service import District, Service, answered
from tests.factories.upload import render
from tests.stories.test_no_instant import roster


async def nothing_to_do(service: Service) -> None:
    """End the syncs that other tests left waiting: a worker would run them all first."""
    async with service.by_hand.write() as session:
        await session.execute(text("update syncs set status = 'discarded' where status in ('queued', 'running')"))
    await forget_jobs(service)


async def forget_jobs(service: Service) -> None:
    """Empty the queue, as a restore of the database without it would."""
    async with service.by_hand.write() as session:
        await session.execute(text("delete from pgqueuer"))


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """A worker that runs jobs as long as the block lasts."""
    started: asyncio.Future[PgQueuer] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(worker.run(service.jobs, limits=ArchiveLimits(), started=started.set_result))
    try:
        yield
    finally:
        either: list[asyncio.Future[Any]] = [started, task]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            started.result().shutdown.set()
        await task


async def published(district: District, *sync_ids: str) -> None:
    """Wait until these syncs are published."""
    async with asyncio.timeout(60):
        for sync_id in sync_ids:
            while await status(district, sync_id) != "published":  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.1)


async def status(district: District, sync_id: str) -> str:
    """How a sync stands."""
    return str((await district.sync_report(sync_id))["status"])


async def test_syncs_of_a_district_run_in_order_of_arrival(district: District) -> None:
    """A job runs the oldest sync, whichever upload queued it, and tells whether there are more."""
    first = await queued(district, render(roster(0)))
    second = await queued(district, render(roster(1)))
    more = await worker.run_next_sync(district.service.jobs, UUID(district.id), limits=ArchiveLimits())
    assert more
    assert [await status(district, first), await status(district, second)] == ["published", "queued"]


async def test_a_busy_district_keeps_no_place_from_the_others(service: Service) -> None:
    """While one district's sync is at work, jobs of that district step aside and another district's are run.

    Catches jobs that wait for their district's turn: two of them would fill the worker.
    """
    await nothing_to_do(service)
    busy, other = await service.district(), await service.district()
    waiting = [await queued(busy, render(roster(0))) for _ in range(worker.AT_ONCE)]
    free = await queued(other, render(roster(0)))
    async with working(service):
        async with service.by_hand.write() as session:
            await enter_district(session, UUID(busy.id))
            assert await syncs.take_turn(session, UUID(busy.id))
            await published(other, free)
            assert {await status(busy, sync_id) for sync_id in waiting} == {"queued"}
        await published(busy, *waiting)


async def test_a_sync_whose_job_is_lost_runs_when_a_worker_starts(service: Service) -> None:
    """A worker looks for unfinished syncs when it starts, so that none waits for an upload that may never come.

    Catches a worker that trusts the queue alone.
    """
    await nothing_to_do(service)
    district = await service.district()
    sync_id = await queued(district, render(roster(0)))
    await forget_jobs(service)
    async with working(service):
        await published(district, sync_id)


async def kept(district: District, sync_id: str) -> bool:
    """Whether anything that was uploaded for a sync is in the database."""
    return await district.kept_rows(sync_id) > 0


async def deleted(district: District, sync_id: str) -> None:
    """Wait until nothing that was uploaded for a sync is."""
    while await kept(district, sync_id):  # noqa: ASYNC110 - the worker tells nobody
        await asyncio.sleep(0.1)


async def ended(district: District) -> str:
    """A published sync whose own job alone was run."""
    sync_id = await queued(district, render(roster(0)))
    await worker.run_next_sync(district.service.jobs, UUID(district.id), limits=ArchiveLimits())
    assert await status(district, sync_id) == "published"
    return sync_id


async def test_an_upload_is_deleted_after_its_sync(service: Service) -> None:
    """What was uploaded goes as soon as its sync is final, and that of another sync stays until that is.

    Catches: a sync that ends without the job, and a job that deletes what another sync has not read yet.
    """
    await nothing_to_do(service)
    district = await service.district()
    done = await ended(district)
    waiting = await queued(district, render(roster(1)))
    before = await kept(district, done), await kept(district, waiting)
    await worker.clear_away(service.jobs, UUID(district.id))
    after = await kept(district, done), await kept(district, waiting)
    async with working(service), asyncio.timeout(60):
        await published(district, waiting)
        await deleted(district, waiting)

    assert (before, after) == ((True, True), (False, True))


async def test_an_upload_whose_job_is_lost_is_deleted_when_a_worker_starts(service: Service) -> None:
    """A worker looks for uploads of final syncs when it starts, so that none stays for ever.

    Catches a worker that trusts the queue alone.
    """
    await nothing_to_do(service)
    district = await service.district()
    done = await ended(district)
    await forget_jobs(service)
    async with working(service), asyncio.timeout(60):
        await deleted(district, done)


async def test_an_erasure_whose_job_is_lost_goes_on_when_a_worker_starts(service: Service) -> None:
    """A district that is being erased is erased to its end, whatever becomes of its job.

    Catches one whose rows stay for ever, since nobody can ask for its erasure again.
    """
    await nothing_to_do(service)
    district = await service.district()
    await ended(district)
    answered(await service.client.delete(f"/v1/districts/{district.id}", headers=service.operator), 202)
    await forget_jobs(service)
    async with working(service), asyncio.timeout(60):
        while await name_of(district):  # noqa: ASYNC110 - the worker tells nobody
            await asyncio.sleep(0.1)


async def name_of(district: District) -> str:
    """The name of a district, which goes when all its rows have."""
    async with district.service.by_hand.read() as session:
        return (await session.get_one(DistrictRow, UUID(district.id))).name


async def open_again(service: Service) -> None:
    """Let the worker delete files."""
    async with service.by_hand.write() as session:
        await session.execute(text("grant delete on upload_files to sharing_worker"))


async def test_a_deletion_that_fails_is_tried_again(service: Service) -> None:
    """An upload that could not be deleted is, once it can be.

    Catches a job that is over when it has failed, and files that stay until somebody sends others.
    """
    await nothing_to_do(service)
    district = await service.district()
    done = await ended(district)
    async with service.by_hand.write() as session:
        await session.execute(text("revoke delete on upload_files from sharing_worker"))
    try:
        with logged() as log:
            async with working(service), asyncio.timeout(60):
                # That of the sync, and that of the worker's look for lost ones.
                while len(log.lines("a job failed")) < 2:  # noqa: ASYNC110 - the worker tells nobody
                    await asyncio.sleep(0.1)
                assert await kept(district, done)
                await open_again(service)
                await deleted(district, done)
    finally:
        await open_again(service)


async def test_a_job_that_fails_says_nothing_private(service: Service) -> None:
    """Of a sync that fails for a reason nobody foresaw, the log tells types and places, and the queue keeps no word.

    Catches the exception of a database, which names values, handed on to the queue.
    """
    await nothing_to_do(service)
    district = await service.district()
    sync_id = await queued(district, render(roster(0)))
    async with service.by_hand.write() as session:
        await enter_district(session, UUID(district.id))
        caller = {"role": "Zebedee"}
        await session.execute(
            update(Sync).where(Sync.district_id == UUID(district.id), Sync.id == UUID(sync_id)).values(caller=caller)
        )
    with logged() as log:
        async with working(service), asyncio.timeout(60):
            while not log.lines("a job failed"):  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.1)
    await nothing_to_do(service)

    line = log.lines("a job failed")[0]
    assert (line["job"], line["district_id"]) == ("sync_roster", district.id)
    assert line["error"][0]["frames"]
    async with service.by_hand.read() as session:
        kept = list(await session.scalars(text("select traceback::text from pgqueuer_log where traceback is not null")))
    assert any("JobFailed" in one for one in kept)
    assert "Zebedee" not in log.text + "".join(kept)
