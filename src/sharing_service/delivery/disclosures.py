"""Disclosure records: which persons an answer carried to an application (34 CFR 99.32)."""

from collections.abc import Sequence
from uuid import UUID

from pyroaring import BitMap
from uuid_utils.compat import uuid7

from sharing_service.database import Database, enter_district
from sharing_service.delivery.models import Disclosure


async def record(
    database: Database,
    *,
    district_id: UUID,
    application_id: UUID,
    token_id: UUID,
    route: str,
    revision: int,
    field_groups: Sequence[str],
    persons: BitMap,
) -> None:
    """Write and commit that these persons go out now; an answer may begin only after this has returned."""
    async with database.write() as session:
        await enter_district(session, district_id)
        session.add(
            Disclosure(
                district_id=district_id,
                id=uuid7(),
                application_id=application_id,
                token_id=token_id,
                route=route,
                revision=revision,
                field_groups=list(field_groups),
                persons=persons.serialize(),
            )
        )
