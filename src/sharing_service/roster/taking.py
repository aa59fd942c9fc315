"""Takes the files of an upload in: rows of records into staging, those of enrollments into frames; then checks them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import memory
from sharing_service.roster import checking, comparing, grouped, intake, staging
from sharing_service.roster.archive import ArchiveLimits, Open
from sharing_service.roster.beside import Beside
from sharing_service.roster.checking import Checked, Meanwhile
from sharing_service.roster.comparing import Comparison, Scanned
from sharing_service.roster.differing import ReadWhole
from sharing_service.roster.enrolling import Pairs
from sharing_service.roster.enrollment_rows import Frames, read_enrollments
from sharing_service.roster.loading import load_file, load_lines
from sharing_service.roster.plain import NotPlain
from sharing_service.roster.problems import ProblemLog, UploadUnreadable
from sharing_service.roster.sync_models import UploadFile
from sharing_service.roster.upload import FILES, open_upload

Progress = Callable[[float], Awaitable[None]]
"""Notes how far a sync is, from 0 to 1."""

ENROLLMENTS: Final = "enrollments.csv"

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Taking:
    """An upload that is being taken in, while its files are open."""

    session: AsyncSession
    district_id: UUID
    opened: Mapping[str, Open]
    loaded: asyncio.Event
    """Set when the threads may begin."""
    scanned: asyncio.Task[Scanned | None]
    """The files of records, to be compared with those of another upload."""
    enrollments: asyncio.Task[Frames]
    published: Pairs
    """The enrollments that there are, sections first."""
    noted: ProblemLog
    """What is wrong with the rows of enrollments, once they are read."""
    progress: Progress
    beside: Beside | None
    """Where identities of a new district are written, if not by the session."""
    meanwhile: Meanwhile | None

    async def differing(self, comparison: Comparison | None, log: ProblemLog) -> Checked | None:
        """Check the rows that differ from the published upload; None if all have to be read."""
        if comparison is None or comparison.differing is None:
            return None
        noted = ProblemLog()
        try:
            async with self.session.begin_nested():
                await staging.create(self.session)
                await staging.plan_for_few(self.session)
                checked = await self._read(noted, comparison)
        except (NotPlain, ReadWhole, UploadUnreadable):
            return None
        log.absorb(noted)
        return checked

    async def whole(self, log: ProblemLog) -> Checked:
        """Check all rows; raises `UploadUnreadable`."""
        await staging.create(self.session)
        return await self._read(log, None)

    async def _read(self, log: ProblemLog, comparison: Comparison | None) -> Checked:
        differing = None if comparison is None else comparison.differing
        plain = True
        if self.loaded.is_set():
            await self.enrollments  # read by now, and perhaps unreadable: then nothing else needs to be
        for number, (name, open_csv) in enumerate(self.opened.items(), start=1):
            kind = FILES[name]
            if kind == "enrollments":
                continue
            if comparison is None or differing is None:
                plain &= await load_file(self.session, kind, name, open_csv, log)
            else:
                scan = comparison.headers[kind]
                log.absorb(scan.log)
                await load_lines(self.session, kind, scan, open_csv, differing.lines[kind])
            await self.progress(0.5 * number / len(self.opened))
        self.loaded.set()
        await asyncio.to_thread(memory.give_back)
        id_time = time.time_ns() // 1_000_000
        checked = await checking.check(
            self.session,
            self.district_id,
            log,
            partial(self._frames, log),
            published=self.published,
            id_time=id_time,
            differing=differing,
            beside=self.beside,
            meanwhile=self.meanwhile,
        )
        return replace(checked, clean=checked.clean and plain)

    async def _frames(self, log: ProblemLog) -> Frames:
        frames = await self.enrollments
        log.absorb(self.noted)
        return frames


async def read(
    session: AsyncSession,
    district_id: UUID,
    files: Sequence[UploadFile],
    limits: ArchiveLimits,
    log: ProblemLog,
    *,
    sync_id: UUID,
    progress: Progress,
    first: bool,
    beside: Beside | None,
    meanwhile: Meanwhile | None,
) -> tuple[Checked, Comparison | None]:
    """Read the files of an upload, of those that can be compared only what differs, and check what they hold.

    Raises `UploadUnreadable`. What was read is let go of; the comparison stays, since the next upload needs it.
    """
    with ExitStack() as open_files:
        sent = []
        for file in files:
            stream = await intake.open_file(session, district_id, sync_id, file.position)
            sent.append((file.name, file.is_archive, open_files.enter_context(stream)))
        opened = open_upload(sent, limits, log)
        async with _taking(
            session, district_id, opened, progress=progress, first=first, beside=beside, meanwhile=meanwhile
        ) as upload:
            # A first upload is compared with nothing, and scanned while it is checked.
            checked = await upload.whole(log) if first else None
            comparison = await comparing.compare(session, district_id, await upload.scanned, limits)
            checked = checked or await upload.differing(comparison, log) or await upload.whole(log)
        return checked, comparison


@asynccontextmanager
async def _taking(
    session: AsyncSession,
    district_id: UUID,
    opened: Mapping[str, Open],
    *,
    progress: Progress,
    first: bool,
    beside: Beside | None,
    meanwhile: Meanwhile | None,
) -> AsyncIterator[Taking]:
    """Begin to scan the files and to read the enrollments, in threads, and go on with the rest meanwhile.

    Nothing is published yet before the `first` upload. To load that one keeps all cores busy, so threads begin when it
    is loaded, and PostgreSQL has work that they do not depend on.
    """
    loaded = asyncio.Event()
    if not first:
        loaded.set()

    noted = ProblemLog()
    scanning = asyncio.create_task(_after(loaded, partial(comparing.scan, district_id, opened, first=first)))
    reading = asyncio.create_task(_after(loaded, partial(read_enrollments, ENROLLMENTS, opened[ENROLLMENTS], noted)))
    try:
        # Nothing else can be asked of the session before the files have been scanned.
        published = await grouped.published(await staging.driver(session), district_id)
        yield Taking(
            session, district_id, opened, loaded, scanning, reading, published, noted, progress, beside, meanwhile
        )
    finally:
        for begun in (scanning, reading):
            begun.cancel()
        await asyncio.gather(scanning, reading, return_exceptions=True)


async def _after(loaded: asyncio.Event, look_through: Callable[[], _Found]) -> _Found:
    await loaded.wait()
    return await asyncio.to_thread(look_through)
