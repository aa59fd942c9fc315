"""Reading enrollments in frames: a plain file gives what reading cell by cell gives, and only plain files are split."""

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing_service.roster.enrollment_rows import BLOCK, COLUMNS, Frames, read_enrollments
from sharing_service.roster.problems import Problem, ProblemLog, UploadUnreadable
from sharing_service.roster.reading import read_rows

FILE = "enrollments.csv"
HEAD = b"School_id,Section_id,Student_id\n"
ROWS = b"S1,A,P1\nS1,A,P2\n"
LONG = b"x" * 201

Told = tuple[list[tuple[object, ...]] | None, list[Problem], int, dict[str, int]]
"""The rows, or None for a file that cannot be read, and the log."""

PLAIN = {
    "as it should be": HEAD + ROWS,
    "CRLF": (HEAD + ROWS).replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + HEAD + ROWS,
    "no line end at the end": HEAD + b"S1,A,P1",
    "only the header": HEAD,
    "blanks around cells and names": HEAD.replace(b",", b" , ") + b" S1,A , P 1 \n",
    "another order and a column more": b"Student_id,Note,School_id,Section_id\nP1,,S1,A\nP2,n,S1,A\n",
    "identifiers as long as they may be": HEAD + b"S1,A," + LONG[1:] + b"\n",
    "characters that mean something elsewhere": HEAD + b"#1,\\N,'P'\nNULL,;,|\n",
}
OTHER = {
    "empty": b"",
    "a line without an end": HEAD[:-1],
    "blank lines": HEAD + b"\nS1,A,P1\n\n",
    "a blank line before the header": b"\n" + HEAD + ROWS,
    "quotes": HEAD + b'"S1",A,P1\n',
    "a quoted name": b'"School_id",Section_id,Student_id\n' + ROWS,
    "an open quote": HEAD + b'S1,"A,P1\n',
    "letters beyond ASCII": HEAD + "S1,Ä,P1\n".encode(),
    "not UTF-8": HEAD + b"S1,\xff,P1\n",
    "not UTF-8, and a column is missing": b"School_id,Section_id,Note\n\xff,A,P1\n",
    "a NUL character": HEAD + b"S1,A\0,P1\n",
    "a tab": HEAD + b"S1,A\t,P1\n",
    "lines that end with CR": (HEAD + ROWS).replace(b"\n", b"\r"),
    "a CR inside": HEAD + b"S1,A\rP1\n",
    "a short row": HEAD + b"S1,A\nS1,A,P1\n",
    "a long row": HEAD + b"S1,A,P1\nS1,A,P1,x\n",
    "a long row after a short one": HEAD + b"S1,A\nS1,A,P1,x\n",
    "a short row after a long one": HEAD + b"S1,A,P1,x\nS1,A\n",
    "an empty cell": HEAD + b"S1,,P1\nS1,A,P1\n",
    "a blank cell": HEAD + b"S1, ,P1\n",
    "an identifier that is too long": HEAD + b"S1,A," + LONG + b"\n",
    "another cell that is too long": b"School_id,Section_id,Student_id,Note\nS1,A,P1," + b"x" * 140_000 + b"\n",
    "a column is missing": b"School_id,Section_id,Note\n" + ROWS,
    "no header": ROWS,
    "a line that is longer than a block": b"x" * (BLOCK + 1) + HEAD,
    "a row that is longer than a block": HEAD + b"S1,A," + b"x" * (2 * BLOCK) + b"\n",
}


class Opened:
    """Opens a file again and again, and counts how often."""

    def __init__(self, data: bytes) -> None:
        """Keep the bytes of the file."""
        self._data = data
        self.count = 0

    def __call__(self) -> BinaryIO:
        """The file from its beginning."""
        self.count += 1
        return BytesIO(self._data)


def told(read: Callable[[ProblemLog], list[tuple[object, ...]]]) -> Told:
    """What reading gives and logs."""
    log = ProblemLog()
    try:
        rows = read(log)
    except UploadUnreadable as error:
        log.fail(error.problems)
        return None, log.kept, log.count, dict(log.rejected)
    return rows, log.kept, log.count, dict(log.rejected)


def rows_of(frames: Frames) -> list[tuple[object, ...]]:
    """The rows of all frames."""
    rows: list[tuple[object, ...]] = []
    for frame in frames():
        assert frame.schema == COLUMNS
        rows += frame.rows()
    return rows


def in_frames(data: bytes) -> Told:
    """What reading in frames tells; the rows are the same at every call."""

    def read(log: ProblemLog) -> list[tuple[object, ...]]:
        frames = read_enrollments(FILE, Opened(data), log)
        rows = rows_of(frames)
        assert rows_of(frames) == rows
        return rows

    return told(read)


def by_cell(data: bytes) -> Told:
    """What reading cell by cell tells."""
    return told(lambda log: list(read_rows("enrollments", FILE, BytesIO(data), log)))


@pytest.mark.parametrize("data", [*PLAIN.values(), *OTHER.values()], ids=[*PLAIN, *OTHER])
def test_frames_give_what_reading_by_cell_gives(data: bytes) -> None:
    """Rows, lines and problems are the same either way."""
    assert in_frames(data) == by_cell(data)


@pytest.mark.parametrize(("data", "plain"), [*((d, True) for d in PLAIN.values()), (OTHER["an empty cell"], False)])
def test_a_plain_file_is_opened_again(data: bytes, plain: bool) -> None:
    """The rows of a plain file are not kept in memory."""
    opened = Opened(data)
    frames = read_enrollments(FILE, opened, ProblemLog())
    before = opened.count
    rows_of(frames)
    assert (opened.count > before) == plain


@pytest.mark.parametrize("name", ["blank lines", "quotes", "a short row", "an empty cell"])
def test_many_rows_are_not_kept(name: str) -> None:
    """A file that is not plain is read once more rather than kept, if it is large; its problems are told once.

    Catches a worker whose memory is filled by a file that was made not to be plain.
    """
    opened, log, kept = Opened(OTHER[name]), ProblemLog(), ProblemLog()
    frames = read_enrollments(FILE, opened, log, keep=0)
    before = opened.count

    assert rows_of(frames) == rows_of(frames) == rows_of(read_enrollments(FILE, Opened(OTHER[name]), kept))
    assert opened.count == before + 2
    assert (log.kept, log.count) == (kept.kept, kept.count)


def test_lines_go_on_from_block_to_block() -> None:
    """A file of several blocks loses no row between them and counts lines through.

    Catches a block that is cut inside a line.
    """
    count = 2 * BLOCK // 11
    data = HEAD + b"".join(b"S%d,A,P%07d\n" % (n % 9, n) for n in range(count))
    assert len(data) > 2 * BLOCK
    lines, students = 2, 0
    for frame in read_enrollments(FILE, Opened(data), ProblemLog())():
        assert frame["line"].to_list() == list(range(lines, lines + frame.height))
        assert frame["student"].to_list() == [f"P{n:07}" for n in range(students, students + frame.height)]
        lines, students = lines + frame.height, students + frame.height
    assert students == count


@given(st.lists(st.lists(st.text('ab ,"\r\n\té\0', max_size=4), min_size=2, max_size=4), max_size=6))
def test_any_file_reads_the_same(rows: list[list[str]]) -> None:
    """Whatever stands in the cells, both ways of reading tell the same."""
    data = HEAD + b"".join(",".join(row).encode() + b"\n" for row in rows)
    assert in_frames(data) == by_cell(data)
