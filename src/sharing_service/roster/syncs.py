"""The rows of syncs: which comes next, how far it is, how it ended."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import enter_district
from sharing_service.errors import Conflict, NotFound
from sharing_service.jobs import enqueue
from sharing_service.roster.models import District
from sharing_service.roster.problems import ProblemLog
from sharing_service.roster.sync_models import Sync, UploadChunk, UploadFile

FINAL: Final = frozenset({"published", "checked", "failed", "discarded"})
UNFINISHED: Final = ("queued", "running")


async def get(session: AsyncSession, district_id: UUID, sync_id: UUID) -> Sync:
    """A sync as it stands now, or NotFound."""
    sync = await session.get(Sync, (district_id, sync_id), populate_existing=True)
    if sync is None:
        raise NotFound
    return sync


async def get_held(session: AsyncSession, district_id: UUID, sync_id: UUID) -> Sync:
    """A held sync, locked so that it is released or discarded once; Conflict if it is not held."""
    sync = await session.get(Sync, (district_id, sync_id), with_for_update=True, populate_existing=True)
    if sync is None:
        raise NotFound
    if sync.status != "held":
        raise Conflict("Only a held sync can be released or discarded.", code="not_held")
    return sync


async def page(
    session: AsyncSession, district_id: UUID, *, before: UUID | None, limit: int
) -> tuple[Sequence[Sync], int]:
    """Up to `limit` syncs before an id, newest first, and how many there are."""
    statement = select(Sync).where(Sync.district_id == district_id)
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    if before is not None:
        statement = statement.where(Sync.id < before)
    return (await session.scalars(statement.order_by(Sync.id.desc()).limit(limit))).all(), total or 0


async def take_turn(session: AsyncSession, district_id: UUID) -> bool:
    """Whether no other sync of this district is at work; the turn is held until the transaction ends.

    Nobody waits here: a waiting job would keep a place of the worker from the other districts.
    """
    key = func.hashtextextended(literal(f"sync {district_id}"), 0)
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(key))))


async def districts_waiting(session: AsyncSession) -> tuple[Sequence[UUID], Sequence[UUID]]:
    """The districts that have a sync which is not finished, and those that have an upload to be deleted.

    They are asked one by one: no transaction sees rows of two.
    """
    unfinished, done = [], []
    for district_id in (await session.scalars(select(District.id).where(District.erasing_since.is_(None)))).all():
        await enter_district(session, district_id)
        if await next_of(session, district_id) is not None:
            unfinished.append(district_id)
        if await session.scalar(select(select(UploadFile).where(*_of_final(UploadFile, district_id)).exists())):
            done.append(district_id)
    return unfinished, done


async def districts_erasing(session: AsyncSession) -> Sequence[UUID]:
    """The districts that are being erased and still have rows: their names go last."""
    erasing = select(District.id).where(District.erasing_since.is_not(None), District.name != "")
    return (await session.scalars(erasing)).all()


async def next_of(session: AsyncSession, district_id: UUID) -> Sync | None:
    """The oldest sync that is not finished. One that is `running` while nobody has the turn was left by a crash."""
    statement = (
        select(Sync)
        .where(Sync.district_id == district_id, Sync.status.in_(UNFINISHED))
        .order_by(Sync.created_at, Sync.id)
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def report_progress(session: AsyncSession, district_id: UUID, sync_id: UUID, progress: float) -> None:
    """Note how far a sync is, from 0 to 1."""
    await session.execute(
        update(Sync).where(Sync.district_id == district_id, Sync.id == sync_id).values(progress=progress)
    )


async def begin(session: AsyncSession, district_id: UUID, sync_id: UUID) -> int:
    """Mark a sync as running and count the attempt; returns which attempt this is."""
    statement = (
        update(Sync)
        .where(Sync.district_id == district_id, Sync.id == sync_id)
        .values(
            status="running",
            attempts=Sync.attempts + 1,
            progress=0.0,
            started_at=func.coalesce(Sync.started_at, text("now()")),
        )
        .returning(Sync.attempts)
    )
    return (await session.execute(statement)).scalar_one()


async def discard_held(session: AsyncSession, newer: Sync) -> list[str]:
    """Discard the held sync that a newer upload makes pointless; returns the ids of what was discarded."""
    statement = select(Sync).where(
        Sync.district_id == newer.district_id, Sync.status == "held", Sync.created_at <= newer.created_at
    )
    held = (await session.scalars(statement.with_for_update())).all()
    for sync in held:
        sync.status, sync.finished_at = "discarded", datetime.now(UTC)
    if held:
        await let_go(session, newer.district_id)
    return [str(sync.id) for sync in held]


async def published_from(session: AsyncSession, district_id: UUID, fingerprint: bytes) -> Sync | None:
    """The sync that made the published roster, if its upload has this fingerprint."""
    statement = select(Sync).where(Sync.district_id == district_id, Sync.fingerprint == fingerprint)
    return (await session.scalars(statement)).one_or_none()


async def note_published(session: AsyncSession, sync: Sync, fingerprint: bytes) -> None:
    """Note that the published roster equals the upload of this sync, and no earlier one any more."""
    earlier = update(Sync).where(Sync.district_id == sync.district_id, Sync.fingerprint.is_not(None))
    await session.execute(earlier.values(fingerprint=None))
    sync.fingerprint = fingerprint
    await session.flush()


async def end(
    session: AsyncSession,
    sync: Sync,
    status: str,
    *,
    report: dict[str, Any],
    log: ProblemLog,
    revision: int | None = None,
) -> None:
    """Write down how a sync ended; the upload goes after it unless it is held for a person."""
    sync.status, sync.report, sync.revision = status, report, revision
    sync.problems, sync.problem_count = [problem.as_json() for problem in log.kept], log.count
    sync.progress, sync.finished_at = 1.0, datetime.now(UTC)
    await session.flush()
    if status in FINAL:
        await let_go(session, sync.district_id)


async def let_go(session: AsyncSession, district_id: UUID) -> None:
    """Have the uploads of final syncs deleted once this transaction is committed: that of a large one takes seconds."""
    await enqueue(session, "delete_uploads", {"district_id": str(district_id)})


async def delete_uploads(session: AsyncSession, district_id: UUID) -> None:
    """Delete the uploads of all syncs of a district that are final."""
    # In the order in which an erasure deletes them.
    for table in (UploadFile, UploadChunk):
        await session.execute(delete(table).where(*_of_final(table, district_id)))


def _of_final(table: type[UploadChunk | UploadFile], district_id: UUID) -> tuple[ColumnElement[bool], ...]:
    final = select(Sync.id).where(Sync.district_id == district_id, Sync.status.in_(FINAL))
    return table.district_id == district_id, table.sync_id.in_(final)
