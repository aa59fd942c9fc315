"""What of an upload is taken, and what is reported of the rest."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.outcome import report
from tests.roster.syncing import Row, Syncing, enrolled, new_district, section, student, teacher, upload

SCHOOLS = [{"sis_id": "S1", "name": "Oak"}, {"sis_id": "S2", "name": "Elm"}]


@pytest.fixture
async def district(session: AsyncSession) -> Syncing:
    """A district without a roster."""
    return await new_district(session)


async def _schools_of(district: Syncing, kind: str, key: str) -> list[tuple[str, int | None]]:
    person = await district.ordinal(kind, key)
    return [
        (school, position)
        for school, position in await district.rows(
            "select s.sis_id, p.position from school_people p join schools s using (district_id) "
            f"where district_id = :district_id and s.ordinal = p.school and p.person = {person} "
            f"and p.kind = '{kind}' order by p.position nulls last, s.ordinal"
        )
    ]


@pytest.mark.asvs("V2.2.3")
async def test_rows_at_an_unknown_school_are_rejected(district: Syncing) -> None:
    """A row whose school is not in the upload is rejected with file, line and column; the others are taken."""
    nowhere = upload(
        students=[student("P1", "S9"), student("P2")],
        teachers=[teacher("T1", "S9")],
        staff=[teacher("X1", "S9")],
        sections=[section("A", "S9")],
        enrollments=[enrolled("A", "P2", "S9")],
    )
    synced = await district.sync(nowhere)
    kinds = ("students", "teachers", "staff", "sections", "enrollments")
    assert synced.problems == [("unknown_school", f"{kind}.csv", 2, "School_id") for kind in kinds]
    told = report(synced.outcome, synced.log.rejected)
    assert told["students"] == {"added": 1, "changed": 0, "removed": 0, "rejected": 1}
    assert [told[kind]["rejected"] for kind in kinds] == [1, 1, 1, 1, 1]
    assert await district.values("students", "sis_id") == [("P2",)]


@pytest.mark.asvs("V2.2.3")
async def test_a_reference_to_a_rejected_row_is_rejected(district: Syncing) -> None:
    """An enrollment needs a section and a student that were accepted, and is told once, by its first reason."""
    files = upload(
        students=[student("P1"), student("P2", "S9")],
        sections=[section("A"), section("B", "S9")],
        enrollments=[enrolled("A", "P1"), enrolled("B", "P1"), enrolled("A", "P2"), enrolled("C", "P3")],
    )
    synced = await district.sync(files)
    assert synced.problems[2:] == [
        ("unknown_section", "enrollments.csv", 3, "Section_id"),
        ("unknown_student", "enrollments.csv", 4, "Student_id"),
        ("unknown_section", "enrollments.csv", 5, "Section_id"),
    ]
    assert synced.log.rejected["enrollments.csv"] == 3
    assert synced.outcome["enrollments"].added == 1


async def test_only_the_first_problems_are_kept_and_all_are_counted(district: Syncing) -> None:
    """A file of which every row is rejected costs a thousand problems, not one per row."""
    synced = await district.sync(upload(enrollments=[enrolled("A", f"P{n}") for n in range(1_200)]))
    assert (len(synced.log.kept), synced.log.count, synced.log.rejected["enrollments.csv"]) == (1_000, 1_200, 1_200)
    assert [problem.line for problem in synced.log.kept[:2]] == [2, 3]


async def test_problems_hold_no_cell(district: Syncing) -> None:
    """The words of a problem repeat no value, because values are personal data."""
    files = upload(
        students=[student("secret", "hidden"), student("P1"), student("P1")],
        sections=[section("A", teacher_1="secret")],
        enrollments=[enrolled("A", "secret"), enrolled("secret", "P1")],
    )
    problems = (await district.sync(files)).log.kept
    assert len(problems) == 5
    assert not any("secret" in problem.message or "hidden" in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("kind", "rows", "problem"),
    [
        ("schools", [{"sis_id": "S1", "name": "Oak"}, {"sis_id": "S1", "name": "Elm"}], "School_id"),
        ("students", [student("P1"), student("P1", last_name="Byron")], "Student_id"),
        ("teachers", [teacher("T1"), teacher("T1", last_name="Murray")], "Teacher_id"),
        ("staff", [teacher("X1"), teacher("X1", last_name="Murray")], "Staff_id"),
        ("sections", [section("A", source_name="one"), section("A", "S1", source_name="two")], "Section_id"),
    ],
)
async def test_the_first_row_of_a_key_wins(district: Syncing, kind: str, rows: list[Row], problem: str) -> None:
    """A second row of the same key in the same school is reported and changes nothing; it is not a rejection."""
    synced = await district.sync(upload(**{kind: rows}))
    assert synced.problems == [("duplicate_row", f"{kind}.csv", 3, problem)]
    assert synced.log.rejected[f"{kind}.csv"] == 0
    assert (await district.sync(upload(**{kind: rows[:1]}))).moved() == {}


async def test_a_section_id_at_another_school_is_a_duplicate(district: Syncing) -> None:
    """A section is at one school; a second row of its id anywhere is a duplicate."""
    files = upload(sections=[section("A", "S2"), section("A", "S1")])
    synced = await district.sync({**files, "schools": SCHOOLS})
    assert synced.problems == [("duplicate_row", "sections.csv", 3, "Section_id")]
    assert await district.values("sections", "school") == [(1,)]


async def test_a_repeated_enrollment_counts_once(district: Syncing) -> None:
    """An enrollment is identified by section and student; the later rows are reported."""
    files = upload(
        students=[student("P1")],
        sections=[section("A")],
        enrollments=[enrolled("A", "P1"), enrolled("A", "P1"), enrolled("A", "P1")],
    )
    synced = await district.sync(files)
    assert synced.problems == [("duplicate_row", "enrollments.csv", line, "Student_id") for line in (3, 4)]
    assert synced.outcome["enrollments"].added == 1


async def test_the_first_row_is_home_and_gives_the_values(district: Syncing) -> None:
    """A student at several schools has the values of the first row, that school first, the others in file order."""
    files = upload(students=[student("P1", "S2", grade="3"), student("P2"), student("P1", "S1", grade="4")])
    synced = await district.sync({**files, "schools": SCHOOLS})
    assert synced.problems == []
    assert await district.values("students", "sis_id", "grade") == [("P1", "3"), ("P2", "")]
    assert await _schools_of(district, "students", "P1") == [("S2", 0), ("S1", 1)]


async def test_a_rejected_first_row_is_not_home(district: Syncing) -> None:
    """The first row that was accepted counts as the first."""
    synced = await district.sync(upload(students=[student("P1", "S9", grade="3"), student("P1", "S1", grade="4")]))
    assert synced.problems == [("unknown_school", "students.csv", 2, "School_id")]
    assert await district.values("students", "grade") == [("4",)]
    assert await _schools_of(district, "students", "P1") == [("S1", 0)]


async def test_a_person_is_also_at_the_schools_of_sections(district: Syncing) -> None:
    """Schools that a person is at only through a section have no position; own schools keep theirs."""
    files = upload(
        students=[student("P1")],
        teachers=[teacher("T1", "S2")],
        sections=[section("A", "S1", teacher_1="T1"), section("B", "S2", teacher_1="T1")],
        enrollments=[enrolled("A", "P1"), enrolled("B", "P1", "S2")],
    )
    await district.sync({**files, "schools": SCHOOLS})
    assert await _schools_of(district, "students", "P1") == [("S1", 0), ("S2", None)]
    assert await _schools_of(district, "teachers", "T1") == [("S2", 0), ("S1", None)]


async def test_the_school_of_the_section_counts(district: Syncing) -> None:
    """An enrollment that names another school than its section does is taken, with a warning."""
    files = upload(students=[student("P1")], sections=[section("A")], enrollments=[enrolled("A", "P1", "S2")])
    synced = await district.sync({**files, "schools": SCHOOLS})
    assert synced.problems == [("school_mismatch", "enrollments.csv", 2, "School_id")]
    assert await _schools_of(district, "students", "P1") == [("S1", 0)]


async def test_unknown_teachers_are_left_out(district: Syncing) -> None:
    """A section keeps its known teachers in their order, each once; an unknown id is told, an empty cell is not."""
    files = upload(
        teachers=[teacher("T1", last_name="Adams"), teacher("T2", last_name="Baker")],
        sections=[
            section("A", teacher_1="T9", teacher_2="T2", teacher_3="T1", teacher_4="T2", course_name="Algebra"),
            section("B", course_name="Botany"),
            section("C", teacher_10="T8"),
        ],
    )
    synced = await district.sync(files)
    assert synced.problems == [
        ("unknown_teacher", "sections.csv", 2, "Teacher_id"),
        ("unknown_teacher", "sections.csv", 4, "Teacher_10_id"),
    ]
    taught = await district.rows(
        "select section, teacher, position from section_teachers where district_id = :district_id order by 1, 3"
    )
    assert taught == [(0, 1, 0), (0, 0, 1)]
    assert [name for (name,) in await district.values("sections", "name")] == ["Algebra - Baker", "Botany", ""]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"course_name": "Algebra", "period": "3", "teacher_1": "T1", "source_name": "x"}, "Algebra - Hopper - 3"),
        ({"course_name": "Algebra", "teacher_1": "T1"}, "Algebra - Hopper"),
        ({"course_name": "Algebra", "period": "3"}, "Algebra - 3"),
        ({"course_name": "Algebra"}, "Algebra"),
        ({"source_name": "Room 4", "period": "3", "teacher_1": "T1"}, "Room 4"),
        ({"period": "3", "teacher_1": "T1"}, ""),
    ],
)
async def test_a_section_is_named_by_its_course(district: Syncing, values: Row, name: str) -> None:
    """With a course the name is course, teacher and period, as far as there are any; else it is the source's."""
    await district.sync(upload(teachers=[teacher("T1")], sections=[section("A", **values)]))
    assert await district.values("sections", "name", "source_name") == [(name, values.get("source_name", ""))]


