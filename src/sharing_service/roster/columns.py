"""The columns of each upload file: which are read, where they stand in this header, and what a row of staging holds."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from sharing_service.roster.catalogue import (
    CONTACT_LINK_COLUMNS,
    CONTACTS,
    EXTENSIBLE,
    FIELDS,
    NEVER_STORED,
    SECTION_TEACHER_COLUMNS,
    Kind,
    ValueType,
)
from sharing_service.roster.problems import Problem, ProblemLog, UploadUnreadable, unreadable

UploadKind = Kind | Literal["enrollments"]
"""What an upload file holds: one of the uploaded kinds, or enrollments."""

MAX_COLUMNS: Final = 1_000
SHOWN: Final = 60
"""Characters of an unknown column's name that the report shows."""
MAX_EXT: Final = 100
"""Characters of the name of an `ext.` column: it is kept anew with each record."""
_EXT: Final = "ext."
_SSN_NAMES: Final = frozenset({"ssn", "ssno", "ssnum", "ssnumber", "socsec", "socsecno", "socsecnum", "socsecnumber"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column that is read from an upload file."""

    name: str
    """Name in the staging table."""
    header: str
    type: ValueType = ValueType.TEXT
    required: bool = False
    """The header must have it."""
    key: bool = False
    """A row without it is rejected."""
    identifier: bool = False
    """It becomes the key of a record or names one, so its length is bounded by what an index holds."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of one file stand, as its header says."""

    width: int
    places: tuple[int | None, ...]
    """For each of `uploaded_columns`, the index in a record; None when the file does not have it."""
    ext: tuple[tuple[str, int], ...]
    """Names of `ext.` columns, without the prefix, with their index."""


@cache
def uploaded_columns(kind: UploadKind) -> tuple[Column, ...]:
    """The columns that are read of a kind's file, in the order of its staging table."""
    school = Column("school", "School_id", required=True, key=True, identifier=True)
    if kind == "enrollments":
        section = Column("section", "Section_id", required=True, key=True, identifier=True)
        return school, section, Column("student", "Student_id", required=True, key=True, identifier=True)
    own = tuple(
        Column(
            field.name,
            field.column,
            field.type,
            required=field.required,
            key=field.name == "sis_id",
            identifier=field.name == "sis_id",
        )
        for field in FIELDS[kind]
        if field.column
    )
    return own if kind is Kind.SCHOOLS else (school, *own, *_references(kind))


def _references(kind: Kind) -> tuple[Column, ...]:
    if kind is Kind.STUDENTS:
        links = (Column(header.lower(), header) for header in CONTACT_LINK_COLUMNS)
        fields = (
            Column(f"contact_{field.name}", field.column, field.type, identifier=field.name == "sis_id")
            for field in CONTACTS
        )
        return (*fields, *links)
    if kind is Kind.SECTIONS:
        return tuple(
            Column(f"teacher_{number}", header, required=number == 1, identifier=True)
            for number, header in enumerate(SECTION_TEACHER_COLUMNS, start=1)
        )
    return ()


def columns_of(kind: UploadKind) -> tuple[str, ...]:
    """The names of the values of a row, and so of the staging table's columns."""
    names = tuple(column.name for column in uploaded_columns(kind))
    return ("line", *names, "ext") if kind in EXTENSIBLE else ("line", *names)


def read_header(kind: UploadKind, file: str, *, line: int, header: list[str], log: ProblemLog) -> Layout:
    """Find the columns of a file, or raise `UploadUnreadable` with everything that is wrong with its header."""
    columns = uploaded_columns(kind)
    names = [name.strip() for name in header]
    keys = [name.lower() for name in names]
    known = {column.header.lower() for column in columns}
    if not known.intersection(keys):
        message = "The first line does not name the columns; put the column names there."
        raise unreadable(file, "no_header", message, line=line)
    if problems := _header_problems(columns, file, line=line, names=names):
        raise UploadUnreadable(*problems)
    ext = tuple(
        (name[len(_EXT) :], index)
        for index, name in enumerate(names)
        if kind in EXTENSIBLE and keys[index].startswith(_EXT) and len(_EXT) < len(name) <= MAX_EXT
    )
    read = known | {header.lower() for header in NEVER_STORED} | {keys[index] for _, index in ext}
    for name, key in zip(names, keys, strict=True):
        if key not in read and key.startswith(_EXT) and len(name) > MAX_EXT:
            message = f"This column was left out; give it a name of at most {MAX_EXT} characters."
            log.warn(file, "long_column_name", message, line=line, column=name[:SHOWN])
        elif key not in read:
            message = "This column is not part of the file format and was left out; name it ext.NAME to keep it."
            log.warn(file, "unknown_column", message, line=line, column=name[:SHOWN])
    places = {key: index for index, key in enumerate(keys)}
    return Layout(len(header), tuple(places.get(column.header.lower()) for column in columns), ext)


def _header_problems(columns: tuple[Column, ...], file: str, *, line: int, names: list[str]) -> list[Problem]:
    problems: list[Problem] = []

    def note(code: str, message: str, column: str | None = None) -> None:
        problems.append(Problem("error", file, line, column, code, message))

    if len(names) > MAX_COLUMNS:
        note("too_many_columns", f"Send at most {MAX_COLUMNS:,} columns.")
        return problems
    if any("\0" in name for name in names):
        note("nul_character", "Take the NUL character out of the column names.")
        return problems
    keys = [name.lower() for name in names]
    for column in columns:
        if column.required and column.header.lower() not in keys:
            note("missing_column", "Add this column; the file cannot be read without it.", column.header)
    if problems:
        return problems  # this may be no header but a row, and what stands in it must not be repeated
    seen: set[str] = set()
    for name, key in zip(names, keys, strict=True):
        if key and key in seen:
            note("duplicate_column", "This column is there twice; keep one (case does not count).", name[:SHOWN])
        seen.add(key)
        if _looks_like_ssn(key):
            message = "Take this column out: files that carry social security numbers are not accepted."
            note("ssn_column", message, name[:SHOWN])
    return problems


def _looks_like_ssn(key: str) -> bool:
    words = re.split(r"[^a-z0-9]+", key)
    joined = "".join(words).removeprefix("ext")
    return (
        joined in _SSN_NAMES
        or "socialsec" in joined
        or any(word.startswith("ssn") or word.endswith("ssn") for word in words)
    )
