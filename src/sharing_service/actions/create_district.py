"""Create a district."""

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import Operator
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.database import enter_district
from sharing_service.roster.models import District


async def create_district(session: AsyncSession, caller: Operator, name: str) -> District:
    """Create a district without a roster."""
    district = District(id=uuid7(), name=name)
    session.add(district)
    await session.flush()
    await enter_district(session, district.id)
    subject = {"kind": "district", "id": str(district.id)}
    trail.record(
        session,
        caller,
        AuditAction.CREATE_DISTRICT,
        district_id=district.id,
        subject=subject,
        after={"name": name},
    )
    return district
