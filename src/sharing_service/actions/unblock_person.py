"""Unblock a person."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import publication
from sharing_service.roster import revisions
from sharing_service.sharing import blocks, grants, kept


async def unblock_person(session: AsyncSession, caller: DistrictAdmin, block_id: UUID) -> None:
    """Take a block away: the mode alone decides about the person again."""
    district_id = caller.district_id
    await kept.lock(session, district_id)
    revision = await revisions.take(session, district_id, cause=AuditAction.UNBLOCK_PERSON, caller=caller)
    block = await blocks.get(session, district_id, block_id)
    application_id = block.application_id
    await session.delete(block)
    await session.flush()
    concerned = blocks.concerned(await grants.all_of(session, district_id), application_id)
    await publication.rebuild_all(session, district_id, concerned, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.UNBLOCK_PERSON,
        district_id=district_id,
        subject={"kind": "block", "id": str(block_id)},
        before={
            "kind": block.kind,
            "record_id": str(block.record_id),
            "application_id": application_id and str(application_id),
        },
        revision=revision,
    )
