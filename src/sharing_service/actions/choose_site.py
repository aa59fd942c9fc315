"""Choose what a school shares with an application."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictCaller, SchoolLead
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import saving
from sharing_service.delivery.saving import Saved
from sharing_service.errors import Conflict
from sharing_service.roster import revisions
from sharing_service.sharing import grants, kept, picks, sites
from sharing_service.sharing.models import Grant, SiteChoice
from sharing_service.sharing.permissions import SelectNothing, SiteSelection, as_json


async def choose_site(
    session: AsyncSession, caller: DistrictCaller, application_id: UUID, school_id: UUID, *, selection: SiteSelection
) -> Saved:
    """Set the selection of one school, which shares at once while the mode is by school site, and waits otherwise."""
    if isinstance(caller, SchoolLead):
        caller.check_leads(school_id)
    district_id = caller.district_id
    await kept.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    school = await sites.school_of(session, district_id, school_id)
    by_site = grant.sharing is not None and grant.sharing["mode"] == "school_site"
    if isinstance(caller, SchoolLead) and not by_site:
        raise Conflict("The district does not share this application by school site now.", code="not_school_site")
    await picks.check_known(session, district_id, selection)
    await picks.check_at_school(session, district_id, selection, school=school)
    before = await session.get(SiteChoice, (district_id, application_id, school))
    present = before.selection if before else as_json(SelectNothing(share="nothing"))
    if present == as_json(selection):
        return await saving.unchanged(session, district_id, grant)
    revision = await revisions.take(session, district_id, cause=AuditAction.CHOOSE_SITE, caller=caller)
    await _keep(session, caller, grant, school, selection=selection, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.CHOOSE_SITE,
        district_id=district_id,
        subject={"kind": "school", "id": str(school_id), "application_id": str(application_id)},
        before={"share": present["share"]},
        after={"share": selection.share},
        revision=revision,
    )
    if not by_site:
        grant.decided_revision = revision  # a sync at work must not miss a selection that a change of mode wakes
        return await saving.saved(session, district_id, grant, saving.NO_CHANGES, revision=revision)
    changes = await saving.rebuild(session, district_id, grant, grants.permission_of(grant), revision=revision)
    return await saving.saved(session, district_id, grant, changes, revision=revision)


async def _keep(
    session: AsyncSession,
    caller: DistrictCaller,
    grant: Grant,
    school: int,
    *,
    selection: SiteSelection,
    revision: int,
) -> None:
    await session.merge(
        SiteChoice(
            district_id=grant.district_id,
            application_id=grant.application_id,
            school=school,
            selection=as_json(selection),
            revision=revision,
            changed_at=datetime.now(UTC),
            caller=caller.described(),
        )
    )
    await session.flush()
