"""Volumes: how many persons each token received within an hour, and whether that is more than anybody needs.

Who has stolen a token reads everything again and again, or everybody one by one; who keeps a copy reads it once and
follows the feed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.usage import Hour
from sharing_service.delivery import ledger
from sharing_service.delivery.models import TokenVolume
from sharing_service.roster.models import District
from sharing_service.sharing import grants
from sharing_service.sharing.models import Grant

SHARED_AT_LEAST: Final = 1000
"""A grant that shares fewer persons is taken for one of so many: who reads little may read it often."""
KEPT: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Volume:
    """What a token received within an hour, of how many persons who are shared with it now."""

    hour: Hour
    persons: int
    shared: int


async def add(session: AsyncSession, district_id: UUID, counted: Mapping[Hour, int], *, times: int) -> list[Volume]:
    """Add what one process counted; the volumes that are unusual from now on, and of which nobody was told yet.

    Unusual is more than so many `times` the persons that the grant shares.
    """
    present = select(District.id).where(District.id == district_id, District.erasing_since.is_(None))
    if not counted or await session.scalar(present) is None:
        return []
    aged = TokenVolume.hour < func.now() - KEPT
    await session.execute(delete(TokenVolume).where(TokenVolume.district_id == district_id, aged))
    hours = {(hour.token_id, hour.begins): hour for hour in counted}
    rows = [
        {"district_id": district_id, "token_id": token_id, "hour": begins, "persons": counted[hours[token_id, begins]]}
        for token_id, begins in sorted(hours)  # in one order, or two processes could deadlock
    ]
    adding = insert(TokenVolume).values(rows)
    added = await session.execute(
        adding.on_conflict_do_update(
            index_elements=["district_id", "token_id", "hour"],
            set_={"persons": TokenVolume.persons + adding.excluded.persons},
        ).returning(TokenVolume.token_id, TokenVolume.hour, TokenVolume.persons, TokenVolume.alarmed_at)
    )
    unusual = []
    for token_id, begins, persons, alarmed_at in added.all():
        if alarmed_at is None and persons > times * SHARED_AT_LEAST:
            hour = hours[token_id, begins]
            shared = await _shared(session, district_id, hour.reader.application_id)
            if persons > times * shared:
                unusual.append(Volume(hour, persons, shared))
    return unusual


async def _shared(session: AsyncSession, district_id: UUID, application_id: UUID) -> int:
    """How many persons a grant shares now; none once it is gone."""
    grant = await session.get(Grant, (district_id, application_id))
    if grant is None:
        return 0
    shared = await ledger.current(session, district_id, grant)
    return len(shared.users(contacts=grants.fields_of(grant).wants_contacts))
