"""Projection: the field groups that the answers of a grant hold, changed in one place."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import feed, ledger
from sharing_service.delivery.differences import Sight, difference
from sharing_service.sharing import grants
from sharing_service.sharing.fields import GroupSet, names_of
from sharing_service.sharing.models import Grant


async def set_fields(session: AsyncSession, district_id: UUID, grant: Grant, after: GroupSet, *, revision: int) -> None:
    """Let the answers of a locked grant hold these groups from now on; nothing moves if they did before."""
    before = grants.fields_of(grant)
    if after == before.groups:
        return
    grant.fields = names_of(after)
    grant.revision, grant.changed_at = revision, datetime.now(UTC)
    await session.flush()
    sets = (await ledger.current(session, district_id, grant)).sets
    differences = difference(Sight(sets, before), Sight(sets, grants.fields_of(grant)), None)
    await feed.write(session, district_id, grant.application_id, differences, revision=revision)
