"""Well-formed files in all the forms that the format allows, and files larger than a block."""

import codecs
import csv
import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing_service.roster.catalogue import Kind
from sharing_service.roster.columns import UploadKind, columns_of
from sharing_service.roster.problems import KEPT, ProblemLog, UploadUnreadable
from sharing_service.roster.reading import read_rows
from sharing_service.roster.records import BLOCK
from tests.roster.faulty_uploads import SECTIONS, STUDENTS

HEADER = "School_id,Student_id,Last_name,First_name"


class Trickle(io.BytesIO):
    """Gives a few bytes at a time, so that blocks end everywhere."""

    def __init__(self, data: bytes, step: int) -> None:
        """Give at most `step` bytes at once."""
        super().__init__(data)
        self.step = step

    def read(self, size: int | None = -1) -> bytes:
        """The next few bytes."""
        return super().read(self.step if size is None or size < 0 else min(size, self.step))


def read(data: bytes | str, kind: UploadKind = Kind.STUDENTS, log: ProblemLog | None = None) -> list[dict[str, object]]:
    """The rows of a file without fault, or with the faults that `log` takes."""
    own = log or ProblemLog()
    data = data.encode() if isinstance(data, str) else data
    rows: list[dict[str, object]] = [
        dict(zip(columns_of(kind), row, strict=True)) for row in read_rows(kind, f"{kind}.csv", io.BytesIO(data), own)
    ]
    assert log or own.kept == []
    return rows


def names(rows: Sequence[dict[str, object]]) -> list[tuple[object, ...]]:
    """Line, key and last name of each row."""
    return [(row["line"], row["sis_id"], row["last_name"]) for row in rows]


PLAIN = [(2, "s1", "Ames"), (3, "s2", "Bell")]


@pytest.mark.parametrize(
    "data",
    [
        STUDENTS,
        codecs.BOM_UTF8 + STUDENTS,
        STUDENTS.replace(b"\n", b"\r\n"),
        STUDENTS.replace(b"\n", b"\r"),
        STUDENTS.rstrip(b"\n"),
        STUDENTS.upper()
        .replace(b"AMES", b"Ames")
        .replace(b"BELL", b"Bell")
        .replace(b"S1", b"s1")
        .replace(b"S2", b"s2"),
        STUDENTS.replace(b"Ames", b'"Ames"').replace(b"School_id", b'"School_id"'),
        STUDENTS.replace(b"Ames", b" Ames\t").replace(b"Last_name", b" last_NAME "),
        STUDENTS + b"\n \n\r\n",
        b"First_name,Grade,Student_id,Last_name,School_id\nAnn,3,s1,Ames,10\nBo,4,s2,Bell,20\n",
    ],
    ids=["LF", "BOM", "CRLF", "CR", "no last line end", "header case", "quotes", "white space", "blank lines", "order"],
)
@pytest.mark.asvs("V1.1.1")
def test_forms_of_one_file(data: bytes) -> None:
    """Line ends, byte order mark, quotes, case of headers and order of columns make no difference."""
    assert names(read(data)) == PLAIN


def test_lines_are_physical() -> None:
    """A row has the line on which it begins, also after cells of several lines and blank lines."""
    rows = read(HEADER + '\n\n10,s1,"A\r\nB\n\nC",Ann\n\n10,s2,"D ""E"", F",Bo\n')

    assert names(rows) == [(3, "s1", "A\r\nB\n\nC"), (8, "s2", 'D "E", F')]


def test_header_without_rows() -> None:
    """A file with a header and no rows is valid."""
    assert read(HEADER) == []


def test_absent_columns_are_empty() -> None:
    """What a file does not have is the empty string, and `ext` the empty object."""
    (row,) = read(HEADER + "\n10,s1,Ames,Ann\n")

    assert {name for name, value in row.items() if value not in ("", "{}")} == {
        "line",
        "school",
        "sis_id",
        "last_name",
        "first_name",
    }
    assert row["ext"] == "{}"


def test_ext_columns() -> None:
    """`ext.` columns are kept in the spelling of their header, those without a value left out."""
    first, second = read(HEADER + ",ext.Bus Route,EXT.träger\n10,s1,A,B, 7 ,ß\n10,s2,C,D,,\n")

    assert json.loads(str(first["ext"])) == {"Bus Route": "7", "träger": "ß"}
    assert second["ext"] == "{}"


