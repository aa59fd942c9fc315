"""Blocks of a district: persons whom applications must not see."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from sharing_service.actions.block_person import BlockWanted, block_person
from sharing_service.actions.unblock_person import unblock_person
from sharing_service.api.dependencies import DistrictAdminOf, PageOf, PathId
from sharing_service.api.district_sessions import DistrictRead, DistrictWrite
from sharing_service.api.idempotency import RunOnce
from sharing_service.pagination import Page, page_of
from sharing_service.sharing import blocks

router = APIRouter(prefix="/blocks", tags=["blocks"])


class BlockShown(BaseModel):
    """One blocked person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    record_id: UUID
    application_id: UUID | None = Field(description="Null: blocked for all applications.")
    reason: str
    created_at: datetime
    created_by: dict[str, Any] = Field(validation_alias="caller")


@router.get("")
async def list_blocks(session: DistrictRead, caller: DistrictAdminOf, page: PageOf) -> Page[BlockShown]:
    """The blocks, newest first."""
    found, total = await blocks.page(session, caller.district_id, before=page.after_id, limit=page.limit + 1)
    shown = [BlockShown.model_validate(block) for block in found]
    return page_of(shown, limit=page.limit, total=total, position=lambda block: str(block.id))


@router.post("", status_code=201)
async def block(session: DistrictWrite, caller: DistrictAdminOf, wanted: BlockWanted, once: RunOnce) -> BlockShown:
    """Block a person, at once and whatever the mode says."""
    return await once.keep(BlockShown.model_validate(await block_person(session, caller, wanted)))


@router.delete("/{block_id}", status_code=204)
async def unblock(session: DistrictWrite, caller: DistrictAdminOf, block_id: PathId) -> None:
    """Take a block away."""
    await unblock_person(session, caller, block_id)
