"""A world as the CSV files that a district uploads: syncing them makes the roster equal to the world."""

import csv
import io
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, Final

from tests.world import Contact, Person, Values, World

Row = dict[str, str]

PERSON: Final = {"first_name": "First_name", "last_name": "Last_name"}
HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "schools": {"name": "School_name", "school_number": "School_number", "state_id": "State_id"},
    "students": PERSON
    | {"student_number": "Student_number", "state_id": "State_id", "grade": "Grade", "gender": "Gender"}
    | {"graduation_year": "Graduation_year", "email": "Student_email", "home_language": "Home_language"}
    | {"ell_status": "Ell_status", "frl_status": "Frl_status", "iep_status": "IEP_status"},
    "teachers": PERSON | {"teacher_number": "Teacher_number", "email": "Teacher_email", "title": "Title"},
    "staff": PERSON | {"email": "Staff_email", "title": "Title", "department": "Department", "role": "Role"},
    "sections": {"source_name": "Name", "section_number": "Section_number", "grade": "Grade", "period": "Period"}
    | {"subject": "Subject", "course_name": "Course_name", "course_number": "Course_number"}
    | {"term_name": "Term_name", "term_start": "Term_start", "term_end": "Term_end"},
    "contacts": {"name": "Contact_name", "phone": "Contact_phone", "email": "Contact_email"}
    | {"phone_type": "Contact_phone_type"},
}
"""Header by field name, as the contract of uploads gives them."""
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "schools": ("School_id", "School_name"),
    "students": ("School_id", "Student_id", "Last_name", "First_name"),
    "teachers": ("School_id", "Teacher_id", "First_name", "Last_name"),
    "staff": ("School_id", "Staff_id", "Staff_email", "First_name", "Last_name"),
    "sections": ("School_id", "Section_id", "Teacher_id"),
    "enrollments": ("School_id", "Section_id", "Student_id"),
}
"""These columns are there even when a file has no rows."""


def render(world: World) -> dict[str, str]:
    """The text of each file by its name; `staff.csv` is always among them, so that staff can leave."""
    rows: dict[str, Iterable[Row]] = {
        "schools": [{"School_id": s.sis_id} | cells("schools", s.values) for s in world.schools.values()],
        "students": [row for student in world.students.values() for row in student_rows(world, student)],
        "teachers": [row for teacher in world.teachers.values() for row in person_rows("teachers", teacher)],
        "staff": [row for one in world.staff.values() for row in person_rows("staff", one)],
        "sections": section_rows(world),
        "enrollments": [
            {"School_id": world.sections[section].school, "Section_id": section, "Student_id": student}
            for section, student in sorted(world.enrollments)
        ],
    }
    return {f"{kind}.csv": as_csv(REQUIRED[kind], list(of_kind)) for kind, of_kind in rows.items()}


def cells(kind: str, values: Values) -> Row:
    """The cells of a record's values; extensions keep their name as header."""
    return {HEADERS[kind].get(field, field): value for field, value in values.items()}


def person_rows(kind: str, person: Person) -> list[Row]:
    """A row for each school of a teacher or staff member, alike in everything else."""
    key = {"teachers": "Teacher_id", "staff": "Staff_id"}[kind]
    return [{"School_id": school, key: person.sis_id} | cells(kind, person.values) for school in person.schools]


def student_rows(world: World, student: Person) -> list[Row]:
    """A row for each school of a student, and further ones at the home school when there are more contacts."""
    contacts = [contact_cells(one, student.sis_id) for one in world.contacts if student.sis_id in one.students]
    own = {"Student_id": student.sis_id} | cells("students", student.values)
    return [
        {"School_id": school or student.schools[0]} | own | (contact or {})
        for school, contact in zip_longest(student.schools, contacts)
    ]


def contact_cells(contact: Contact, student: str) -> Row:
    """The Contact_ columns in the row of one of the contact's students."""
    relationship, type_ = contact.students[student]
    link = {"Contact_sis_id": contact.sis_id, "Contact_relationship": relationship, "Contact_type": type_}
    return link | cells("contacts", contact.values)


def section_rows(world: World) -> list[Row]:
    """A row for each section; its first teacher is the primary one."""
    return [
        {"School_id": section.school, "Section_id": section.sis_id}
        | {f"Teacher_{n}_id" if n > 1 else "Teacher_id": teacher for n, teacher in enumerate(section.teachers, start=1)}
        | cells("sections", section.values)
        for section in world.sections.values()
    ]


def as_csv(required: Iterable[str], rows: list[Row]) -> str:
    """One CSV file with the required columns and whatever others a row has."""
    header = dict.fromkeys([*required, *(column for row in rows for column in row)])
    text = io.StringIO(newline="")
    writer: csv.DictWriter[Any] = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
