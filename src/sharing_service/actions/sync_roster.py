"""Make the roster of a district equal to an upload, and publish it with every ledger under one revision."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access import callers
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import documents, moved, publication
from sharing_service.delivery.differences import NOTHING
from sharing_service.delivery.publication import Drafts
from sharing_service.roster import comparing, intake, merging, revisions, staging, syncs, taking
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.beside import Beside
from sharing_service.roster.enrolling import Pairs
from sharing_service.roster.fingerprint import fingerprint
from sharing_service.roster.models import District
from sharing_service.roster.outcome import Changes, Outcome, grows_much, rejected_in, removes_too_much, report
from sharing_service.roster.problems import Problem, ProblemLog, UploadUnreadable
from sharing_service.roster.sync_models import Sync, UploadFile
from sharing_service.roster.taking import Progress
from sharing_service.sharing import grants, graph

ATTEMPTS: Final = 3
"""A sync that ended its worker this often is given up."""
GIVEN_UP: Final = Problem(
    "error", "", None, None, "given_up", "The service failed on these files again and again. Nothing changed."
)


@dataclass(slots=True)
class _Work:
    """One attempt at a sync, and what is to be told of it however it ends."""

    session: AsyncSession
    sync: Sync
    progress: Progress
    first: bool
    """Whether the district has published nothing yet."""
    beside: Beside | None
    """A second connection, for the first roster of a district."""
    log: ProblemLog = field(default_factory=ProblemLog)
    outcome: Outcome = field(default_factory=dict)
    fingerprint: bytes = b""
    coming: graph.Coming | None = None
    """The coming roster, once it is written."""
    revision: int | None = None

    @property
    def district_id(self) -> UUID:
        return self.sync.district_id

    @property
    def differs(self) -> bool:
        """Whether the coming roster is another one than the published one."""
        return any(changes.added or changes.changed or changes.removed for changes in self.outcome.values())


class _NotPublished(Exception):
    """Undo the work and end the sync with another status."""

    def __init__(self, status: Literal["checked", "held", "failed"]) -> None:
        super().__init__(status)
        self.status = status


async def sync_roster(
    session: AsyncSession,
    sync: Sync,
    *,
    attempt: int,
    limits: ArchiveLimits,
    progress: Progress,
    beside: Beside | None = None,
) -> None:
    """Bring the roster to the upload of `sync` and write down how it ended; the caller has taken the district's turn.

    Readers see the old roster and the old ledgers until the transaction is committed, then both new ones. The first
    roster of a district is written by two connections if there is a second one, `beside`.
    """
    first = (await session.get_one(District, sync.district_id)).published_revision is None
    if first and beside is not None:
        await beside.clear()
    # What a dry run writes is undone, and what is written beside would not be.
    work = _Work(session, sync, progress, first, beside if first and not sync.dry_run else None)
    discarded = [] if sync.dry_run else await syncs.discard_held(session, sync)
    status = await _attempt(work, attempt=attempt, limits=limits)
    if status == "published":
        await syncs.note_published(session, sync, work.fingerprint)
    elif work.beside is not None:
        await work.beside.clear()
    told = report(work.outcome, work.log.rejected)
    await syncs.end(session, sync, status, report=told, log=work.log, revision=work.revision)
    caller = callers.restored(sync.caller, sync.district_id)
    trail.record(
        session,
        caller,
        AuditAction.SYNC_ROSTER,
        district_id=sync.district_id,
        subject={"kind": "sync", "id": str(sync.id)},
        after={"status": status, "dry_run": sync.dry_run, "report": told, "discarded": discarded},
        revision=work.revision,
    )


async def _attempt(work: _Work, *, attempt: int, limits: ArchiveLimits) -> str:
    if attempt > ATTEMPTS:
        work.log.fail([GIVEN_UP])
        return "failed"
    files = await intake.files_of(work.session, work.district_id, work.sync.id)
    work.fingerprint = fingerprint(files, limits)
    if await _is_published_already(work):
        return "checked" if work.sync.dry_run else "published"
    try:
        async with work.session.begin_nested():
            await _take_in(work, files, limits)
            await _publish(work)
    except _NotPublished as ending:
        return ending.status
    except UploadUnreadable as error:
        work.log.fail(error.problems)
        return "failed"
    return "published"


async def _is_published_already(work: _Work) -> bool:
    """Whether the roster was made of the very same files: then nothing moves, and the same rows are wrong again."""
    same = await syncs.published_from(work.session, work.district_id, work.fingerprint)
    if same is None:
        return False
    district = await work.session.get_one(District, work.district_id, populate_existing=True)
    work.revision = district.published_revision
    work.outcome = {kind: Changes() for kind in same.report}
    work.log = ProblemLog.restored(same.problems, count=same.problem_count, rejected=rejected_in(same.report))
    return True


async def _take_in(work: _Work, files: Sequence[UploadFile], limits: ArchiveLimits) -> None:
    """Everything that needs no lock: read, check, compare, write the new roster where nobody sees it yet."""
    session, district_id = work.session, work.district_id
    await session.execute(text("set local work_mem = '128MB'"))
    checked, comparison = await taking.read(
        session,
        district_id,
        files,
        limits,
        work.log,
        sync_id=work.sync.id,
        progress=work.progress,
        first=work.first,
        beside=work.beside,
        meanwhile=partial(_write_records, work, work.beside) if work.beside else None,
    )
    await work.progress(0.6)
    work.coming = graph.Coming(session, district_id, checked.enrolled)
    if not work.first:
        await moved.remember(session, district_id, whole=checked.whole)
    if work.beside is None:
        work.outcome = await merging.merge(session, district_id, checked)
    else:
        await merging.write_schools(session, district_id, work.beside)
        work.outcome["enrollments"] = Changes(added=len(checked.enrolled))
    await work.progress(0.8)
    if work.first:
        await documents.write_first(session, district_id, work.beside)
    else:
        if work.differs and await grants.any_shares(session, district_id):
            await work.coming.read_ahead()
        await documents.rewrite(session, district_id)
    comparable = comparison if checked.clean else None
    await comparing.keep(session, district_id, comparable, checked.records, fingerprint=work.fingerprint)
    if work.beside is not None:
        await work.beside.finish()
    await work.progress(0.9)


async def _write_records(work: _Work, beside: Beside, enrolled: "asyncio.Task[Pairs]") -> None:
    work.outcome = await merging.write_records(work.session, work.district_id, beside, enrolled)


async def _publish(work: _Work) -> None:
    """Hold what a person must see first; else lock the district, redo what was decided meanwhile, and swap."""
    session, district_id, sync = work.session, work.district_id, work.sync
    district = await session.get_one(District, district_id, populate_existing=True)
    if not work.first and not work.differs:
        work.revision = district.published_revision
        if sync.dry_run:
            raise _NotPublished("checked")
        return
    await _refresh_statistics(work)
    await staging.plan_for_bulk(session, bulk=False)
    assert work.coming is not None  # noqa: S101 - whoever publishes has written it
    caller = callers.restored(sync.caller, district_id)
    movements = NOTHING if work.first else await moved.find(session, district_id)
    await staging.drop(session)

    async def drafted(drafts: Drafts) -> None:
        _check_hold(work, drafts)
        await work.progress(0.95)

    drafts = await publication.draft_and_lock(session, district_id, work.coming, movements, drafted)
    _check_hold(work, drafts)
    revision = await revisions.take(session, district_id, cause=AuditAction.SYNC_ROSTER, caller=caller)
    await publication.publish(session, district_id, drafts, revision=revision)
    work.revision = district.published_revision = revision
    district.published_at = datetime.now(UTC)
    await session.flush()


def _check_hold(work: _Work, drafts: Drafts) -> None:
    """Hold what removes, or newly shares, so much that it may be a mistake; a dry run ends here in any case."""
    removing = removes_too_much(work.outcome)
    sharing = [application for application, drafted in drafts.items() if drafted.shares_too_much]
    held = bool(removing or sharing) and not work.first and not work.sync.released
    if held:
        for kind in removing:
            text = f"More {kind} would leave than usual; release or discard."
            work.log.warn_first(f"{kind}.csv", "removes_too_much", text)
        for application in sharing:
            text = f"Application {application} would receive far more students than before; release or discard."
            work.log.warn_first("", "shares_too_much", text)
    if work.sync.dry_run:
        raise _NotPublished("checked")
    if held:
        raise _NotPublished("held")


async def _refresh_statistics(work: _Work) -> None:
    """The ledgers are evaluated in this transaction, before any autovacuum could tell the planner what came in."""
    if grows_much(work.outcome):
        await work.session.execute(text("select refresh_statistics()"))  # only who owns a table may analyse it
