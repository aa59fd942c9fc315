"""The files as the import sees them: columns, references, bytes, memory."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from sharing_service.generator.district import district_rows, write_district
from sharing_service.generator.files import COLUMNS, File
from sharing_service.roster.catalogue import NEVER_STORED, Kind
from sharing_service.roster.columns import UploadKind, uploaded_columns
from tests.generator.district import FILES, WrittenDistrict, content

KINDS: dict[str, UploadKind] = {
    "schools": Kind.SCHOOLS,
    "students": Kind.STUDENTS,
    "teachers": Kind.TEACHERS,
    "sections": Kind.SECTIONS,
    "enrollments": "enrollments",
    "staff": Kind.STAFF,
}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    """The same size and seed write the same bytes, also in a process that hashes strings differently."""
    write_district(tmp_path / "here", students=300, seed=7)
    write = "import sys, pathlib; from sharing_service.generator.district import write_district"
    call = "write_district(pathlib.Path(sys.argv[1]), students=300, seed=7)"
    for hash_seed in ("1", "2"):
        there = tmp_path / hash_seed
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", f"{write}; {call}", str(there)], check=True, env=environment)

        assert content(there) == content(tmp_path / "here")


def test_other_seed_other_bytes(tmp_path: Path) -> None:
    """Another seed writes another district: every file differs."""
    write_district(tmp_path / "one", students=300, seed=1)
    write_district(tmp_path / "two", students=300, seed=2)
    one, two = content(tmp_path / "one"), content(tmp_path / "two")

    assert one.keys() == two.keys() == {f"{name}.csv" for name in FILES}
    assert [name for name in one if one[name] == two[name]] == []


def test_columns_are_known() -> None:
    """Every column is one that the import reads or an `ext.` column, and none is one that is never stored."""
    for file, columns in COLUMNS.items():
        known = {column.header for column in uploaded_columns(KINDS[file])}

        assert {column for column in columns if not column.startswith("ext.")} <= known
        assert not set(columns) & set(NEVER_STORED)
        assert len(set(columns)) == len(columns)


def test_every_value_has_a_column() -> None:
    """A row holds exactly the columns of its file: no value is lost on the way."""
    seen = set()
    for file, row in district_rows(students=300):
        seen.add(file)

        assert row.keys() == set(COLUMNS[file])

    assert seen == set(File)


@pytest.mark.parametrize("students", [1, 10, 60, 2000])
def test_references_lead_somewhere(tmp_path: Path, students: int) -> None:
    """Every school, teacher, section and student that a row names is in its file, and keys are not used twice."""
    district = WrittenDistrict(tmp_path, students=students)
    schools, sections = district.ids("schools", "School_id"), district.several("sections", "Section_id", "School_id")
    teachers = district.ids("teachers", "Teacher_id")

    assert len(district.ids("students", "Student_id")) == students
    assert len(schools) == len(district.rows["schools"])
    assert len(sections) == len(district.rows["sections"])
    for file in FILES:
        assert district.ids(file, "School_id") <= schools
    assert district.ids("sections", "Teacher_id") | district.ids("sections", "Teacher_2_id") <= teachers
    enrollments = [tuple(row.values()) for row in district.rows["enrollments"]]
    assert len(set(enrollments)) == len(enrollments)
    assert district.ids("enrollments", "Student_id") <= district.ids("students", "Student_id")
    assert all(row["School_id"] in sections[row["Section_id"]] for row in district.rows["enrollments"])


def test_teachers_and_students_are_at_the_school(tmp_path: Path) -> None:
    """Whoever teaches or is enrolled in a section has a row at the school of that section."""
    district = WrittenDistrict(tmp_path, students=2000)
    students = district.several("students", "Student_id", "School_id")
    teachers = district.several("teachers", "Teacher_id", "School_id")

    assert all(row["School_id"] in students[row["Student_id"]] for row in district.rows["enrollments"])
    for row in district.rows["sections"]:
        for teacher in filter(None, (row["Teacher_id"], row["Teacher_2_id"])):
            assert row["School_id"] in teachers[teacher]


def test_memory_does_not_grow_with_the_district(tmp_path: Path) -> None:
    """Four times the students take less than a quarter more memory: a million fit as well.

    Catches a writer that collects the rows of the district, or a record of all people, before it writes.
    """
    write_district(tmp_path, students=5_000)  # the pools of names are drawn once a process

    assert _peak(tmp_path, students=20_000) < 1.25 * _peak(tmp_path, students=5_000)


def test_a_district_has_a_student(tmp_path: Path) -> None:
    """A district of no students is refused."""
    with pytest.raises(ValueError, match="at least one student"):
        write_district(tmp_path, students=0)


def _peak(directory: Path, *, students: int) -> int:
    tracemalloc.start()
    try:
        write_district(directory, students=students)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
