"""Plain CSV files, as nearly every one is: no control characters, no quotes inside cells, as many cells in each row.

Polars splits them many rows at a time. Whatever is not plain has to be read cell by cell.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import polars as pl

from sharing_service.roster.archive import Open
from sharing_service.roster.records import MAX_LINES

LONGEST: Final = 200
"""Bytes of a cell."""
MAX_HEADER: Final = 10_000
"""Bytes of the line of column names."""
MIN_COLUMNS: Final = 3
_PLAIN: Final = bytes({*range(0x20, 0x100), *b"\n"} - {*b'"\x7f'})
_QUOTED: Final = re.compile(rb'"(?<![^,\n]")([^"\n]*)"(?![^,\n])')
_COMMA: Final = "\x1f"
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
    if not end or line.count(b",") < MIN_COLUMNS - 1 or line.translate(None, _PLAIN) or not line.isascii():
        raise NotPlain
    return line.decode().split(",")


def plain_frames(open_csv: Open, width: int, *, block: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows below the header, about `block` bytes at a time, after the line of the first of them.

    The columns are called "0", "1" and so on; a cell without value is the empty string.
    """
    for line, data in plain_blocks(open_csv, width, block=block):
        yield line, split(data, width)


def plain_blocks(open_csv: Open, width: int, *, block: int) -> Iterator[tuple[int, bytes]]:
    """The lines below the header, about `block` bytes at a time, after the number of the first of them.

    Each is ended by a line feed and has no quotes; a comma inside a cell is another sign.
    """
    line = 1
    for data in map(_unquoted, _blocks(open_csv(), block)):
        lines = data.count(b"\n")
        if data.count(b",") != (width - 1) * lines:
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


def cells_of(data: bytes, width: int, places: Sequence[int]) -> pl.DataFrame:
    """Some columns of a plain block, without white space around the cells; their names are their places.

    A row that is too long or too short is not noticed.
    """
    schema = {str(index): pl.String() for index in range(width)}
    cells = pl.scan_csv(
        data, has_header=False, schema=schema, quote_char=None, empty_string_is_null=False, truncate_ragged_lines=True
    )
    named = [pl.col(str(place)).str.replace_all(_COMMA, ",", literal=True).str.strip_chars() for place in places]
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
        yield data[:cut].replace(b"\r\n", b"\n")
        rest = data[cut:]
    if rest:
        yield rest.replace(b"\r\n", b"\n") + b"\n"


def _unquoted(data: bytes) -> bytes:
    # Polars would take a byte order mark at the beginning of any block for one of the file.
    if data.translate(None, _PLAIN + b'"') or _BOM in data:
        raise NotPlain
    try:
        data.decode()
    except UnicodeDecodeError:
        raise NotPlain from None
    if b'"' in data:
        data = _QUOTED.sub(_without_quotes, data)
        # A quote that is left stands inside a cell, or its cell goes on in another line.
        if b'"' in data:
            raise NotPlain
    return data


def _without_quotes(cell: re.Match[bytes]) -> bytes:
    return cell[1].replace(b",", _COMMA.encode())


def split(data: bytes, width: int) -> pl.DataFrame:
    """The cells of a plain block, in columns that are called by their places."""
    schema = {str(index): pl.String() for index in range(width)}
    try:
        cells = pl.read_csv(data, has_header=False, schema=schema, quote_char=None, empty_string_is_null=False)
    except pl.exceptions.PolarsError:
        # The commas are as many as they should be, so a row that is short comes with one that is long.
        raise NotPlain from None
    if max(cells.select(pl.all().str.len_bytes().max().fill_null(0)).row(0)) > LONGEST:
        raise NotPlain
    if _COMMA.encode() in data:
        return cells.select(pl.all().str.replace_all(_COMMA, ",", literal=True))
    return cells
