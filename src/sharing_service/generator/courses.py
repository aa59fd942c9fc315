"""The curriculum: which courses a grade has in which hour of the day, and in which term."""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from sharing_service.generator import grades
from sharing_service.generator.schools import Level

CLASSROOM: Final = "classroom"
"""Department of the courses that the teacher of a class gives to it."""

MATH_HOUR: Final = 1
ELECTIVE_HOUR: Final = 5
"""The hours that some students spend at a second school: mathematics of the high school, careers of the academy."""


class Term(NamedTuple):
    """A term of the school year, with dates as the upload writes them."""

    name: str
    start: str
    end: str


YEAR: Final = Term("2026-2027", "8/24/2026", "6/4/2027")
FALL: Final = Term("Fall 2026", "8/24/2026", "12/18/2026")
SPRING: Final = Term("Spring 2027", "1/4/2027", "6/4/2027")


class Course(NamedTuple):
    """One course of the catalog."""

    number: str
    name: str
    subject: str
    department: str
    """Whose teachers give it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What every student of a grade has at one hour: one of these courses."""

    hour: int
    courses: tuple[Course, ...]
    """Each as often as it is likely to be given."""
    term: Term = YEAR
    period: str | None = None
    """The same for all classes of the grade; None where each class has it in another period of the day."""
    regrouped: bool = False
    """The classes of the grade are mixed for it, and so held at the same time."""


def _of(subject: str, *courses: str, department: str = "") -> tuple[Course, ...]:
    return tuple(
        Course(number, name, subject, department or subject)
        for number, _, name in (course.partition(" ") for course in courses)
    )


ENGLISH, MATH, SCIENCE, SOCIAL = "english/language arts", "math", "science", "social studies"
LANGUAGE, HOMEROOM, ONLINE = "language", "homeroom/advisory", "interventions/online learning"
TECHNOLOGY, SPORT, ARTS, OTHER = "technology and engineering", "PE and health", "arts and music", "other"

_ENGLISH: Final = {
    9: _of(ENGLISH, "ENG110 English 9", "ENG110 English 9", "ENG115 English 9 Honors"),
    10: _of(ENGLISH, "ENG210 English 10", "ENG210 English 10", "ENG215 English 10 Honors"),
    11: _of(ENGLISH, "ENG310 English 11", "ENG310 English 11", "ENG350 AP English Language"),
    12: _of(ENGLISH, "ENG410 English 12", "ENG420 Creative Writing", "ENG450 AP English Literature"),
}
_MATH: Final = {
    9: _of(MATH, "MAT110 Algebra I", "MAT110 Algebra I", "MAT210 Geometry"),
    10: _of(MATH, "MAT210 Geometry", "MAT210 Geometry", "MAT310 Algebra II"),
    11: _of(MATH, "MAT310 Algebra II", "MAT310 Algebra II", "MAT410 Precalculus"),
    12: _of(MATH, "MAT420 Statistics", "MAT410 Precalculus", "MAT450 AP Calculus AB"),
}
_SCIENCE: Final = {
    9: _of(SCIENCE, "SCI110 Biology", "SCI110 Biology", "SCI115 Biology Honors"),
    10: _of(SCIENCE, "SCI210 Chemistry", "SCI210 Chemistry", "SCI220 Earth Science"),
    11: _of(SCIENCE, "SCI310 Physics", "SCI320 Environmental Science", "SCI350 AP Biology"),
    12: _of(SCIENCE, "SCI410 Anatomy and Physiology", "SCI420 Forensic Science", "SCI450 AP Chemistry"),
}
_SOCIAL: Final = {
    9: _of(SOCIAL, "SOC110 World Geography"),
    10: _of(SOCIAL, "SOC210 World History", "SOC210 World History", "SOC250 AP World History"),
    11: _of(SOCIAL, "SOC310 U.S. History", "SOC310 U.S. History", "SOC350 AP U.S. History"),
    12: _of(SOCIAL, "SOC410 U.S. Government", "SOC420 Economics", "SOC430 Psychology"),
}
_LANGUAGE: Final = {
    9: _of(LANGUAGE, "LAN110 Spanish I", "LAN110 Spanish I", "LAN120 French I", "LAN130 American Sign Language I"),
    10: _of(LANGUAGE, "LAN210 Spanish II", "LAN210 Spanish II", "LAN220 French II", "LAN140 Mandarin I"),
    11: _of(LANGUAGE, "LAN310 Spanish III", "LAN230 American Sign Language II")
    + _of(TECHNOLOGY, "TEC310 Computer Science Principles"),
    12: _of(TECHNOLOGY, "TEC450 AP Computer Science A", "TEC320 Robotics")
    + _of(LANGUAGE, "LAN450 AP Spanish Language"),
}
_ELECTIVES: Final = (
    *_of(ARTS, "ART110 Studio Art", "MUS110 Concert Band", "MUS120 Concert Choir", "THE110 Theatre Arts"),
    *_of(TECHNOLOGY, "TEC110 Introduction to Engineering", "TEC120 Digital Media"),
    *_of(OTHER, "BUS110 Personal Finance", "AVI110 AVID"),
)
_CAREERS: Final = (
    *_of(TECHNOLOGY, "CTE110 Automotive Technology", "CTE120 Cybersecurity", "CTE130 Construction Trades"),
    *_of(OTHER, "CTE210 Health Careers", "CTE220 Culinary Arts", "CTE230 Early Childhood Education"),
)
_FALL_HIGH: Final = _of(SPORT, "PED110 Physical Education", "PED110 Physical Education", "PED120 Weight Training")
_SPRING_HIGH: Final = (
    *_of(SPORT, "HEA110 Health", "HEA110 Health"),
    *_of(ONLINE, "INT110 Online Credit Recovery", "INT120 Academic Support"),
    *_of(OTHER, "DRV110 Driver Education"),
)
_EXPLORATIONS: Final = (
    *_of(ARTS, "ART60 Art Explorations", "MUS60 Beginning Band", "MUS65 Orchestra", "MUS70 Choir"),
    *_of(LANGUAGE, "LAN60 Introduction to Spanish"),
    *_of(TECHNOLOGY, "TEC60 Coding", "TEC65 Design and Making"),
    *_of(ONLINE, "INT60 Reading Intervention", "INT65 Math Intervention"),
)
_LAST_MIDDLE: Final = grades.MIDDLE[-1]


