"""Grants: what one district gives one application, and all that decides who is shared under it."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.errors import NotFound
from sharing_service.sharing.fields import GrantedFields, from_names
from sharing_service.sharing.models import Application, Block, Grant, SiteChoice
from sharing_service.sharing.permissions import SHARING, SITE, ShareBySchoolSite, SharingPermission
from sharing_service.sharing.resolver import Sites

NO_SITES: Final[Sites] = {}


async def get(session: AsyncSession, district_id: UUID, application_id: UUID) -> Grant:
    """The grant of an application, or NotFound while it is not connected."""
    grant = await session.get(Grant, (district_id, application_id))
    if grant is None:
        raise NotFound
    return grant


async def get_for_update(session: AsyncSession, district_id: UUID, application_id: UUID) -> Grant:
    """The grant as it is now, locked; take the district's revision first, or a sync deadlocks with it."""
    grant = await session.get(Grant, (district_id, application_id), with_for_update=True, populate_existing=True)
    if grant is None:
        raise NotFound
    return grant


async def all_of(session: AsyncSession, district_id: UUID) -> Sequence[Grant]:
    """Every grant of a district, as it is now, by application."""
    statement = select(Grant).where(Grant.district_id == district_id).order_by(Grant.application_id)
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def any_shares(session: AsyncSession, district_id: UUID) -> bool:
    """Whether a grant of the district has a sharing permission."""
    sharing = select(Grant.application_id).where(Grant.district_id == district_id, Grant.sharing.is_not(None))
    return bool(await session.scalar(select(sharing.exists())))


async def page(
    session: AsyncSession, district_id: UUID, *, after: UUID | None, limit: int
) -> tuple[Sequence[tuple[Grant, Application]], int]:
    """Up to `limit` grants after an application's id, each with the application, and how many there are."""
    statement = (
        select(Grant, Application)
        .join(Application, Application.id == Grant.application_id)
        .where(Grant.district_id == district_id)
    )
    total = await session.scalar(select(func.count()).select_from(Grant).where(Grant.district_id == district_id))
    if after is not None:
        statement = statement.where(Grant.application_id > after)
    found = await session.execute(statement.order_by(Grant.application_id).limit(limit))
    return [(grant, application) for grant, application in found], total or 0


def permission_of(grant: Grant) -> SharingPermission | None:
    """The sharing permission of a grant; None while the district has not chosen."""
    return None if grant.sharing is None else SHARING.validate_python(grant.sharing)


def fields_of(grant: Grant) -> GrantedFields:
    """The field groups that the application receives."""
    return GrantedFields(from_names(grant.fields))


async def sites_of(session: AsyncSession, district_id: UUID, grant: Grant, sharing: SharingPermission) -> Sites:
    """What the schools selected for this application; only school-site sharing looks at it."""
    if not isinstance(sharing, ShareBySchoolSite):
        return NO_SITES
    statement = (
        select(SiteChoice.school, SiteChoice.selection)
        .where(SiteChoice.district_id == district_id, SiteChoice.application_id == grant.application_id)
        .order_by(SiteChoice.school)
    )
    return {school: SITE.validate_python(selection) for school, selection in await session.execute(statement)}


async def blocked_persons(session: AsyncSession, district_id: UUID, application_id: UUID) -> Sequence[int]:
    """The ordinals of the persons blocked for this application or for all."""
    statement = select(Block.person).where(
        Block.district_id == district_id,
        or_(Block.application_id.is_(None), Block.application_id == application_id),
    )
    return (await session.scalars(statement)).all()
