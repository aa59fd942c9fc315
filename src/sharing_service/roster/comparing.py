"""Compares an upload with the one that made the published roster, so that only rows that differ are read.

Whatever is not plain, or was read otherwise, or had a problem, cannot be compared, and all rows are read.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import keeping
from sharing_service.roster.archive import ArchiveLimits, Open
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.differing import Compared, Differing, Frames, compared, differing
from sharing_service.roster.digests import KEY, Scans, scan_files
from sharing_service.roster.fingerprint import reading
from sharing_service.roster.plain import NotPlain
from sharing_service.roster.problems import UploadUnreadable


@dataclass(frozen=True, slots=True)
class Comparison:
    """An upload that can be compared, and what differs from the published one if that is known."""

    headers: Scans
    """Without rows."""
    digests: Compared
    reading: bytes
    differing: Differing | None


@dataclass(slots=True)
class Scanned:
    """The files of records of an upload as digests."""

    scans: Scans
    digests: Compared

    def forget_rows(self) -> None:
        """Keep the headers and digests alone: rows take much memory."""
        self.scans = {kind: replace(scan, rows=scan.rows.clear()) for kind, scan in self.scans.items()}


def scan(district_id: UUID, opened: Mapping[str, Open], *, first: bool) -> Scanned | None:
    """Look through the files of records; None if one of them is not plain. The `first` are compared with none."""
    try:
        scans = scan_files(district_id, opened)
    except (NotPlain, UploadUnreadable, pl.exceptions.PolarsError):
        return None
    scanned = Scanned(scans, compared(scans))
    if first:
        scanned.forget_rows()
    return scanned


async def compare(
    session: AsyncSession, district_id: UUID, scanned: Scanned | None, limits: ArchiveLimits
) -> Comparison | None:
    """Compare an upload with the published one, if there is one that was read alike; its rows are forgotten then."""
    if scanned is None:
        return None
    scans, digests = scanned.scans, scanned.digests
    read = reading({kind.value: scan.header for kind, scan in scans.items()}, limits)
    before = await keeping.kept(session, district_id, reading=read)
    found = None if before is None else await asyncio.to_thread(differing, scans, digests, before)
    scanned.forget_rows()
    return Comparison(scanned.scans, digests, read, found)


async def keep(
    session: AsyncSession, district_id: UUID, comparison: Comparison | None, records: Frames, *, fingerprint: bytes
) -> None:
    """Keep the digests of an upload that becomes the published one, or nothing if there is no `comparison`."""
    if comparison is None:
        await keeping.drop(session, district_id)
        return
    digests = comparison.digests
    left = Compared({kind: _with_ordinals(kind, digests, records) for kind in digests.records}, digests.contacts)
    await keeping.keep(session, district_id, left, fingerprint=fingerprint, reading=comparison.reading)


def _with_ordinals(kind: Kind, digests: Compared, records: Frames) -> pl.DataFrame:
    return digests.records[kind].join(records[kind], left_on=KEY, right_on="key")
