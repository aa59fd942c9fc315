"""The rows of a plain file of records, many at a time, as `read_rows` would give them one by one."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from sharing_service.roster.archive import Open
from sharing_service.roster.catalogue import EXTENSIBLE, Kind, ValueType
from sharing_service.roster.cells import clean
from sharing_service.roster.columns import Column, Layout, read_header, uploaded_columns
from sharing_service.roster.plain import NotPlain, lines_of, plain_blocks, plain_frames, plain_header, split
from sharing_service.roster.problems import ProblemLog

BLOCK: Final = 4 * 1024 * 1024
"""Bytes of a file that are split at once."""


def read_plain(kind: Kind, file: str, open_csv: Open, log: ProblemLog) -> Iterator[bytes]:
    """Blocks of the values of `columns_of(kind)` in the text format of COPY.

    Raises `NotPlain`, possibly after blocks were given, at anything that `read_rows` would note about a row, and
    `UploadUnreadable` at a header that cannot be used.
    """
    layout = read_header(kind, file, line=1, header=plain_header(open_csv()), log=log)
    for line, cells in plain_frames(open_csv, layout.width, block=BLOCK):
        lines = pl.int_range(line, line + cells.height, dtype=pl.Int32, eager=True)
        yield _copy_text(_cleaned(kind, layout, lines, cells))


def read_lines(kind: Kind, layout: Layout, open_csv: Open, wanted: pl.Series) -> Iterator[bytes]:
    """What `read_plain` gives of some lines, by their ascending numbers."""
    numbers, texts = [], []
    for line, data in plain_blocks(open_csv, layout.width, block=BLOCK):
        lines = lines_of(data)
        here = wanted.filter(wanted.is_between(line, line + len(lines) - 1))
        if len(here):
            numbers.append(here)
            texts.append("\n".join(lines.gather(here - line)) + "\n")
        # Cleaned together: a few rows of a block take nearly as long as all of them.
        if sum(map(len, texts)) > BLOCK:
            yield _copied(kind, layout, numbers, texts)
            numbers, texts = [], []
    if texts:
        yield _copied(kind, layout, numbers, texts)


def _copied(kind: Kind, layout: Layout, numbers: Sequence[pl.Series], texts: Sequence[str]) -> bytes:
    cells = split("".join(texts).encode(), layout.width)
    return _copy_text(_cleaned(kind, layout, pl.concat(numbers), cells))


def _cleaned(kind: Kind, layout: Layout, lines: pl.Series, cells: pl.DataFrame) -> pl.DataFrame:
    stripped = cells.select(pl.all().str.strip_chars())
    columns = uploaded_columns(kind)
    values: list[pl.Expr | pl.Series] = [lines.alias("line")]
    for column, place in zip(columns, layout.places, strict=True):
        value = pl.lit("") if place is None else _typed(column, stripped[str(place)])
        values.append(value.alias(column.name))
    if kind in EXTENSIBLE:
        values.append(_ext(layout, stripped))
    rows = stripped.select(values)
    required = [column.name for column in columns if column.required]
    if any(rows.select((pl.col(required) == "").any()).row(0)):
        raise NotPlain
    return rows


def _typed(column: Column, cells: pl.Series) -> pl.Series:
    """The cells as they are kept: each value is cleaned once."""
    if column.type is ValueType.TEXT:
        return cells
    spellings = cells.unique()
    cleaned = [clean(column.type, cell) for cell in spellings]
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
