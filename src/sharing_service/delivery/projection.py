"""Projection: the field groups that the answers of a grant hold, changed in one place."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.sharing import grants
from sharing_service.sharing.fields import GroupSet, names_of
from sharing_service.sharing.models import Grant


async def set_fields(session: AsyncSession, district_id: UUID, grant: Grant, after: GroupSet, *, revision: int) -> None:
    """Let the answers of a locked grant hold these groups from now on; nothing moves if they did before."""
    before = grants.fields_of(grant).groups
    if after == before:
        return
    grant.fields = names_of(after)
    grant.revision, grant.changed_at = revision, datetime.now(UTC)
    await session.flush()
