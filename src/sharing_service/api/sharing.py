"""The sharing permission of a connected application: read, save, preview, unshare, history."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, BeforeValidator, Field

from sharing_service.actions.restore_sharing import restore_sharing
from sharing_service.actions.set_sharing import set_sharing
from sharing_service.actions.unshare import unshare
from sharing_service.api.dependencies import DistrictAdminOf, PageOf, PageWanted, PathId
from sharing_service.api.district_sessions import DistrictEvaluation, DistrictRead, DistrictWrite
from sharing_service.api.idempotency import RunOnce
from sharing_service.api.preconditions import NUMBER, TAGGED, IfMatch, etag
from sharing_service.api.saved import ChangesShown, Counts, changes_shown
from sharing_service.delivery import ledger, preview
from sharing_service.delivery.saving import Saved
from sharing_service.errors import Invalid, NotFound, NotShared
from sharing_service.pagination import Page, decode_cursor, page_of
from sharing_service.sharing import grants, picks, versions
from sharing_service.sharing.permissions import SharingPermission

router = APIRouter(prefix="/applications/{application_id}/sharing", tags=["sharing"])


class Sharing(BaseModel):
    """The permission that is set, and how much it shares now."""

    sharing: SharingPermission
    version: int
    revision: int = Field(description="The last revision that may have changed what the application sees.")
    counts: Counts
    missing: list[UUID] = Field(description="Ids that the permission names and whose records have left.")


class Unshared(BaseModel):
    """A grant that shares nothing any more."""

    version: int
    revision: int
    counts: Counts
    changes: ChangesShown


class SharingSaved(Unshared):
    """A grant after a save; `sharing` is null if a version was restored that shared nothing."""

    sharing: SharingPermission | None


class Sample(BaseModel):
    """One of the records that a save would add or remove."""

    id: UUID
    sis_id: str
    name: str


class Samples(BaseModel):
    """Some of the records of one kind that a save would add and remove."""

    added: list[Sample]
    removed: list[Sample]


class Preview(BaseModel):
    """What a save would do; send `version` as If-Match with it."""

    version: int
    revision: int
    counts: Counts
    changes: ChangesShown
    samples: dict[str, Samples] = Field(description="Up to 10 records per kind and direction.")


class Version(BaseModel):
    """One save: who, when, before, after."""

    version: int
    revision: int
    at: datetime
    caller: dict[str, Any]
    before: SharingPermission | None
    after: SharingPermission | None
    counts: Counts


def _before(page: PageWanted) -> int | None:
    if page.after is None:
        return None
    version = decode_cursor(page.after)
    if not isinstance(version, int) or NUMBER.fullmatch(str(version)) is None:
        raise Invalid("`after` is not a cursor of this list; send the `next` of the page before.")
    return version


def _number(value: Any) -> Any:
    if NUMBER.fullmatch(str(value)) is None:
        raise NotFound
    return value


VersionNumber = Annotated[int, BeforeValidator(_number), Path()]


def _saved(saved: Saved) -> dict[str, Any]:
    return {
        "sharing": saved.grant.sharing,
        "version": saved.grant.version,
        "revision": saved.revision,
        "counts": saved.counts,
        "changes": changes_shown(saved.changes),
    }


@router.get("", responses=TAGGED)
async def get_sharing(
    session: DistrictRead, caller: DistrictAdminOf, application_id: PathId, response: Response
) -> Sharing:
    """The sharing permission of the application."""
    grant = await grants.get(session, caller.district_id, application_id)
    sharing = grants.permission_of(grant)
    if sharing is None:
        raise NotShared
    counts = (await ledger.current(session, caller.district_id, grant)).counts()
    response.headers.update(etag(grant.version))
    return Sharing(
        sharing=sharing,
        version=grant.version,
        revision=grant.revision,
        counts=Counts.model_validate(counts),
        missing=list(await picks.missing_from(session, caller.district_id, sharing)),
    )


@router.put("", responses=TAGGED)
async def put_sharing(
    session: DistrictWrite,
    caller: DistrictAdminOf,
    application_id: PathId,
    sharing: SharingPermission,
    if_match: IfMatch,
    response: Response,
) -> SharingSaved:
    """Set the sharing permission; it is effective with this answer."""
    saved = await set_sharing(session, caller, application_id, sharing, expected=if_match)
    response.headers.update(etag(saved.grant.version))
    return SharingSaved.model_validate(_saved(saved) | {"sharing": sharing})


@router.delete("")
async def delete_sharing(
    session: DistrictWrite, caller: DistrictAdminOf, application_id: PathId, if_match: IfMatch
) -> Unshared:
    """Share nothing with the application any more."""
    return Unshared.model_validate(_saved(await unshare(session, caller, application_id, expected=if_match)))


@router.post("/preview")
async def preview_sharing(
    session: DistrictEvaluation, caller: DistrictAdminOf, application_id: PathId, sharing: SharingPermission
) -> Preview:
    """What saving this permission would add and remove; nothing is saved."""
    shown = await preview.of(session, caller.district_id, application_id, sharing)
    return Preview.model_validate(
        {
            "version": shown.grant.version,
            "revision": shown.grant.revision,
            "counts": shown.counts,
            "changes": changes_shown(shown.changes),
            "samples": shown.samples,
        }
    )


@router.get("/history")
async def list_history(
    session: DistrictRead, caller: DistrictAdminOf, application_id: PathId, page: PageOf
) -> Page[Version]:
    """The saves of the permission, newest first."""
    await grants.get(session, caller.district_id, application_id)
    found, total = await versions.page(
        session, caller.district_id, application_id, before=_before(page), limit=page.limit + 1
    )
    shown = [Version.model_validate(version, from_attributes=True) for version in found]
    return page_of(shown, limit=page.limit, total=total, position=lambda version: version.version)


@router.post("/history/{version}/restore", responses=TAGGED)
async def restore(
    session: DistrictWrite,
    caller: DistrictAdminOf,
    application_id: PathId,
    version: VersionNumber,
    if_match: IfMatch,
    response: Response,
    once: RunOnce,
) -> SharingSaved:
    """Set the permission of an earlier version again, as a new version."""
    saved = await restore_sharing(session, caller, application_id, version, expected=if_match)
    response.headers.update(etag(saved.grant.version))
    answer = SharingSaved.model_validate(_saved(saved))
    return await once.keep(answer, status=200, headers=etag(saved.grant.version))
