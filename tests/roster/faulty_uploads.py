"""Faulty uploads as plain data, each with exactly what the service answers to it.

`Zebedee` stands for a child's data: no answer may ever repeat it.
"""

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Found = tuple[str, str, int | None, str | None, str]
"""Severity, file, line, column, code."""

GOOD: Mapping[str, bytes] = {
    "schools.csv": b"School_id,School_name\n10,North\n20,South\n",
    "students.csv": b"School_id,Student_id,Last_name,First_name,Grade\n10,s1,Ames,Ann,3\n20,s2,Bell,Bo,4\n",
    "teachers.csv": b"School_id,Teacher_id,First_name,Last_name\n10,t1,Tia,Tanner\n",
    "sections.csv": b"School_id,Section_id,Teacher_id,Name\n10,c1,t1,Reading\n",
    "enrollments.csv": b"School_id,Section_id,Student_id\n10,c1,s1\n",
    "staff.csv": b"School_id,Staff_id,Staff_email,First_name,Last_name\n10,f1,f1@example.org,Fay,Ford\n",
}
ARCHIVE_NAME = "roster.zip"
"""The name under which an archive of the table is sent."""


@dataclass(frozen=True, kw_only=True)
class FaultyUpload:
    """An upload that is good but for what `files` replaces or removes, or an archive as raw bytes."""

    name: str
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    archive: Callable[[], bytes] | None = None
    problems: tuple[Found, ...]
    outcome: Literal["published", "failed"]
    stage: Literal["reading", "sync"] = "reading"
    """Whether reading the files shows it, or only comparing them in the database."""
    said: str | None = None
    """The message of each problem; None: the one sentence of its code."""

    def sent(self) -> dict[str, bytes]:
        """The files by name; one archive if it is one."""
        if self.archive:
            return {ARCHIVE_NAME: self.archive()}
        return {name: data for name, data in {**GOOD, **self.files}.items() if data is not None}


def unreadable(
    name: str, file: str, data: bytes | None, code: str, *places: tuple[int | None, str | None]
) -> FaultyUpload:
    """One file that fails the sync, with a place for each problem."""
    problems = tuple(("error", file, line, column, code) for line, column in places or ((1, None),))
    return FaultyUpload(name=name, files={file: data}, problems=problems, outcome="failed")


def rejected(name: str, file: str, data: bytes, code: str, *places: tuple[int, str | None]) -> FaultyUpload:
    """Rows that are left out, with a place for each."""
    problems = tuple(("error", file, line, column, code) for line, column in places)
    return FaultyUpload(name=name, files={file: data}, problems=problems, outcome="published")


def warned(name: str, file: str, data: bytes, code: str, *places: tuple[int, str | None]) -> FaultyUpload:
    """Rows that are taken with a warning, with a place for each."""
    problems = tuple(("warning", file, line, column, code) for line, column in places)
    return FaultyUpload(name=name, files={file: data}, problems=problems, outcome="published")


SCHOOLS, STUDENTS, TEACHERS = GOOD["schools.csv"], GOOD["students.csv"], GOOD["teachers.csv"]
SECTIONS, ENROLLMENTS, STAFF = GOOD["sections.csv"], GOOD["enrollments.csv"], GOOD["staff.csv"]
PLAIN = b"School_id,Student_id,Last_name,First_name"
GRADED = PLAIN + b",Gender,Race,DOB,Ell_status\n"
TERMED = b"School_id,Section_id,Teacher_id,Subject,Grade,Term_start,Term_end\n"
LONG = b"Zebedee" * 2000

FILES_MISSING = (
    *(unreadable(f"no {file}", file, None, "missing_file", (None, None)) for file in GOOD if file != "staff.csv"),
    FaultyUpload(
        name="file name in other case",
        files={"students.csv": None, "Students.csv": STUDENTS},
        problems=(
            ("warning", "Students.csv", None, None, "ignored_file"),
            ("error", "students.csv", None, None, "missing_file"),
        ),
        outcome="failed",
    ),
    FaultyUpload(
        name="a file of another kind",
        files={"grades.csv": b"Student_id,Mark\nZebedee,A\n"},
        problems=(("warning", "grades.csv", None, None, "ignored_file"),),
        outcome="published",
    ),
    FaultyUpload(
        name="two files missing",
        files={"schools.csv": None, "enrollments.csv": None},
        problems=(
            ("error", "schools.csv", None, None, "missing_file"),
            ("error", "enrollments.csv", None, None, "missing_file"),
        ),
        outcome="failed",
    ),
    unreadable("gzip named csv", "students.csv", b"\x1f\x8b\x08\x00Zebedee", "nested_archive", (None, None)),
    unreadable("zip named csv", "students.csv", b"PK\x03\x04Zebedee", "nested_archive", (None, None)),
)

