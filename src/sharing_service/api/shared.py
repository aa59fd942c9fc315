"""What a connected application receives now: counts, lists and CSV files for the district's own eyes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.types import Send

from sharing_service.api.dependencies import DistrictAdminOf, PageOf, PathId, database_of
from sharing_service.api.district_sessions import CountedKind, DistrictExport, DistrictRead
from sharing_service.api.roster import RecordRow, SearchOf, rows_shown
from sharing_service.api.saved import Counts
from sharing_service.delivery import exports
from sharing_service.delivery.ledger import COUNTED
from sharing_service.delivery.withdrawal import Watch
from sharing_service.pagination import Page
from sharing_service.patience import Patience

router = APIRouter(prefix="/applications/{application_id}/shared", tags=["shared"])

CSV: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class Links(BaseModel):
    """Where the records of one kind are."""

    list: str
    csv: str


class Shared(BaseModel):
    """How much the application receives, at which version of the permission and revision of the district."""

    version: int
    revision: int = Field(description="The last revision that may have changed what the application sees.")
    counts: Counts
    links: dict[str, Links]


class _File(StreamingResponse):
    """A file that is read no further when nobody waits for it, before its session is closed."""

    body_iterator: AsyncGenerator[bytes]

    def __init__(self, pieces: AsyncGenerator[bytes], patience: Patience, *, name: str) -> None:
        """Send these pieces, as long as all of them together do not try our patience."""
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(pieces, headers=disposition, media_type="text/csv; charset=utf-8; header=present")
        self.patience = patience

    async def stream_response(self, send: Send) -> None:
        """Send it."""
        try:
            async with asyncio.timeout(self.patience.export) as limit, aclosing(self.body_iterator):
                await super().stream_response(send)
        except TimeoutError:
            # What ran out of time within the reading is a failure, and not for the client to answer for.
            if not limit.expired():
                raise
            # Whoever takes so little is as good as gone; a snapshot that waits keeps old rows from being cleared away.
            raise ClientDisconnect from None


@router.get("")
async def get_shared(session: DistrictRead, caller: DistrictAdminOf, application_id: PathId) -> Shared:
    """How much is shared, and where to read it."""
    export = await exports.of(session, caller.district_id, application_id)
    here = f"/v1/districts/{caller.district_id}/applications/{application_id}/shared"
    return Shared(
        version=export.grant.version,
        revision=export.grant.revision,
        counts=Counts.model_validate(export.ledger.counts()),
        links={kind.value: Links(list=f"{here}/{kind}", csv=f"{here}/{kind}.csv") for kind in COUNTED},
    )


@router.get("/{kind}.csv", response_class=StreamingResponse, responses=CSV)
async def download_shared(
    request: Request, session: DistrictExport, caller: DistrictAdminOf, application_id: PathId, kind: CountedKind
) -> StreamingResponse:
    """The shared records of one kind as CSV (RFC 4180, UTF-8), in the fields that the application receives."""
    export = await exports.of(session, caller.district_id, application_id)
    database = database_of(request)
    pieces = exports.as_csv(database, session, caller.district_id, kind, export)
    watched = Watch(database, caller, application_id).over(pieces)
    return _File(watched, database.patience, name=f"{kind}.csv")


@router.get("/{kind}")
async def list_shared(
    session: DistrictRead,
    caller: DistrictAdminOf,
    application_id: PathId,
    kind: CountedKind,
    search: SearchOf,
    page: PageOf,
) -> Page[RecordRow]:
    """The shared records of one kind in the order of their ids, in the fields that the application receives.

    `q` looks into these fields only.
    """
    export = await exports.of(session, caller.district_id, application_id)
    rows, total = await exports.page(
        session, caller.district_id, kind, export, search=search, after=page.after_id, limit=page.limit + 1
    )
    return rows_shown(rows, limit=page.limit, total=total)
