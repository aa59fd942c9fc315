"""Syncs of a district: uploads on their way to become the roster."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sharing_service.actions.discard_sync import discard_sync
from sharing_service.actions.release_sync import release_sync
from sharing_service.actions.request_sync import Upload, request_sync
from sharing_service.api.dependencies import DistrictAdminOf, PageOf, PathId
from sharing_service.api.district_sessions import DistrictRead, DistrictUpload, DistrictWrite
from sharing_service.api.idempotency import Key, Once, RunOnce, claimed
from sharing_service.errors import UnsupportedContent
from sharing_service.pagination import Page, page_of
from sharing_service.roster import syncs

router = APIRouter(tags=["syncs"])

ZIP: Final = frozenset({"application/zip", "application/x-zip-compressed"})
MULTIPART: Final = "multipart/form-data"
FILES: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            MULTIPART: {"schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}},
        },
    }
}


class SyncShown(BaseModel):
    """One upload, how far it is and what came of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: Literal["queued", "running", "published", "checked", "held", "failed", "discarded"]
    dry_run: bool
    progress: float = Field(ge=0, le=1)
    revision: int | None = Field(description="The revision that shows this roster; null until it is published.")
    report: dict[str, dict[str, int]] = Field(description="By kind: records added, changed, removed; rows rejected.")
    problems: list[dict[str, Any]] = Field(
        description="The first problems: severity, file, line, column, code, message."
    )
    problem_count: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def _upload(request: Request) -> Upload:
    content_type = request.headers.get("content-type", "")
    essence = content_type.partition(";")[0].strip().lower()
    limit: int = request.app.state.upload_limit
    if essence in ZIP:
        return Upload(request.stream(), limit)
    if essence == MULTIPART:
        return Upload(request.stream(), limit, multipart=content_type)
    raise UnsupportedContent("Send application/zip or multipart/form-data.")


async def _once(
    request: Request, session: DistrictUpload, caller: DistrictAdminOf, idempotency_key: Key = None
) -> Once:
    return await claimed(request, session, caller, idempotency_key)


@router.post("/syncs", status_code=202, openapi_extra=FILES)
async def request(
    response: Response,
    session: DistrictUpload,
    caller: DistrictAdminOf,
    upload: Annotated[Upload, Depends(_upload)],  # before `once`, which reads a body that calls itself JSON
    once: Annotated[Once, Depends(_once)],
    dry_run: Annotated[bool, Query(description="Check and compare only; nothing is published.")] = False,
) -> SyncShown:
    """Upload the files of a roster, as one zip archive or one part a file, and queue their sync."""
    sync = await request_sync(session, caller, upload, dry_run=dry_run)
    response.headers["Location"] = f"/v1/districts/{caller.district_id}/syncs/{sync.id}"
    location = {"Location": response.headers["Location"]}
    return await once.keep(SyncShown.model_validate(sync), status=202, headers=location)


@router.get("/syncs")
async def list_syncs(session: DistrictRead, caller: DistrictAdminOf, page: PageOf) -> Page[SyncShown]:
    """The syncs of the district, newest first."""
    found, total = await syncs.page(session, caller.district_id, before=page.after_id, limit=page.limit + 1)
    shown = [SyncShown.model_validate(sync) for sync in found]
    return page_of(shown, limit=page.limit, total=total, position=lambda sync: str(sync.id))


@router.get("/syncs/{sync_id}")
async def get_sync(session: DistrictRead, caller: DistrictAdminOf, sync_id: PathId) -> SyncShown:
    """One sync as it stands now."""
    return SyncShown.model_validate(await syncs.get(session, caller.district_id, sync_id))


@router.post("/syncs/{sync_id}/release", status_code=202)
async def release(session: DistrictWrite, caller: DistrictAdminOf, sync_id: PathId, once: RunOnce) -> SyncShown:
    """Let a held sync pass."""
    sync = await release_sync(session, caller, sync_id)
    return await once.keep(SyncShown.model_validate(sync), status=202)


@router.post("/syncs/{sync_id}/discard")
async def discard(session: DistrictWrite, caller: DistrictAdminOf, sync_id: PathId, once: RunOnce) -> SyncShown:
    """End a held sync; the roster stays as it is."""
    sync = await discard_sync(session, caller, sync_id)
    return await once.keep(SyncShown.model_validate(sync), status=200)
