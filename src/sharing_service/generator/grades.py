"""Grades as numbers, and what a grade says in the school year of the generated district, 2026/27."""

from typing import Final

PREKINDERGARTEN: Final = -1
KINDERGARTEN: Final = 0
LAST: Final = 12
LIKELY: Final = {PREKINDERGARTEN: 0.35, **dict.fromkeys(range(9), 1.0), 9: 1.06, 10: 1.02, 11: 0.98, 12: 0.95}
"""How many students are in a grade, relative to the others."""
ELEMENTARY: Final = range(PREKINDERGARTEN, 6)
MIDDLE: Final = range(6, 9)
HIGH: Final = range(9, LAST + 1)
ALL: Final = range(PREKINDERGARTEN, LAST + 1)

_NAMES: Final = {PREKINDERGARTEN: "PreKindergarten", KINDERGARTEN: "Kindergarten"}
_KINDERGARTEN_BORN: Final = 2020
_KINDERGARTEN_LEAVES: Final = 2039


def grade_name(grade: int) -> str:
    """The grade as the upload spells it."""
    return _NAMES.get(grade) or str(grade)


def grade_title(grade: int) -> str:
    """The grade as a course or a teacher's title names it."""
    return _NAMES.get(grade) or f"Grade {grade}"


def graduation_year(grade: int) -> int:
    """The year in which a student of this grade leaves school."""
    return _KINDERGARTEN_LEAVES - grade


def birth_year(grade: int) -> int:
    """The year on whose second of September the oldest regular students of this grade were born."""
    return _KINDERGARTEN_BORN - grade
