"""Versions: the saves of a grant's sharing permission, counted, kept, and compared with what a caller expects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Caller
from sharing_service.errors import NotFound, VersionChanged
from sharing_service.sharing.models import Grant, SharingVersion


@dataclass(frozen=True, slots=True)
class Expected:
    """What a caller demands of the present permission or fields: one of these versions, or that there is any at all."""

    versions: frozenset[int] = frozenset()
    anything: bool = False

    def check(self, grant: Grant) -> None:
        """Raise `VersionChanged` unless the grant is as demanded; a locked grant stays so."""
        present = self.anything and grant.sharing is not None
        if not present and grant.version not in self.versions:
            raise VersionChanged

    def check_fields(self, grant: Grant) -> None:
        """Raise `VersionChanged` unless request, acceptance and refusals are those of a demanded revision."""
        if not self.anything and grant.fields_revision not in self.versions:
            raise VersionChanged


def add(
    session: AsyncSession, caller: Caller, grant: Grant, *, before: dict[str, Any] | None, counts: dict[str, int]
) -> None:
    """Keep the save that gave the grant its present permission, version and revision; the grant has been written."""
    # Copied inside the database: it may name 100,000 sections and has just been sent and compressed.
    written = select(Grant.sharing).where(
        Grant.district_id == grant.district_id, Grant.application_id == grant.application_id
    )
    session.add(
        SharingVersion(
            district_id=grant.district_id,
            application_id=grant.application_id,
            version=grant.version,
            revision=grant.revision,
            caller=caller.described(),
            before=before,
            after=written.scalar_subquery(),
            counts=counts,
        )
    )


async def get(session: AsyncSession, district_id: UUID, application_id: UUID, *, version: int) -> SharingVersion:
    """One save, or NotFound."""
    found = await session.get(SharingVersion, (district_id, application_id, version))
    if found is None:
        raise NotFound
    return found


async def highest(session: AsyncSession, district_id: UUID, application_id: UUID) -> int:
    """The last version there was, 0 without any: a grant that is connected again counts on."""
    of_grant = (SharingVersion.district_id == district_id, SharingVersion.application_id == application_id)
    return await session.scalar(select(func.max(SharingVersion.version)).where(*of_grant)) or 0


async def page(
    session: AsyncSession, district_id: UUID, application_id: UUID, *, before: int | None, limit: int
) -> tuple[Sequence[SharingVersion], int]:
    """Up to `limit` saves before a version, newest first, and how many there are."""
    saves = select(SharingVersion).where(
        SharingVersion.district_id == district_id, SharingVersion.application_id == application_id
    )
    total = await session.scalar(select(func.count()).select_from(saves.subquery()))
    if before is not None:
        saves = saves.where(SharingVersion.version < before)
    return (await session.scalars(saves.order_by(SharingVersion.version.desc()).limit(limit))).all(), total or 0
