"""Brings the rows of one file of records into staging: many at a time if the file is plain, else one by one."""

import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.archive import Open
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.digests import Scan
from sharing_service.roster.plain import NotPlain
from sharing_service.roster.plain_rows import read_lines, read_plain
from sharing_service.roster.problems import ProblemLog, UploadUnreadable
from sharing_service.roster.reading import read_rows


async def load_file(session: AsyncSession, kind: Kind, file: str, open_csv: Open, log: ProblemLog) -> bool:
    """Stage what can be used of a file, and note what is wrong with it; whether the file was plain.

    Raises `UploadUnreadable` when the file as a whole cannot be read.
    """
    noted = ProblemLog()
    try:
        async with session.begin_nested():
            await staging.load_blocks(session, kind, read_plain(kind, file, open_csv, noted))
    except (NotPlain, UploadUnreadable):
        await staging.load(session, kind, read_rows(kind, file, open_csv(), log))
        return False
    log.absorb(noted)
    return True


async def load_lines(session: AsyncSession, kind: Kind, scan: Scan, open_csv: Open, lines: pl.Series) -> None:
    """Stage some lines of a file; raises `NotPlain` if anything is to be noted about one of them."""
    await staging.load_blocks(session, kind, read_lines(kind, scan.layout, open_csv, lines))
