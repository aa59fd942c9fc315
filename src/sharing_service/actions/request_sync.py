"""Request a sync of the roster."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.jobs import enqueue
from sharing_service.roster import intake, syncs
from sharing_service.roster.sync_models import Sync


@dataclass(frozen=True, slots=True)
class Upload:
    """A body as it arrives: one zip archive, or the parts of a multipart/form-data body of this content type."""

    chunks: AsyncIterator[bytes]
    limit: int
    """Bytes."""
    multipart: str | None = None


async def request_sync(session: AsyncSession, caller: DistrictAdmin, upload: Upload, *, dry_run: bool) -> Sync:
    """Keep an upload and queue the sync that makes the roster equal to it; a held sync is discarded for it."""
    district_id, sync_id = caller.district_id, uuid7()
    await _store(session, district_id, sync_id, upload)
    sync = Sync(
        district_id=district_id,
        id=sync_id,
        dry_run=dry_run,
        caller=caller.described(),
        created_at=func.clock_timestamp(),  # an upload arrives when it has arrived whole
    )
    session.add(sync)
    await session.flush()
    await session.refresh(sync)
    discarded = [] if dry_run else await syncs.discard_held(session, sync)
    trail.record(
        session,
        caller,
        AuditAction.REQUEST_SYNC,
        district_id=district_id,
        subject={"kind": "sync", "id": str(sync_id)},
        after={"dry_run": dry_run, "discarded": discarded},
    )
    await session.flush()
    await enqueue(session, AuditAction.SYNC_ROSTER, {"district_id": str(district_id), "sync_id": str(sync_id)})
    return sync


async def _store(session: AsyncSession, district_id: UUID, sync_id: UUID, upload: Upload) -> None:
    if upload.multipart is not None:
        await intake.store_multipart(
            session,
            district_id,
            sync_id,
            content_type=upload.multipart,
            chunks=upload.chunks,
            limit=upload.limit,
        )
    else:
        await intake.store_file(
            session,
            district_id,
            sync_id,
            position=0,
            name="upload.zip",
            is_archive=True,
            chunks=upload.chunks,
            limit=upload.limit,
        )
