"""The sections of one school: who is taught what, in which period, together with whom.

The students of a grade form classes. In the upper schools class i has hour h in period (i + h) of the day, and classes
that have the same hour in the same period are mixed: nobody has two sections at once, and sections differ in students.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, TypeVar

from sharing_service.generator.courses import CLASSROOM, Course, Slot, Term, slots_of
from sharing_service.generator.grades import grade_title
from sharing_service.generator.households import Student
from sharing_service.generator.schools import GRADES, School

SMALLEST, USUAL, LARGEST = 15, 23, 32
"""Students of a section; a grade too small for it has one class."""
HOUSES: Final = ("Orion", "Vega", "Lyra", "Altair")
_PERIODS: Final = 7
_WITHOUT_STUDENTS: Final = 0.01
_SECTIONS_PER_SCHOOL: Final = 10_000

T = TypeVar("T")


@dataclass(slots=True)
class Section:
    """One section of a school; the teachers come when the school's faculty is known."""

    school: School
    number: int
    """Counted over the school."""
    of_course: int
    """Counted over the sections of the same course at the school."""
    course: Course
    grade: int
    period: str
    term: Term
    department: str
    """Whose teachers give it: the course's department, or the class whose teacher gives it."""
    house: str
    students: list[str]
    teachers: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its key in the upload."""
        return str((1000 + self.school.index) * _SECTIONS_PER_SCHOOL + self.number)


def sections_of(rng: random.Random, school: School, home: list[Student], visitors: list[Student]) -> list[Section]:
    """All sections of a school, given the students whose home it is and those who come for an hour."""
    sections = _Sections(school)
    for grade in GRADES[school.level]:
        classes = _classes(rng, [student for student in home if student.grade == grade])
        for slot in slots_of(school.level, grade) if classes else ():
            guests = [v.id for v in visitors if v.visit and (v.visit.grade, v.visit.hour) == (grade, slot.hour)]
            for team, students in _groups(rng, slot, classes, guests):
                course = rng.choice(slot.courses)
                sections.add(slot, course, grade=grade, team=team, students=students)
                if rng.random() < _WITHOUT_STUDENTS:
                    sections.add(slot, course, grade=grade, team=team, students=[])
    return sections.all


class _Sections:
    """Numbers the sections of a school as they are added."""

    def __init__(self, school: School) -> None:
        self.all: list[Section] = []
        self._school = school
        self._of_course: Counter[str] = Counter()

    def add(self, slot: Slot, course: Course, *, grade: int, team: int, students: list[str]) -> None:
        """Add a section for a class."""
        self._of_course[course.number] += 1
        own_teacher = course.department == CLASSROOM
        self.all.append(
            Section(
                school=self._school,
                number=len(self.all) + 1,
                of_course=self._of_course[course.number],
                course=course,
                grade=grade,
                period=_period(slot, team),
                term=slot.term,
                department=f"{grade_title(grade)} {team}" if own_teacher else course.department,
                house=HOUSES[team % len(HOUSES)] if slot.period is None else "",
                students=students,
            )
        )


def _classes(rng: random.Random, students: list[Student]) -> list[list[Student]]:
    rng.shuffle(students)
    count = max(round(len(students) / USUAL), -(-len(students) // LARGEST))
    return _cut(rng, students, max(count, 1)) if students else []


def _groups(
    rng: random.Random, slot: Slot, classes: list[list[Student]], guests: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Number of the class, and the students of each section of a slot."""
    together: defaultdict[str, list[int]] = defaultdict(list)
    for team in range(len(classes)):
        together[_meets_with(slot, team)].append(team)
    for place, teams in enumerate(together.values()):
        members = [
            student.id
            for team in teams
            for student in classes[team]
            if student.visit is None or student.visit.hour != slot.hour
        ]
        members += guests[place :: len(together)]
        if len(teams) > 1:
            rng.shuffle(members)
        yield from zip(teams, _cut(rng, members, len(teams)), strict=True)


def _meets_with(slot: Slot, team: int) -> str:
    return _period(slot, team) if slot.period is None or slot.regrouped else f"class {team}"


def _period(slot: Slot, team: int) -> str:
    return str((team + slot.hour) % _PERIODS + 1) if slot.period is None else slot.period


def _cut(rng: random.Random, people: list[T], parts: int) -> list[list[T]]:
    """Cut a list into parts of nearly, not exactly, the same size."""
    size = len(people) / parts
    play = max(0, min(4, int(min(size - SMALLEST, LARGEST - size) / 2)))
    cuts = [0, *(round(size * n) + rng.randint(-play, play) for n in range(1, parts)), len(people)]
    return [people[begin:end] for begin, end in pairwise(cuts)]
