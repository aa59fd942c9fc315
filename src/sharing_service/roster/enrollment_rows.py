"""The rows of enrollments.csv in frames: seven million rows of three cells are too many to look at one by one.

A file that is plain, as nearly every one is, is split by polars; any other is read as the other files are.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, Final

import polars as pl

from sharing_service.roster.archive import Open
from sharing_service.roster.columns import read_header, uploaded_columns
from sharing_service.roster.problems import ProblemLog, UploadUnreadable
from sharing_service.roster.reading import MAX_IDENTIFIER, read_rows

Frames = Callable[[], Iterator[pl.DataFrame]]
"""Gives the usable rows in order, from the first one at each call, in frames of COLUMNS."""

COLUMNS: Final = {"line": pl.Int32(), "school": pl.String(), "section": pl.String(), "student": pl.String()}
BLOCK: Final = 16 * 1024 * 1024
"""Bytes of a plain file that are split at once."""
BATCH: Final = 100_000
"""Rows of a frame of any other file."""
MAX_HEADER: Final = 10_000
"""Bytes of the line of column names of a plain file."""
_PLAIN: Final = bytes({*range(0x20, 0x7F), *b"\n"} - {*b'"'})
_BOM: Final = b"\xef\xbb\xbf"


class _NotPlain(Exception):
    """The file has to be read cell by cell."""


def read_enrollments(file: str, open_csv: Open, log: ProblemLog) -> Frames:
    """Read the whole file, note what is wrong with it, and give what can be used.

    Raises `UploadUnreadable` when the file as a whole cannot be read. A plain file is opened again for each call of the
    frames.
    """
    noted = ProblemLog()
    try:
        header = _plain_header(open_csv())
        layout = read_header("enrollments", file, line=1, header=header, log=noted)
        frames = partial(_plain_frames, open_csv, layout.width, [place for place in layout.places if place is not None])
        for _ in frames():
            pass
    except (_NotPlain, UploadUnreadable):
        return _kept(read_rows("enrollments", file, open_csv(), log))
    log.absorb(noted)
    return frames


def _kept(rows: Iterator[tuple[Any, ...]]) -> Frames:
    frames = []
    while batch := list(islice(rows, BATCH)):
        frames.append(pl.DataFrame(batch, COLUMNS, orient="row"))
    return partial(iter, frames)


def _plain_header(stream: BinaryIO) -> list[str]:
    line, end, _ = stream.read(MAX_HEADER).removeprefix(_BOM).partition(b"\n")
    line = line.removesuffix(b"\r")
    if not end or line.count(b",") < len(COLUMNS) - 2 or line.translate(None, _PLAIN):
        raise _NotPlain
    return line.decode().split(",")


def _plain_frames(open_csv: Open, width: int, places: Sequence[int]) -> Iterator[pl.DataFrame]:
    """Split a file that has as many cells in each row; `places` are those of the columns in their order."""
    line = 1
    for block in _plain_blocks(open_csv()):
        lines = block.count(b"\n")
        if block.count(b",") != (width - 1) * lines:
            raise _NotPlain
        yield _split(block, width, places, line=line)[1 if line == 1 else 0 :]
        line += lines


def _plain_blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Whole lines, each ended by a line feed."""
    rest = b""
    first = True
    while data := stream.read(BLOCK):
        data = rest + (data.removeprefix(_BOM) if first else data)
        first = False
        cut = data.rfind(b"\n") + 1
        if not cut:
            raise _NotPlain
        yield _checked(data[:cut])
        rest = data[cut:]
    if rest:
        yield _checked(rest + b"\n")


def _checked(block: bytes) -> bytes:
    block = block.replace(b"\r\n", b"\n")
    if block.translate(None, _PLAIN):
        raise _NotPlain
    return block


def _split(block: bytes, width: int, places: Sequence[int], *, line: int) -> pl.DataFrame:
    names = [str(index) for index in range(width)]
    try:
        cells = pl.read_csv(block, has_header=False, schema=dict.fromkeys(names, pl.String()), quote_char=None)
    except pl.exceptions.PolarsError:
        # The commas are as many as they should be, so a row that is short comes with one that is long.
        raise _NotPlain from None
    if max(cells.select(pl.all().str.len_bytes().max().fill_null(0)).row(0)) > MAX_IDENTIFIER:
        raise _NotPlain
    picked = [
        pl.col(names[place]).str.strip_chars(" ").alias(column.name)
        for place, column in zip(places, uploaded_columns("enrollments"), strict=True)
    ]
    frame = cells.select(pl.int_range(line, line + cells.height, dtype=pl.Int32).alias("line"), *picked)
    if frame.select(((pl.all().exclude("line").fill_null("")) == "").any()).row(0) != (False,) * 3:
        raise _NotPlain
    return frame