@pytest.mark.asvs("V14.2.4")
def test_passwords_and_averages_are_never_read() -> None:
    """Catches a column that must not be stored coming through as a value or as `ext`."""
    header = HEADER + ",Password,Unweighted_gpa,Weighted_gpa,Username"
    (row,) = read(header + "\n10,s1,Ames,Ann,Zebedee,Zebedee,Zebedee,ann\n")

    assert row["username"] == "ann"
    assert "Zebedee" not in repr(row)


def test_contacts_and_teachers() -> None:
    """A student's row brings its contact, a section's row up to ten teachers, as uploaded."""
    contact = (
        "Contact_relationship,Contact_type,Contact_name,Contact_phone,Contact_phone_type,Contact_email,Contact_sis_id"
    )
    (student,) = read(f"{HEADER},{contact}\n10,s1,A,B,Mother,primary,Cy Ames,555,Cell,c@example.org,k1\n")
    (section,) = read(SECTIONS.replace(b"Name", b"Teacher_10_id").replace(b"Reading", b"t9"), Kind.SECTIONS)

    assert {name: value for name, value in student.items() if name.startswith("contact_")} == {
        "contact_relationship": "Mother",
        "contact_type": "primary",
        "contact_name": "Cy Ames",
        "contact_phone": "555",
        "contact_phone_type": "Cell",
        "contact_email": "c@example.org",
        "contact_sis_id": "k1",
    }
    assert (section["teacher_1"], section["teacher_2"], section["teacher_10"]) == ("t1", "", "t9")


def test_longest_cells() -> None:
    """A text of 10,000 and an identifier of 200 characters are taken."""
    (row,) = read(f"{HEADER}\n10,{'s' * 200},{'é' * 10_000},Ann\n")

    assert (len(str(row["sis_id"])), len(str(row["last_name"]))) == (200, 10_000)


def test_all_problems_are_counted() -> None:
    """Of many problems the first thousand are kept and all are counted, also those found before the first good row."""
    log = ProblemLog()
    bad = "10,s\n" * (KEPT + 5)
    rows = read(f"{HEADER}\n{bad}10,s1,Ames,Ann\n{bad}", log=log)

    assert len(rows) == 1
    assert (log.count, len(log.kept), log.rejected["students.csv"]) == (2 * KEPT + 10, KEPT, 2 * KEPT + 10)


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 64])
def test_blocks_end_anywhere(line_end: str, step: int) -> None:
    """Where a block ends makes no difference, not even between CR and LF or inside a character."""
    text = line_end.join([HEADER, '10,s1,"Ä\r\n\r\nß",Ann', "", "10,s2,Bellé,Bo", ""])
    log = ProblemLog()

    trickled = read_rows(Kind.STUDENTS, "students.csv", Trickle(codecs.BOM_UTF8 + text.encode(), step), log)

    assert [row[:4] for row in trickled] == [(2, "10", "s1", "Ä\r\n\r\nß"), (6, "10", "s2", "Bellé")]
    assert log.kept == []


def test_fault_in_a_late_block() -> None:
    """Lines are counted across blocks, in records that lie across two of them as well."""
    rows = "".join(f'10,s{n},"A\nB",Ann\n' for n in range(BLOCK // 8))
    log = ProblemLog()

    found = read(f"{HEADER}\n{rows}10,x\n", log=log)

    assert len(found) == BLOCK // 8
    assert found[-1]["line"] == 2 * (BLOCK // 8)
    assert [problem.line for problem in log.kept] == [2 * (BLOCK // 8) + 2]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=20), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_whatever_is_written_is_read(cells: list[tuple[str, str]], quoting: int) -> None:
    """Every text that a CSV writer can write is read back, but for white space at its ends."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(HEADER.split(","))
    writer.writerows(("10", f"s{n}", last, first) for n, (last, first) in enumerate(cells))

    rows = read(out.getvalue(), log=ProblemLog())

    assert [(row["last_name"], row["first_name"]) for row in rows] == [(a.strip(), b.strip()) for a, b in cells]


@given(
    st.lists(
        st.sampled_from([b"10", b"s1", b",", b'"', b"\r", b"\n", b"\0", b" ", b"\xc3", b"\xa9", b",,,"]), max_size=40
    )
)
@pytest.mark.asvs("V5.2.2")
def test_whatever_is_sent_is_answered(pieces: list[bytes]) -> None:
    """Whatever stands below the header, rows are given on ascending lines with a key, or the file is refused."""
    log = ProblemLog()
    try:
        rows = read(HEADER.encode() + b"\n" + b"".join(pieces), log=log)
    except UploadUnreadable as error:
        rows = []
        log.fail(error.problems)

    lines = [int(str(row["line"])) for row in rows]
    assert lines == sorted(set(lines))
    assert all(row["school"] and row["sis_id"] for row in rows)
