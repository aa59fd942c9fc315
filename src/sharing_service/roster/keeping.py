"""Keeps what a published upload leaves behind for the comparison with the next one: some twenty bytes a record."""

import io
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import polars as pl
from sqlalchemy import delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.catalogue import UPLOADED
from sharing_service.roster.differing import Compared
from sharing_service.roster.sync_models import RowDigests, Sync

PIECE: Final = 1024 * 1024
"""Bytes of a stored piece."""
_CONTACTS: Final = "shared_contacts"


async def keep(session: AsyncSession, district_id: UUID, left: Compared, *, fingerprint: bytes, reading: bytes) -> None:
    """Keep what an upload leaves behind, instead of what is kept."""
    await drop(session, district_id)
    place = {"district_id": district_id, "fingerprint": fingerprint, "reading": reading}
    for name, frame in _named(left).items():
        data = io.BytesIO()
        frame.write_ipc(data, compression="lz4")
        for number, start in enumerate(range(0, data.tell(), PIECE)):
            piece = bytes(data.getbuffer()[start : start + PIECE])
            await session.execute(insert(RowDigests).values(**place, name=name, number=number, data=piece))


async def drop(session: AsyncSession, district_id: UUID) -> None:
    """Keep nothing: the next upload is read whole."""
    await session.execute(delete(RowDigests).where(RowDigests.district_id == district_id))


async def kept(session: AsyncSession, district_id: UUID, *, reading: bytes) -> Compared | None:
    """What the published upload left behind, if the next one is read as it was."""
    published = exists().where(Sync.district_id == district_id, Sync.fingerprint == RowDigests.fingerprint)
    statement = (
        select(RowDigests.name, RowDigests.data)
        .where(RowDigests.district_id == district_id, RowDigests.reading == reading, published)
        .order_by(RowDigests.name, RowDigests.number)
    )
    found: dict[str, io.BytesIO] = {}
    for name, data in await session.execute(statement):
        found.setdefault(name, io.BytesIO()).write(data)
    if not found:
        return None
    frames = {name: pl.read_ipc(data.getvalue()) for name, data in found.items()}
    return Compared({kind: frames[kind] for kind in UPLOADED}, frames[_CONTACTS])


def _named(left: Compared) -> Mapping[str, pl.DataFrame]:
    return {**{kind.value: frame for kind, frame in left.records.items()}, _CONTACTS: left.contacts}
