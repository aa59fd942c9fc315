"""Blocks: persons whom applications must not see, whatever is shared."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.errors import Invalid, NotFound
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import Identity
from sharing_service.sharing.models import Application, Block, Grant


async def get(session: AsyncSession, district_id: UUID, block_id: UUID) -> Block:
    """A block, or NotFound."""
    block = await session.get(Block, (district_id, block_id))
    if block is None:
        raise NotFound
    return block


async def page(
    session: AsyncSession, district_id: UUID, *, before: UUID | None, limit: int
) -> tuple[Sequence[Block], int]:
    """Up to `limit` blocks before an id, newest first, and how many there are."""
    statement = select(Block).where(Block.district_id == district_id)
    total = await session.scalar(select(func.count()).select_from(statement.subquery()))
    if before is not None:
        statement = statement.where(Block.id < before)
    return (await session.scalars(statement.order_by(Block.id.desc()).limit(limit))).all(), total or 0


async def person_of(session: AsyncSession, district_id: UUID, kind: Kind, record_id: UUID) -> int:
    """The ordinal of a person to block, who may have left; Invalid if the district never had this person."""
    statement = select(Identity.ordinal).where(
        Identity.district_id == district_id,
        Identity.numbering == "people",
        Identity.kind == kind.value,
        Identity.id == record_id,
    )
    ordinal = await session.scalar(statement)
    if ordinal is None:
        text = f"The district never had {kind} with this id."
        problem = {"where": ["body", "record_id"], "message": text}
        raise Invalid(problems=[problem], unknown_ids=[str(record_id)])
    return ordinal


async def check_application(session: AsyncSession, application_id: UUID | None) -> None:
    """Invalid if there is no such application; it may be blocked before it is connected."""
    if application_id is None:
        return
    application = await session.get(Application, application_id)
    if application is None or application.deleted_at is not None:
        raise Invalid(problems=[{"where": ["body", "application_id"], "message": "There is no such application."}])


async def exists(session: AsyncSession, district_id: UUID, *, person: int, application_id: UUID | None) -> bool:
    """Whether this person is blocked already, for this application or, without one, for all."""
    statement = select(Block.id).where(
        Block.district_id == district_id,
        Block.person == person,
        Block.application_id.is_not_distinct_from(application_id),
    )
    return await session.scalar(statement) is not None


def concerned(all_grants: Sequence[Grant], application_id: UUID | None) -> list[Grant]:
    """The grants that a block for this application, or without one for all, is about."""
    return [grant for grant in all_grants if application_id is None or grant.application_id == application_id]
