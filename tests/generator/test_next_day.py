"""A generated district one day later: what changes, what stays, and that it can be uploaded."""

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sharing_service.generator.district import write_district
from sharing_service.generator.files import NotGenerated
from sharing_service.generator.next_day import write_next_day
from tests.factories.service import District, Json
from tests.generator.district import FILES, ReadDistrict, WrittenDistrict, content

STUDENTS = 2000
THIRD = 7
"""Of 1 % of them, rounded up."""


class TwoDays:
    """A district of two levels of elementary schools on two days."""

    def __init__(self, place: Path, *, churn: float = 0.01) -> None:
        self.files = place / "old", place / "new"
        self.old = WrittenDistrict(self.files[0], students=STUDENTS)
        write_next_day(self.files[1], self.files[0], churn=churn)
        self.new = ReadDistrict(self.files[1])

    def keys(self) -> tuple[set[str], set[str]]:
        """The students that left, and those that came."""
        before, after = (day.ids("students", "Student_id") for day in (self.old, self.new))
        return before - after, after - before

    def differing(self, file: str, key: str, *columns: str) -> set[str]:
        """Which of those that stayed have other values in one of these columns."""
        return {
            one
            for column in columns
            for before, after in [[day.several(file, key, column) for day in (self.old, self.new)]]
            for one in before.keys() & after.keys()
            if before[one] != after[one]
        }


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> TwoDays:
    """Two days with a churn of 1 %."""
    return TwoDays(tmp_path_factory.mktemp("days"))


