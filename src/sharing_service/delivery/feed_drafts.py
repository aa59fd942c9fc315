"""Entries of feeds that a sync has formed before it has a revision.

They wait in a temporary table: to form, compress and send those of a hundred grants takes longer than all else that is
done while the district is locked.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import column, delete, insert, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import feed
from sharing_service.delivery.differences import Differences
from sharing_service.delivery.models import FeedEntry

_COLUMNS: Final = ("application_id", "place", "last_id", "created", "updated", "deleted")
_DRAFTED: Final = table("drafted_feed", *(column(name, FeedEntry.__table__.c[name].type) for name in _COLUMNS))
_EMPTY: Final = (
    "drop table if exists pg_temp.drafted_feed",
    f"create temp table drafted_feed on commit drop as select {', '.join(_COLUMNS)} from feed with no data",  # noqa: S608
)
_NO_REVISION: Final = 0
_PUBLISH: Final = """
insert into feed (district_id, revision, application_id, place, last_id, created, updated, deleted)
select :district_id, :revision, application_id, place,
       cast(overlay(cast(last_id as text) placing :revision_of_ids from 1) as uuid), created, updated, deleted
from drafted_feed
returning application_id
"""


async def begin(session: AsyncSession) -> None:
    """Make room for the entries of a sync; what an earlier one of the transaction had drafted goes."""
    for statement in _EMPTY:
        await session.execute(text(statement))


async def draft(session: AsyncSession, application_id: UUID, differences: Differences) -> None:
    """Keep what a sync would change for a grant, which has no draft."""
    if rows := feed.entries(application_id, differences, revision=_NO_REVISION):
        await session.execute(insert(_DRAFTED), rows)


async def drop(session: AsyncSession, applications: Iterable[UUID]) -> None:
    """Forget what was drafted for some grants."""
    await session.execute(delete(_DRAFTED).where(_DRAFTED.c.application_id.in_(list(applications))))


async def publish(session: AsyncSession, district_id: UUID, *, revision: int) -> None:
    """Write all that was drafted as entries of this revision."""
    told = {"district_id": district_id, "revision": revision, "revision_of_ids": feed.revision_of_ids(revision)}
    written = set((await session.scalars(text(_PUBLISH), told)).all())
    if written:
        await feed.expire(session, district_id, written)
