"""What the operator manages: districts and applications. No route here shows a roster."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.actions.change_application import change_application
from sharing_service.actions.create_application import create_application
from sharing_service.actions.create_district import create_district
from sharing_service.actions.delete_application import delete_application
from sharing_service.actions.erase_district import erase_district
from sharing_service.api.dependencies import OperatorCaller, PageOf, PathId, ReadSession, ServiceTokens, WriteSession
from sharing_service.api.dependencies import operator as operator_only
from sharing_service.api.idempotency import RunOnce
from sharing_service.errors import NotFound
from sharing_service.pagination import Page, page_of
from sharing_service.roster.models import District
from sharing_service.sharing import applications
from sharing_service.sharing.fields import ApplicationFields
from sharing_service.sharing.permissions import (
    ShareByRules,
    ShareBySchoolSite,
    ShareDistrict,
    SharingPermission,
    as_json,
)
from sharing_service.sharing.rules import Strict, Text

router = APIRouter(prefix="/v1", tags=["operator"], dependencies=[Depends(operator_only)])


class DistrictWanted(Strict):
    """A district to create."""

    name: Text


class DistrictShown(BaseModel):
    """A district."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    revision: int = Field(description="Number of the last change that could alter what anybody sees; 0 at first.")
    created_at: datetime


def _concerns_every_district(sharing: SharingPermission | None) -> SharingPermission | None:
    if sharing is not None and not isinstance(sharing, ShareDistrict | ShareByRules | ShareBySchoolSite):
        raise ValueError("recommend a mode without ids, which no two districts share: district, rules, school_site")
    return sharing


Recommended = Annotated[SharingPermission | None, AfterValidator(_concerns_every_district)]


class ApplicationWanted(Strict):
    """An application to create; without `fields` it gets identity only."""

    name: Text
    fields: ApplicationFields = ApplicationFields()
    recommended_sharing: Recommended = None


class ApplicationChange(Strict):
    """Members that are given change; the others stay."""

    name: Text = ""
    fields: ApplicationFields = ApplicationFields()
    recommended_sharing: Recommended = None

    def columns(self) -> dict[str, Any]:
        """The given members, as the columns hold them."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: as_json(value) if isinstance(value, Strict) else value for name, value in values.items()}


class ApplicationShown(BaseModel):
    """An application."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    fields: ApplicationFields
    recommended_sharing: SharingPermission | None
    client_id: str
    created_at: datetime


class ApplicationCreated(ApplicationShown):
    """An application with its secret, which is shown this once."""

    client_secret: str


@router.post("/districts", status_code=status.HTTP_201_CREATED)
async def post_district(
    wanted: DistrictWanted, caller: OperatorCaller, session: WriteSession, once: RunOnce
) -> DistrictShown:
    """Create a district."""
    return await once.keep(DistrictShown.model_validate(await create_district(session, caller, wanted.name)))


@router.get("/districts")
async def get_districts(session: ReadSession, wanted: PageOf) -> Page[DistrictShown]:
    """List districts."""
    present = select(District).where(District.erasing_since.is_(None))
    total = await session.scalar(select(func.count()).select_from(present.subquery()))
    if wanted.after_id is not None:
        present = present.where(District.id > wanted.after_id)
    rows = (await session.scalars(present.order_by(District.id).limit(wanted.limit + 1))).all()
    shown = [DistrictShown.model_validate(row) for row in rows]
    return page_of(shown, limit=wanted.limit, total=total or 0, position=lambda district: str(district.id))


@router.get("/districts/{district_id}")
async def get_district(district_id: PathId, session: ReadSession) -> DistrictShown:
    """Show a district."""
    return DistrictShown.model_validate(await _present_district(session, district_id))


@router.delete("/districts/{district_id}", status_code=status.HTTP_202_ACCEPTED, response_class=Response)
async def delete_district(district_id: PathId, caller: OperatorCaller, session: WriteSession) -> None:
    """Erase a district: nobody reads it from now on, and its rows are deleted in the background."""
    await erase_district(session, caller, district_id)


@router.post("/applications", status_code=status.HTTP_201_CREATED)
async def post_application(
    wanted: ApplicationWanted, caller: OperatorCaller, session: WriteSession, tokens: ServiceTokens, _once: RunOnce
) -> ApplicationCreated:
    """Create an application; its client secret is in this answer only."""
    application, secret = await create_application(
        session,
        caller,
        tokens,
        name=wanted.name,
        fields=wanted.fields,
        recommended_sharing=wanted.recommended_sharing,
    )
    shown = ApplicationShown.model_validate(application)
    return ApplicationCreated(**dict(shown), client_secret=secret)


@router.get("/applications")
async def get_applications(session: ReadSession, wanted: PageOf) -> Page[ApplicationShown]:
    """List applications."""
    rows, total = await applications.page(session, after=wanted.after_id, limit=wanted.limit + 1)
    shown = [ApplicationShown.model_validate(row) for row in rows]
    return page_of(shown, limit=wanted.limit, total=total, position=lambda application: str(application.id))


@router.get("/applications/{application_id}")
async def get_application(application_id: PathId, session: ReadSession) -> ApplicationShown:
    """Show an application."""
    return ApplicationShown.model_validate(await applications.get(session, application_id))


@router.patch("/applications/{application_id}")
async def patch_application(
    application_id: PathId, change: ApplicationChange, caller: OperatorCaller, session: WriteSession
) -> ApplicationShown:
    """Change an application. What it no longer asks for ends at once in every connected district.

    What it asks for in addition reaches a connected district only after that district has accepted it.
    """
    changed = await change_application(session, caller, application_id, change.columns())
    return ApplicationShown.model_validate(changed)


@router.delete(
    "/applications/{application_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses={409: {"description": "Districts have connected it."}},
)
async def remove_application(application_id: PathId, caller: OperatorCaller, session: WriteSession) -> None:
    """Delete an application that no district has connected."""
    await delete_application(session, caller, application_id)


async def _present_district(session: AsyncSession, district_id: UUID) -> District:
    district = await session.get(District, district_id)
    if district is None or district.erasing_since is not None:
        raise NotFound
    return district
