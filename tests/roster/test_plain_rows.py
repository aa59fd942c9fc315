"""Reading records many at a time: a plain file gives what reading cell by cell gives, any other is told from it."""

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.loading import load_file
from sharing_service.roster.plain import NotPlain
from sharing_service.roster.plain_rows import BLOCK, read_plain
from sharing_service.roster.problems import Problem, ProblemLog, UploadUnreadable
from sharing_service.roster.reading import read_rows

FILE = "students.csv"
HEAD = "School_id,Student_id,Last_name,First_name,Grade,DOB,Student_street,Note,ext.Bus,ext.Team\n"
ROW = "S1,P1,Lovelace,Ada,01,2/29/2012,1 Elm St,,B1,\n"

PLAIN = {
    "as it should be": HEAD + ROW,
    "only the header": HEAD,
    "CRLF": (HEAD + ROW).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + HEAD + ROW,
    "no line end at the end": HEAD + ROW[:-1],
    "without ext columns": "School_id,Student_id,Last_name,First_name\nS1,P1,Lovelace,Ada\n",
    "letters beyond ASCII": HEAD + "S1,P1,Noël,Zoë 😀,K,,\u3000Straße\u00a0\u0085,,Ü,é\n",
    "blanks around cells": HEAD + " S1 , P1,Lovelace , Ada, 01 , 2/29/2012 ,  ,, B1 , \n",
    "a quoted cell with a comma": HEAD + 'S1,"P1",Lovelace,Ada,01,,"1 Elm St, Apt 4, ",,"a,b",\n',
    "a quoted cell at either end": HEAD + '"S1",P1,Lovelace,Ada,01,"","",,"B1","x"\n"S2",P2,L,A,,,,,,""\n',
    "a backslash": HEAD + "S1,P1,Love\\lace,\\N,01,,\\.,,a\\nb,\\\n",
    "empty cells that may be": HEAD + "S1,P1,L,A,,,,,,\n",
}
OTHER = {
    "empty": "",
    "blank lines": HEAD + "\n" + ROW,
    "an empty name": HEAD + "S1,P1,,A,,,,,,\n",
    "an empty key": HEAD + "S1, ,L,A,,,,,,\n",
    "an unknown grade": HEAD + ROW + "S1,P2,L,A,99,,,,,\n",
    "an impossible date": HEAD + "S1,P1,L,A,,2/30/2012,,,,\n",
    "a short row": HEAD + ROW + "S1,P2\n",
    "a short row and a long one": HEAD + ROW + "S1,P2,L,A,,,,,\nS1,P3,L,A,,,,,,,\n",
    "a long cell": HEAD + "S1,P1,L,A,,," + "x" * 201 + ",,,\n",
    "a cell that is too long": HEAD + "S1,P1,L,A,,," + "x" * 10_001 + ",,,\n",
    "a doubled quote": HEAD + 'S1,P1,L,A,,,"1 ""Elm"" St",,,\n',
    "a quote inside": HEAD + 'S1,P1,L,A,,,1 "Elm" St,,,\n',
    "a quoted line end": HEAD + 'S1,P1,L,A,,,"1 Elm\nSt",,,\n',
    "an open quote": HEAD + ROW + 'S1,P2,"L,A,,,,,,\n',
    "a tab": HEAD + "S1,P1,L,A,,,1\tElm,,,\n",
    "the sign that stands for a comma": HEAD + "S1,P1,L,A,,,1\x1fElm,,,\n",
    "a byte order mark before a row": HEAD + "\ufeff" + ROW,
    "quoted names": HEAD.replace("Note", '"Note"') + ROW,
    "a column is missing": "School_id,Student_id,Last_name\nS1,P1,L\n",
    "a long header": HEAD[:-1] + "," + ",".join(f"ext.{n:05}" for n in range(980)) + ",ext." + "x" * 150 + "\n",
    "two columns": "School_id,Student_id\nS1,P1\n",
    "a line that is longer than a block": "x" * (BLOCK + 1),
}