HEADERS_WRONG = (
    unreadable("empty file", "students.csv", b"", "empty_file"),
    unreadable("byte order mark only", "students.csv", codecs.BOM_UTF8, "empty_file"),
    unreadable("blank lines only", "students.csv", b"\r\n \r\n\n", "empty_file"),
    unreadable("no header", "students.csv", b"10,Zebedee,Zebedee,Ann,3\n", "no_header"),
    unreadable("header in one cell", "students.csv", STUDENTS.replace(b",", b";"), "no_header"),
    unreadable(
        "key column missing",
        "students.csv",
        b"School_id,Last_name,First_name\n10,Zebedee,A\n",
        "missing_column",
        (1, "Student_id"),
    ),
    unreadable(
        "two columns missing",
        "teachers.csv",
        b"School_id,Teacher_id\n10,t1\n",
        "missing_column",
        (1, "Last_name"),
        (1, "First_name"),
    ),
    unreadable(
        "teacher column missing", "sections.csv", b"School_id,Section_id\n10,c1\n", "missing_column", (1, "Teacher_id")
    ),
    unreadable(
        "e-mail column missing",
        "staff.csv",
        b"School_id,Staff_id,First_name,Last_name\n10,f1,Zebedee,B\n",
        "missing_column",
        (1, "Staff_email"),
    ),
    unreadable("name column missing", "schools.csv", b"School_id\n10\n", "missing_column", (1, "School_name")),
    unreadable(
        "column twice", "students.csv", PLAIN + b",grade,GRADE\n10,s1,A,B,3,4\n", "duplicate_column", (1, "GRADE")
    ),
    unreadable(
        "ext column twice",
        "students.csv",
        PLAIN + b",ext.Bus,EXT.bus\n10,s1,A,B,3,4\n",
        "duplicate_column",
        (1, "EXT.bus"),
    ),
    *(
        unreadable(
            f"column named {name}",
            "students.csv",
            PLAIN + b"," + name.encode() + b"\n10,s1,A,B,Zebedee\n",
            "ssn_column",
            (1, name),
        )
        for name in (
            "SSN",
            "ssn_last4",
            "Student-SSN",
            "StudentSSN",
            "S.S.N.",
            "Social_Security_Number",
            "social security no",
            "SOCIALSECURITY",
            "ext.SSN",
            "SocSec",
        )
    ),
    unreadable(
        "column named SSN among enrollments",
        "enrollments.csv",
        b"School_id,Section_id,Student_id,SSN\n10,c1,s1,Zebedee\n",
        "ssn_column",
        (1, "SSN"),
    ),
    unreadable("too many columns", "students.csv", PLAIN + b",x" * 1000 + b"\n", "too_many_columns"),
    unreadable("NUL in the header", "students.csv", PLAIN + b",Gr\0ade\n10,s1,A,B,3\n", "nul_character"),
    unreadable("UTF-16", "students.csv", STUDENTS.decode().encode("utf-16"), "not_utf8"),
    unreadable("quote fault in the header", "students.csv", b'"School_id"x,Student_id\n10,Zebedee\n', "bad_quotes"),
    warned(
        "unknown column",
        "students.csv",
        PLAIN + b",Shoe_size\n10,s1,A,Zebedee,43\n",
        "unknown_column",
        (1, "Shoe_size"),
    ),
    warned(
        "long unknown column",
        "students.csv",
        PLAIN + b"," + b"x" * 90 + b"\n10,s1,A,B,43\n",
        "unknown_column",
        (1, "x" * 60),
    ),
    warned("column without a name", "students.csv", PLAIN + b",\n10,s1,A,B,\n", "unknown_column", (1, "")),
    warned(
        "ext column among enrollments",
        "enrollments.csv",
        b"School_id,Section_id,Student_id,ext.Seat\n10,c1,s1,Zebedee\n",
        "unknown_column",
        (1, "ext.Seat"),
    ),
)

