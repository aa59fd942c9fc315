"""Enrollments in statements: a row for each student of a section, or for each section of a student."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, column, func, true

from sharing_service.roster.models import section_students, student_sections


def _each(name: str, of: ColumnElement[Any]) -> Any:
    return func.unnest(of).table_valued(column(name, Integer), name=f"each_{name}").render_derived()


_students: Final = _each("student", section_students.c.students)
_sections: Final = _each("section", student_sections.c.sections)

STUDENTS_OF_SECTIONS: Final = section_students.join(_students, true())
"""What to select from: `section_students` with `STUDENT`."""
STUDENT: Final[ColumnElement[int]] = _students.c.student

SECTIONS_OF_STUDENTS: Final = student_sections.join(_sections, true())
"""What to select from: `student_sections` with `SECTION`."""
SECTION: Final[ColumnElement[int]] = _sections.c.section
