"""Choose the field groups of a connected application."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import projection
from sharing_service.errors import Invalid
from sharing_service.roster import revisions
from sharing_service.sharing import applications, grants
from sharing_service.sharing.fields import ApplicationFields, GroupSet, from_names, names_of
from sharing_service.sharing.models import Application, Grant
from sharing_service.sharing.versions import Expected


async def choose_fields(
    session: AsyncSession,
    caller: DistrictAdmin,
    application_id: UUID,
    declined: GroupSet,
    *,
    accept: bool,
    expected: Expected | None,
) -> tuple[Application, Grant]:
    """Decline these groups and no others, and accept whatever else is asked for now, or else nothing new.

    A required group cannot be declined; one that became required after it was declined stays so.
    """
    district_id = caller.district_id
    await revisions.lock(session, district_id)
    grant = await grants.get_for_update(session, district_id, application_id)
    if expected is not None:
        expected.check_fields(grant)
    # Read under the lock of the district, for which every change of the request waits.
    application = await applications.get(session, application_id)
    wanted, received = ApplicationFields.model_validate(application.fields), grants.fields_of(grant).groups
    _check_declinable(wanted.required & declined - from_names(grant.declined))
    after = (wanted.asked if accept else received) - declined
    if grant.declined == names_of(declined) and after == received:
        return application, grant
    revision = await revisions.take(session, district_id, cause=AuditAction.CHOOSE_FIELDS, caller=caller)
    before = _described(grant)
    grant.declined, grant.fields_revision = names_of(declined), revision
    await projection.set_fields(session, district_id, grant, after, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.CHOOSE_FIELDS,
        district_id=district_id,
        subject={"kind": "application", "id": str(application_id)},
        before=before,
        after=_described(grant),
        revision=revision,
    )
    await session.flush()
    return application, grant


def _check_declinable(refused: GroupSet) -> None:
    if refused:
        message = "The application requires {}: it cannot be declined."
        problems = [{"where": ["body", "declined"], "message": message.format(name)} for name in names_of(refused)]
        raise Invalid("A required field group cannot be declined.", problems=problems)


def _described(grant: Grant) -> dict[str, list[str]]:
    return {"fields": grant.fields, "declined": grant.declined}
