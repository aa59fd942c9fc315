"""The records of a CSV file with the line each begins on, read in blocks so that no input can fill the memory."""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO, Final

from sharing_service.roster.problems import UploadUnreadable, unreadable

BLOCK: Final = 256 * 1024
MAX_RECORD: Final = 4 * 1024 * 1024
"""Bytes that one record may have; one cell is bounded by the csv module's own limit of 131,072 characters."""
MAX_LINES: Final = 20_000_000
"""Lines of a file: what is known of each row is kept in memory, and the largest district has not half as many."""
_BOM: Final = b"\xef\xbb\xbf"

BadRecord = Callable[[int, str, str], None]
"""Told the line, code and message of a record that cannot be split into cells."""


class Records:
    """The records of a UTF-8 CSV stream: lines end with CR, LF or CRLF, quotes are those of RFC 4180."""

    def __init__(self, file: str, stream: BinaryIO, bad_record: BadRecord) -> None:
        self.has_nul = False
        """A NUL character came by; looked for per block, because a look at each cell would cost more than all else."""
        self._file = file
        self._stream = stream
        self._bad_record = bad_record
        self._end = 0  # last line of the last record given
        self._blocks: list[tuple[int, str]] = []  # first line and text of what is being read, to find an open quote in
        self._reader = csv.reader(chain.from_iterable(self._lines()), strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Give each record that is not blank with its first line; raise `UploadUnreadable` where nothing can follow."""
        reader = self._reader
        while True:
            try:
                for record in reader:
                    line = self._end + 1
                    self._end = reader.line_num
                    if len(record) > 1 or (record and record[0].strip()):
                        yield line, record
                return
            except csv.Error as error:
                self._recover(str(error))

    def _recover(self, reason: str) -> None:
        line, last = self._end + 1, self._reader.line_num
        at_end = reason.startswith("unexpected end")
        if at_end or last > line:
            # A quote that ran over line ends has swallowed rows, and a missing row would be a removal.
            message = (
                "A quote opens on this line and is not closed as it should be; close it, or double it inside a cell."
            )
            raise unreadable(
                self._file, "unclosed_quote", message, line=self._quote_opened(last if at_end else last - 1)
            )
        self._end = last
        if "field limit" in reason:
            self._bad_record(line, "cell_too_long", "A cell of this row is too long; shorten it.")
        else:
            message = "Characters follow a closing quote; double a quote that belongs to a cell."
            self._bad_record(line, "bad_quotes", message)

    def _quote_opened(self, last: int) -> int:
        opened, is_open = self._end + 1, False
        for first, text in self._blocks:
            for number, line in enumerate(io.StringIO(text, newline=""), start=first):
                if self._end < number <= last:
                    for _ in range(line.replace('""', "").count('"')):
                        is_open = not is_open
                        opened = number if is_open else opened
        return opened

    def _lines(self) -> Iterator[io.StringIO]:
        rest = b""
        while block := self._stream.read(BLOCK):
            rest += block
            # A CR at the very end may be half of a CRLF.
            cut = max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, len(rest) - 1)) + 1
            if cut:
                yield self._block(rest[:cut])
                rest = rest[cut:]
            elif len(rest) > MAX_RECORD:
                raise self._too_long()
        if rest:
            yield self._block(rest)

    def _block(self, data: bytes) -> io.StringIO:
        first = self._reader.line_num + 1
        if first > MAX_LINES:
            message = f"Send at most {MAX_LINES:,} lines in one file."
            raise unreadable(self._file, "too_many_lines", message, line=MAX_LINES + 1)
        if first == 1:
            data = data.removeprefix(_BOM)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = first + len((data[: error.start] + b".").splitlines()) - 1
            message = "This line is not UTF-8; save the file as UTF-8."
            raise unreadable(self._file, "not_utf8", message, line=line) from None
        self.has_nul = self.has_nul or "\0" in text
        begins = self._end + 1
        followers = [*self._blocks, (first, "")][1:]
        self._blocks = [
            block for block, (following, _) in zip(self._blocks, followers, strict=True) if following > begins
        ]
        if sum(len(text) for _, text in self._blocks[1:]) > MAX_RECORD:
            raise self._too_long()
        self._blocks.append((first, text))
        return io.StringIO(text, newline="")

    def _too_long(self) -> UploadUnreadable:
        message = f"A record that begins here is longer than {MAX_RECORD:,} bytes; look for a quote that is not closed."
        return unreadable(self._file, "record_too_long", message, line=self._end + 1)
