"""Preview: what a save would share, add and remove, found without saving anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import ledger
from sharing_service.delivery.ledger import COUNTED, Change, Counts
from sharing_service.roster import queries
from sharing_service.roster.catalogue import Kind
from sharing_service.sharing import grants, kept, picks
from sharing_service.sharing.models import Grant
from sharing_service.sharing.permissions import SharingPermission

SAMPLED: Final = 10
"""Records of one kind and direction."""

Samples = Mapping[str, Mapping[str, list[dict[str, Any]]]]
"""By kind and by added or removed."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The grant as it is, how much it would share, and what that would change."""

    grant: Grant
    counts: Counts
    changes: Mapping[Kind, Change]
    samples: Samples


async def of(session: AsyncSession, district_id: UUID, application_id: UUID, sharing: SharingPermission) -> Preview:
    """Preview a permission; ids that the district never had are refused as a save would."""
    grant = await grants.get(session, district_id, application_id)
    await picks.check_known(session, district_id, sharing)
    after = await ledger.evaluate(session, district_id, grant, sharing, await kept.published(session, district_id))
    changes = after.changes_from(await ledger.current(session, district_id, grant))
    samples = {
        kind.value: {
            "added": await _sample(session, district_id, kind, changes[kind].added),
            "removed": await _sample(session, district_id, kind, changes[kind].removed),
        }
        for kind in COUNTED
    }
    return Preview(grant, after.counts(), changes, samples)


async def _sample(session: AsyncSession, district_id: UUID, kind: Kind, changed: BitMap) -> list[dict[str, Any]]:
    first = list(islice(changed, SAMPLED))
    return await queries.names_of(session, district_id, kind, first) if first else []
