"""Which rows of an upload may give other records than the published upload did; all others need not be read.

Rows of one key belong together. So do rows that bring the same contact, whose values come from the first of them; and
a section takes its teachers, and a part of its name, from rows of teachers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from sharing_service.roster.catalogue import UPLOADED, Kind
from sharing_service.roster.digests import CONTACT, KEY, TEACHERS, Scans, grouped

MOST: Final = 0.25
"""The part of the students' rows beyond which it is quicker to read them all."""

Frames = Mapping[Kind, pl.DataFrame]


class ReadWhole(Exception):
    """Among the rows that differ is one with a problem, and problems are told of whole files."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What an upload leaves behind for the comparison with the next one."""

    records: Frames
    """sis_id, digest and, of a published upload, the ordinal, and the school's ordinal of a section."""
    contacts: pl.DataFrame
    """contact_sis_id, digest."""


@dataclass(frozen=True, slots=True)
class Differing:
    """The records that may differ from the published ones, and how the others are known."""

    lines: Mapping[Kind, pl.Series]
    """The lines to be read, ascending."""
    gone: Mapping[Kind, list[int]]
    """Ordinals of records that have no row any more."""
    same: Frames
    """Published records none of whose rows is read: key, ordinal and, of sections, school."""
    before: pl.DataFrame
    """Ordinal and school of the published sections."""


def compared(scans: Scans) -> Compared:
    """The digests of an upload."""
    rows = _rows(scans)
    return Compared({kind: grouped(rows[kind], KEY) for kind in UPLOADED}, grouped(rows[Kind.STUDENTS], CONTACT))


def differing(scans: Scans, now: Compared, before: Compared) -> Differing | None:
    """Compare an upload with the published one, which had the same headers; None if all has to be read."""
    moved = {
        kind: now.records[kind].join(before.records[kind], on=(KEY, "digest"), how="anti")[KEY] for kind in UPLOADED
    }
    gone = {kind: before.records[kind].join(now.records[kind], on=KEY, how="anti") for kind in UPLOADED}
    schools = before.records[Kind.SCHOOLS][KEY]
    if gone[Kind.SCHOOLS].height or now.records[Kind.SCHOOLS].height != len(schools):
        # Every row that names a school which came or left is taken, rejected or placed otherwise.
        return None
    rows = _rows(scans)
    contacts = now.contacts.join(before.contacts, on=(CONTACT, "digest"), how="anti")[CONTACT]
    read = {
        Kind.SCHOOLS: schools,
        Kind.STUDENTS: _with_shared_contacts(rows[Kind.STUDENTS], moved[Kind.STUDENTS], contacts),
        Kind.STAFF: moved[Kind.STAFF],
    }
    of_teachers = pl.concat([moved[Kind.TEACHERS], gone[Kind.TEACHERS][KEY]])
    sections = rows[Kind.SECTIONS]
    taught = sections.filter(pl.any_horizontal(pl.col(TEACHERS).is_in(of_teachers.implode())))
    read[Kind.SECTIONS] = pl.concat([moved[Kind.SECTIONS], taught[KEY]]).unique()
    teaching = _of(sections, read[Kind.SECTIONS]).select(TEACHERS)
    read[Kind.TEACHERS] = pl.concat([moved[Kind.TEACHERS], *teaching.get_columns()]).unique()
    lines = {kind: _of(rows[kind], read[kind])["line"] for kind in UPLOADED}
    if len(lines[Kind.STUDENTS]) > MOST * rows[Kind.STUDENTS].height:
        return None
    return Differing(
        lines,
        {kind: gone[kind]["ordinal"].to_list() for kind in UPLOADED},
        {kind: _same(before.records[kind], gone[kind][KEY], read[kind]) for kind in UPLOADED},
        before.records[Kind.SECTIONS].select("ordinal", "school"),
    )


def _rows(scans: Scans) -> Frames:
    """The rows of each file, none if the file was not sent."""
    empty = pl.DataFrame(schema={"line": pl.Int32(), "digest": pl.UInt64(), KEY: pl.String()})
    return {kind: scans[kind].rows if kind in scans else empty for kind in UPLOADED}


def _of(rows: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    return rows.filter(pl.col(KEY).is_in(keys.implode()))


def _same(records: pl.DataFrame, gone: pl.Series, read: pl.Series) -> pl.DataFrame:
    apart = pl.concat([gone, read]).implode()
    return records.filter(~pl.col(KEY).is_in(apart)).drop("digest").rename({KEY: "key"})


def _with_shared_contacts(rows: pl.DataFrame, students: pl.Series, contacts: pl.Series) -> pl.Series:
    """Students and all with whom they share contacts, over as many steps as it takes."""
    while True:
        picked = rows.filter(
            pl.col(KEY).is_in(students.implode()) | pl.col(CONTACT).is_in(contacts.filter(contacts != "").implode())
        )
        reached, named = picked[KEY].unique(), picked[CONTACT].unique()
        if len(reached) == len(students) and len(named) == len(contacts):
            return reached
        students, contacts = reached, named
