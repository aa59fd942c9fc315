"""The schools of a district: groups of about ten that feed each other, and what each school is called."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from sharing_service.generator import grades
from sharing_service.generator.places import FEATURES, WORDS, Address, draw_address, draw_phone, town_of

STUDENTS_PER_SCHOOL: Final = 555
SMALLEST_WITH_LEVELS: Final = 60
"""Students from which on a district has an elementary, a middle and a high school instead of one for all grades."""
_CLUSTER: Final = 10
_WITH_ACADEMY: Final = 7
_PEOPLE: Final = (
    *("Abraham Lincoln", "Benjamin Franklin", "Cesar Chavez", "Clara Barton", "Dolores Huerta", "Eleanor Roosevelt"),
    *("Frederick Douglass", "George Washington Carver", "Harriet Tubman", "Katherine Johnson", "Langston Hughes"),
    *("Mae Jemison", "Maya Angelou", "Rachel Carson", "Rosa Parks", "Sally Ride", "Thurgood Marshall"),
)


class Level(StrEnum):
    """What sort of school it is; the value ends its name."""

    ELEMENTARY = "Elementary School"
    MIDDLE = "Middle School"
    HIGH = "High School"
    ACADEMY = "Career and Technical Academy"
    COMMUNITY = "Community School"


GRADES: Final = {
    Level.ELEMENTARY: grades.ELEMENTARY,
    Level.MIDDLE: grades.MIDDLE,
    Level.HIGH: grades.HIGH,
    Level.ACADEMY: grades.HIGH,
    Level.COMMUNITY: grades.ALL,
}


@dataclass(frozen=True, slots=True)
class School:
    """One school."""

    index: int
    """Counted from 1 over the district; numbers of its people and sections begin with it."""
    level: Level
    name: str
    address: Address
    phone: str

    @property
    def id(self) -> str:
        """Its key in the upload."""
        return str(1000 + self.index)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Schools of one town whose students go from one to the next; everything a record names lies within it."""

    index: int
    town: tuple[str, str]
    first_student: int
    students: int
    schools: tuple[School, ...]

    def of_level(self, *levels: Level) -> tuple[School, ...]:
        """The schools of these levels."""
        return tuple(school for school in self.schools if school.level in levels)


def clusters(students: int, seed: int) -> Iterator[Cluster]:
    """The whole district, one cluster after another."""
    schools = _school_count(students)
    count = -(-schools // _CLUSTER)
    names = _Names(seed)
    for index in range(count):
        first, last = students * index // count, students * (index + 1) // count
        levels = _levels(schools * (index + 1) // count - schools * index // count)
        begin = schools * index // count
        town = town_of(index)
        yield Cluster(
            index,
            town,
            first + 1,
            last - first,
            tuple(_school(seed, begin + n, level, names, town) for n, level in enumerate(levels, start=1)),
        )


def _school_count(students: int) -> int:
    return 1 if students < SMALLEST_WITH_LEVELS else max(3, round(students / STUDENTS_PER_SCHOOL))


def _levels(schools: int) -> list[Level]:
    if schools < 3:
        return [Level.COMMUNITY] * schools
    upper = [Level.MIDDLE] * max(1, round(schools / 5)) + [Level.HIGH]
    if schools >= _WITH_ACADEMY:
        upper.append(Level.ACADEMY)
    return [Level.ELEMENTARY] * (schools - len(upper)) + upper


class _Names:
    """Gives each school a name that no other school of its level has."""

    def __init__(self, seed: int) -> None:
        self._bases = [*_PEOPLE, *(f"{word} {feature}" for word, feature in product(WORDS, FEATURES))]
        random.Random(f"{seed}:school names").shuffle(self._bases)
        self._used = dict.fromkeys(Level, 0)

    def next(self, level: Level) -> str:
        """A new name for a school of this level."""
        number = self._used[level]
        self._used[level] += 1
        again, place = divmod(number, len(self._bases))
        return f"{self._bases[place]} {level.value}" + (f" No. {again + 1}" if again else "")


def _school(seed: int, index: int, level: Level, names: _Names, town: tuple[str, str]) -> School:
    rng = random.Random(f"{seed}:school:{index}")
    street = draw_address(rng, town).street.partition(",")[0]
    return School(index, level, names.next(level), Address(street, *town), draw_phone(rng))
