"""Who may call: five roles, each a frozen value that knows its reach."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sharing_service.errors import Forbidden, NotFound


class _Caller(BaseModel):
    model_config = ConfigDict(frozen=True)

    token_id: UUID | None = None
    """None for the operator's token of the environment and for the command line."""

    def described(self) -> dict[str, Any]:
        """The caller as trail and revisions keep it."""
        return self.model_dump(mode="json", exclude={"district_id"}, exclude_none=True)


class Operator(_Caller):
    """Runs the service: manages districts, applications and tokens, and sees no roster."""

    role: Literal["operator"] = "operator"


class DistrictAdmin(_Caller):
    """Decides for one district."""

    role: Literal["district_admin"] = "district_admin"
    district_id: UUID


class SchoolLead(_Caller):
    """Decides for some schools of one district."""

    role: Literal["school_lead"] = "school_lead"
    district_id: UUID
    school_ids: tuple[UUID, ...]

    def check_leads(self, school_id: UUID) -> None:
        """Refuse a school that this lead does not lead."""
        if school_id not in self.school_ids:
            raise Forbidden("This token is for other schools.")


class AuditReader(_Caller):
    """Reads the audit trail of one district, and neither its roster nor what it shares."""

    role: Literal["audit_reader"] = "audit_reader"
    district_id: UUID


class ApplicationCaller(_Caller):
    """An application reading what one district shares with it."""

    role: Literal["application"] = "application"
    district_id: UUID
    application_id: UUID


class Reporter(_Caller):
    """Somebody who reports a leaked token, whoever that is: no caller of any route, and known to the trail alone."""

    role: Literal["reporter"] = "reporter"


Caller = Annotated[Operator | DistrictAdmin | SchoolLead | AuditReader | ApplicationCaller, Field(discriminator="role")]
DistrictCaller = DistrictAdmin | SchoolLead


_CALLER: Final[TypeAdapter[Caller]] = TypeAdapter(Caller)


def restored(described: dict[str, Any], district_id: UUID) -> Caller:
    """The caller that `described` tells of, for work that goes on after the request."""
    return _CALLER.validate_python({**described, "district_id": district_id})


def check_district(caller: Caller, district_id: UUID) -> None:
    """Another district answers as if it did not exist; the operator is told that it may not."""
    if isinstance(caller, Operator):
        raise Forbidden("The operator sees no roster; issue a district admin's token.")
    if caller.district_id != district_id:
        raise NotFound
