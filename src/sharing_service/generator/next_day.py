"""The files of a district one day later, written from those of the day before.

Every file is streamed. What is kept grows with what happens on the day, and by eight bytes with every student.
"""

import random
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import count, cycle, groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

from sharing_service.generator.files import (
    CELLS_OF,
    COLUMNS,
    Cells,
    File,
    NotGenerated,
    path_of,
    read_cells,
    write_cells,
)
from sharing_service.generator.households import NEWCOMERS, STUDENT_IDS, draw_household
from sharing_service.generator.names import draw_heritage, draw_last
from sharing_service.generator.rows import section_names
from sharing_service.generator.students import home_rows
from sharing_service.generator.turnover import (
    GRADES,
    KEY,
    SCHOOL,
    Place,
    Population,
    Turnover,
    draw_turnover,
    key_number,
    survey,
    third,
)

_STUDENT_NAME: Final = COLUMNS[File.STUDENTS].index("Last_name")
_TOWN: Final = itemgetter(*(COLUMNS[File.STUDENTS].index(name) for name in ("Student_city", "Student_zip")))
_TEACHER_NAME: Final = COLUMNS[File.TEACHERS].index("Last_name")
_SECTION_NUMBER: Final = COLUMNS[File.SECTIONS].index("Section_number")


def write_next_day(directory: Path, yesterday: Path, *, churn: float, seed: int = 1) -> None:
    """Write what the district of another directory is a day later, the same bytes for the same files, churn and seed.

    Of the students a third of the churn leave, as many come, as many move to another school, and as many get another
    last name, as do teachers; of the sections as many are divided in two. All else stays byte for byte. `NotGenerated`
    if the other directory does not hold what `write_district` or this wrote.
    """
    for file in File:
        next(read_cells(yesterday, file), None)
    population = survey(read_cells(yesterday, File.STUDENTS))
    if not population.places:
        raise NotGenerated(f"{path_of(yesterday, File.STUDENTS)} has no students.")
    # The newest student is another one every day, so a chain of days with one seed does not repeat itself.
    day = f"{seed}:day after:{population.newest}"
    rng = random.Random(day)
    students = _Students(day, population, draw_turnover(rng, population, churn))
    renamed = _draw(rng, yesterday, File.TEACHERS, churn)
    sections = _Sections(_draw(rng, yesterday, File.SECTIONS, churn))
    directory.mkdir(parents=True, exist_ok=True)
    for file in (File.SCHOOLS, File.STAFF):
        shutil.copyfile(path_of(yesterday, file), path_of(directory, file))
    write_cells(directory, File.TEACHERS, _teachers(day, renamed, read_cells(yesterday, File.TEACHERS)))
    write_cells(directory, File.STUDENTS, students.rows(read_cells(yesterday, File.STUDENTS)))
    write_cells(directory, File.SECTIONS, sections.rows(read_cells(yesterday, File.SECTIONS)))
    enrollments = _enrollments(students.instead, sections.halves, read_cells(yesterday, File.ENROLLMENTS))
    write_cells(directory, File.ENROLLMENTS, enrollments)


class _Newcomer(NamedTuple):
    instead: str
    place: Place
    town: tuple[str, str]