TEXT_WRONG = (
    unreadable("Latin-1", "students.csv", STUDENTS + b"10,s3,Mu\xf1oz,Zebedee,3\n", "not_utf8", (4, None)),
    unreadable(
        "Latin-1 after CR ends",
        "students.csv",
        STUDENTS.replace(b"\n", b"\r") + b"10,s3,\xff,B,3\r",
        "not_utf8",
        (4, None),
    ),
    unreadable("encoded surrogate", "students.csv", STUDENTS + b"10,s3,\xed\xa0\x80,B,3\n", "not_utf8", (4, None)),
    unreadable(
        "quote open to the end",
        "students.csv",
        STUDENTS + b'10,s3,"Zebedee,B,3\n10,s4,C,D,3\n',
        "unclosed_quote",
        (4, None),
    ),
    unreadable(
        "quote open behind a cell of two lines",
        "students.csv",
        STUDENTS + b'10,s3,"A\nB","Zebedee,3\n10,s4,C,D,3\n',
        "unclosed_quote",
        (5, None),
    ),
    unreadable(
        "quote open around doubled quotes",
        "students.csv",
        STUDENTS + b'10,s3,"Ze ""be\ndee"" B,3\n10,s4,C,D,3\n',
        "unclosed_quote",
        (4, None),
    ),
    unreadable(
        "quote that runs into the next quote",
        "students.csv",
        STUDENTS + b'10,s3,"Zebedee,B,3\n10,s4,"C",D,3\n10,s5,C,D,3\n',
        "unclosed_quote",
        (4, None),
    ),
    unreadable(
        "quote open for longer than any cell",
        "students.csv",
        STUDENTS + b'10,s3,"Zebedee,B,3\n' + b"10,s4,C,D,3\n" * 20_000,
        "unclosed_quote",
        (4, None),
    ),
    unreadable("line without end", "students.csv", STUDENTS + b"x" * (5 << 20), "record_too_long", (4, None)),
    unreadable("record without end", "students.csv", STUDENTS + b'"a\n",' * (2 << 20), "record_too_long", (4, None)),
    rejected(
        "characters behind a quote",
        "students.csv",
        STUDENTS + b'10,s3,"Zebedee"x,B,3\n10,s4,C,D,3\n',
        "bad_quotes",
        (4, None),
    ),
    rejected(
        "NUL in a cell", "students.csv", STUDENTS + b"10,s3,Zebe\0dee,B,3\n10,s4,C,D,3\n", "nul_character", (4, None)
    ),
)

