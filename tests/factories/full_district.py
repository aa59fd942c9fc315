"""An upload in which every column is filled once and left empty once."""

from typing import Final

from sharing_service.roster.catalogue import CONTACTS, FIELDS, Field, Kind, ValueType
from tests.factories.upload import REQUIRED, Row, as_csv

SAMPLES: Final = {
    ValueType.TEXT: "Ünique",
    ValueType.GRADE: "3",
    ValueType.SUBJECT: "math",
    ValueType.GENDER: "F",
    ValueType.RACE: "Asian",
    ValueType.YES_NO: "Y",
    ValueType.DATE: "5/6/2015",
}
"""A cell of each type, in the form in which it is told."""
EXT: Final = {"ext.House": "Red"}


def full(kind: Kind, **own: str) -> Row:
    """A row of a kind with a value in every column."""
    return cells(FIELDS[kind]) | EXT | own


def cells(fields: tuple[Field, ...]) -> Row:
    """A value for each column of these fields."""
    return {field.column: SAMPLES[field.type] for field in fields if field.column}


def full_district() -> dict[str, str]:
    """Files by name: North, Ann, Tom, Yan, algebra and Mum have every value; South, Ben, Una, Zoe and lab have none."""
    mum = cells(CONTACTS) | {"Contact_relationship": "Parent", "Contact_type": "Primary"}
    ann = full(Kind.STUDENTS, Student_id="ann")
    files: dict[str, list[Row]] = {
        "schools": [full(Kind.SCHOOLS, School_id="N"), {"School_id": "S", "School_name": "South"}],
        "students": [
            {"School_id": "N"} | ann | mum,
            {"School_id": "S"} | ann,
            {"School_id": "S", "Student_id": "ben", "Contact_name": "Dad"},
        ],
        "teachers": [
            {"School_id": "N"} | full(Kind.TEACHERS, Teacher_id="tom"),
            {"School_id": "S", "Teacher_id": "una"},
        ],
        "staff": [{"School_id": "N"} | full(Kind.STAFF, Staff_id="yan"), {"School_id": "S", "Staff_id": "zoe"}],
        "sections": [
            {"School_id": "N", "Teacher_id": "tom", "Teacher_2_id": "una"} | full(Kind.SECTIONS, Section_id="algebra"),
            {"School_id": "S", "Section_id": "lab"},
            {"School_id": "S", "Section_id": "number", "Course_number": "7", "Term_start": "8/1/2026"},
            {"School_id": "S", "Section_id": "name", "Course_name": "Art", "Term_name": "Fall"},
        ],
        "enrollments": [
            {"School_id": "N", "Section_id": "algebra", "Student_id": "ann"},
            {"School_id": "S", "Section_id": "name", "Student_id": "ben"},
        ],
    }
    return {f"{name}.csv": as_csv(REQUIRED[name], rows) for name, rows in files.items()}
