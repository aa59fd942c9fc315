"""Saving: a grant's new sharing permission, its ledger and its version, together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Caller
from sharing_service.delivery import ledger
from sharing_service.delivery.ledger import Change, Changes, Counts
from sharing_service.roster.catalogue import Kind
from sharing_service.sharing import versions
from sharing_service.sharing.models import Grant
from sharing_service.sharing.permissions import SharingPermission, as_json

NO_CHANGES: Final[Mapping[Kind, Change]] = ledger.EMPTY.changes_from(ledger.EMPTY)


@dataclass(frozen=True, slots=True)
class Saved:
    """A grant after a save, how much it shares, and what that changed."""

    grant: Grant
    revision: int
    counts: Counts
    changes: Mapping[Kind, Change]


def is_set(grant: Grant, sharing: SharingPermission | None) -> bool:
    """Whether this very permission is the one that is set."""
    return grant.sharing == (None if sharing is None else as_json(sharing))


async def unchanged(session: AsyncSession, district_id: UUID, grant: Grant) -> Saved:
    """The answer to a save of what is set already."""
    return await saved(session, district_id, grant, NO_CHANGES, revision=grant.revision)


async def saved(
    session: AsyncSession, district_id: UUID, grant: Grant, changes: Mapping[Kind, Change], *, revision: int
) -> Saved:
    """The answer to a save that made these changes."""
    present = await ledger.current(session, district_id, grant)
    return Saved(grant, revision, present.counts(), changes)


async def save(
    session: AsyncSession,
    district_id: UUID,
    caller: Caller,
    grant: Grant,
    sharing: SharingPermission | None,
    *,
    revision: int,
) -> Saved:
    """Give a locked grant its next version; None shares nothing any more."""
    before, grant.sharing = grant.sharing, None if sharing is None else as_json(sharing)
    grant.version += 1
    changes = await rebuild(session, district_id, grant, sharing, revision=revision)
    answer = await saved(session, district_id, grant, changes, revision=revision)
    versions.add(session, caller, grant, before=before, counts=answer.counts)
    return answer


async def rebuild(
    session: AsyncSession, district_id: UUID, grant: Grant, sharing: SharingPermission | None, *, revision: int
) -> Changes:
    """Evaluate a grant that a person decided about, by the permission that it has now."""
    grant.decided_revision, grant.changed_at = revision, datetime.now(UTC)
    return await ledger.rebuild(session, district_id, grant, sharing, revision=revision)


def described(grant: Grant) -> dict[str, object]:
    """The permission as the trail keeps it: the history holds it whole, and it may name 100,000 sections."""
    return {"version": grant.version, "mode": grant.sharing and grant.sharing["mode"]}