@cache
def slots_of(level: Level, grade: int) -> tuple[Slot, ...]:
    """The day of a grade at a school of this level."""
    if grade in grades.ELEMENTARY:
        return _elementary(grade)
    return _middle(grade) if grade in grades.MIDDLE else _high(level, grade)


def _elementary(grade: int) -> tuple[Slot, ...]:
    if grade == grades.PREKINDERGARTEN:
        morning = _of(HOMEROOM, "EPK0 PreK Classroom", department=CLASSROOM)
        return Slot(0, morning, period=""), Slot(1, _of(ARTS, "EMUPK PreK Music"), period="")
    name = grades.grade_title(grade)
    shared = [
        Slot(0, _of(HOMEROOM, f"EHR{grade} Homeroom {name}", department=CLASSROOM), period=""),
        Slot(1, _of(ENGLISH, f"ELA{grade} Language Arts {name}", department=CLASSROOM), period="1"),
        Slot(2, _of(MATH, f"EMA{grade} Math {name}", department=CLASSROOM), period="2", regrouped=grade > 2),
        Slot(4, _of(ARTS, f"EAR{grade} Art {name}"), period=""),
        Slot(5, _of(ARTS, f"EMU{grade} Music {name}"), period=""),
        Slot(6, _of(SPORT, f"EPE{grade} Physical Education {name}"), period=""),
    ]
    if grade > 2:
        shared.insert(3, Slot(3, _of(SCIENCE, f"ESC{grade} Science {name}", department=CLASSROOM), period="3"))
    return tuple(shared)


def _middle(grade: int) -> tuple[Slot, ...]:
    math = (f"MAT{grade}0 Math {grade}", f"MAT{grade}5 Accelerated Math {grade}")
    if grade == _LAST_MIDDLE:
        math = (math[0], "MAT110 Algebra I")
    return (
        Slot(0, _of(ENGLISH, f"ENG{grade}0 English {grade}")),
        Slot(MATH_HOUR, _of(MATH, math[0], *math)),
        Slot(2, _of(SCIENCE, f"SCI{grade}0 Science {grade}")),
        Slot(3, _of(SOCIAL, f"SOC{grade}0 Social Studies {grade}")),
        Slot(4, _of(SPORT, f"PED{grade}0 Physical Education {grade}")),
        Slot(ELECTIVE_HOUR, _EXPLORATIONS, FALL),
        Slot(ELECTIVE_HOUR, _EXPLORATIONS, SPRING),
        Slot(6, _of(HOMEROOM, f"ADV{grade}0 Advisory {grade}", department=SOCIAL)),
    )


def _high(level: Level, grade: int) -> tuple[Slot, ...]:
    return (
        Slot(0, _ENGLISH[grade]),
        Slot(MATH_HOUR, _MATH[grade]),
        Slot(2, _SCIENCE[grade]),
        Slot(3, _SOCIAL[grade]),
        Slot(4, _LANGUAGE[grade]),
        Slot(ELECTIVE_HOUR, _CAREERS if level is Level.ACADEMY else _ELECTIVES),
        Slot(6, _FALL_HIGH, FALL),
        Slot(6, _SPRING_HIGH, SPRING),
    )
