"""The adults of one school: its teachers with what they teach, and its staff."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import cycle
from typing import Final, NamedTuple

from sharing_service.generator import courses
from sharing_service.generator.names import Name, draw_heritage, draw_name
from sharing_service.generator.places import DOMAIN
from sharing_service.generator.schools import Level, School
from sharing_service.generator.timetable import Section

TEACHERS_PER_STUDENT: Final = 0.075
_WITHOUT_SECTIONS: Final = 0.03
_CO_TAUGHT: Final = 0.1
_VISITING: Final = 0.5
_PEOPLE_PER_SCHOOL: Final = 1000
_FIRST_STAFF: Final = 900
_SPECIAL: Final = "special education"
_TITLES: Final = {
    courses.ENGLISH: "English Teacher",
    courses.MATH: "Mathematics Teacher",
    courses.SCIENCE: "Science Teacher",
    courses.SOCIAL: "Social Studies Teacher",
    courses.LANGUAGE: "World Language Teacher",
    courses.HOMEROOM: "Teacher",
    courses.ONLINE: "Intervention Teacher",
    courses.TECHNOLOGY: "Technology Teacher",
    courses.SPORT: "Physical Education Teacher",
    courses.ARTS: "Arts and Music Teacher",
    courses.OTHER: "Career and Elective Teacher",
    _SPECIAL: "Special Education Teacher",
}
_WITHOUT_TITLES: Final = ("Instructional Coach", "Substitute Teacher", "Teacher on Assignment")


class Adult(NamedTuple):
    """A teacher or a member of staff."""

    number: int
    """Counted over the district, teachers and staff together."""
    name: Name
    title: str
    department: str = ""
    role: str = ""

    @property
    def login(self) -> str:
        """User name, and the part of the e-mail address before the sign."""
        return self.name.login(self.number, otherwise="staff")

    @property
    def email(self) -> str:
        """The address at work."""
        return f"{self.login}@{DOMAIN}"

    @property
    def teacher_id(self) -> str:
        """The key of a teacher in the upload."""
        return f"T{self.number:07}"

    @property
    def staff_id(self) -> str:
        """The key of a member of staff in the upload."""
        return f"E{self.number:07}"


class _Post(NamedTuple):
    title: str
    department: str
    role: str
    students: int
    """One for each so many students, at least one."""
    levels: tuple[Level, ...] = tuple(Level)
    shared: bool = False
    """Also at the neighbouring school."""


_UPPER: Final = (Level.MIDDLE, Level.HIGH)
_POSTS: Final = (
    _Post("Principal", "Administration", "School Admin", 10**9),
    _Post("Assistant Principal", "Administration", "School Admin", 600, _UPPER),
    _Post("School Counselor", "Student Services", "Counselor", 400),
    _Post("Registrar", "Front Office", "Office", 10**9, _UPPER),
    _Post("Office Manager", "Front Office", "Office", 500),
    _Post("School Nurse", "Health Services", "Health", 10**9, shared=True),
    _Post("School Psychologist", "Student Services", "Counselor", 10**9, (Level.ELEMENTARY,), shared=True),
    _Post("Librarian", "Library", "Library", 10**9, (Level.ELEMENTARY, *_UPPER)),
    _Post("Technology Coordinator", "Information Technology", "School Tech Lead", 10**9, _UPPER),
)


def staff_of(
    seed: int, school: School, *, students: int, neighbours: tuple[School, ...], served: bool
) -> Iterator[tuple[Adult, tuple[School, ...]]]:
    """The staff of a school with the schools where they work, the principal first.

    Some also work at the neighbours; a school that is itself served by a neighbour has nobody in those posts.
    """
    number = _FIRST_STAFF
    for post in _POSTS:
        if school.level not in post.levels or (post.shared and served):
            continue
        schools = (school, *neighbours) if post.shared else (school,)
        for _ in range(max(1, round(students / post.students))):
            number += 1
            yield _adult(seed, school, number, post.title, department=post.department, role=post.role), schools


def teachers_of(
    rng: random.Random, seed: int, school: School, *, students: int, sections: list[Section], visiting: Adult | None
) -> list[Adult]:
    """Hire the teachers of a school and give each section one or two of them.

    A visiting teacher of the school before takes part in the arts and is the last of those returned.
    """
    count = max(1, round(students * TEACHERS_PER_STUDENT))
    without = sum(rng.random() < _WITHOUT_SECTIONS for _ in range(count - 1))
    places = _places(sections, count - without)
    titles = {place: _title(department) for department, own in places.items() for place in own}
    teachers = [
        _adult(seed, school, place + 1, titles.get(place) or rng.choice(_WITHOUT_TITLES)) for place in range(count)
    ]
    faculty = {department: [teachers[place] for place in own] for department, own in places.items()}
    if visiting and courses.ARTS in faculty:
        faculty[courses.ARTS].append(visiting)
        teachers.append(visiting)
    _assign(rng, sections, faculty)
    return teachers


def visitor_among(rng: random.Random, teachers: list[Adult]) -> Adult | None:
    """The teacher of arts or music who also goes to the next school, if there is one."""
    able = [teacher for teacher in teachers if teacher.title == _TITLES[courses.ARTS]]
    return rng.choice(able) if able and rng.random() < _VISITING else None


def _assign(rng: random.Random, sections: list[Section], faculty: dict[str, list[Adult]]) -> None:
    turns = {department: cycle(teachers) for department, teachers in faculty.items()}
    for section in sections:
        teachers = [next(turns[section.department])]
        if rng.random() < _CO_TAUGHT:
            teachers.append(next(turns[_SPECIAL]))
        section.teachers = list(dict.fromkeys(teacher.teacher_id for teacher in teachers))


def _places(sections: list[Section], count: int) -> dict[str, list[int]]:
    """Which of so many teachers each department has; a school with fewer teachers than departments shares them."""
    demand = Counter(section.department for section in sections)
    demand[_SPECIAL] = max(1, round(len(sections) * _CO_TAUGHT))
    if count < len(demand):
        return {department: [place % count] for place, department in enumerate(demand)}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, department in enumerate(demand):
        places[department].append(place)
    for place in range(len(demand), count):
        busiest = max(demand, key=lambda department: demand[department] / len(places[department]))
        places[busiest].append(place)
    return places


def _title(department: str) -> str:
    return _TITLES.get(department) or f"{department.rpartition(' ')[0]} Teacher"


def _adult(seed: int, school: School, place: int, title: str, *, department: str = "", role: str = "") -> Adult:
    number = school.index * _PEOPLE_PER_SCHOOL + place
    rng = random.Random(f"{seed}:adult:{number}")
    name = draw_name(rng, draw_heritage(rng), "F" if rng.random() < 0.74 else "M")
    return Adult(number, name, title, department, role)
