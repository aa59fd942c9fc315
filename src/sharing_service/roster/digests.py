"""Plain files of records as digests, one for all rows of a key, by which an upload is compared with the published one.

A line that is the same byte for byte, under the same header, is read the same. So a record whose rows all are the same,
in the same order, needs no look at its cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import polars as pl

from sharing_service.roster.archive import Open
from sharing_service.roster.catalogue import SECTION_TEACHER_COLUMNS, UPLOADED, Kind
from sharing_service.roster.columns import Layout, read_header, uploaded_columns
from sharing_service.roster.plain import NotPlain, cells_of, lines_of, plain_blocks, plain_header
from sharing_service.roster.problems import ProblemLog
from sharing_service.roster.upload import FILES

BLOCK: Final = 4 * 1024 * 1024
"""Bytes of a file that are split at once."""
MOST: Final = 512 * 1024 * 1024
"""Bytes of what is kept of a file; a million students have a fifth of it."""
PARTS: Final = 16
"""In which keys are grouped: polars takes 200 bytes for each row meanwhile."""
KEY: Final = "sis_id"
CONTACT: Final = "contact_sis_id"
"""What makes a contact the same in rows of several students."""
TEACHERS: Final = tuple(f"teacher_{number}" for number in range(1, len(SECTION_TEACHER_COLUMNS) + 1))

_NAMED: Final[Mapping[Kind, tuple[str, ...]]] = {
    **dict.fromkeys(UPLOADED, (KEY,)),
    Kind.STUDENTS: (KEY, CONTACT),
    Kind.SECTIONS: (KEY, *TEACHERS),
}


@dataclass(frozen=True, slots=True)
class Scan:
    """A plain file of records, as much of it as a comparison needs."""

    header: list[str]
    layout: Layout
    log: ProblemLog
    """What is wrong with the header."""
    rows: pl.DataFrame
    """line, digest, the key, and the keys of others by which rows of several records belong together."""


Scans = Mapping[Kind, Scan]
"""All files of records of one upload."""


def scan_file(district_id: UUID, kind: Kind, file: str, open_csv: Open) -> Scan:
    """Look through a file; raises `NotPlain`, also at one too large, or `UploadUnreadable` at an unusable header."""
    log = ProblemLog()
    header = plain_header(open_csv())
    layout = read_header(kind, file, line=1, header=header, log=log)
    names = [column.name for column in uploaded_columns(kind)]
    places = {name: layout.places[names.index(name)] for name in _NAMED[kind]}
    there = {name: place for name, place in places.items() if place is not None}
    shape = {"line": pl.Int32(), "digest": pl.UInt64(), **dict.fromkeys(_NAMED[kind], pl.String())}
    frames, size = [pl.DataFrame(schema=shape)], 0
    for line, data in plain_blocks(open_csv, layout.width, block=BLOCK):
        # The district is a seed: the same row of two districts has two digests.
        digests = lines_of(data).hash(district_id.int >> 64)
        cells = cells_of(data, layout.width, list(there.values()))
        lines = pl.int_range(line, line + cells.height, dtype=pl.Int32)
        named = [pl.col(str(there[name])) if name in there else pl.lit("") for name in places]
        keys = [column.alias(name) for column, name in zip(named, places, strict=True)]
        frames.append(cells.select(lines.alias("line"), digests.alias("digest"), *keys))
        size += int(frames[-1].estimated_size())
        if size > MOST:
            raise NotPlain
    return Scan(header, layout, log, pl.concat(frames))


def scan_files(district_id: UUID, opened: Mapping[str, Open]) -> Scans:
    """Look through all files of records; raises as `scan_file` does."""
    kinds = {name: kind for name, kind in FILES.items() if name in opened}
    return {
        kind: scan_file(district_id, kind, name, opened[name]) for name, kind in kinds.items() if kind != "enrollments"
    }


def grouped(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """For each value of a column that is not empty the digest of its rows, which depends on their order."""
    two = rows.select(key, "digest")
    part = two[key].hash() % PARTS
    found = []
    for number in range(PARTS):
        some = two.filter((part == number) & (pl.col(key) != ""))
        digests = some.group_by(key, maintain_order=True).agg("digest")
        found.append(digests.with_columns(pl.col("digest").hash()))
    return pl.concat(found)
