"""Issue a token."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Caller, Operator
from sharing_service.access.expiry import ExpiresAt, check_future
from sharing_service.access.issuing import check_may_issue, new_token
from sharing_service.access.models import Token
from sharing_service.access.tokens import Role, Tokens, described, operator_can_call
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import Conflict, Invalid
from sharing_service.roster import revisions
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import Identity
from sharing_service.sharing import applications
from sharing_service.sharing.models import Grant
from sharing_service.sharing.permissions import MAX_SCHOOLS
from sharing_service.sharing.rules import MAX_TEXT, Strict, storable


class _Wanted(Strict):
    expires_at: ExpiresAt | None = None
    label: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(storable)] = ""


class OperatorToken(_Wanted):
    """For whoever runs the service."""

    role: Literal["operator"]


class DistrictAdminToken(_Wanted):
    """For whoever decides for a district."""

    role: Literal["district_admin"]
    district_id: UUID


class SchoolLeadToken(_Wanted):
    """For whoever decides for some schools of a district."""

    role: Literal["school_lead"]
    district_id: UUID
    school_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_SCHOOLS)]


class AuditReaderToken(_Wanted):
    """For whoever reviews what a district did, and decides nothing."""

    role: Literal["audit_reader"]
    district_id: UUID


class ApplicationToken(_Wanted):
    """For an application that a district has connected."""

    role: Literal["application"]
    district_id: UUID
    application_id: UUID


TokenWanted = Annotated[
    OperatorToken | DistrictAdminToken | SchoolLeadToken | AuditReaderToken | ApplicationToken,
    Field(discriminator="role"),
]


async def issue_token(session: AsyncSession, caller: Caller, tokens: Tokens, wanted: TokenWanted) -> tuple[Token, str]:
    """Issue a token; the second value is its text, which is shown once and kept as a keyed hash."""
    district_id = None if isinstance(wanted, OperatorToken) else wanted.district_id
    check_may_issue(caller, wanted.role, district_id)
    check_future(wanted.expires_at)
    if district_id is not None:
        await enter_district(session, district_id)
        # Locked: nobody disconnects the application or erases the district meanwhile and leaves this token behind.
        await revisions.lock(session, district_id)
    if isinstance(wanted, SchoolLeadToken):
        await _check_schools(session, wanted.district_id, wanted.school_ids)
    if isinstance(wanted, ApplicationToken):
        await _check_connected(session, wanted.district_id, wanted.application_id)
    columns = wanted.model_dump(exclude={"district_id"})
    return await _issue(session, caller, tokens, columns, district_id=district_id)


async def issue_first_operator_token(session: AsyncSession, tokens: Tokens) -> str | None:
    """The operator's token of a service where none works yet, to be printed once; None where one does."""
    # Processes that start together would each issue one.
    await session.execute(text("select pg_advisory_xact_lock(hashtext('first operator token'))"))
    await enter_district(session, SERVICE)
    if tokens.operator_token is not None or await operator_can_call(session, tokens):
        return None
    _, secret = await _issue(session, Operator(), tokens, {"role": Role.OPERATOR, "label": "first"}, district_id=None)
    return secret


async def _issue(
    session: AsyncSession, caller: Caller, tokens: Tokens, columns: dict[str, Any], *, district_id: UUID | None
) -> tuple[Token, str]:
    token, secret = new_token(tokens, caller, district_id=district_id, **columns)
    await enter_district(session, district_id or SERVICE)
    session.add(token)
    await session.flush()
    trail.record(
        session,
        caller,
        AuditAction.ISSUE_TOKEN,
        district_id=district_id,
        subject={"kind": "token", "id": str(token.id)},
        after=described(token),
    )
    return token, secret


async def _check_schools(session: AsyncSession, district_id: UUID, school_ids: tuple[UUID, ...]) -> None:
    """Refuse schools that the district never had; one that has left may return."""
    statement = select(Identity.id).where(
        Identity.district_id == district_id,
        Identity.numbering == Kind.SCHOOLS,
        Identity.id == func.any(list(school_ids)),
    )
    known = set(await session.scalars(statement))
    problems = [
        {"where": ["body", "school_ids", place], "message": "The district never had this school."}
        for place, school_id in enumerate(school_ids)
        if school_id not in known
    ]
    if problems:
        raise Invalid(problems=problems)


async def _check_connected(session: AsyncSession, district_id: UUID, application_id: UUID) -> None:
    await applications.get(session, application_id)
    if await session.get(Grant, (district_id, application_id)) is None:
        raise Conflict("Connect the application to the district first.", code="not_connected")
