"""The six files of an upload as the generator writes them: their columns, and a writer that keeps nothing."""

import csv
from collections.abc import Mapping
from contextlib import ExitStack
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import Final, Self

Row = Mapping[str, str]
"""One row of a file: a value for each of its columns."""


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


class Writer:
    """Writes rows into the files of a directory, each as it comes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open = ExitStack()
        self._cells = {file: itemgetter(*columns) for file, columns in COLUMNS.items()}

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            streams = {
                file: opened.enter_context((self._directory / f"{file}.csv").open("w", encoding="utf-8", newline=""))
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
        self._tables[file].writerow(self._cells[file](row))