async def test_courses_and_terms_are_derived(district: Syncing) -> None:
    """Sections of the same number and name share a course, of the same name and dates a term; else there is none."""
    fall = {"term_name": "Fall", "term_start": "8/1/2025", "term_end": "12/20/2025"}
    files = upload(
        sections=[
            section("A", course_number="1", course_name="Algebra", **fall),
            section("B", course_number="1", course_name="Algebra", term_name="Fall"),
            section("C", course_number="2", course_name="Algebra", **fall),
            section("D", course_number="2"),
            section("E"),
        ]
    )
    await district.sync(files)
    assert await district.values("courses", "number", "name") == [("1", "Algebra"), ("2", "Algebra"), ("2", "")]
    assert await district.values("terms", "name", "start_date") == [("Fall", "8/1/2025"), ("Fall", "")]
    assert await district.values("sections", "course", "term") == [(0, 0), (0, 1), (1, 0), (2, None), (None, None)]


async def _contacts(district: Syncing) -> list[tuple[str, str, str, str]]:
    return [
        (sis_id, name, relationship, phone)
        for sis_id, name, relationship, phone in await district.rows(
            "select s.sis_id, c.name, l.relationship, c.phone from contact_students l "
            "join contacts c on c.district_id = l.district_id and c.ordinal = l.contact "
            "join students s on s.district_id = l.district_id and s.ordinal = l.student "
            "where l.district_id = :district_id order by s.ordinal, c.ordinal"
        )
    ]


