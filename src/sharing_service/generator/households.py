"""Families: children with grades and schools, and the guardians that siblings share.

A family is drawn from a seed of its own, so a change in one family leaves all others as they are.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from sharing_service.generator import grades
from sharing_service.generator.courses import ELECTIVE_HOUR, MATH_HOUR
from sharing_service.generator.names import Heritage, Name, Sex, Written, draw_heritage, draw_last, draw_name
from sharing_service.generator.places import FAMILY_DOMAINS, Address, draw_address, draw_phone
from sharing_service.generator.schools import Cluster, Level, School

HOUSEHOLDS_PER_CLUSTER: Final = 10_000
"""More than a cluster has students, so that numbers of households never meet."""
NEWCOMERS: Final = 100_000_000
"""Families that come later have numbers from here on: no district begins with as many."""
STUDENT_IDS: Final = 1_000_000
"""The key of a student in the upload is the student's number above this."""

_GRADES: Final = tuple(grades.LIKELY)
_UP_TO: Final = tuple(accumulate(grades.LIKELY.values()))
_SIBLINGS: Final = (1,) * 58 + (2,) * 31 + (3,) * 9 + (4,) * 2
_GUARDIANS: Final = (0,) * 4 + (1,) * 40 + (2,) * 56
_PARENTS: Final[dict[Sex, str]] = {"F": "Mother", "M": "Father"}
_KIN: Final[dict[Sex, tuple[str, ...]]] = {
    "F": ("Grandmother", "Aunt", "Stepmother", "Guardian"),
    "M": ("Grandfather", "Uncle", "Stepfather", "Guardian"),
}


class Visit(NamedTuple):
    """An hour of the day that a student spends at a second school."""

    school: School
    grade: int
    hour: int


class Guardian(NamedTuple):
    """A contact of all children of a family."""

    sis_id: str
    relationship: str
    name: str
    phone: str
    phone_type: str
    email: str


@dataclass(frozen=True, slots=True)
class Household:
    """What the members of one family have in common."""

    heritage: Heritage
    last: Written
    race: str
    hispanic: bool
    language: str
    address: Address
    low_income: bool
    bus_route: str
    neighbourhood: float
    """Where in the cluster the family lives, from 0 to 1: it decides the schools."""
    guardians: tuple[Guardian, ...]


@dataclass(frozen=True, slots=True)
class Student:
    """One child of a household at the home school."""

    number: int
    grade: int
    school: School
    visit: Visit | None

    @property
    def id(self) -> str:
        """The key in the upload."""
        return str(STUDENT_IDS + self.number)


def families(cluster: Cluster, seed: int) -> Iterator[tuple[random.Random, Household, list[Student]]]:
    """The families of a cluster with their children, and the random numbers that further values are drawn from."""
    homes = _Homes(cluster)
    number, left = cluster.first_student, cluster.students
    household = cluster.index * HOUSEHOLDS_PER_CLUSTER
    while left:
        household += 1
        rng = random.Random(f"{seed}:household:{household}")
        family = draw_household(rng, household, cluster.town)
        children = min(left, rng.choice(_SIBLINGS))
        yield (
            rng,
            family,
            [homes.place(rng, number + n, grade, family.neighbourhood) for n, grade in enumerate(_ages(rng, children))],
        )
        number += children
        left -= children


class _Homes:
    """Finds the school of a child by grade and neighbourhood, and the second school of the few who have one."""

    def __init__(self, cluster: Cluster) -> None:
        community = cluster.of_level(Level.COMMUNITY)
        self._elementary = community or cluster.of_level(Level.ELEMENTARY)
        self._middle = community or cluster.of_level(Level.MIDDLE)
        self._high = community or cluster.of_level(Level.HIGH)
        self._academy = cluster.of_level(Level.ACADEMY)
        self._several = not community

    def place(self, rng: random.Random, number: int, grade: int, neighbourhood: float) -> Student:
        """The student of this number and grade."""
        if grade in grades.ELEMENTARY:
            schools = self._elementary
        elif grade in grades.MIDDLE:
            schools = self._middle
        else:
            schools = self._academy if self._academy and rng.random() < 0.15 else self._high
        school = schools[int(neighbourhood * len(schools))]
        return Student(number, grade, school, self._visit(rng, grade, school))

    def _visit(self, rng: random.Random, grade: int, school: School) -> Visit | None:
        chance = rng.random()
        if school.level is Level.HIGH and self._academy and chance < 0.06:
            return Visit(self._academy[0], grade, ELECTIVE_HOUR)
        # 2 % of all students either way: without an academy more of the middle school go to the high school's math.
        first, share = (8, 0.06) if self._academy else (7, 0.13)
        if school.level is Level.MIDDLE and grade >= first and chance < share:
            return Visit(self._high[0], grades.HIGH[0], MATH_HOUR)
        return None


def _ages(rng: random.Random, children: int) -> list[int]:
    oldest = rng.choices(_GRADES, cum_weights=_UP_TO)[0]
    ages = [oldest]
    while len(ages) < children:
        near = oldest + rng.randint(-6, 6)
        # Twins are rare, and a sibling who is not of school age is another family's draw.
        ages.append(near if near in grades.ALL and near != oldest else rng.choices(_GRADES, cum_weights=_UP_TO)[0])
    return ages


def draw_household(rng: random.Random, number: int, town: tuple[str, str]) -> Household:
    """The family of this number, which tells its guardians from all others, in a town of this name and ZIP code."""
    heritage = draw_heritage(rng)
    last = draw_last(rng, heritage)
    return Household(
        heritage,
        last,
        race=rng.choice(heritage.races) if rng.random() < 0.985 else "",
        hispanic=rng.random() < heritage.hispanic,
        language=rng.choice(heritage.languages),
        address=draw_address(rng, town),
        low_income=rng.random() < 0.46,
        bus_route=f"B{rng.randint(1, 24):02}" if rng.random() < 0.55 else "",
        neighbourhood=rng.random(),
        guardians=tuple(_guardians(rng, number, heritage, last)),
    )


def _guardians(rng: random.Random, number: int, heritage: Heritage, last: Written) -> Iterator[Guardian]:
    sex: Sex = "F" if rng.random() < 0.7 else "M"
    for place in range(1, rng.choice(_GUARDIANS) + 1):
        name = draw_name(rng, heritage, sex, last=last if rng.random() < 0.75 else None)
        known = number * 10 + place
        yield Guardian(
            sis_id=f"C{known:07}" if rng.random() < 0.95 else "",
            relationship=_PARENTS[sex] if rng.random() < 0.92 else rng.choice(_KIN[sex]),
            name=name.full,
            phone=draw_phone(rng),
            phone_type=rng.choice(("Cell", "Cell", "Cell", "Home", "Work")),
            email=_mail(rng, name, known) if rng.random() < 0.88 else "",
        )
        sex = "M" if sex == "F" else "F"


def _mail(rng: random.Random, name: Name, number: int) -> str:
    return f"{name.login(number, otherwise='family')}@{rng.choice(FAMILY_DOMAINS)}"
