"""Permissions that the parts of the bench give."""

from typing import Final

from tests.factories.service import Json

SUBJECTS: Final = ("math", "english/language arts", "science", "social studies")
LETTERS: Final = "amsjrcdlkenpt"
"""With which many emails begin."""


def rule(match: str, *where: tuple[str, str, list[str]], **rest: bool) -> Json:
    """A rule with all of these conditions, each a field, an operator and values."""
    conditions = [{"field": field, "operator": operator, "values": values} for field, operator, values in where]
    return {"match": match, "where": conditions, **rest}


def varied_rules(number: int) -> Json:
    """Three rules, of sections, students and teachers, other ones for each number below 156."""
    grades = [str(1 + (number + step) % 12) for step in (2, 3, 8, 9)]
    return {
        "mode": "rules",
        "rules": [
            rule("sections", ("subject", "is", [SUBJECTS[number % len(SUBJECTS)]]), ("grade", "is", grades)),
            rule("students", ("ell_status", "is", ["Y"]), companions=True),
            rule("teachers", ("email", "starts_with", [LETTERS[number % len(LETTERS)]]), companions=True),
        ],
    }


THREE_RULES: Final = varied_rules(0)
