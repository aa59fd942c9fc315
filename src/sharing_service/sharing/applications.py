"""Applications: what partners registered, known to all districts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import enter_district
from sharing_service.errors import NotFound
from sharing_service.roster.models import District
from sharing_service.sharing.models import Application, Grant


async def get(session: AsyncSession, application_id: UUID) -> Application:
    """An application, or NotFound once it is deleted."""
    return _present(await session.get(Application, application_id))


async def hold(session: AsyncSession, application_id: UUID) -> Application:
    """An application that nobody changes or deletes before this transaction ends: to connect it."""
    lock = {"read": True}
    return _present(await session.get(Application, application_id, with_for_update=lock, populate_existing=True))


async def get_for_update(session: AsyncSession, application_id: UUID, *, delete: bool = False) -> Application:
    """An application to change, or to delete; nobody connects it before this transaction ends.

    An application is locked before the districts, or a connection could deadlock with a change.
    """
    lock = {"key_share": not delete}
    return _present(await session.get(Application, application_id, with_for_update=lock, populate_existing=True))


async def page(session: AsyncSession, *, after: UUID | None, limit: int) -> tuple[Sequence[Application], int]:
    """Up to `limit` applications after an id, and how many there are."""
    present = select(Application).where(Application.deleted_at.is_(None))
    total = await session.scalar(select(func.count()).select_from(present.subquery()))
    if after is not None:
        present = present.where(Application.id > after)
    return (await session.scalars(present.order_by(Application.id).limit(limit))).all(), total or 0


async def connected_districts(session: AsyncSession, application_id: UUID) -> list[UUID]:
    """The districts that connected an application, asked one by one: no transaction sees grants of two districts.

    One that is being erased decides nothing any more and is not among them.
    """
    connected = []
    present = select(District.id).where(District.erasing_since.is_(None)).order_by(District.id)
    for district_id in (await session.scalars(present)).all():
        await enter_district(session, district_id)
        if await session.get(Grant, (district_id, application_id)) is not None:
            connected.append(district_id)
    return connected


def described(application: Application) -> dict[str, Any]:
    """The application as the trail keeps it."""
    return {
        "name": application.name,
        "fields": application.fields,
        "recommended_sharing": application.recommended_sharing,
    }


def _present(application: Application | None) -> Application:
    if application is None or application.deleted_at is not None:
        raise NotFound
    return application
