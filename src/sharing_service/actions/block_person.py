"""Block a person."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import DistrictAdmin
from sharing_service.audit import trail
from sharing_service.audit.trail import AuditAction
from sharing_service.delivery import publication
from sharing_service.errors import Conflict
from sharing_service.roster import revisions
from sharing_service.roster.catalogue import Kind
from sharing_service.sharing import blocks, grants
from sharing_service.sharing.models import Block
from sharing_service.sharing.rules import Strict, storable

MAX_REASON = 500


class BlockWanted(Strict):
    """Whom to block, for which application or for all, and why."""

    kind: Literal[Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF]
    record_id: UUID
    application_id: UUID | None = None
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON), AfterValidator(storable)]


async def block_person(session: AsyncSession, caller: DistrictAdmin, wanted: BlockWanted) -> Block:
    """Take a person out of what one application, or all of them, see; the mode does not matter."""
    district_id = caller.district_id
    revision = await revisions.take(session, district_id, cause=AuditAction.BLOCK_PERSON, caller=caller)
    person = await blocks.person_of(session, district_id, wanted.kind, wanted.record_id)
    await blocks.check_application(session, wanted.application_id)
    if await blocks.exists(session, district_id, person=person, application_id=wanted.application_id):
        raise Conflict("This person is blocked already.", code="already_blocked")
    block = Block(district_id=district_id, id=uuid7(), person=person, caller=caller.described(), **wanted.model_dump())
    session.add(block)
    await session.flush()
    concerned = blocks.concerned(await grants.all_of(session, district_id), wanted.application_id)
    await publication.take_out(session, district_id, concerned, person, revision=revision)
    trail.record(
        session,
        caller,
        AuditAction.BLOCK_PERSON,
        district_id=district_id,
        subject={"kind": "block", "id": str(block.id)},
        after=wanted.model_dump(mode="json", exclude={"reason"}),
        revision=revision,
    )
    return block
