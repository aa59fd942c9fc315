"""What routes ask for: sessions, callers, ids in paths, pages."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, assert_never, cast
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BeforeValidator
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import (
    ApplicationCaller,
    AuditReader,
    Caller,
    DistrictAdmin,
    DistrictCaller,
    Operator,
    SchoolLead,
    check_district,
)
from sharing_service.access.tokens import Tokens
from sharing_service.api.pacing import admit
from sharing_service.database import SERVICE, Database
from sharing_service.errors import Forbidden, Invalid, NotFound, Unauthenticated
from sharing_service.pagination import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of the role that the route is for. It is shown once, when it is issued.",
)


def database_of(request: Request) -> Database:
    """The database of this process."""
    database: Database = request.app.state.database
    return database


def tokens_of(request: Request) -> Tokens:
    """The keeper of the key that token hashes are made with."""
    tokens: Tokens = request.app.state.tokens
    return tokens


ServiceDatabase = Annotated[Database, Depends(database_of)]
ServiceTokens = Annotated[Tokens, Depends(tokens_of)]


async def authenticate(
    request: Request,
    database: ServiceDatabase,
    tokens: ServiceTokens,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> Caller:
    """Who calls, as the tokens table says now."""
    if credentials is None:
        raise Unauthenticated
    # A connection of its own, given back at once: a request that held it while it waits for its session's connection
    # could starve the pool. Without a transaction the look-up is one round trip.
    look_ups = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with look_ups.connect() as connection:
        caller = await tokens.caller_of(connection, credentials.credentials)
    if caller is None:
        raise Unauthenticated
    await admit(request, caller)
    return caller


AnyCaller = Annotated[Caller, Depends(authenticate)]


async def read_session(database: ServiceDatabase) -> AsyncIterator[AsyncSession]:
    """One snapshot for the whole request; it outlives the route, since a streamed answer goes on reading."""
    async with database.read() as session:
        yield session


async def write_session(database: ServiceDatabase, caller: AnyCaller) -> AsyncIterator[AsyncSession]:
    """One transaction, committed before the answer leaves: what a client was told has happened.

    It is in a slot of the caller's own district, whatever district the path names; operators have theirs together.
    """
    place = SERVICE if isinstance(caller, Operator) else caller.district_id
    async with database.decisions.taken(place), database.write() as session:
        yield session


ReadSession = Annotated[AsyncSession, Depends(read_session)]
# FastAPI's default scope would commit after the answer: a failed commit would then follow a 201.
WriteSession = Annotated[AsyncSession, Depends(write_session, scope="function")]
Manager = Operator | DistrictAdmin | SchoolLead | AuditReader


def _canonical(value: Any) -> Any:
    """An id has one spelling, so that a record has one address."""
    try:
        if isinstance(value, str) and str(UUID(value)) == value:
            return value
    except ValueError:
        pass
    raise NotFound


PathId = Annotated[UUID, BeforeValidator(_canonical), Path()]


async def operator(caller: AnyCaller) -> Operator:
    """The operator and nobody else."""
    if not isinstance(caller, Operator):
        raise Forbidden("Only the operator may do that.")
    return caller


async def manager(caller: AnyCaller) -> Manager:
    """Everyone but applications, which have routes of their own."""
    match caller:
        case Operator() | DistrictAdmin() | SchoolLead() | AuditReader():
            return caller
        case ApplicationCaller():
            raise Forbidden("An application reads the partner API only.")
        case unhandled:
            assert_never(unhandled)


async def member_of(district_id: PathId, caller: Annotated[Manager, Depends(manager)]) -> DistrictCaller | AuditReader:
    """Whoever has a role in the district of the path."""
    check_district(caller, district_id)
    return cast(DistrictCaller | AuditReader, caller)  # the check has refused the operator


Member = Annotated[DistrictCaller | AuditReader, Depends(member_of)]


async def district_staff_of(member: Member) -> DistrictCaller:
    """An admin or a school lead of the district in the path."""
    if isinstance(member, AuditReader):
        raise Forbidden("An audit reader reads the audit trail only.")
    return member


async def audit_reader_of(member: Member) -> DistrictAdmin | AuditReader:
    """An admin or an audit reader of the district in the path."""
    if isinstance(member, SchoolLead):
        raise Forbidden("Only an admin or an audit reader of the district may do that.")
    return member


async def district_admin_of(staff: Annotated[DistrictCaller, Depends(district_staff_of)]) -> DistrictAdmin:
    """An admin of the district in the path."""
    if not isinstance(staff, DistrictAdmin):
        raise Forbidden("Only an admin of the district may do that.")
    return staff


async def application(caller: AnyCaller) -> ApplicationCaller:
    """An application reading what one district shares with it."""
    if not isinstance(caller, ApplicationCaller):
        raise Forbidden("Only an application's token reads here.")
    return caller


OperatorCaller = Annotated[Operator, Depends(operator)]
ManagementCaller = Annotated[Manager, Depends(manager)]
DistrictStaffOf = Annotated[DistrictCaller, Depends(district_staff_of)]
DistrictAdminOf = Annotated[DistrictAdmin, Depends(district_admin_of)]
AuditReaderOf = Annotated[DistrictAdmin | AuditReader, Depends(audit_reader_of)]
ApplicationToken = Annotated[ApplicationCaller, Depends(application)]


@dataclass(frozen=True)
class PageWanted:
    """Which page of a list is asked for."""

    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Records on the page.")] = DEFAULT_LIMIT
    after: Annotated[str | None, Query(description="The `next` of the page before.")] = None

    @property
    def after_id(self) -> UUID | None:
        """The id of the last record of the page before, for lists in the order of ids."""
        if self.after is None:
            return None
        try:
            return UUID(str(decode_cursor(self.after)))
        except ValueError:
            raise Invalid("`after` is not a cursor of this list; send the `next` of the page before.") from None


PageOf = Annotated[PageWanted, Depends()]