async def test_a_sync_has_nothing_to_say_but_the_churn(district: District, days: TwoDays) -> None:
    """The second day is published without a person, a warning or a rejected row, and the report counts the churn."""
    for directory in days.files:
        sync = await district.upload(content(directory))

        assert (sync["status"], sync["problems"]) == ("published", [])
    report: Json = sync["report"]
    changed = days.differing("students", "Student_id", "School_id", "Last_name")
    sections, enrollments = (len(days.old.rows[file]) for file in ("sections", "enrollments"))

    assert {kind: counts["rejected"] for kind, counts in report.items() if counts["rejected"]} == {}
    assert [report["students"][what] for what in ("added", "removed")] == [THIRD, THIRD]
    assert report["students"]["changed"] == len(changed)
    assert report["teachers"] == {"added": 0, "changed": 1, "removed": 0, "rejected": 0}
    assert report["sections"]["added"] == len(days.new.rows["sections"]) - sections == -(-sections // 300)
    assert report["sections"]["removed"] == 0
    assert report["enrollments"]["added"] == report["enrollments"]["removed"]
    assert report["enrollments"]["added"] / enrollments == pytest.approx(0.008, abs=0.004)


def test_who_leaves_comes_moves_and_changes_name(days: TwoDays) -> None:
    """A third of the churn each: some leave, as many come, as many move, as many have another last name."""
    left, came = days.keys()
    moved = days.differing("students", "Student_id", "School_id")
    renamed = days.differing("students", "Student_id", "Last_name")

    assert (len(left), len(came), len(renamed)) == (THIRD, THIRD, THIRD)
    assert 2 <= len(moved) <= THIRD + 1
    assert len(days.differing("teachers", "Teacher_id", "Last_name")) == 1
    assert min(came) > max(days.old.ids("students", "Student_id"))


def test_all_else_stays(days: TwoDays) -> None:
    """Lines of whom and what the day does not concern are the same bytes in the same order."""
    (before, after), (left, came) = map(content, days.files), days.keys()
    students = days.differing("students", "Student_id", "School_id", "Last_name")
    teachers = days.differing("teachers", "Teacher_id", "Last_name")
    sizes, now = (Counter(row["Section_id"] for row in day.rows["enrollments"]) for day in (days.old, days.new))
    resized = {section for section in sizes | now if sizes[section] != now[section]}
    concerned = left | came | students | teachers | resized

    assert len(resized) == 2 * (len(now) - len(sizes))
    for name in before:
        assert _without(before[name], concerned) == _without(after[name], concerned)
    assert before["schools.csv"] == after["schools.csv"]
    assert before["staff.csv"] == after["staff.csv"]


def test_a_mover_has_the_sections_of_the_new_school_only(days: TwoDays) -> None:
    """Who moved is enrolled at the new school, in as many sections as somebody of the grade was, and not at the old."""
    moved = days.differing("students", "Student_id", "School_id")
    schools = days.new.several("students", "Student_id", "School_id")
    enrolled = days.new.several("enrollments", "Student_id", "School_id")
    grades = {row["Student_id"]: row["Grade"] for row in days.new.rows["students"]}
    sections = {row["Section_id"]: row["Grade"] for row in days.new.rows["sections"]}

    assert all(enrolled[student] == schools[student] for student in moved)
    for row in days.new.rows["enrollments"]:
        if row["Student_id"] in moved:
            assert sections[row["Section_id"]] == grades[row["Student_id"]]


def test_a_new_section_has_students_of_a_divided_one(days: TwoDays) -> None:
    """A new section is held in the period of one that was there, by the same teachers, with half of its students."""
    places = {row["Section_id"]: row for row in days.old.rows["sections"]}
    new = [row for row in days.new.rows["sections"] if row["Section_id"] not in places]
    sizes = Counter(row["Section_id"] for row in days.new.rows["enrollments"])
    own = ("Section_id", "Name", "Section_number")
    old = [{name: value for name, value in row.items() if name not in own} for row in places.values()]

    assert all({name: value for name, value in row.items() if name not in own} in old for row in new)
    assert any(4 < sizes[row["Section_id"]] < 17 for row in new)
    assert len(days.new.ids("sections", "Section_id")) == len(days.new.rows["sections"])
    at_school = Counter((row["School_id"], row["Section_number"]) for row in days.new.rows["sections"])
    assert max(at_school.values()) == 1


@pytest.mark.parametrize(("students", "churn"), [(1, 1.0), (10, 0.01), (60, 1.0), (4000, 0.5)])
def test_many_days_stay_consistent(tmp_path: Path, students: int, churn: float) -> None:
    """However much changes on four days, all references lead somewhere, and nobody is at two places at once."""
    write_district(tmp_path / "0", students=students)
    for day in range(4):
        write_next_day(tmp_path / str(day + 1), tmp_path / str(day), churn=churn)
    district = ReadDistrict(tmp_path / "4")
    enrollments = [tuple(row.values()) for row in district.rows["enrollments"]]
    at = district.several("students", "Student_id", "School_id")
    when = {row["Section_id"]: row for row in district.rows["sections"]}
    taken = Counter(
        (row["Student_id"], row["School_id"], section["Period"], section["Term_name"])
        for row in district.rows["enrollments"]
        if (section := when[row["Section_id"]])["Period"]
    )

    assert len(district.ids("students", "Student_id")) == students
    assert len(set(enrollments)) == len(enrollments)
    assert all(row["School_id"] in at[row["Student_id"]] for row in district.rows["enrollments"])
    assert all(row["School_id"] == when[row["Section_id"]]["School_id"] for row in district.rows["enrollments"])
    assert max(taken.values(), default=1) == 1
    for own in (("students", "Student_id"), ("teachers", "Teacher_id")):
        assert all(len(names) == 1 for names in district.several(*own, "Last_name").values())
    guardians = district.several("students", "Contact_sis_id", "Contact_name")
    assert all(len(names) == 1 for names in guardians.values())


def test_a_key_is_given_once(tmp_path: Path) -> None:
    """A student who comes never gets the key of one who was there on any day before, the newest included."""
    write_district(tmp_path / "0", students=60)
    ever: set[str] = ReadDistrict(tmp_path / "0").ids("students", "Student_id")
    today = ever
    for day in range(12):
        write_next_day(tmp_path / str(day + 1), tmp_path / str(day), churn=1.0)
        today, yesterday = ReadDistrict(tmp_path / str(day + 1)).ids("students", "Student_id"), today
        came = today - yesterday

        assert came
        assert not came & ever
        ever = ever | came


def test_visitors_of_a_second_school_change_places(tmp_path: Path) -> None:
    """A row for a second school stays with the place: who takes it over is at both schools, and as many are."""
    days = TwoDays(tmp_path, churn=0.9)
    _, came = days.keys()
    before, after = (
        {student for student, at in day.several("students", "Student_id", "School_id").items() if len(at) > 1}
        for day in (days.old, days.new)
    )

    assert len(before) == len(after)
    assert after & came
    assert before - after


def test_same_files_same_bytes(tmp_path: Path) -> None:
    """The same files, churn and seed write the same bytes in any process; another seed writes others."""
    write_district(tmp_path / "old", students=300)
    write_next_day(tmp_path / "here", tmp_path / "old", churn=0.1, seed=7)
    write_next_day(tmp_path / "other", tmp_path / "old", churn=0.1, seed=8)
    write = "import sys, pathlib; from sharing_service.generator.next_day import write_next_day"
    call = "write_next_day(*map(pathlib.Path, sys.argv[1:]), churn=0.1, seed=7)"
    for hash_seed in ("1", "2"):
        there = tmp_path / hash_seed
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", f"{write}; {call}", str(there), str(tmp_path / "old")]
        subprocess.run(command, check=True, env=environment)

        assert content(there) == content(tmp_path / "here")
    here, other = content(tmp_path / "here"), content(tmp_path / "other")
    assert {name for name in here if here[name] != other[name]} == {
        f"{name}.csv" for name in FILES if name not in ("schools", "staff")
    }


def test_memory_grows_with_the_churn_only(tmp_path: Path) -> None:
    """Four times the students with the same number of changes take less than a quarter more memory.

    Catches a pass that collects the rows of a file, or a record of all students, before it writes.
    """
    for students in (5_000, 20_000):
        write_district(tmp_path / str(students), students=students)
    write_next_day(tmp_path / "new", tmp_path / "5000", churn=0.04)  # the pools of names are drawn once a process

    assert _peak(tmp_path, students=20_000, churn=0.01) < 1.25 * _peak(tmp_path, students=5_000, churn=0.04)


def _spoil(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_text(change((directory / name).read_text()))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda directory: (directory / "staff.csv").unlink(), "Cannot read .*staff.csv: No such file"),
        (_spoil("sections.csv", lambda text: text.replace("Period", "Hour", 1)), "sections.csv does not have the col"),
        (_spoil("schools.csv", lambda text: text.replace("\n", "\r\n")), "schools.csv does not have the columns"),
        (_spoil("teachers.csv", lambda text: text.replace(",T0", ",,T0", 1)), "teachers.csv has a row of 11 col"),
        (_spoil("students.csv", lambda text: text + '"'), "students.csv is not a CSV file"),
        (lambda directory: (directory / "staff.csv").write_bytes(b"\xff"), "staff.csv is not a CSV file in UTF-8"),
        (_spoil("students.csv", lambda text: text.partition("\n")[0] + "\n"), "students.csv has no students"),
        (_spoil("students.csv", lambda text: text.replace(",1000001,", ",ab12,")), "the key 'ab12'"),
        (_spoil("students.csv", lambda text: text.replace(",PreKindergarten,", ",14,")), "in the grade '14'"),
    ],
)
def test_another_directory_is_refused(tmp_path: Path, spoil: Callable[[Path], object], sentence: str) -> None:
    """What is not a generated district is named, and nothing is written."""
    write_district(tmp_path / "old", students=10)
    spoil(tmp_path / "old")

    with pytest.raises(NotGenerated, match=sentence):
        write_next_day(tmp_path / "new", tmp_path / "old", churn=0.5)
    assert not (tmp_path / "new").exists()


def _without(text: bytes, keys: set[str]) -> list[str]:
    return [line for line in text.decode().splitlines(keepends=True) if keys.isdisjoint(line.rstrip().split(","))]


def _peak(place: Path, *, students: int, churn: float) -> int:
    tracemalloc.start()
    try:
        write_next_day(place / "new", place / str(students), churn=churn)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
