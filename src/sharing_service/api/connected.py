"""Applications that a district has connected: connect, look, pause, disconnect."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.actions.connect_application import connect_application
from sharing_service.actions.disconnect_application import disconnect_application
from sharing_service.actions.pause_grant import pause_grant
from sharing_service.actions.resume_grant import resume_grant
from sharing_service.api.dependencies import DistrictAdminOf, PageOf, PathId
from sharing_service.api.district_sessions import DistrictRead, DistrictWrite
from sharing_service.api.fields import Fields, fields_shown
from sharing_service.api.idempotency import RunOnce
from sharing_service.api.saved import Counts
from sharing_service.delivery import ledger
from sharing_service.pagination import Page, page_of
from sharing_service.sharing import applications, grants
from sharing_service.sharing.models import Application, Grant

router = APIRouter(prefix="/applications", tags=["connected applications"])


class ConnectedApplication(BaseModel):
    """One application of the district, and how much it shares with it."""

    id: UUID
    name: str
    mode: Literal["district", "schools", "sections", "rules", "school_site"] | None = Field(
        description="Null while the district has not chosen: then nothing is shared."
    )
    version: int
    revision: int = Field(description="The last revision that may have changed what the application sees.")
    counts: Counts
    fields: Fields
    paused: bool
    connected_at: datetime
    changed_at: datetime = Field(description="When a person last changed what is shared or paused it.")


async def _shown(session: AsyncSession, grant: Grant, application: Application) -> ConnectedApplication:
    counts = (await ledger.current(session, grant.district_id, grant)).counts()
    return ConnectedApplication(
        id=grant.application_id,
        name=application.name,
        mode=grant.sharing["mode"] if grant.sharing else None,
        version=grant.version,
        revision=grant.revision,
        counts=Counts.model_validate(counts),
        fields=fields_shown(application, grant),
        paused=grant.paused_at is not None,
        connected_at=grant.connected_at,
        changed_at=grant.changed_at,
    )


async def _get(session: AsyncSession, district_id: UUID, application_id: UUID) -> ConnectedApplication:
    grant = await grants.get(session, district_id, application_id)
    return await _shown(session, grant, await applications.get(session, application_id))


@router.get("")
async def list_connected(session: DistrictRead, caller: DistrictAdminOf, page: PageOf) -> Page[ConnectedApplication]:
    """The connected applications."""
    found, total = await grants.page(session, caller.district_id, after=page.after_id, limit=page.limit + 1)
    shown = [await _shown(session, grant, application) for grant, application in found]
    return page_of(shown, limit=page.limit, total=total, position=lambda connected: str(connected.id))


@router.get("/{application_id}")
async def get_connected(session: DistrictRead, caller: DistrictAdminOf, application_id: PathId) -> ConnectedApplication:
    """One connected application."""
    return await _get(session, caller.district_id, application_id)


@router.put(
    "/{application_id}", responses={201: {"model": ConnectedApplication, "description": "It is connected now."}}
)
async def connect(
    session: DistrictWrite, caller: DistrictAdminOf, application_id: PathId, response: Response
) -> ConnectedApplication:
    """Connect an application and accept the field groups for which it asks; nothing is shared with it yet."""
    if await connect_application(session, caller, application_id):
        response.status_code = 201
    return await _get(session, caller.district_id, application_id)


@router.delete("/{application_id}", status_code=204)
async def disconnect(session: DistrictWrite, caller: DistrictAdminOf, application_id: PathId) -> None:
    """Disconnect an application: its tokens stop working and nothing is readable any more."""
    await disconnect_application(session, caller, application_id)


@router.post("/{application_id}/pause")
async def pause(
    session: DistrictWrite, caller: DistrictAdminOf, application_id: PathId, once: RunOnce
) -> ConnectedApplication:
    """Let the application wait: it is answered 423 and keeps what it has."""
    await pause_grant(session, caller, application_id)
    return await once.keep(await _get(session, caller.district_id, application_id), status=200)


@router.post("/{application_id}/resume")
async def resume(
    session: DistrictWrite, caller: DistrictAdminOf, application_id: PathId, once: RunOnce
) -> ConnectedApplication:
    """Let a paused application read on."""
    await resume_grant(session, caller, application_id)
    return await once.keep(await _get(session, caller.district_id, application_id), status=200)
