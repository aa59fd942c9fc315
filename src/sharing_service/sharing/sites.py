"""Sites: what the schools of a district selected for one application."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.errors import NotFound
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import Identity, schools
from sharing_service.sharing.models import SiteChoice


async def school_of(session: AsyncSession, district_id: UUID, school_id: UUID) -> int:
    """The ordinal of a school, which may have left; NotFound if the district never had it."""
    statement = select(Identity.ordinal).where(
        Identity.district_id == district_id, Identity.numbering == Kind.SCHOOLS.value, Identity.id == school_id
    )
    ordinal = await session.scalar(statement)
    if ordinal is None:
        raise NotFound
    return ordinal


async def page(
    session: AsyncSession,
    district_id: UUID,
    application_id: UUID,
    *,
    only: Sequence[UUID] | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[Row[Any]], int]:
    """Up to `limit` schools after an id, each with its name and selection, and how many there are.

    A school that has left is among them while its selection waits for a return; `only` leaves others than these out.
    """
    statement = _select_sites(district_id, application_id)
    if only is not None:
        statement = statement.where(Identity.id == func.any(list(only)))
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    if after is not None:
        statement = statement.where(Identity.id > after)
    return (await session.execute(statement.order_by(Identity.id).limit(limit))).all(), total or 0


def _select_sites(district_id: UUID, application_id: UUID) -> Select[Any]:
    here = and_(schools.c.district_id == Identity.district_id, schools.c.ordinal == Identity.ordinal)
    chosen = and_(
        SiteChoice.district_id == Identity.district_id,
        SiteChoice.application_id == application_id,
        SiteChoice.school == Identity.ordinal,
    )
    return (
        select(
            Identity.id.label("school_id"),
            schools.c.name,
            SiteChoice.selection,
            SiteChoice.changed_at,
            SiteChoice.caller.label("changed_by"),
        )
        .outerjoin(schools, here)
        .outerjoin(SiteChoice, chosen)
        .where(
            Identity.district_id == district_id,
            Identity.numbering == Kind.SCHOOLS.value,
            or_(schools.c.ordinal.is_not(None), SiteChoice.school.is_not(None)),
        )
    )
