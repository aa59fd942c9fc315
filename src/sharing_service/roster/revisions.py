"""Revisions: the gapless numbers that order every change of a district."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Caller
from sharing_service.errors import NotFound
from sharing_service.roster.models import District, Revision


async def lock(session: AsyncSession, district_id: UUID) -> District:
    """Lock the district until the transaction ends; everything else is locked after it, or syncs and saves deadlock.

    FOR NO KEY UPDATE: a plain FOR UPDATE would block every insert that refers to the district.
    """
    statement = (
        select(District)
        .where(District.id == district_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    district = (await session.execute(statement)).scalar_one_or_none()
    if district is None or district.erasing_since is not None:
        raise NotFound
    return district


async def lock_if(session: AsyncSession, district_id: UUID, holds: Callable[[District], Awaitable[bool]]) -> bool:
    """Lock the district if something holds when it is locked, and let go of it again otherwise; whether it held."""
    attempt = await session.begin_nested()
    if await holds(await lock(session, district_id)):
        await attempt.commit()
        return True
    await attempt.rollback()
    return False


async def take(session: AsyncSession, district_id: UUID, *, cause: str, caller: Caller) -> int:
    """Lock the district and take its next revision number."""
    district = await lock(session, district_id)
    district.revision += 1
    session.add(Revision(district_id=district_id, number=district.revision, cause=cause, caller=caller.described()))
    await session.flush()
    return district.revision
