"""The six files of an upload as the generator writes them: their columns, and writers and readers that keep nothing."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import Final, Self

Row = Mapping[str, str]
"""One row of a file: a value for each of its columns."""
Cells = Sequence[str]
"""The values of a row in the order of the columns."""


class File(StrEnum):
    """The files of an upload; the value is the name without `.csv`."""

    SCHOOLS = "schools"
    STUDENTS = "students"
    TEACHERS = "teachers"
    SECTIONS = "sections"
    ENROLLMENTS = "enrollments"
    STAFF = "staff"


COLUMNS: Final = {
    File.SCHOOLS: (
        *("School_id", "School_name", "School_number", "State_id", "Nces_id", "Low_grade", "High_grade", "Principal"),
        *("Principal_email", "School_address", "School_city", "School_state", "School_zip", "School_phone"),
    ),
    File.STUDENTS: (
        *("School_id", "Student_id", "Student_number", "State_id", "Last_name", "Middle_name", "First_name", "Grade"),
        *("Gender", "Graduation_year", "DOB", "Race", "Hispanic_Latino", "Home_language", "Ell_status", "Frl_status"),
        *("IEP_status", "Student_street", "Student_city", "Student_state", "Student_zip", "Student_email", "Username"),
        *("Contact_relationship", "Contact_type", "Contact_name", "Contact_phone", "Contact_phone_type"),
        *("Contact_email", "Contact_sis_id", "ext.bus_route"),
    ),
    File.TEACHERS: (
        *("School_id", "Teacher_id", "Teacher_number", "State_teacher_id", "Last_name", "Middle_name", "First_name"),
        *("Teacher_email", "Title", "Username"),
    ),
    File.SECTIONS: (
        *("School_id", "Section_id", "Teacher_id", "Teacher_2_id", "Name", "Section_number", "Grade", "Course_name"),
        *("Course_number", "Period", "Subject", "Term_name", "Term_start", "Term_end", "ext.house"),
    ),
    File.ENROLLMENTS: ("School_id", "Section_id", "Student_id"),
    File.STAFF: (
        *("School_id", "Staff_id", "Staff_email", "First_name", "Last_name", "Department", "Title", "Username", "Role"),
    ),
}

CELLS_OF: Final[Mapping[File, Callable[[Row], Cells]]] = {
    file: itemgetter(*columns) for file, columns in COLUMNS.items()
}


class NotGenerated(Exception):
    """A file is not as the generator writes it; the message names the file and what is wrong."""


class Writer:
    """Writes rows into the files of a directory, each as it comes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            streams = {
                file: opened.enter_context(path_of(self._directory, file).open("w", encoding="utf-8", newline=""))
                for file in File
            }
            self._open = opened.pop_all()
        self._tables = {file: csv.writer(stream, lineterminator="\n") for file, stream in streams.items()}
        for file, columns in COLUMNS.items():
            self._tables[file].writerow(columns)
        return self

    def __exit__(self, *failure: object) -> None:
        self._open.close()

    def write(self, file: File, row: Row) -> None:
        """Add one row to a file."""
        self._tables[file].writerow(CELLS_OF[file](row))


def path_of(directory: Path, file: File) -> Path:
    """Where a file stands."""
    return directory / f"{file}.csv"


def write_cells(directory: Path, file: File, rows: Iterable[Cells]) -> None:
    """Write one file of a directory that is there, each row as it comes."""
    with path_of(directory, file).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS[file])
        table.writerows(rows)


def read_cells(directory: Path, file: File) -> Iterator[list[str]]:
    """The rows of a file that the generator wrote, without the names of the columns; `NotGenerated` for another."""
    path, width = path_of(directory, file), len(COLUMNS[file])
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            if stream.readline() != ",".join(COLUMNS[file]) + "\n":
                raise NotGenerated(f"{path} does not have the columns of a generated district.")
            for row in csv.reader(stream, strict=True):
                if len(row) != width:
                    raise NotGenerated(f"{path} has a row of {len(row)} columns.")
                yield row
    except OSError as error:
        raise NotGenerated(f"Cannot read {path}: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotGenerated(f"{path} is not a CSV file in UTF-8.") from error