async def test_further_rows_bring_further_contacts(district: Syncing) -> None:
    """A row of a student that brings a contact not seen before is no duplicate, whatever school it is at."""
    ada = {"contact_name": "Anne", "contact_relationship": "Mother", "contact_phone": "1"}
    files = upload(
        students=[
            student("P1", **ada),
            student("P1", contact_name="Noel", contact_relationship="Father"),
            student("P1", "S2", contact_name="Vera", contact_relationship="Aunt"),
            student("P1", **ada | {"contact_phone": "2"}),
            student("P1", contact_relationship="Uncle"),
            student("P2", **ada),
        ]
    )
    synced = await district.sync({**files, "schools": SCHOOLS})
    assert synced.problems == [("duplicate_row", "students.csv", line, "Student_id") for line in (5, 6)]
    assert await _contacts(district) == [
        ("P1", "Anne", "Mother", "1"),
        ("P1", "Noel", "Father", ""),
        ("P1", "Vera", "Aunt", ""),
        ("P2", "Anne", "Mother", "1"),
    ]


async def test_a_contact_with_a_key_is_one_person(district: Syncing) -> None:
    """Rows with the same Contact_sis_id are one contact of several students, with the values of the first row."""
    files = upload(
        students=[
            student("P1", contact_sis_id="C1", contact_name="Anne", contact_relationship="Mother"),
            student("P2", contact_sis_id="C1", contact_name="Annie", contact_relationship="Aunt"),
        ]
    )
    synced = await district.sync(files)
    assert synced.outcome["contacts"].added == 1
    assert await _contacts(district) == [("P1", "Anne", "Mother", ""), ("P2", "Anne", "Aunt", "")]


@pytest.mark.asvs("V14.1.1")
async def test_identities_hold_no_personal_data(district: Syncing) -> None:
    """The key of a contact without a key of its own tells neither its name nor its student's.

    Catches a key in clear, which would outlive an erasure.
    """
    await district.sync(upload(students=[student("P1", contact_name="Anne", contact_relationship="Mother")]))
    ((key,),) = await district.rows("select key from identities where district_id = :district_id and kind = 'contacts'")
    assert key.startswith("row:")
    assert not any(word in key for word in ("Anne", "Mother", "P1"))
