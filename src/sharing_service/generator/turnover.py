"""Who leaves, moves and changes name from one day to the next.

The places of the timetable stay and the people in them change: a newcomer takes the place of one who left, and
students who move to another school take each other's. So nobody has two sections at once, and no section grows.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from operator import itemgetter
from typing import Final, NamedTuple

from sharing_service.generator import grades
from sharing_service.generator.files import COLUMNS, File, NotGenerated
from sharing_service.generator.households import STUDENT_IDS

SCHOOL, KEY = 0, 1
"""Where the files of students, teachers and sections have the school and their own key."""
GRADES: Final = {grades.grade_name(grade): grade for grade in grades.ALL}
_GRADE: Final = COLUMNS[File.STUDENTS].index("Grade")
_TRIES: Final = 200
"""A fourteenth of the students, more or less, are in the same grade."""


class Place(NamedTuple):
    """What a student has who is in this grade at these schools, the home school first."""

    grade: str
    schools: tuple[str, ...]


class Population(NamedTuple):
    """What has to be known of all students at once; they are counted in the order of the file."""

    places: list[Place]
    """Of each student. Equal ones are one object, so this takes eight bytes a student."""
    newest: int
    """The highest number of a student, which is that of the last."""


@dataclass(frozen=True, slots=True)
class Turnover:
    """The students of a district to whom something happens."""

    leaving: set[int]
    moving: dict[int, int]
    """Whose place each of them takes."""
    renamed: set[int]


def survey(rows: Iterable[list[str]]) -> Population:
    """Read the students of a district."""
    places: list[Place] = []
    known: dict[Place, Place] = {}
    newest = 0
    for key, own in groupby(rows, itemgetter(KEY)):
        of_student = list(own)
        place = Place(of_student[0][_GRADE], tuple(dict.fromkeys(row[SCHOOL] for row in of_student)))
        if place.grade not in GRADES:
            raise NotGenerated(f"No generated student is in the grade {place.grade!r}.")
        places.append(known.setdefault(place, place))
        newest = max(newest, key_number(key) - STUDENT_IDS)
    return Population(places, newest)


def key_number(key: str) -> int:
    """A key as the number that the generator made it of; `NotGenerated` for another."""
    if not key.isdecimal():
        raise NotGenerated(f"No generated district has the key {key!r}.")
    return int(key)


def third(count: int, churn: float) -> int:
    """How many of so many records leave, or come, or move, or change their names."""
    return ceil(count * churn / 3)


def draw_turnover(rng: random.Random, population: Population, churn: float) -> Turnover:
    """Draw a third of the churn for each thing that happens; a grade that only one school has cannot move."""
    count = len(population.places)
    each = third(count, churn)
    drawn = rng.sample(range(count), min(count, 3 * each))
    leaving, renamed, movers = set(drawn[:each]), set(drawn[each : 2 * each]), drawn[2 * each :]
    moving: dict[int, int] = {}
    for student in movers:
        if len(moving) < each and student not in moving:
            other = _partner(rng, population, student, without=(leaving, moving))
            if other is not None:
                moving |= {student: other, other: student}
    # The newest student stays, so that a number given once is never given to another student.
    return Turnover(leaving - {count - 1}, moving, renamed)


def _partner(
    rng: random.Random, population: Population, student: int, *, without: tuple[set[int], dict[int, int]]
) -> int | None:
    """A student of the same grade whose home is another school."""
    place = population.places[student]
    for _ in range(_TRIES):
        other = rng.randrange(len(population.places))
        found = population.places[other]
        fits = found.grade == place.grade and found.schools[0] != place.schools[0]
        if fits and not any(other in these for these in without):
            return other
    return None
