"""The rows of enrollments.csv in frames: seven million rows of three cells are too many to look at one by one.

A file that is plain, as nearly every one is, is split by polars; any other is read as the other files are.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final

import numpy as np
import polars as pl

from sharing_service.roster.archive import Open
from sharing_service.roster.columns import read_header, uploaded_columns
from sharing_service.roster.plain import COMMA, LONGEST, NotPlain, plain_blocks, plain_header, split
from sharing_service.roster.problems import ProblemLog, UploadUnreadable
from sharing_service.roster.reading import read_rows

Frames = Callable[[], Iterator[pl.DataFrame]]
"""Gives the usable rows in order, from the first one at each call, in frames of COLUMNS."""

COLUMNS: Final = {"line": pl.Int32(), "school": pl.String(), "section": pl.String(), "student": pl.String()}
BLOCK: Final = 8 * 1024 * 1024
"""Bytes of a plain file that are split at once."""
BATCH: Final = 20_000
"""Rows of a frame of any other file."""
KEPT: Final = 256 * 1024 * 1024
"""Bytes of the frames of any other file that are kept; beyond, the file is read twice."""
_SPACE_OR_COMMA: Final = (b" ", COMMA.encode())


def read_enrollments(file: str, open_csv: Open, log: ProblemLog, *, keep: int = KEPT) -> Frames:
    """Read the whole file, note what is wrong with it, and give what can be used.

    Raises `UploadUnreadable` when the file as a whole cannot be read. A plain file is opened again for each call of the
    frames, and so is any other whose frames have more than `keep` bytes.
    """
    noted = ProblemLog()
    try:
        header = plain_header(open_csv())
        layout = read_header("enrollments", file, line=1, header=header, log=noted)
        places = [place for place in layout.places if place is not None]
        for line, data in plain_blocks(open_csv, layout.width, block=BLOCK):
            if not _is_bare(data, layout.width, places):
                _plain_frame(line, data, layout.width, places)
    except (NotPlain, UploadUnreadable):
        return _kept(partial(_any_frames, file, open_csv), log, keep)
    log.absorb(noted)
    return partial(_plain_frames, open_csv, layout.width, places)


def _kept(frames: Callable[[ProblemLog], Iterator[pl.DataFrame]], log: ProblemLog, keep: int) -> Frames:
    found: list[pl.DataFrame] = []
    size = 0
    for frame in frames(log):
        size += int(frame.estimated_size())
        if size > keep:
            found.clear()
        else:
            found.append(frame)
    return partial(iter, found) if size <= keep else lambda: frames(ProblemLog())


def _any_frames(file: str, open_csv: Open, log: ProblemLog) -> Iterator[pl.DataFrame]:
    rows = read_rows("enrollments", file, open_csv(), log)
    while batch := list(islice(rows, BATCH)):
        yield pl.DataFrame(batch, COLUMNS, orient="row")


def _is_bare(data: bytes, width: int, places: Sequence[int]) -> bool:
    """Whether it shows without a look at the cells that all rows of a plain block can be used."""
    if not data.isascii() or any(sign in data for sign in _SPACE_OR_COMMA):
        return False
    signs = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero((signs == ord(",")) | (signs == ord("\n")))
    lengths = (np.diff(ends, prepend=-1) - 1).reshape(-1, width)
    whole = (signs[ends[width - 1 :: width]] == ord("\n")).all()
    return bool(whole and lengths.max() <= LONGEST and lengths[:, places].min() > 0)


def _plain_frames(open_csv: Open, width: int, places: Sequence[int]) -> Iterator[pl.DataFrame]:
    """The usable rows of a plain file, which are all; `places` are those of the columns in their order."""
    for line, data in plain_blocks(open_csv, width, block=BLOCK):
        yield _plain_frame(line, data, width, places)


def _plain_frame(line: int, data: bytes, width: int, places: Sequence[int]) -> pl.DataFrame:
    cells = split(data, width)
    picked = [
        pl.col(str(place)).str.strip_chars().alias(column.name)
        for place, column in zip(places, uploaded_columns("enrollments"), strict=True)
    ]
    lines = pl.int_range(line, line + cells.height, dtype=pl.Int32).alias("line")
    frame = cells.select(lines, *picked)
    if any(frame.select((pl.all().exclude("line") == "").any()).row(0)):
        raise NotPlain
    return frame
