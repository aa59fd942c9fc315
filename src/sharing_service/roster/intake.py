"""Keeps uploads in the database in chunks, where every worker sees them."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import BinaryIO, Final, Self, cast
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.errors import TooLarge
from sharing_service.roster.multipart import MultipartFiles, PartBegins
from sharing_service.roster.sync_models import UploadChunk, UploadFile

CHUNK: Final = 1024 * 1024
"""Bytes of a stored chunk."""


async def store_file(
    session: AsyncSession,
    district_id: UUID,
    sync_id: UUID,
    *,
    position: int,
    name: str,
    is_archive: bool,
    chunks: AsyncIterator[bytes],
    limit: int,
) -> int:
    """Store one file as it arrives and return its size in bytes; `TooLarge` beyond the limit."""
    place: dict[str, UUID | int] = {"district_id": district_id, "sync_id": sync_id, "position": position}
    size = 0
    async with _Writer(session, place, name=name, is_archive=is_archive) as writer:
        async for chunk in chunks:
            size += len(chunk)
            _check_size(size, limit)
            await writer.write(chunk)
        await writer.end()
    return size


async def store_multipart(
    session: AsyncSession,
    district_id: UUID,
    sync_id: UUID,
    *,
    content_type: str,
    chunks: AsyncIterator[bytes],
    limit: int,
) -> int:
    """Store each part of a multipart/form-data body as a file and return how many there were.

    The limit counts the bytes of the whole body: `TooLarge` beyond it, `Invalid` for a body that is not well formed.
    """
    body = MultipartFiles(content_type)
    writer: _Writer | None = None
    size = count = 0
    async with AsyncExitStack() as writers:
        async for chunk in chunks:
            size += len(chunk)
            _check_size(size, limit)
            for found in body.feed(chunk):
                if isinstance(found, PartBegins):
                    if writer:
                        await writer.end()
                    place: dict[str, UUID | int] = {"district_id": district_id, "sync_id": sync_id, "position": count}
                    writer = _Writer(session, place, name=found.name, is_archive=found.is_archive)
                    await writers.enter_async_context(writer)
                    count += 1
                elif writer:
                    await writer.write(found)
        body.end()
        if writer:
            await writer.end()
    return count


async def files_of(session: AsyncSession, district_id: UUID, sync_id: UUID) -> Sequence[UploadFile]:
    """The stored files of a sync in the order in which they were sent."""
    statement = (
        select(UploadFile)
        .where(UploadFile.district_id == district_id, UploadFile.sync_id == sync_id)
        .order_by(UploadFile.position)
    )
    return (await session.scalars(statement)).all()


async def open_file(session: AsyncSession, district_id: UUID, sync_id: UUID, position: int) -> BinaryIO:
    """Copy a stored file into a temporary one without a name, of which nothing is left however the process ends."""
    statement = (
        select(UploadChunk.data)
        .where(UploadChunk.district_id == district_id, UploadChunk.sync_id == sync_id, UploadChunk.position == position)
        .order_by(UploadChunk.number)
        .execution_options(yield_per=4)
    )
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        async for data in await session.stream_scalars(statement):
            copy.write(data)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"Send at most {limit:,} bytes; a zip archive of the files is smaller.")


class _Writer:
    """Stores one file in chunks of one size, whatever the sizes in which it arrives, and its digest at the end.

    A chunk is stored while the next one arrives.
    """

    def __init__(self, session: AsyncSession, place: Mapping[str, UUID | int], *, name: str, is_archive: bool) -> None:
        self._session = session
        self._place = place
        self._name = name
        self._is_archive = is_archive
        self._digest = hashlib.sha256()
        self._number = 0
        self._waiting = bytearray()
        self._storing: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the session alone."""
        if self._storing is not None:
            await asyncio.gather(self._storing, return_exceptions=True)

    async def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) >= CHUNK:
            await self._store(bytes(self._waiting[:CHUNK]))
            del self._waiting[:CHUNK]

    async def end(self) -> None:
        if self._waiting:
            await self._store(bytes(self._waiting))
            self._waiting.clear()
        await self._stored()
        file = {"name": self._name, "is_archive": self._is_archive, "digest": self._digest.digest()}
        await self._session.execute(insert(UploadFile).values(**self._place, **file))

    async def _store(self, data: bytes) -> None:
        self._digest.update(data)
        await self._stored()
        statement = insert(UploadChunk).values(**self._place, number=self._number, data=data)
        self._storing = asyncio.create_task(self._session.execute(statement))
        self._number += 1

    async def _stored(self) -> None:
        if self._storing is not None:
            await self._storing
            self._storing = None
