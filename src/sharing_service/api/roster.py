"""The data browser: the roster as the district's own admins read it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sharing_service.api.dependencies import DistrictAdminOf, PageOf, PathId
from sharing_service.api.district_sessions import BrowsedKind, DistrictRead
from sharing_service.pagination import Page, page_of
from sharing_service.roster import queries
from sharing_service.roster.queries import Search
from sharing_service.sharing.rules import MAX_TEXT, storable

router = APIRouter(tags=["roster"])


class RecordRow(BaseModel):
    """One record: its fields by their names in the catalogue, and the ids of the records around it."""

    model_config = ConfigDict(extra="allow")

    id: str
    sis_id: str | None = Field(description="The district's own key; null for courses and terms.")
    name: str


def _search(
    q: Annotated[
        str,
        Query(max_length=MAX_TEXT, description="Part of a name, sis_id, e-mail or number."),
        AfterValidator(storable),
    ] = "",
    case_sensitive: Annotated[bool, Query(description="Whether `q` tells capital letters from small ones.")] = True,
) -> Search | None:
    return Search(q, case_sensitive) if q else None


SearchOf = Annotated[Search | None, Depends(_search)]


@router.get("/{kind}")
async def list_records(
    session: DistrictRead,
    caller: DistrictAdminOf,
    kind: BrowsedKind,
    search: SearchOf,
    page: PageOf,
) -> Page[RecordRow]:
    """The records of one kind in the order of their ids."""
    found, total = await queries.page(
        session, caller.district_id, kind, search=search, after=page.after_id, limit=page.limit + 1
    )
    return rows_shown(found, limit=page.limit, total=total)


@router.get("/{kind}/{record_id}")
async def get_record(session: DistrictRead, caller: DistrictAdminOf, kind: BrowsedKind, record_id: PathId) -> RecordRow:
    """One record."""
    return RecordRow.model_validate(await queries.get(session, caller.district_id, kind, record_id=record_id))


def rows_shown(found: list[dict[str, Any]], *, limit: int, total: int) -> Page[RecordRow]:
    """A page of rows."""
    rows = [RecordRow.model_validate(row) for row in found]
    return page_of(rows, limit=limit, total=total, position=lambda row: row.id)
