"""The rows of one upload file, validated and ready to be copied into its staging table."""

import json
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import BinaryIO, Final

from sharing_service.roster.catalogue import EXTENSIBLE, ValueType
from sharing_service.roster.cells import MESSAGES, clean
from sharing_service.roster.columns import Column, Layout, UploadKind, read_header, uploaded_columns
from sharing_service.roster.problems import ProblemLog, UploadUnreadable, unreadable
from sharing_service.roster.records import Records

Row = tuple[int | str, ...]
"""The values of `columns_of(kind)`: the line as a number, all else as text; `ext` is a JSON object."""

MAX_CELL: Final = 10_000
"""Characters of a cell."""
MAX_IDENTIFIER: Final = 200
"""Characters of an identifier: as many as a rule can ask for, and well within what an index entry holds."""
_TO_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode
_REMEMBERED: Final = 50_000
"""Cleaned values kept per column; the birth dates of a whole district are some thousands."""


def read_rows(kind: UploadKind, file_name: str, stream: BinaryIO, log: ProblemLog) -> Iterator[Row]:
    """Give the usable rows of a file in order, and note in the log what is wrong with the others.

    Raises `UploadUnreadable` when the file as a whole cannot be read, possibly after rows were given.
    """
    shape = _Shape(file_name, log)
    records = Records(file_name, stream, shape.misshapen)
    found = iter(records)
    line, header = next(found, (1, None))
    shape.raise_if_misshapen()
    if header is None:
        raise unreadable(file_name, "empty_file", "The file is empty; send at least the line of column names.", line=1)
    layout = read_header(kind, file_name, line=line, header=header, log=log)
    rows = _Rows(kind, file_name, layout, log)
    yield from rows.read(records, found, shape)
    shape.raise_if_misshapen()


class _Shape:
    """Rows that do not fit the header are rejected one by one, unless no row fits: then the file is unreadable."""

    def __init__(self, file: str, log: ProblemLog) -> None:
        self.settled = False
        self._file = file
        self._log = log
        self._waiting = ProblemLog()

    def misshapen(self, line: int, code: str, message: str) -> None:
        """Note a record that does not have the cells that the header asks for."""
        (self._log if self.settled else self._waiting).reject(self._file, code, message, line=line)

    def settle(self) -> None:
        """A row has the right shape, so the others are single rows."""
        self.settled = True
        self._log.absorb(self._waiting)

    def raise_if_misshapen(self) -> None:
        """Raise the first problem if no row had the right shape and at least one had a wrong one."""
        if not self.settled and self._waiting.kept:
            raise UploadUnreadable(self._waiting.kept[0])


class _Rows:
    """Turns records of one file into rows; everything that the header decides is worked out once."""

    def __init__(self, kind: UploadKind, file: str, layout: Layout, log: ProblemLog) -> None:
        self._file = file
        self._log = log
        self._columns = uploaded_columns(kind)
        self._ext = layout.ext
        self._width = layout.width
        self._extensible = kind in EXTENSIBLE
        # An absent column is read from the empty cell that is put behind each record.
        self._padded = None in layout.places
        self._pick: Callable[[list[str]], tuple[str, ...]] = itemgetter(
            *(layout.width if place is None else place for place in layout.places)
        )
        self._required: Callable[[list[str]], tuple[str, ...]] = itemgetter(
            *(index for index, column in enumerate(self._columns) if column.required)
        )
        self._typed: list[tuple[int, dict[str, str]]] = [
            (index, {"": ""})
            for index, (column, place) in enumerate(zip(self._columns, layout.places, strict=True))
            if column.type is not ValueType.TEXT and place is not None
        ]

    def read(self, records: Records, found: Iterator[tuple[int, list[str]]], shape: _Shape) -> Iterator[Row]:
        """The rows of all records that can be used; this loop runs once for each of millions of rows."""
        strip, pick, required, width, typed = str.strip, self._pick, self._required, self._width, self._typed
        for line, record in found:
            if len(record) != width:
                shape.misshapen(line, *_wrong_count(len(record), width))
                continue
            if not shape.settled:
                shape.settle()
            if records.has_nul and self._has_nul(line, record):
                continue
            if self._padded:
                record.append("")
            ext = self._ext_of(line, record) if self._ext else "{}"
            if ext is None:
                continue
            cells = [*map(strip, pick(record))]
            # The length of all spares looking at the length of each.
            suspect = "" in required(cells) or len("".join(cells)) > MAX_IDENTIFIER
            if suspect and not self._usable(line, cells):
                continue
            for index, known in typed:
                value = known.get(cells[index])
                cells[index] = self._clean(line, self._columns[index], known, cells[index]) if value is None else value
            yield (line, *cells, ext) if self._extensible else (line, *cells)

    def _has_nul(self, line: int, record: list[str]) -> bool:
        found = any("\0" in cell for cell in record)
        if found:
            self._log.reject(self._file, "nul_character", "Take the NUL character out of this row.", line=line)
        return found

    def _ext_of(self, line: int, record: list[str]) -> str | None:
        cells = {name: cell for name, index in self._ext if (cell := record[index].strip())}
        for name, cell in cells.items():
            if len(cell) > MAX_CELL:
                self._reject_long(line, f"ext.{name}", MAX_CELL)
                return None
        return _TO_JSON(cells)

    def _usable(self, line: int, cells: list[str]) -> bool:
        if all(self._required(cells)) and max(map(len, cells)) <= MAX_IDENTIFIER:
            return True
        for column, cell in zip(self._columns, cells, strict=True):
            if column.key and not cell:
                message = "Fill this cell; without it the row cannot be used."
                self._log.reject(self._file, "missing_key", message, line=line, column=column.header)
                return False
            limit = MAX_IDENTIFIER if column.identifier else MAX_CELL
            if len(cell) > limit:
                self._reject_long(line, column.header, limit)
                return False
        for column, cell in zip(self._columns, cells, strict=True):
            if column.required and not column.identifier and not cell:
                message = "Fill this cell; the row was taken without it."
                self._log.warn(self._file, "empty_cell", message, line=line, column=column.header)
        return True

    def _reject_long(self, line: int, column: str, limit: int) -> None:
        message = f"Shorten this cell to at most {limit:,} characters."
        self._log.reject(self._file, "cell_too_long", message, line=line, column=column)

    def _clean(self, line: int, column: Column, known: dict[str, str], cell: str) -> str:
        value, warning = clean(column.type, cell)
        if warning:
            self._log.warn(self._file, warning, MESSAGES[warning], line=line, column=column.header)
        elif len(known) < _REMEMBERED:
            known[cell] = value
        return value


def _wrong_count(count: int, width: int) -> tuple[str, str]:
    message = f"The row has {count:,} columns and the header {width:,}; give each row as many as the header."
    return "wrong_column_count", message