Told = tuple[bytes | None, list[Problem], int, dict[str, int]]
"""The rows as COPY takes them, or None for a file that cannot be read, and the log."""


def told(read: Callable[[ProblemLog], bytes]) -> Told:
    """What reading gives and logs."""
    log = ProblemLog()
    try:
        rows = read(log)
    except UploadUnreadable as error:
        log.fail(error.problems)
        return None, log.kept, log.count, dict(log.rejected)
    return rows, log.kept, log.count, dict(log.rejected)


def by_cell(data: bytes) -> Told:
    """What reading cell by cell tells."""
    return told(lambda log: b"".join(staging.copy_text([row]) for row in _rows(data, log)))


def _rows(data: bytes, log: ProblemLog) -> Iterator[tuple[int | str, ...]]:
    return read_rows(Kind.STUDENTS, FILE, BytesIO(data), log)


def many_at_a_time(data: bytes) -> Told:
    """What reading a plain file tells."""
    return told(lambda log: b"".join(form() for form in read_plain(Kind.STUDENTS, FILE, lambda: BytesIO(data), log)))


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_a_plain_file_gives_what_reading_by_cell_gives(data: str) -> None:
    """Rows, lines and problems are the same either way."""
    assert many_at_a_time(data.encode()) == by_cell(data.encode())


@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER)
def test_any_other_file_is_refused(data: str) -> None:
    """Whatever would be noted about a row, or might be read otherwise, is left to reading by cell."""
    with pytest.raises((NotPlain, UploadUnreadable)):
        [form() for form in read_plain(Kind.STUDENTS, FILE, lambda: BytesIO(data.encode()), ProblemLog())]


def test_a_file_that_is_not_utf8_is_refused() -> None:
    """Its line is found by reading cell by cell."""
    with pytest.raises(NotPlain):
        many_at_a_time(HEAD.encode() + b"S1,P1,L\xff,A,,,,,,\n")


@given(st.lists(st.lists(st.text('a ,"\\\r\n\té\0\ufeff', max_size=4), min_size=9, max_size=10), max_size=4))
def test_a_file_that_is_read_is_read_the_same(rows: list[list[str]]) -> None:
    """Whatever stands in the cells, what is given is right."""
    data = HEAD.encode() + b"".join(",".join(["S1", *row]).encode() + b"\n" for row in rows)
    try:
        found = many_at_a_time(data)
    except NotPlain:
        return
    assert found == by_cell(data)


async def test_lines_go_on_from_block_to_block(session: AsyncSession) -> None:
    """A file of several blocks loses no row between them and counts lines through."""
    row = "S1,P%07d,Lovelace,Ada,01,2/29/2012,1 Elm St,,B1,\n"
    count = 2 * BLOCK // len(row)
    data = (HEAD + "".join(row % number for number in range(count))).encode()
    await staging.create(session)
    await load_file(session, Kind.STUDENTS, FILE, lambda: BytesIO(data), ProblemLog())
    wrong = "select count(*) from staged_students where sis_id <> 'P' || lpad((line - 2)::text, 7, '0')"
    assert await session.scalar(text("select count(distinct line) from staged_students")) == count
    assert await session.scalar(text(wrong)) == 0


async def test_a_file_that_proves_not_plain_is_read_anew(session: AsyncSession) -> None:
    """Its rows are staged once, and its problems told once.

    Catches rows that stay from the first reading.
    """
    rows = "".join(f"S1,P{number:07},L,A,,,1 Elm St,,,\n" for number in range(BLOCK // 30))
    log = ProblemLog()
    data = (HEAD + rows + "S1,P,L,A,99,,,,,\n").encode()
    assert len(data) > BLOCK
    await staging.create(session)
    await load_file(session, Kind.STUDENTS, FILE, lambda: BytesIO(data), log)
    assert await session.scalar(text("select count(*) from staged_students")) == BLOCK // 30 + 1
    assert [problem.code for problem in log.kept] == ["unknown_column", "unknown_grade"]
