"""Make the roster of a district equal to an upload, and publish it with every ledger under one revision."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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
from sharing_service.roster import checking, comparing, intake, merging, revisions, staging, syncs
from sharing_service.roster.archive import ArchiveLimits, Open
from sharing_service.roster.checking import Checked
from sharing_service.roster.comparing import Comparison
from sharing_service.roster.differing import ReadWhole
from sharing_service.roster.enrolling import Pairs
from sharing_service.roster.enrollment_rows import Frames, read_enrollments
from sharing_service.roster.fingerprint import fingerprint
from sharing_service.roster.loading import load_file, load_lines
from sharing_service.roster.models import District, Sync, UploadFile
from sharing_service.roster.outcome import Changes, Outcome, rejected_in, removes_too_much, report
from sharing_service.roster.plain import NotPlain
from sharing_service.roster.problems import Problem, ProblemLog, UploadUnreadable
from sharing_service.roster.upload import FILES, open_upload
from sharing_service.sharing import graph

Progress = Callable[[float], Awaitable[None]]
"""Notes how far a sync is, from 0 to 1."""

ATTEMPTS: Final = 3
"""A sync that ended its worker this often is given up."""
GIVEN_UP: Final = Problem(
    "error", "", None, None, "given_up", "The service failed on these files again and again. Nothing changed."
)
MANY: Final = 1000
"""Rows that may move the statistics of a table so far that the planner must see them at once."""
MUCH: Final = 10
"""Percent of the records there were that do."""


@dataclass(slots=True)
class _Work:
    """One attempt at a sync, and what is to be told of it however it ends."""

    session: AsyncSession
    sync: Sync
    progress: Progress
    log: ProblemLog = field(default_factory=ProblemLog)
    outcome: Outcome = field(default_factory=dict)
    fingerprint: bytes = b""
    enrolled: Pairs | None = None
    """All enrollments of the coming roster."""
    revision: int | None = None

    @property
    def district_id(self) -> UUID:
        return self.sync.district_id


class _NotPublished(Exception):
    """Undo the work and end the sync with another status."""

    def __init__(self, status: Literal["checked", "held", "failed"]) -> None:
        super().__init__(status)
        self.status = status


async def sync_roster(
    session: AsyncSession, sync: Sync, *, attempt: int, limits: ArchiveLimits, progress: Progress
) -> None:
    """Bring the roster to the upload of `sync` and write down how it ended; the caller has taken the district's turn.

    Readers see the old roster and the old ledgers until the transaction is committed, then both new ones.
    """
    work = _Work(session, sync, progress)
    discarded = [] if sync.dry_run else await syncs.discard_held(session, sync)
    status = await _attempt(work, attempt=attempt, limits=limits)
    if status == "published":
        await syncs.note_published(session, sync, work.fingerprint)
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
    with ExitStack() as open_files:
        sent = []
        for file in files:
            stream = await intake.open_file(session, district_id, work.sync.id, file.position)
            sent.append((file.name, file.is_archive, open_files.enter_context(stream)))
        opened = open_upload(sent, limits, work.log)
        comparison = await comparing.compare(session, district_id, opened, limits)
        checked = await _read_differing(work, opened, comparison) or await _read_whole(work, opened)
    await work.progress(0.6)
    work.enrolled = checked.enrolled
    await moved.remember(session, district_id)
    work.outcome = await merging.merge(session, district_id, checked)
    await work.progress(0.8)
    if (await session.get_one(District, district_id)).published_revision is None:
        await documents.write_first(session, district_id)
    else:
        await documents.rewrite(session, district_id)
    comparable = comparison if checked.clean else None
    await comparing.keep(session, district_id, comparable, checked.records, fingerprint=work.fingerprint)
    await work.progress(0.9)


async def _read_differing(work: _Work, opened: Mapping[str, Open], comparison: Comparison | None) -> Checked | None:
    """Read the rows that differ from the published upload; None if all have to be read."""
    if comparison is None or comparison.differing is None:
        return None
    noted = ProblemLog()
    try:
        async with work.session.begin_nested():
            await staging.create(work.session)
            await staging.plan_for_few(work.session)
            checked = await _read(work, opened, noted, comparison)
    except (NotPlain, ReadWhole, UploadUnreadable):
        return None
    work.log.absorb(noted)
    return checked


async def _read_whole(work: _Work, opened: Mapping[str, Open]) -> Checked:
    await staging.create(work.session)
    return await _read(work, opened, work.log, None)


async def _read(work: _Work, opened: Mapping[str, Open], log: ProblemLog, comparison: Comparison | None) -> Checked:
    """Bring the rows of records into staging, and those of enrollments into frames; then check them."""
    session, district_id = work.session, work.district_id
    differing = None if comparison is None else comparison.differing
    frames: Frames | None = None
    plain = True
    for number, (name, open_csv) in enumerate(opened.items(), start=1):
        kind = FILES[name]
        if kind == "enrollments":
            frames = await asyncio.to_thread(read_enrollments, name, open_csv, log)
        elif comparison is None or differing is None:
            plain &= await load_file(session, kind, name, open_csv, log)
        else:
            scan = comparison.headers[kind]
            log.absorb(scan.log)
            await load_lines(session, kind, scan, open_csv, differing.lines[kind])
        await work.progress(0.5 * number / len(opened))
    assert frames is not None  # noqa: S101 - an upload without enrollments is refused
    id_time = time.time_ns() // 1_000_000
    checked = await checking.check(session, district_id, log, frames, id_time=id_time, differing=differing)
    return replace(checked, clean=checked.clean and plain)


async def _publish(work: _Work) -> None:
    """Hold what a person must see first; else lock the district, redo what was decided meanwhile, and swap."""
    session, district_id, sync = work.session, work.district_id, work.sync
    district = await session.get_one(District, district_id, populate_existing=True)
    first = district.published_revision is None
    differs = any(changes.added or changes.changed or changes.removed for changes in work.outcome.values())
    if not first and not differs:
        work.revision = district.published_revision
        if sync.dry_run:
            raise _NotPublished("checked")
        return
    await _refresh_statistics(work)
    await staging.plan_for_bulk(session, bulk=False)
    coming = graph.Coming(session, district_id, work.enrolled)
    movements = NOTHING if first else await moved.find(session, district_id)
    drafts = await publication.draft(session, district_id, coming, movements, {})
    _check_hold(work, drafts, first=first)
    await work.progress(0.95)
    caller = callers.restored(sync.caller, district_id)
    work.revision = await revisions.take(session, district_id, cause=AuditAction.SYNC_ROSTER, caller=caller)
    drafts = await publication.draft(session, district_id, coming, movements, drafts)
    _check_hold(work, drafts, first=first)
    await publication.publish(session, district_id, drafts, revision=work.revision)
    district.published_revision, district.published_at = work.revision, datetime.now(UTC)
    await session.flush()


def _check_hold(work: _Work, drafts: Drafts, *, first: bool) -> None:
    """Hold what removes, or newly shares, so much that it may be a mistake; a dry run ends here in any case."""
    removing = removes_too_much(work.outcome)
    sharing = [application for application, drafted in drafts.items() if drafted.shares_too_much]
    held = bool(removing or sharing) and not first and not work.sync.released
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
    if any(changes.added > MANY and 100 * changes.added > MUCH * changes.before for changes in work.outcome.values()):
        await work.session.execute(text("select refresh_statistics()"))  # only who owns a table may analyse it