ROWS_WRONG = (
    rejected(
        "row too short", "students.csv", STUDENTS + b"10,s3,Zebedee,B\n10,s4,C,D,3\n", "wrong_column_count", (4, None)
    ),
    rejected("row too long", "students.csv", STUDENTS + b"10,s3,Zebedee,B,3,\n", "wrong_column_count", (4, None)),
    rejected(
        "first row too long",
        "enrollments.csv",
        ENROLLMENTS.replace(b"\n10", b"\nx,x,x,x\n10"),
        "wrong_column_count",
        (2, None),
    ),
    rejected(
        "row after blank lines and a cell of two lines",
        "students.csv",
        STUDENTS + b'\n\n10,s3,"Zebe\ndee",B,3\n\n10,s4\n',
        "wrong_column_count",
        (9, None),
    ),
    unreadable(
        "all rows too short",
        "students.csv",
        STUDENTS.replace(b",Grade", b",Grade,Gender"),
        "wrong_column_count",
        (2, None),
    ),
    unreadable(
        "only row too long",
        "enrollments.csv",
        b"School_id,Section_id,Student_id\n10,c1,s1,Zebedee\n",
        "wrong_column_count",
        (2, None),
    ),
    unreadable(
        "all rows with bad quotes",
        "enrollments.csv",
        b'School_id,Section_id,Student_id\n10,"c1"x,s1\n',
        "bad_quotes",
        (2, None),
    ),
    rejected("no student id", "students.csv", STUDENTS + b"10,,Zebedee,B,3\n", "missing_key", (4, "Student_id")),
    rejected(
        "student id of white space",
        "students.csv",
        STUDENTS + "10,\u00a0 ,Zebedee,B,3\n".encode(),
        "missing_key",
        (4, "Student_id"),
    ),
    rejected(
        "no school of a student", "students.csv", STUDENTS + b",s3,Zebedee,B,3\n", "missing_key", (4, "School_id")
    ),
    rejected("no school id", "schools.csv", SCHOOLS + b",Zebedee\n", "missing_key", (4, "School_id")),
    rejected("no teacher id", "teachers.csv", TEACHERS + b"10,,Zebedee,B\n", "missing_key", (3, "Teacher_id")),
    rejected("no section id", "sections.csv", SECTIONS + b"10,,t1,Zebedee\n", "missing_key", (3, "Section_id")),
    rejected("no staff id", "staff.csv", STAFF + b"10,,z@example.org,Zebedee,B\n", "missing_key", (3, "Staff_id")),
    rejected(
        "no student of an enrollment", "enrollments.csv", ENROLLMENTS + b"10,c1,\n", "missing_key", (3, "Student_id")
    ),
    rejected(
        "no section of an enrollment", "enrollments.csv", ENROLLMENTS + b"10,,s1\n", "missing_key", (3, "Section_id")
    ),
    rejected("row of commas", "students.csv", STUDENTS + b",,,,\n", "missing_key", (4, "School_id")),
    rejected(
        "cell too long", "students.csv", STUDENTS + b"10,s3," + LONG + b",B,3\n", "cell_too_long", (4, "Last_name")
    ),
    rejected(
        "cell longer than any", "students.csv", STUDENTS + b"10,s3," + LONG * 20 + b",B,3\n", "cell_too_long", (4, None)
    ),
    rejected(
        "ext cell too long",
        "students.csv",
        PLAIN + b",ext.Note\n10,s1,A,B,\n10,s3,C,D," + LONG + b"\n",
        "cell_too_long",
        (3, "ext.Note"),
    ),
    rejected(
        "identifier too long",
        "students.csv",
        STUDENTS + b"10," + b"z" * 201 + b",C,D,3\n",
        "cell_too_long",
        (4, "Student_id"),
    ),
    rejected(
        "teacher of a section too long",
        "sections.csv",
        SECTIONS + b"10,c2," + b"z" * 201 + b",Art\n",
        "cell_too_long",
        (3, "Teacher_id"),
    ),
)

CELLS_WRONG = (
    warned("no last name", "students.csv", STUDENTS + b"10,s3,,Zebedee,3\n", "empty_cell", (4, "Last_name")),
    warned(
        "no names of a teacher",
        "teachers.csv",
        TEACHERS + b"10,t2,,\n",
        "empty_cell",
        (3, "Last_name"),
        (3, "First_name"),
    ),
    warned("no name of a school", "schools.csv", SCHOOLS + b"30,\n", "empty_cell", (4, "School_name")),
    warned("no e-mail of a staff member", "staff.csv", STAFF + b"10,f2,,Zebedee,B\n", "empty_cell", (3, "Staff_email")),
    warned(
        "unknown grade",
        "students.csv",
        STUDENTS + b"10,s3,A,B,Zebedee\n10,s4,A,B,14\n",
        "unknown_grade",
        (4, "Grade"),
        (5, "Grade"),
    ),
    warned(
        "unknown grade of a school",
        "schools.csv",
        b"School_id,School_name,Low_grade,High_grade\n10,A,Zebedee,5\n20,B,K,9-12\n",
        "unknown_grade",
        (2, "Low_grade"),
        (3, "High_grade"),
    ),
    warned("unknown subject", "sections.csv", TERMED + b"10,c1,t1,Zebedee,3,,\n", "unknown_subject", (2, "Subject")),
    warned(
        "unknown gender",
        "students.csv",
        GRADED + b"10,s1,A,B,Zebedee,,,\n20,s2,A,B,Female,,,\n",
        "unknown_gender",
        (2, "Gender"),
        (3, "Gender"),
    ),
    warned("unknown race", "students.csv", GRADED + b"10,s1,A,B,,Zebedee,,\n", "unknown_race", (2, "Race")),
    warned(
        "neither yes nor no",
        "students.csv",
        GRADED + b"10,s1,A,B,,,,Zebedee\n20,s2,A,B,,,,yes\n",
        "unknown_yes_no",
        (2, "Ell_status"),
        (3, "Ell_status"),
    ),
    warned(
        "impossible birth date",
        "students.csv",
        GRADED + b"10,s1,A,B,,,2/30/2012,\n20,s2,A,B,,,13/1/2012,\n",
        "impossible_date",
        (2, "DOB"),
        (3, "DOB"),
    ),
    warned(
        "impossible term",
        "sections.csv",
        TERMED + b"10,c1,t1,math,3,soon,2026-06-31\n",
        "impossible_date",
        (2, "Term_start"),
        (2, "Term_end"),
    ),
)


