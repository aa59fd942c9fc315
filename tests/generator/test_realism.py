"""What makes a generated district look like a real one: proportions, people, days."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from sharing_service.generator.names import plain
from sharing_service.roster.cells import SUBJECTS
from tests.generator.district import WrittenDistrict

STUDENTS = 2000


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> WrittenDistrict:
    """A district of the size that the demo has."""
    return WrittenDistrict(tmp_path_factory.mktemp("district"), students=STUDENTS)


def test_sizes(district: WrittenDistrict) -> None:
    """There are about 0.075 teachers, 0.3 sections and seven enrollments a student, and a school for each level."""
    levels = " ".join(row["School_name"] for row in district.rows["schools"])

    assert len(district.rows["schools"]) == 4
    assert all(f"{level} School" in levels for level in ("Elementary", "Middle", "High"))
    assert len(district.ids("teachers", "Teacher_id")) == pytest.approx(0.075 * STUDENTS, rel=0.05)
    assert len(district.rows["sections"]) == pytest.approx(0.3 * STUDENTS, rel=0.1)
    assert len(district.rows["enrollments"]) == pytest.approx(7 * STUDENTS, rel=0.1)


def test_three_levels_from_sixty_students(tmp_path: Path) -> None:
    """Sixty students have three schools, one student fewer has one school for all grades."""
    schools = WrittenDistrict(tmp_path / "60", students=60).rows["schools"]
    (only,) = WrittenDistrict(tmp_path / "59", students=59).rows["schools"]

    assert [row["High_grade"] for row in schools] == ["5", "8", "12"]
    assert (only["Low_grade"], only["High_grade"]) == ("PreKindergarten", "12")


def test_a_career_academy_in_larger_districts(tmp_path: Path) -> None:
    """From about 4,000 students on there is an academy, where students of the high school spend an hour."""
    district = WrittenDistrict(tmp_path, students=4000)
    (academy,) = [row["School_id"] for row in district.rows["schools"] if "Academy" in row["School_name"]]
    homes = {row["Student_id"]: row["School_id"] for row in district.first("students", "Student_id")}
    schools = district.several("students", "Student_id", "School_id")
    guests = {student for student, at in schools.items() if academy in at and homes[student] != academy}
    enrolled = Counter(row["Student_id"] for row in district.rows["enrollments"] if row["School_id"] == academy)

    assert len(guests) > 20
    assert {enrolled[student] for student in guests} == {1}
    assert sum(len(at) > 1 for at in schools.values()) / 4000 == pytest.approx(0.02, abs=0.008)


def test_people_at_several_schools(district: WrittenDistrict) -> None:
    """About 2 % of the students and some of the staff are at more than one school."""
    students = district.several("students", "Student_id", "School_id")
    staff = district.several("staff", "Staff_id", "School_id")

    assert sum(len(at) > 1 for at in students.values()) / STUDENTS == pytest.approx(0.02, abs=0.008)
    assert 0 < sum(len(at) > 1 for at in staff.values()) < len(staff) / 4
    assert {"Principal", "School Nurse", "School Counselor"} <= district.ids("staff", "Title")


def test_a_teacher_of_two_schools(tmp_path: Path) -> None:
    """A teacher of arts teaches sections at two elementary schools."""
    district = WrittenDistrict(tmp_path, students=4000)
    schools = district.several("sections", "Teacher_id", "School_id")

    assert any(len(at) == 2 for at in schools.values())


def test_section_teachers(district: WrittenDistrict) -> None:
    """About one section in ten has two teachers, about 3 % of the teachers have none, no section is without one."""
    sections = district.rows["sections"]
    busy = district.ids("sections", "Teacher_id") | district.ids("sections", "Teacher_2_id")
    teachers = district.ids("teachers", "Teacher_id")

    assert sum(bool(row["Teacher_2_id"]) for row in sections) / len(sections) == pytest.approx(0.1, abs=0.03)
    assert 0 < len(teachers - busy) / len(teachers) < 0.07
    assert all(row["Teacher_id"] and row["Teacher_id"] != row["Teacher_2_id"] for row in sections)


def test_section_sizes(district: WrittenDistrict) -> None:
    """Nearly all sections have 15 to 32 students, a few have none yet."""
    sizes = Counter(row["Section_id"] for row in district.rows["enrollments"])

    assert sum(15 <= size <= 32 for size in sizes.values()) / len(sizes) > 0.98
    assert 0 < len(district.rows["sections"]) - len(sizes) < 0.03 * len(sizes)


def test_nobody_is_in_two_places(district: WrittenDistrict) -> None:
    """No student has two sections in the same period of the same term at one school."""
    when = {row["Section_id"]: (row["Period"], row["Term_name"]) for row in district.rows["sections"]}
    taken = Counter(
        (row["Student_id"], row["School_id"], *when[row["Section_id"]])
        for row in district.rows["enrollments"]
        if when[row["Section_id"]][0]
    )

    assert max(taken.values()) == 1


def test_curriculum(district: WrittenDistrict) -> None:
    """Every subject of the list is taught, in a year, in fall and in spring, to students of the section's grade."""
    grades = {row["Student_id"]: row["Grade"] for row in district.rows["students"]}
    section_grades = {row["Section_id"]: row["Grade"] for row in district.rows["sections"]}
    own = Counter(
        grades[row["Student_id"]] == section_grades[row["Section_id"]] for row in district.rows["enrollments"]
    )

    assert district.ids("sections", "Subject") == set(SUBJECTS)
    assert district.ids("sections", "Term_name") == {"2026-2027", "Fall 2026", "Spring 2027"}
    assert own[False] < 0.01 * own[True]
    assert len(district.several("sections", "Course_number", "Course_name")) == len(
        {(row["Course_number"], row["Course_name"]) for row in district.rows["sections"]}
    )


