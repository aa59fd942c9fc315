"""Names of `ext.` columns keep the spelling of their first appearance, because rules name them byte for byte."""

import json
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.catalogue import EXTENSIBLE

STAGED: Final = "select distinct jsonb_object_keys(ext) from staged_{kind} where ext <> '{{}}'"
KEPT: Final = "select distinct jsonb_object_keys(ext) from {kind} where district_id = :district_id and ext <> '{{}}'"
RENAME: Final = """
update staged_{kind} set ext = (
    select jsonb_object_agg(coalesce(cast(:spellings as jsonb) ->> key, key), value) from jsonb_each(ext)
)
where ext ?| array(select jsonb_object_keys(cast(:spellings as jsonb)))
"""


async def keep_spellings(session: AsyncSession, district_id: UUID) -> bool:
    """Give the `ext` names of staged rows the spelling that the district's roster has; whether any was another."""
    renamed = False
    for kind in EXTENSIBLE:
        staged = set(await session.scalars(text(STAGED.format(kind=kind))))
        if not staged:
            continue
        kept = set(await session.scalars(text(KEPT.format(kind=kind)), {"district_id": district_id}))
        first = {name.lower(): name for name in kept}
        spellings = {name: first[name.lower()] for name in staged - kept if name.lower() in first}
        if spellings:
            await session.execute(text(RENAME.format(kind=kind)), {"spellings": json.dumps(spellings)})
            renamed = True
    return renamed
