"""Revoke a token."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin, Operator
from sharing_service.access.models import Token
from sharing_service.access.tokens import described
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import SERVICE, enter_district
from sharing_service.errors import NotFound


async def revoke_token(session: AsyncSession, caller: Operator | DistrictAdmin, token_id: UUID) -> None:
    """Make a token useless from the next request on; the operator any, a district admin those of the own district."""
    await enter_district(session, caller.district_id if isinstance(caller, DistrictAdmin) else SERVICE)
    token = await session.get(Token, token_id, with_for_update=True)
    foreign = isinstance(caller, DistrictAdmin) and (token is None or token.district_id != caller.district_id)
    if token is None or token.revoked_at is not None or foreign:
        raise NotFound
    token.revoked_at = datetime.now(UTC)
    await enter_district(session, token.district_id or SERVICE)
    trail.record(
        session,
        caller,
        AuditAction.REVOKE_TOKEN,
        district_id=token.district_id,
        subject={"kind": "token", "id": str(token.id)},
        before=described(token),
    )