class _Students:
    """Writes the students anew, and knows afterwards who is in whose place."""

    def __init__(self, day: str, population: Population, turnover: Turnover) -> None:
        self.instead: dict[str, str] = {}
        """Who has the sections of a student now."""
        self._day = day
        self._population = population
        self._turnover = turnover

    def rows(self, rows: Iterable[list[str]]) -> Iterator[Cells]:
        """The rows of those who stay, in their order, and of those who come."""
        leaving, moving, renamed = self._turnover.leaving, self._turnover.moving, self._turnover.renamed
        newcomers: list[_Newcomer] = []
        movers: dict[int, str] = {}
        for student, (key, own) in enumerate(groupby(rows, itemgetter(KEY))):
            if student in leaving:
                newcomers.append(_Newcomer(key, self._population.places[student], _TOWN(next(own))))
                continue
            if student in moving:
                movers[student] = key
                own = _at(self._population.places[moving[student]].schools, list(own))
            yield from (_renamed(self._day, _STUDENT_NAME, row) for row in own) if student in renamed else own
        self.instead |= {movers[other]: key for student, key in movers.items() for other in (moving[student],)}
        for number, newcomer in enumerate(newcomers, start=self._population.newest + 1):
            self.instead[newcomer.instead] = str(STUDENT_IDS + number)
            yield from self._come(number, newcomer)

    def _come(self, number: int, newcomer: _Newcomer) -> Iterator[list[str]]:
        rng = random.Random(f"{self._day}:newcomer:{number}")
        household = draw_household(rng, NEWCOMERS + number, newcomer.town)
        grade, schools = GRADES[newcomer.place.grade], newcomer.place.schools
        rows = home_rows(rng, household, school_id=schools[0], number=number, grade=grade)
        return _at(schools, [list(CELLS_OF[File.STUDENTS](row)) for row in rows])


class _Sections:
    """Writes the sections anew, some of them divided in two with the same teachers."""

    def __init__(self, divided: Collection[str]) -> None:
        self.halves: dict[str, Iterator[str]] = {}
        """The section of each next student of one that was divided."""
        self._divided = divided

    def rows(self, rows: Iterable[list[str]]) -> Iterator[Cells]:
        """The sections of each school, the new ones last."""
        for _, own in groupby(rows, itemgetter(SCHOOL)):
            sections = list(own)
            yield from sections
            yield from self._new(sections)

    def _new(self, sections: list[list[str]]) -> Iterator[Cells]:
        keys = count(max(key_number(row[KEY]) for row in sections) + 1)
        last: Counter[str] = Counter()
        for row in sections:
            course, _, of_course = row[_SECTION_NUMBER].rpartition("-")
            last[course] = max(last[course], key_number(of_course))
        for row in sections:
            if row[KEY] in self._divided:
                new = dict(zip(COLUMNS[File.SECTIONS], row, strict=True)) | {"Section_id": str(next(keys))}
                last[new["Course_number"]] += 1
                new |= section_names(new["Course_name"], new["Course_number"], last[new["Course_number"]])
                self.halves[row[KEY]] = cycle((row[KEY], new["Section_id"]))
                yield CELLS_OF[File.SECTIONS](new)


def _draw(rng: random.Random, directory: Path, file: File, churn: float) -> set[str]:
    rows = sum(1 for _ in read_cells(directory, file))
    drawn = set(rng.sample(range(rows), third(rows, churn)))
    return {row[KEY] for number, row in enumerate(read_cells(directory, file)) if number in drawn}


def _teachers(day: str, renamed: Collection[str], rows: Iterable[list[str]]) -> Iterator[Cells]:
    for row in rows:
        yield _renamed(day, _TEACHER_NAME, row) if row[KEY] in renamed else row


def _enrollments(
    instead: Mapping[str, str], halves: Mapping[str, Iterator[str]], rows: Iterable[list[str]]
) -> Iterator[Cells]:
    for school, section, student in rows:
        yield school, next(halves[section]) if section in halves else section, instead.get(student, student)


def _at(schools: tuple[str, ...], rows: list[list[str]]) -> Iterator[list[str]]:
    """The rows of a student of one home school as they are for a student of these schools."""
    home, *others = schools
    for row in rows:
        if row[SCHOOL] == rows[0][SCHOOL]:
            yield [home, *row[1:]]
    for other in others:
        yield [other, *rows[0][1:]]


def _renamed(day: str, column: int, row: list[str]) -> list[str]:
    """A row with another name, the same in all rows of one person."""
    rng = random.Random(f"{day}:{row[KEY]}")
    names = (draw_last(rng, draw_heritage(rng)).text for _ in count())
    return [*row[:column], next(name for name in names if name != row[column]), *row[column + 1 :]]
