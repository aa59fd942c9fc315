"""The rows of students: one for each school and each guardian of a student, as the upload has them."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from sharing_service.generator import grades
from sharing_service.generator.files import Row
from sharing_service.generator.households import STUDENT_IDS, Guardian, Household, Student
from sharing_service.generator.names import Sex, draw_name
from sharing_service.generator.places import STATE, STUDENT_DOMAIN

_NOBODY: Final = Guardian("", "", "", "", "", "")
_FIRST_WITH_MAIL: Final = 1


def student_rows(rng: random.Random, household: Household, student: Student) -> Iterator[Row]:
    """The home school's row first, then one for each further guardian, then the second school's if there is one."""
    rows = home_rows(rng, household, school_id=student.school.id, number=student.number, grade=student.grade)
    yield from rows
    if student.visit:
        yield rows[0] | {"School_id": student.visit.school.id}


def home_rows(
    rng: random.Random, household: Household, *, school_id: str, number: int, grade: int
) -> list[dict[str, str]]:
    """The rows of a student at the home school, one for each guardian and at least one."""
    row = _values(rng, household, number, grade) | {"School_id": school_id}
    guardians = household.guardians or (_NOBODY,)
    return [row | _contact(guardian, primary=place == 0) for place, guardian in enumerate(guardians)]


def _values(rng: random.Random, household: Household, number: int, grade: int) -> dict[str, str]:
    sex: Sex = "F" if rng.random() < 0.488 else "M"
    name = draw_name(rng, household.heritage, sex, last=household.last if rng.random() < 0.96 else None)
    login = name.login(number, otherwise="student")
    with_mail = grade >= _FIRST_WITH_MAIL
    return {
        "Student_id": str(STUDENT_IDS + number),
        "Student_number": f"{number * 6_700_417 % 10**8:08}",
        "State_id": f"{number * 7_368_787 % 10**10:010}" if rng.random() < 0.99 else "",
        "Last_name": name.last.text,
        "Middle_name": name.middle,
        "First_name": name.first.text,
        "Grade": grades.grade_name(grade),
        "Gender": sex if rng.random() < 0.994 else "X",
        "Graduation_year": str(grades.graduation_year(grade)),
        "DOB": _birthday(rng, grade),
        "Race": household.race,
        "Hispanic_Latino": "Y" if household.hispanic else "N",
        "Home_language": household.language,
        "Ell_status": "Y" if household.language != "English" and rng.random() < 0.55 else "N",
        "Frl_status": "Y" if household.low_income else "N",
        "IEP_status": "Y" if rng.random() < 0.14 else "N",
        "Student_street": household.address.street,
        "Student_city": household.address.city,
        "Student_state": STATE,
        "Student_zip": household.address.zip,
        "Student_email": f"{login}@{STUDENT_DOMAIN}" if with_mail else "",
        "Username": login,
        "ext.bus_route": household.bus_route,
    }


def _birthday(rng: random.Random, grade: int) -> str:
    late = 1 if rng.random() < 0.03 else 0
    born = date(grades.birth_year(grade) - late, 9, 2) + timedelta(days=rng.randrange(365))
    return f"{born.month}/{born.day}/{born.year}"


def _contact(guardian: Guardian, *, primary: bool) -> dict[str, str]:
    return {
        "Contact_relationship": guardian.relationship,
        "Contact_type": "" if guardian is _NOBODY else "Primary" if primary else "Secondary",
        "Contact_name": guardian.name,
        "Contact_phone": guardian.phone,
        "Contact_phone_type": guardian.phone_type,
        "Contact_email": guardian.email,
        "Contact_sis_id": guardian.sis_id,
    }
