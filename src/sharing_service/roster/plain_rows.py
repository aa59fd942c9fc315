"""The rows of a plain file of records, many at a time, as `read_rows` would give them one by one."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sharing_service.roster.archive import Open
from sharing_service.roster.catalogue import EXTENSIBLE, Kind, ValueType
from sharing_service.roster.cells import Cleaned, clean
from sharing_service.roster.columns import Column, Layout, read_header, uploaded_columns
from sharing_service.roster.plain import NotPlain, line_ends, plain_blocks, plain_header, split
from sharing_service.roster.problems import ProblemLog

BLOCK: Final = 4 * 1024 * 1024
"""Bytes of a file that are split at once."""
SPELLINGS: Final = 20_000
"""Values of a file that are known from one block to the next; the birth dates of a district are 5,000."""

Form = Callable[[], bytes]
"""Forms a block; each may be formed in a thread of its own."""
Clean = Callable[[ValueType, str], Cleaned]


def read_plain(kind: Kind, file: str, open_csv: Open, log: ProblemLog) -> Iterator[Form]:
    """Blocks of the values of `columns_of(kind)` in the text format of COPY.

    They, or their forming, raise `NotPlain`, possibly after blocks were given, at anything that `read_rows` would note
    about a row, and `UploadUnreadable` at a header that cannot be used.
    """
    layout = read_header(kind, file, line=1, header=plain_header(open_csv()), log=log)
    cleaning = lru_cache(SPELLINGS)(clean)
    for line, data in plain_blocks(open_csv, layout.width, block=BLOCK):
        yield partial(_formed, kind, layout, line, data, cleaning)


def _formed(kind: Kind, layout: Layout, line: int, data: bytes, cleaning: Clean) -> bytes:
    cells = split(data, layout.width)
    lines = pl.int_range(line, line + cells.height, dtype=pl.Int32, eager=True)
    return _copy_text(_cleaned(kind, layout, lines, cells, cleaning))


def read_lines(kind: Kind, layout: Layout, open_csv: Open, wanted: pl.Series) -> Iterator[Form]:
    """What `read_plain` gives of some lines, by their ascending numbers."""
    lines = wanted.to_numpy()
    numbers, texts = [], []
    for line, data in plain_blocks(open_csv, layout.width, block=BLOCK):
        bounds = np.concatenate([[0], line_ends(data)])
        here = lines[np.searchsorted(lines, line) : np.searchsorted(lines, line + len(bounds) - 1)]
        if len(here):
            numbers.append(here)
            texts.append(b"".join([data[bounds[place] : bounds[place + 1]] for place in here - line]))
        # Cleaned together: a few rows of a block take nearly as long as all of them.
        if sum(map(len, texts)) > BLOCK:
            yield partial(_copied, kind, layout, numbers, texts)
            numbers, texts = [], []
    if texts:
        yield partial(_copied, kind, layout, numbers, texts)


def _copied(kind: Kind, layout: Layout, numbers: Sequence[NDArray[np.int32]], texts: Sequence[bytes]) -> bytes:
    cells = split(b"".join(texts), layout.width)
    return _copy_text(_cleaned(kind, layout, pl.Series(np.concatenate(numbers)), cells, clean))


def _cleaned(kind: Kind, layout: Layout, lines: pl.Series, cells: pl.DataFrame, cleaning: Clean) -> pl.DataFrame:
    stripped = cells.select(pl.all().str.strip_chars())
    columns = uploaded_columns(kind)
    values: list[pl.Expr | pl.Series] = [lines.alias("line")]
    for column, place in zip(columns, layout.places, strict=True):
        value = pl.lit("") if place is None else _typed(column, stripped[str(place)], cleaning)
        values.append(value.alias(column.name))
    if kind in EXTENSIBLE:
        values.append(_ext(layout, stripped))
    rows = stripped.select(values)
    required = [column.name for column in columns if column.required]
    if any(rows.select((pl.col(required) == "").any()).row(0)):
        raise NotPlain
    return rows


def _typed(column: Column, cells: pl.Series, cleaning: Clean) -> pl.Series:
    """The cells as they are kept: each value is cleaned once."""
    if column.type is ValueType.TEXT:
        return cells
    spellings = cells.unique()
    cleaned = [cleaning(column.type, cell) for cell in spellings]
    if any(warning for _, warning in cleaned):
        raise NotPlain
    kept = pl.Series([value for value, _ in cleaned], dtype=pl.String)
    return cells.replace_strict(spellings, kept, return_dtype=pl.String)


def _ext(layout: Layout, stripped: pl.DataFrame) -> pl.Expr:
    """A JSON object of the cells that are not empty."""
    members = [_members(name, stripped[str(place)]) for name, place in layout.ext]
    joined = pl.concat_str(members, separator=", ", ignore_nulls=True) if members else pl.lit("")
    return pl.concat_str(pl.lit("{"), joined, pl.lit("}")).alias("ext")


def _members(name: str, cells: pl.Series) -> pl.Series:
    values = cells.unique()
    members = [json.dumps({name: cell}, ensure_ascii=False)[1:-1] if cell else None for cell in values]
    return cells.replace_strict(values, pl.Series(members, dtype=pl.String), return_dtype=pl.String)


def _copy_text(rows: pl.DataFrame) -> bytes:
    text = rows.write_csv(include_header=False, separator="\t", quote_style="never").encode()
    # No cell of a plain file holds a tab or a line end.
    return text.replace(b"\\", b"\\\\") if b"\\" in text else text