def test_guardians(district: WrittenDistrict) -> None:
    """Most students have one or two contacts, siblings share them by key, a few contacts have no key."""
    contacts = Counter(
        row["Student_id"]
        for row in district.rows["students"]
        if row["Contact_name"] and row["Contact_type"] in {"Primary", "Secondary"}
    )
    children = district.several("students", "Contact_sis_id", "Student_id")
    names = district.several("students", "Contact_sis_id", "Contact_name")

    assert 0.9 < len(contacts) / STUDENTS < 1
    assert sum(len(own) > 1 for own in children.values()) > 0.2 * len(children)
    assert all(len(own) == 1 for own in names.values())
    assert any(row["Contact_name"] and not row["Contact_sis_id"] for row in district.rows["students"])


def test_rows_of_one_student_agree(district: WrittenDistrict) -> None:
    """Rows of one student differ in the school and the contact only."""
    own = [
        (row["Student_id"], *(value for name, value in row.items() if not name.startswith(("Contact_", "School_id"))))
        for row in district.rows["students"]
    ]

    assert len(set(own)) == STUDENTS


def test_addresses_of_mail(district: WrittenDistrict) -> None:
    """Mail addresses are lower-case ASCII on a reserved domain, and no two people have the same."""
    people = (
        ("students", "Student_id", "Student_email"),
        ("students", "Contact_sis_id", "Contact_email"),
        ("teachers", "Teacher_id", "Teacher_email"),
        ("staff", "Staff_id", "Staff_email"),
    )
    mails = [row[mail] for file, key, mail in people for row in district.first(file, key) if row[key] and row[mail]]

    assert len(set(mails)) == len(mails) > STUDENTS
    assert all(mail.isascii() and mail == mail.lower() and mail.endswith(".example") for mail in mails)


def test_birthdays_fit_the_grade(district: WrittenDistrict) -> None:
    """On the first of September a student of grade n is five plus n years old, or a year older."""
    numbers = {"PreKindergarten": -1, "Kindergarten": 0} | {str(grade): grade for grade in range(1, 13)}
    for row in district.first("students", "Student_id"):
        month, day, year = map(int, row["DOB"].split("/"))
        turned = 2026 - date(year, month, day).year - ((month, day) > (9, 1))

        assert turned - numbers[row["Grade"]] in {5, 6}
        assert int(row["Graduation_year"]) == 2039 - numbers[row["Grade"]]


def test_demographics(district: WrittenDistrict) -> None:
    """Rates of gender, language and status are those of an ordinary district, and every value is one of the lists."""
    students = district.first("students", "Student_id")

    def share(column: str, value: str) -> float:
        return sum(row[column] == value for row in students) / STUDENTS

    assert district.ids("students", "Gender") == {"F", "M", "X"}
    assert district.ids("students", "Race") == set("ABIMPW")
    assert 0.2 < share("Hispanic_Latino", "Y") < 0.35
    assert 0.08 < share("Ell_status", "Y") < 0.25
    assert 0.35 < share("Frl_status", "Y") < 0.6
    assert 0.1 < share("IEP_status", "Y") < 0.2
    assert 0.15 < share("ext.bus_route", "") < 0.6
    assert {"English", "Spanish", "Vietnamese"} <= district.ids("students", "Home_language")


def test_names_of_many_sorts(district: WrittenDistrict) -> None:
    """There are names with accents, apostrophes, hyphens and spaces, and a few in other scripts."""
    names = district.ids("students", "Last_name") | district.ids("students", "First_name")

    assert all(any(sign in name for name in names) for sign in "'- é")
    assert sum(not name.isascii() for name in names) > 50
    assert 0 < sum(not plain(name) for name in names) < 20


@pytest.mark.parametrize(
    ("name", "letters"),
    [("O'Brien", "obrien"), ("Núñez-Peña", "nunezpena"), ("Łuckiewicz", "luckiewicz"), ("Đặng", "dang"), ("陳", "")],
)
def test_plain_letters(name: str, letters: str) -> None:
    """A login has the letters a to z of a name; a name in another script has none."""
    assert plain(name) == letters
