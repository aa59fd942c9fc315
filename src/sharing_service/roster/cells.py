"""How a cell is read: one cleaning for each type of value, from the accepted spellings to the one form that is kept."""

import re
from datetime import date
from typing import Final, assert_never

from sharing_service.roster.catalogue import ValueType

GRADES: Final = (
    *("InfantToddler", "Preschool", "PreKindergarten", "TransitionalKindergarten", "Kindergarten"),
    *(str(grade) for grade in range(1, 14)),
    *("PostGraduate", "Ungraded", "Other"),
)
SUBJECTS: Final = (
    "english/language arts",
    "math",
    "science",
    "social studies",
    "language",
    "homeroom/advisory",
    "interventions/online learning",
    "technology and engineering",
    "PE and health",
    "arts and music",
    "other",
)
RACES: Final = {
    "A": "Asian",
    "B": "Black or African American",
    "I": "American Indian",
    "M": "Two or More Races",
    "P": "Hawaiian or Other Pacific Islander",
    "W": "Caucasian",
}

_GRADES: Final = (
    {grade.lower(): grade for grade in GRADES}
    | {f"{grade:02}": str(grade) for grade in range(1, 10)}
    | {"k": "Kindergarten", "kg": "Kindergarten", "0": "Kindergarten", "00": "Kindergarten", "pk": "PreKindergarten"}
)
_SUBJECTS: Final = {subject.lower(): subject for subject in SUBJECTS}
_GENDERS: Final = {"m": "M", "f": "F", "x": "X"}
_RACES: Final = {code.lower(): name for code, name in RACES.items()} | {name.lower(): name for name in RACES.values()}
_YES_NO: Final = {"y": "Y", "n": "N"}

_MONTH_FIRST: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")

MESSAGES: Final = {
    "unknown_grade": "This grade is not in the list of grades and was read as Other; use a listed grade.",
    "unknown_subject": "This subject is not in the list of subjects and was read as other; use a listed subject.",
    "unknown_gender": "This gender was left empty; use M, F or X.",
    "unknown_race": "This race was left empty; use A, B, I, M, P or W, or one of their names.",
    "unknown_yes_no": "This value was left empty; use Y or N.",
    "impossible_date": "This date was left empty; write a real date as m/d/yyyy or yyyy-mm-dd.",
}
"""What to do about each warning that a cell can give."""

Cleaned = tuple[str, str | None]
"""The value to keep, and the code of a warning if it is not what was sent."""


def clean(value_type: ValueType, cell: str) -> Cleaned:
    """The form of a cell that is kept: without white space at its ends, enumerated values and dates in one spelling."""
    cell = cell.strip()
    if not cell:
        return "", None
    match value_type:
        case ValueType.TEXT:
            return cell, None
        case ValueType.GRADE:
            return _listed(cell, _GRADES, otherwise="Other", warning="unknown_grade")
        case ValueType.SUBJECT:
            return _listed(cell, _SUBJECTS, otherwise="other", warning="unknown_subject")
        case ValueType.GENDER:
            return _listed(cell, _GENDERS, otherwise="", warning="unknown_gender")
        case ValueType.RACE:
            return _listed(cell, _RACES, otherwise="", warning="unknown_race")
        case ValueType.YES_NO:
            return _listed(cell, _YES_NO, otherwise="", warning="unknown_yes_no")
        case ValueType.DATE:
            return _date(cell)
        case unhandled:
            assert_never(unhandled)


def _listed(cell: str, spellings: dict[str, str], *, otherwise: str, warning: str) -> Cleaned:
    value = spellings.get(cell.lower())
    return (otherwise, warning) if value is None else (value, None)


def _date(cell: str) -> Cleaned:
    if found := _MONTH_FIRST.fullmatch(cell):
        month, day, year = (int(part) for part in found.groups())
        if len(found[3]) == 2:
            # The window of RFC 5280: 49 is 2049 and 50 is 1950, so that no birth date of a grown student lies ahead.
            year += 2000 if year < 50 else 1900
    elif found := _YEAR_FIRST.fullmatch(cell):
        year, month, day = (int(part) for part in found.groups())
    else:
        return "", "impossible_date"
    try:
        real = date(year, month, day)
    except ValueError:
        return "", "impossible_date"
    return f"{real.month}/{real.day}/{real.year:04}", None
