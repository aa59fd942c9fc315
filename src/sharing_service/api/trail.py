"""The audit trail of a district."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from sharing_service.api.dependencies import AuditReaderOf, PageOf
from sharing_service.api.district_sessions import DistrictRead
from sharing_service.audit import trail
from sharing_service.audit.models import AuditEntry
from sharing_service.pagination import Page, page_of

router = APIRouter(tags=["audit"])


class Entry(BaseModel):
    """Who did what, when, to which thing."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    action: str
    caller: dict[str, Any]
    subject: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    revision: int | None


@router.get("/audit")
async def list_entries(session: DistrictRead, caller: AuditReaderOf, page: PageOf) -> Page[Entry]:
    """The trail, newest first."""
    of_district = AuditEntry.district_id == caller.district_id
    total = await session.scalar(select(func.count()).select_from(AuditEntry).where(of_district)) or 0
    statement = trail.select_entries(caller.district_id, after=page.after_id, limit=page.limit + 1)
    shown = [Entry.model_validate(entry) for entry in await session.scalars(statement)]
    return page_of(shown, limit=page.limit, total=total, position=lambda entry: str(entry.id))
