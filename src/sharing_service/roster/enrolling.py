"""Enrollments as sorted arrays of pairs: who is in which section, found and compared without a table of millions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sharing_service.roster.enrollment_rows import Frames

Pairs = NDArray[np.int64]
"""Two ordinals in one number, the first in its upper half; ascending and distinct."""
Lines = NDArray[np.int32]

REJECTIONS: Final = (
    ("School_id", "unknown_school"),
    ("Section_id", "unknown_section"),
    ("Student_id", "unknown_student"),
)
"""Column and code of each reason, the one that is looked for first at the front."""
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Known:
    """The accepted records that an enrollment may name, by `key`."""

    schools: pl.DataFrame
    """key, ordinal"""
    sections: pl.DataFrame
    """key, ordinal, school"""
    students: pl.DataFrame
    """key, ordinal"""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The pairs that the rows give, and the lines of those with a problem, ascending."""

    pairs: Pairs
    rejected: Lines
    reasons: NDArray[np.int8]
    """For each rejected line, the index in REJECTIONS."""
    repeated: Lines
    elsewhere: Lines


@dataclass(frozen=True, slots=True)
class Moves:
    """How the wanted enrollments differ from the published ones."""

    before: int
    """How many are published."""
    added: Pairs
    removed: Pairs


def enrol(frames: Frames, known: Known) -> Enrolled:
    """Find the records that each row names, and the pairs of all rows that name three."""
    pairs, lines, rejected, reasons, elsewhere = [_NONE], [_LINES], [_LINES], [_REASONS], [_LINES]
    for line, school, section, home, student in _found(frames, known):
        refused = (school == UNKNOWN) | (section == UNKNOWN) | (student == UNKNOWN)
        taken = ~refused
        rejected.append(line[refused])
        reasons.append(np.where(school == UNKNOWN, 0, np.where(section == UNKNOWN, 1, 2)).astype(np.int8)[refused])
        elsewhere.append(line[taken & (school != home)])
        pairs.append(paired(section[taken], student[taken]))
        lines.append(line[taken])
    distinct, repeated = _distinct(_joined(pairs), _joined(lines))
    return Enrolled(distinct, np.concatenate(rejected), np.concatenate(reasons), repeated, np.concatenate(elsewhere))


def paired(first: NDArray[np.integer[Any]], second: NDArray[np.integer[Any]]) -> Pairs:
    """The pairs of two columns of ordinals, in the order of the rows."""
    pairs = first.astype(np.int64)
    pairs <<= 32  # in place: of seven million each copy is 56 MB
    pairs |= second
    return pairs


def ascending(first: NDArray[np.integer[Any]], second: NDArray[np.integer[Any]]) -> Pairs:
    """The pairs of two columns of ordinals, sorted."""
    pairs = paired(first, second)
    pairs.sort()
    return pairs


def firsts(pairs: Pairs) -> NDArray[np.int32]:
    """The first ordinal of each pair."""
    return (pairs >> 32).astype(np.int32)


def seconds(pairs: Pairs) -> NDArray[np.int32]:
    """The second ordinal of each pair."""
    return (pairs & 0xFFFFFFFF).astype(np.int32)


def turned(pairs: Pairs) -> Pairs:
    """The same pairs the other way round, ascending."""
    halves = pairs.view(np.int32).reshape(-1, 2)
    other: Pairs = np.ascontiguousarray(halves[:, ::-1]).view(np.int64).ravel()
    other.sort()
    return other


def missing(pairs: Pairs, other: Pairs) -> Pairs:
    """The pairs that are not in another ascending array."""
    if not len(other):
        return pairs
    places = np.minimum(np.searchsorted(other, pairs), len(other) - 1)
    absent: Pairs = pairs[other[places] != pairs]
    return absent


def at_schools(pairs: Pairs, sections: pl.DataFrame) -> Pairs:
    """Students and the schools of their sections."""
    schools = np.zeros(int(firsts(pairs[-1:]).max(initial=0)) + 1, np.int32)
    named = sections.filter(pl.col("ordinal") < len(schools))
    schools[named["ordinal"].to_numpy()] = named["school"].to_numpy()
    found = ascending(seconds(pairs), schools[firsts(pairs)])
    # Not np.unique: it looks all of them up in a hash table, which takes ten times as long.
    first = np.ones(len(found), bool)
    first[1:] = found[1:] != found[:-1]
    distinct: Pairs = found[first]
    return distinct


_NONE: Final = np.empty(0, np.int64)
_LINES: Final = np.empty(0, np.int32)
_REASONS: Final = np.empty(0, np.int8)


def _found(frames: Frames, known: Known) -> Iterator[tuple[NDArray[np.int32], ...]]:
    """Line, school, section, school of the section and student of each row."""
    named = {"school": known.schools, "section": known.sections, "student": known.students}
    for frame in frames():
        columns = [frame["line"].to_numpy()]
        for column, records in named.items():
            # One after the other: joined together, each row's texts would be copied three times.
            found = frame.select(column).join(
                records, left_on=column, right_on="key", how="left", maintain_order="left"
            )
            columns += [each.fill_null(UNKNOWN).to_numpy() for each in found.drop(column)]
        yield tuple(columns)


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    """The pieces in one, which takes as much memory as they did."""
    whole = np.concatenate(pieces)
    pieces.clear()
    return whole


def _distinct(pairs: Pairs, lines: Lines) -> tuple[Pairs, Lines]:
    """Each pair once, and the lines of all but its first row."""
    ascending = np.sort(pairs)
    if not np.any(ascending[1:] == ascending[:-1]):
        return ascending, _LINES
    order = np.argsort(pairs, kind="stable")
    again = np.zeros(len(pairs), bool)
    again[1:] = ascending[1:] == ascending[:-1]
    return ascending[~again], np.sort(lines[order[again]])
