"""Field groups of a connected application: asked for, accepted, pending, declined."""

from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field, StrictBool

from sharing_service.actions.choose_fields import choose_fields
from sharing_service.api.dependencies import DistrictAdminOf, PathId
from sharing_service.api.district_sessions import DistrictRead, DistrictWrite
from sharing_service.api.preconditions import TAGGED, IfMatch, etag
from sharing_service.roster.catalogue import Group
from sharing_service.sharing import applications, grants
from sharing_service.sharing.fields import BY_NAME, ApplicationFields, from_names, names_of
from sharing_service.sharing.models import Application, Grant
from sharing_service.sharing.rules import Strict

router = APIRouter(prefix="/applications/{application_id}/fields", tags=["field groups"])

NAMES: Final = sorted(BY_NAME)


def _declinable(name: str) -> str:
    if name == Group.IDENTITY:
        raise ValueError("identity cannot be declined: every record has it")
    if name not in BY_NAME:
        raise ValueError(f"should be one of: {', '.join(NAMES)}")
    return name


Declined = Annotated[str, AfterValidator(_declinable), Field(json_schema_extra={"enum": list(NAMES)})]


class FieldsChoice(Strict):
    """What the district keeps back, and whether it accepts the rest of what is asked for."""

    declined: Annotated[tuple[Declined, ...], Field(max_length=len(NAMES))] = Field(
        description="All groups to keep back: `students.email` for one kind, `email` for every kind that has it. "
        "Asked for or not; a required group only if it was declined before it became required."
    )
    accept: StrictBool = Field(
        True,
        description="Accept everything that is asked for now and not declined: send If-Match, so that it is what was "
        "seen. With false nothing new is accepted, and what was declined before becomes pending.",
    )


class Fields(BaseModel):
    """Field groups, as `students.email`. Identity is in no list: every record has it."""

    required: list[str] = Field(description="What the application asks for and cannot do without.")
    optional: list[str] = Field(description="What it asks for and can do without.")
    accepted: list[str] = Field(description="What it receives; nothing else is in any answer.")
    pending: list[str] = Field(description="What it asks for and the district has neither accepted nor declined.")
    declined: list[str] = Field(description="What the district keeps back, asked for or not.")
    revision: int = Field(description="The last revision at which any of this changed, which is the ETag.")


def fields_shown(application: Application, grant: Grant) -> Fields:
    """The field groups of a grant as its district sees them."""
    wanted, accepted = ApplicationFields.model_validate(application.fields), grants.fields_of(grant).groups
    return Fields(
        required=names_of(wanted.required),
        optional=names_of(wanted.asked - wanted.required),
        accepted=names_of(accepted),
        pending=names_of(wanted.asked - accepted - from_names(grant.declined)),
        declined=grant.declined,
        revision=grant.fields_revision,
    )


@router.get("", responses=TAGGED)
async def get_fields(
    session: DistrictRead, caller: DistrictAdminOf, application_id: PathId, response: Response
) -> Fields:
    """Which field groups the application asks for, and which it receives."""
    grant = await grants.get(session, caller.district_id, application_id)
    response.headers.update(etag(grant.fields_revision))
    return fields_shown(await applications.get(session, application_id), grant)


@router.put("", responses=TAGGED)
async def put_fields(
    session: DistrictWrite,
    caller: DistrictAdminOf,
    application_id: PathId,
    choice: FieldsChoice,
    if_match: IfMatch,
    response: Response,
) -> Fields:
    """Decline these groups and no others, and accept everything else that is asked for; effective with this answer."""
    application, grant = await choose_fields(
        session,
        caller,
        application_id,
        from_names(choice.declined),
        accept=choice.accept,
        expected=if_match,
    )
    response.headers.update(etag(grant.fields_revision))
    return fields_shown(application, grant)
