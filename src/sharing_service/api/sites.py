"""School-site sharing: each school's selection for an application, by district admins and leads of the school."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sharing_service.access.callers import SchoolLead
from sharing_service.actions.choose_site import choose_site
from sharing_service.api.dependencies import DistrictStaffOf, PageOf, PathId
from sharing_service.api.district_sessions import DistrictRead, DistrictWrite
from sharing_service.api.saved import ChangesShown, Counts, changes_shown
from sharing_service.pagination import Page, page_of
from sharing_service.sharing import grants, sites
from sharing_service.sharing.permissions import SITE, SelectNothing, SiteSelection

router = APIRouter(prefix="/applications/{application_id}/sites", tags=["school sites"])

NEVER_CHOSE: Final = SelectNothing(share="nothing")


class Site(BaseModel):
    """One school and what it selected."""

    school_id: UUID
    name: str | None = Field(description="Null if the school has left; its selection waits for a return.")
    selection: SiteSelection
    changed_at: datetime | None = Field(description="Null if the school never chose.")
    changed_by: dict[str, Any] | None


class SiteSaved(BaseModel):
    """A selection after a save, and what the application gains and loses by it."""

    selection: SiteSelection
    revision: int
    counts: Counts
    changes: ChangesShown


@router.get("")
async def list_sites(
    session: DistrictRead, caller: DistrictStaffOf, application_id: PathId, page: PageOf
) -> Page[Site]:
    """The schools and their selections; a school lead sees the own schools."""
    await grants.get(session, caller.district_id, application_id)
    found, total = await sites.page(
        session,
        caller.district_id,
        application_id,
        only=caller.school_ids if isinstance(caller, SchoolLead) else None,
        after=page.after_id,
        limit=page.limit + 1,
    )
    shown = [
        Site(
            school_id=row.school_id,
            name=row.name,
            selection=SITE.validate_python(row.selection) if row.selection else NEVER_CHOSE,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )
        for row in found
    ]
    return page_of(shown, limit=page.limit, total=total, position=lambda site: str(site.school_id))


@router.put("/{school_id}", responses={409: {"description": "A school lead chose while the mode is another."}})
async def put_site(
    session: DistrictWrite,
    caller: DistrictStaffOf,
    application_id: PathId,
    school_id: PathId,
    selection: SiteSelection,
) -> SiteSaved:
    """Set what the school shares; school leads may while the mode is by school site."""
    saved = await choose_site(session, caller, application_id, school_id, selection=selection)
    return SiteSaved(
        selection=selection,
        revision=saved.revision,
        counts=Counts.model_validate(saved.counts),
        changes=changes_shown(saved.changes),
    )
