"""Runs background jobs: syncs, one at a time per district in order of arrival, and deletions of what is left."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.domain.types import QueueExecutionMode
from pgqueuer.models import Job

from sharing_service import memory, tracing
from sharing_service.actions.erase_district import erase_batch
from sharing_service.actions.sync_roster import sync_roster
from sharing_service.database import Database, enter_district
from sharing_service.delivery import ledger
from sharing_service.jobs import enqueue, payload_of
from sharing_service.logs import failures
from sharing_service.roster import syncs
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.beside import Beside

AT_ONCE: Final = 2
"""Jobs of one worker process: a sync keeps a core busy."""
RETRY_AFTER: Final = timedelta(seconds=1)
ERASED_AT_ONCE: Final = 20_000


log = logging.getLogger(__name__)


class JobFailed(Exception):
    """Ends a job. The queue keeps the words of its exceptions, and those of others may be rows of children."""


async def run(
    database: Database, *, limits: ArchiveLimits, drain: bool = False, started: Callable[[PgQueuer], None] | None = None
) -> None:
    """Run jobs until shut down (`started` receives the queue to do that with), or with `drain` until none is left."""
    connection = await database.connect()
    try:
        queue = PgQueuer(AsyncpgDriver(connection))

        @queue.entrypoint("sync_roster")
        async def sync(job: Job) -> None:
            async with _at_work(database, job) as district_id:
                if await run_next_sync(database, district_id, limits=limits):
                    await _queue(database, "sync_roster", district_id)

        @queue.entrypoint("erase_district")
        async def erase(job: Job) -> None:
            async with _at_work(database, job) as district_id:
                await erase_district(database, district_id)
                log.info("a district was erased", extra={"district_id": district_id})

        @queue.entrypoint("delete_uploads")
        async def delete(job: Job) -> None:
            async with _at_work(database, job) as district_id:
                await clear_away(database, district_id)

        await _queue_lost(database)
        if started is not None:
            started(queue)
        await queue.run(
            dequeue_timeout=timedelta(seconds=0 if drain else 5),
            batch_size=AT_ONCE // 2,  # the queue wants room for two batches
            max_concurrent_tasks=AT_ONCE,
            mode=QueueExecutionMode.drain if drain else QueueExecutionMode.continuous,
        )
    finally:
        await connection.close()


async def _queue_lost(database: Database) -> None:
    """Queue what is to be done anew: a job may have been lost with the worker that had it."""
    async with database.read() as session:
        unfinished, done = await syncs.districts_waiting(session)
        erasing = await syncs.districts_erasing(session)
    for entrypoint, districts in (("sync_roster", unfinished), ("delete_uploads", done), ("erase_district", erasing)):
        for district_id in districts:
            await _queue(database, entrypoint, district_id)


@asynccontextmanager
async def _at_work(database: Database, job: Job) -> AsyncIterator[UUID]:
    """The district of a job, in the trace of the request that queued it; one that fails is logged and queued again.

    The attempts at a sync are counted in the sync itself, which gives up in the end.
    """
    payload = payload_of(job.payload)
    district_id = UUID(payload["district_id"])
    with tracing.within(tracing.of_job(payload)):
        try:
            yield district_id
        except Exception as error:
            said = {"job": job.entrypoint, "district_id": district_id, "error": failures(error)}
            log.error("a job failed", extra=said)
            with suppress(Exception):  # else the next worker that starts finds what is to be done
                await _queue(database, job.entrypoint, district_id)
            raise JobFailed from None


async def _queue(database: Database, entrypoint: str, district_id: UUID) -> None:
    async with database.write() as session:
        await enqueue(session, entrypoint, {"district_id": str(district_id)}, delay=RETRY_AFTER)


async def run_next_sync(database: Database, district_id: UUID, *, limits: ArchiveLimits) -> bool:
    """Run the oldest sync of a district that is not finished, so that order of arrival is kept, unless one is at work.

    Returns whether a further job should look again: another sync has the turn, or this one was perhaps not the last.
    """
    begin = time.monotonic()
    async with database.write() as session:
        await enter_district(session, district_id)
        if not await syncs.take_turn(session, district_id):
            return True
        sync = await syncs.next_of(session, district_id)
        if sync is None:
            return False
        sync_id = sync.id

        async def progress(done: float) -> None:
            async with database.write() as notes:
                await enter_district(notes, district_id)
                await syncs.report_progress(notes, district_id, sync_id, done)

        async with database.write() as notes:
            await enter_district(notes, district_id)
            attempt = await syncs.begin(notes, district_id, sync_id)
        async with Beside(database.connect, district_id) as beside:
            await sync_roster(session, sync, attempt=attempt, limits=limits, progress=progress, beside=beside)
        more = await syncs.next_of(session, district_id) is not None
    await asyncio.to_thread(memory.give_back)
    said = {"district_id": district_id, "sync_id": sync_id, "outcome": sync.status}
    log.info("a sync ended", extra=said | {"seconds": round(time.monotonic() - begin, 3)})
    return more


async def clear_away(database: Database, district_id: UUID) -> None:
    """Delete what syncs that are final have left: ledgers that were replaced, then uploads.

    In two transactions: who disconnects an application waits for its ledgers, and an upload takes seconds.
    """
    async with database.write() as session:
        await enter_district(session, district_id)
        await ledger.drop_left(session, district_id)
    async with database.write() as session:
        await enter_district(session, district_id)
        await syncs.delete_uploads(session, district_id)


async def erase_district(database: Database, district_id: UUID) -> None:
    """Erase a district in batches, each a short transaction of its own."""
    while True:
        async with database.write() as session:
            await enter_district(session, district_id)
            if await erase_batch(session, district_id, ERASED_AT_ONCE):
                return
