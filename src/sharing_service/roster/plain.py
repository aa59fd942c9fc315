"""Plain CSV files, as nearly every one is: no control characters, no quotes inside cells, as many cells in each row.

Polars splits them many rows at a time. Whatever is not plain has to be read cell by cell.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sharing_service.roster.archive import Open
from sharing_service.roster.records import MAX_LINES

LONGEST: Final = 200
"""Bytes of a cell."""
MAX_HEADER: Final = 10_000
"""Bytes of the line of column names."""
MIN_COLUMNS: Final = 3
_SPACE: Final = 0x20
"""What comes before it are control characters."""
_DELETE: Final = b"\x7f"
COMMA: Final = "\x1f"
"""Stands for a comma inside a cell while rows are split; no plain file has one of its own."""
_NEVER: Final = "\x1e"
"""Stands in no plain file."""
_BOM: Final = b"\xef\xbb\xbf"


class NotPlain(Exception):
    """The file has to be read cell by cell."""


def plain_header(stream: BinaryIO) -> list[str]:
    """The cells of the line of column names."""
    line, end, _ = stream.read(MAX_HEADER).removeprefix(_BOM).partition(b"\n")
    line = line.removesuffix(b"\r")
    if not end or line.count(b",") < MIN_COLUMNS - 1 or b'"' in line or not line.isascii():
        raise NotPlain
    if _count_controls(line):
        raise NotPlain
    return line.decode().split(",")


def plain_blocks(open_csv: Open, width: int, *, block: int) -> Iterator[tuple[int, bytes]]:
    """The lines below the header, about `block` bytes at a time, after the number of the first of them.

    Each is ended by a line feed and has no quotes; a comma inside a cell is another sign.
    """
    line = 1
    for read in _blocks(open_csv(), block):
        lines = _count(read, b"\n")
        data = _unquoted(read, lines)
        if _count(data, b",") != (width - 1) * lines:
            raise NotPlain
        skipped = 1 if line == 1 else 0
        below = data[data.index(b"\n") + 1 :] if skipped else data
        if line + lines > MAX_LINES:
            raise NotPlain
        if below:
            yield line + skipped, below
        line += lines


def lines_of(data: bytes) -> pl.Series:
    """The lines of a plain block as strings."""
    schema = {"line": pl.String()}
    lines = pl.read_csv(
        data, has_header=False, schema=schema, separator=_NEVER, quote_char=None, empty_string_is_null=False
    )
    return lines["line"]


def line_ends(data: bytes) -> NDArray[np.int64]:
    """Where each line of a plain block ends, as the place behind it."""
    ends: NDArray[np.int64] = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    return ends


def cells_of(data: bytes, width: int, places: Sequence[int]) -> pl.DataFrame:
    """Some columns of a plain block, without white space around the cells; their names are their places.

    A row that is too long or too short is not noticed.
    """
    schema = {str(index): pl.String() for index in range(width)}
    cells = pl.scan_csv(
        data, has_header=False, schema=schema, quote_char=None, empty_string_is_null=False, truncate_ragged_lines=True
    )
    named = [pl.col(str(place)).str.replace_all(COMMA, ",", literal=True).str.strip_chars() for place in places]
    return cells.select(named).collect()


def _blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Whole lines, each ended by a line feed."""
    rest = b""
    first = True
    while data := stream.read(size):
        data = rest + (data.removeprefix(_BOM) if first else data)
        first = False
        cut = data.rfind(b"\n") + 1
        if not cut:
            raise NotPlain
        yield _ended_alike(data[:cut])
        rest = data[cut:]
    if rest:
        yield _ended_alike(rest) + b"\n"


# What is done to each block is done to gigabytes. NumPy takes a tenth of the time of a count or of a search for two
# bytes (not of a search for one), and leaves the interpreter to other threads.


def _ended_alike(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def _count(data: bytes, sign: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord(sign)))


def _count_controls(data: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) < _SPACE)) + (_DELETE in data)


def _unquoted(data: bytes, lines: int) -> bytes:
    # Line feeds are the only control characters. Polars would take a byte order mark at the beginning of any block for
    # one of the file.
    if _count_controls(data) != lines or (_BOM[:1] in data and _BOM in data):
        raise NotPlain
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError:
        raise NotPlain from None
    return _without_quotes(data) if b'"' in data else data


def _without_quotes(data: bytes) -> bytes:
    # The line end stands for the cell before the first one.
    pieces = (b"\n" + data).split(b'"')
    outside, inside = pieces[::2], pieces[1::2]
    before = b"".join([piece[-1:] for piece in outside[:-1]])
    after = b"".join([piece[:1] for piece in outside[1:]])
    # Quotes that are not around a whole cell mean something else.
    if not len(before) == len(after) == len(inside) or (before + after).strip(b",\n"):
        raise NotPlain
    cells = b'"'.join(inside)
    if b"\n" in cells:
        raise NotPlain
    pieces[1::2] = cells.replace(b",", COMMA.encode()).split(b'"')
    return b"".join(pieces)[1:]


def split(data: bytes, width: int) -> pl.DataFrame:
    """The cells of a plain block, in columns that are called "0", "1" and so on; without value, an empty string."""
    schema = {str(index): pl.String() for index in range(width)}
    try:
        cells = pl.read_csv(data, has_header=False, schema=schema, quote_char=None, empty_string_is_null=False)
    except pl.exceptions.PolarsError:
        # The commas are as many as they should be, so a row that is short comes with one that is long.
        raise NotPlain from None
    if max(cells.select(pl.all().str.len_bytes().max().fill_null(0)).row(0)) > LONGEST:
        raise NotPlain
    if COMMA.encode() in data:
        return cells.select(pl.all().str.replace_all(COMMA, ",", literal=True))
    return cells