def in_sync(name: str, file: str, data: bytes, *found: tuple[str, int, str, str]) -> FaultyUpload:
    """What only a comparison with other files shows: severity, line, column and code of each."""
    problems = tuple((severity, file, line, column, code) for severity, line, column, code in found)
    return FaultyUpload(name=name, files={file: data}, problems=problems, outcome="published", stage="sync")


REFERENCES_WRONG = (
    in_sync(
        "student at an unknown school",
        "students.csv",
        STUDENTS + b"99,s3,Zebedee,B,3\n",
        ("error", 4, "School_id", "unknown_school"),
    ),
    in_sync(
        "teacher at an unknown school",
        "teachers.csv",
        TEACHERS + b"99,t2,Zebedee,B\n",
        ("error", 3, "School_id", "unknown_school"),
    ),
    in_sync(
        "section at an unknown school",
        "sections.csv",
        SECTIONS + b"99,c2,t1,Art\n",
        ("error", 3, "School_id", "unknown_school"),
    ),
    in_sync(
        "staff at an unknown school",
        "staff.csv",
        STAFF + b"99,f2,z@example.org,Zebedee,B\n",
        ("error", 3, "School_id", "unknown_school"),
    ),
    in_sync(
        "enrollment at an unknown school",
        "enrollments.csv",
        ENROLLMENTS + b"99,c1,s2\n",
        ("error", 3, "School_id", "unknown_school"),
    ),
    in_sync(
        "enrollment of an unknown section",
        "enrollments.csv",
        ENROLLMENTS + b"10,C1,s2\n",
        ("error", 3, "Section_id", "unknown_section"),
    ),
    in_sync(
        "enrollment of an unknown student",
        "enrollments.csv",
        ENROLLMENTS + b"10,c1,s9\n",
        ("error", 3, "Student_id", "unknown_student"),
    ),
    in_sync(
        "enrollment at another school",
        "enrollments.csv",
        ENROLLMENTS + b"20,c1,s2\n",
        ("warning", 3, "School_id", "school_mismatch"),
    ),
    in_sync(
        "section with an unknown teacher",
        "sections.csv",
        SECTIONS + b"10,c2,t9,Art\n",
        ("warning", 3, "Teacher_id", "unknown_teacher"),
    ),
    in_sync(
        "section with an unknown second teacher",
        "sections.csv",
        b"School_id,Section_id,Teacher_id,Teacher_2_id\n10,c1,t1,t9\n",
        ("warning", 2, "Teacher_2_id", "unknown_teacher"),
    ),
    in_sync("school twice", "schools.csv", SCHOOLS + b"10,Zebedee\n", ("warning", 4, "School_id", "duplicate_row")),
    in_sync(
        "student twice at a school",
        "students.csv",
        STUDENTS + b"10,s1,Zebedee,Ann,3\n",
        ("warning", 4, "Student_id", "duplicate_row"),
    ),
    in_sync(
        "teacher twice at a school",
        "teachers.csv",
        TEACHERS + b"10,t1,Zebedee,B\n",
        ("warning", 3, "Teacher_id", "duplicate_row"),
    ),
    in_sync(
        "section twice", "sections.csv", SECTIONS + b"10,c1,t1,Zebedee\n", ("warning", 3, "Section_id", "duplicate_row")
    ),
    in_sync(
        "staff twice at a school",
        "staff.csv",
        STAFF + b"10,f1,z@example.org,Zebedee,B\n",
        ("warning", 3, "Staff_id", "duplicate_row"),
    ),
    in_sync(
        "enrollment twice",
        "enrollments.csv",
        ENROLLMENTS + b"10,c1,s1\n",
        ("warning", 3, "Student_id", "duplicate_row"),
    ),
    in_sync(
        "two faults in one file",
        "enrollments.csv",
        ENROLLMENTS + b"10,c1,\n10,c1,s9\n",
        ("error", 3, "Student_id", "missing_key"),
        ("error", 4, "Student_id", "unknown_student"),
    ),
)

FAULTY_FILES = (*FILES_MISSING, *HEADERS_WRONG, *TEXT_WRONG, *ROWS_WRONG, *CELLS_WRONG, *REFERENCES_WRONG)
