"""What a sync changes in a roster that is there."""

import random

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.catalogue import Kind
from sharing_service.roster.outcome import HELD_KINDS, Changes, removes_too_much
from tests.roster.syncing import (
    ID_TIME,
    Row,
    Syncing,
    Upload,
    enrolled,
    new_district,
    section,
    student,
    teacher,
    upload,
)

SCHOOLS = [{"sis_id": "S1", "name": "Oak"}, {"sis_id": "S2", "name": "Elm"}]


@pytest.fixture
async def district(session: AsyncSession) -> Syncing:
    """A district with a small roster of every kind, last modified long ago."""
    district = await new_district(session)
    await district.sync(roster())
    for kind in Kind:
        await session.execute(text(f"update {kind} set created_at = '2001-01-01', modified_at = '2001-01-01'"))
    return district


def roster() -> Upload:
    """Two schools, two sections, three students, two teachers, one staff member, two contacts."""
    return {
        "schools": [dict(school) for school in SCHOOLS],
        "students": [
            student("P1", contact_name="Anne", contact_relationship="Mother"),
            student("P2", "S2", contact_sis_id="C1"),
            student("P2", "S1"),
            student("P3", ext='{"Bus": "7"}'),
        ],
        "teachers": [teacher("T1"), teacher("T2", last_name="Baker")],
        "staff": [teacher("X1", email="x@oak.example")],
        "sections": [
            section("A", teacher_1="T1", course_name="Algebra", term_name="Fall"),
            section("B", "S2", teacher_1="T2", teacher_2="T1"),
        ],
        "enrollments": [enrolled("A", "P1"), enrolled("A", "P2"), enrolled("B", "P2", "S2")],
    }


async def _listed(district: Syncing, table: str) -> list[tuple[str, int]]:
    return [(kind, ordinal) for kind, ordinal in await district.rows(f"select * from {table} order by 1, 2")]


async def _modified(district: Syncing) -> list[tuple[str, str]]:
    return [
        (kind, str(sis_id))
        for kind in Kind
        for (sis_id,) in await district.rows(
            f"select ordinal from {kind} where district_id = :district_id and modified_at > '2002-01-01' order by 1"
        )
    ]


async def test_the_same_files_again_change_nothing(district: Syncing) -> None:
    """A second sync of the same upload moves no record, writes no row and lists nothing to write.

    Catches a comparison that takes a row for different although no value is.
    """
    before = await district.rows("select xmin::text, ctid::text from students where district_id = :district_id")
    synced = await district.sync(roster(), id_time=ID_TIME + 1)
    assert synced.moved() == {}
    assert [await _listed(district, table) for table in ("touched", "relinked", "left_records")] == [[], [], []]
    assert await district.rows("select xmin::text, ctid::text from students where district_id = :district_id") == before
    assert await _modified(district) == []
    assert {kind: one.before for kind, one in synced.outcome.items() if kind in HELD_KINDS} == {
        "schools": 2,
        "sections": 2,
        "students": 3,
        "teachers": 2,
        "staff": 1,
        "enrollments": 3,
    }


async def test_the_order_of_rows_of_different_records_means_nothing(district: Syncing) -> None:
    """Files whose records come in another order are the same roster."""
    files = {kind: list(reversed(rows)) for kind, rows in roster().items()}
    files["students"][1:3] = reversed(files["students"][1:3])
    assert (await district.sync(files)).moved() == {}


async def test_everything_of_a_first_sync_is_to_be_written(session: AsyncSession) -> None:
    """All records of a new district are listed as touched, and none of them also as relinked."""
    district = await new_district(session)
    synced = await district.sync(roster())
    touched = await _listed(district, "touched")
    records = sum(synced.outcome[kind].added for kind in Kind)
    assert len(touched) == len(set(touched)) == records == 14
    assert await _listed(district, "relinked") == []
    assert removes_too_much(synced.outcome) == []


CHANGES: list[tuple[str, int, Row, dict[str, tuple[int, int, int]]]] = [
    ("schools", 0, {"name": "Ash"}, {"schools": (0, 1, 0)}),
    ("schools", 0, {"phone": "555"}, {"schools": (0, 1, 0)}),
    ("students", 0, {"grade": "4"}, {"students": (0, 1, 0)}),
    ("students", 0, {"last_name": "lovelace"}, {"students": (0, 1, 0)}),
    ("students", 0, {"ext": '{"Bus": "7"}'}, {"students": (0, 1, 0)}),
    ("students", 3, {"ext": "{}"}, {"students": (0, 1, 0)}),
    ("students", 0, {"contact_phone": "555"}, {"contacts": (0, 1, 0)}),
    ("students", 0, {"contact_type": "Guardian"}, {"contacts": (0, 1, 0)}),
    ("students", 0, {"school": "S2"}, {"students": (0, 1, 0)}),
    ("teachers", 1, {"title": "Dr"}, {"teachers": (0, 1, 0)}),
    ("teachers", 0, {"last_name": "Murray"}, {"teachers": (0, 1, 0), "sections": (0, 1, 0)}),
    ("staff", 0, {"role": "Principal"}, {"staff": (0, 1, 0)}),
    ("sections", 0, {"period": "3"}, {"sections": (0, 1, 0)}),
    ("sections", 0, {"school": "S2"}, {"sections": (0, 1, 0)}),
    ("sections", 1, {"teacher_2": ""}, {"sections": (0, 1, 0)}),
    ("sections", 1, {"teacher_1": "T1", "teacher_2": "T2"}, {"sections": (0, 1, 0)}),
    ("sections", 1, {"term_name": "Fall"}, {"sections": (0, 1, 0)}),
    ("sections", 0, {"term_end": "1/1/2026"}, {"sections": (0, 1, 0), "terms": (1, 0, 1)}),
]


@pytest.mark.parametrize(("kind", "row", "values", "moved"), CHANGES)
async def test_a_changed_value_changes_its_record_alone(
    district: Syncing, kind: str, row: int, values: Row, moved: dict[str, tuple[int, int, int]]
) -> None:
    """A record counts as changed, is modified now and is to be written when any of its values or own links differ."""
    files = roster()
    files[kind][row] |= values
    synced = await district.sync(files)
    assert synced.moved() == moved
    written = sum(added + changed for added, changed, _ in moved.values())
    assert len(await _listed(district, "touched")) == len(await _modified(district)) == written
    assert (await district.sync(files)).moved() == {}


async def test_a_changed_record_keeps_its_beginning(district: Syncing) -> None:
    """Only the time of modification moves when a record changes."""
    files = roster()
    files["students"][0]["grade"] = "4"
    await district.sync(files)
    times = "created_at < '2002-01-01'", "modified_at < '2002-01-01'", "grade"
    assert await district.values("students", *times) == [(True, False, "4"), (True, True, ""), (True, True, "")]


async def test_the_order_of_own_schools_is_a_value(district: Syncing) -> None:
    """A student whose other school became the home school has changed."""
    files = roster()
    files["students"][1:3] = [student("P2", "S1", contact_sis_id="C1"), student("P2", "S2")]
    assert (await district.sync(files)).moved() == {"students": (0, 1, 0)}
    assert await _listed(district, "touched") == [("people", await district.ordinal("students", "P2"))]


async def test_an_enrollment_relinks_and_does_not_change(district: Syncing) -> None:
    """A section whose students moved, and a student whose schools moved by it, are relinked: no value differs."""
    files = roster()
    files["enrollments"] = [enrolled("A", "P1"), enrolled("A", "P2"), enrolled("B", "P1", "S2")]
    assert (await district.sync(files)).moved() == {"enrollments": (1, 0, 1)}
    assert await _listed(district, "touched") == []
    assert await _listed(district, "relinked") == [
        ("people", await district.ordinal("students", "P1")),
        ("sections", await district.ordinal("sections", "B")),
    ]
    assert await _modified(district) == []


async def test_both_sides_of_enrollments_say_the_same(session: AsyncSession) -> None:
    """Whatever moves, the students of sections and the sections of students are those of the last files, in order.

    Catches a side of which only what was added, or what was removed, is written.
    """
    district, chance = await new_district(session), random.Random(3)
    keys, people = [f"x{n}" for n in range(6)], [f"p{n}" for n in range(9)]
    files = upload(sections=[section(key) for key in keys], students=[student(key) for key in people])
    possible = [(key, person) for key in keys for person in people]
    before: set[tuple[str, str]] = set()
    for taken in (30, 31, 0, 54, 12, 12, 1):
        wanted = set(chance.sample(possible, taken))
        files["enrollments"] = [enrolled(*pair) for pair in chance.sample(sorted(wanted), taken)]
        counts = {"added": len(wanted - before), "removed": len(before - wanted)}
        synced = (await district.sync(files)).outcome["enrollments"]
        assert {"added": synced.added, "removed": synced.removed} == counts
        of_sections, of_students = await _enrolled(district, "section"), await _enrolled(district, "student")
        assert of_sections == {key: sorted(p for k, p in wanted if k == key) for key, _ in wanted}
        assert of_students == {person: sorted(k for k, p in wanted if p == person) for _, person in wanted}
        before = wanted


async def _enrolled(district: Syncing, owner: str) -> dict[str, list[str]]:
    """The keys of whom each is linked to, by key; ordinals ascend like the keys of these files."""
    other = "student" if owner == "section" else "section"
    found = await district.rows(f"""
        select o.sis_id, array(
            select r.sis_id from unnest(l.{other}s) with ordinality u(ordinal, place)
            join {other}s r on r.district_id = l.district_id and r.ordinal = u.ordinal order by place
        ) from {owner}_{other}s l join {owner}s o on o.district_id = l.district_id and o.ordinal = l.{owner}
        where l.district_id = :district_id
    """)
    return {key: list(keys) for key, keys in found}


async def test_a_missing_row_is_a_removal_with_all_its_links(district: Syncing) -> None:
    """What is not in the upload leaves with its rows in every table of links; its identity stays.

    Catches a table that the removal forgets: its rows would come back with the person.
    """
    left = sorted([await district.ordinal("students", "P2"), await district.ordinal("contacts", "sis:C1")])
    rows = [
        f"select 1 from {table} where district_id = :district_id and {column} in ({left[0]}, {left[1]})"
        for table, column in (
            ("students", "ordinal"),
            ("contacts", "ordinal"),
            ("school_people", "person"),
            ("student_sections", "student"),
            ("contact_students", "student"),
            ("contact_students", "contact"),
        )
    ]
    assert all([await district.rows(query) for query in rows])
    files = roster()
    del files["students"][1:3], files["enrollments"][1:]
    synced = await district.sync(files)
    assert synced.moved() == {"students": (0, 0, 1), "contacts": (0, 0, 1), "enrollments": (0, 0, 2)}
    assert await _listed(district, "left_records") == [("people", ordinal) for ordinal in left]
    assert await _listed(district, "touched") == []
    assert not any([await district.rows(query) for query in rows])
    identities = "select ordinal from identities where district_id = :district_id and numbering = 'people'"
    assert {(ordinal,) for ordinal in left} <= set(await district.rows(identities))


async def test_a_removed_teacher_changes_the_sections(district: Syncing) -> None:
    """Sections lose a teacher who left, and their name follows."""
    files = roster()
    del files["teachers"][0]
    synced = await district.sync(files)
    assert synced.moved() == {"teachers": (0, 0, 1), "sections": (0, 2, 0)}
    assert await district.rows(
        "select section, teacher, position from section_teachers where district_id = :district_id"
    ) == [(1, await district.ordinal("teachers", "T2"), 0)]
    assert await district.values("sections", "name") == [("Algebra",), ("",)]


async def test_an_upload_without_staff_removes_the_staff(district: Syncing) -> None:
    """An upload is a full statement of what is active."""
    files = roster()
    del files["staff"]
    assert (await district.sync(files)).moved() == {"staff": (0, 0, 1)}


async def test_another_district_is_left_alone(district: Syncing) -> None:
    """A sync removes, changes and lists nothing of another district.

    Catches a statement that forgets the district: an empty upload would empty every roster.
    """
    other = await new_district(district.session)
    await other.sync(roster())
    synced = await other.sync({"schools": []})
    assert synced.outcome["students"].removed == 3
    assert await other.values("students", "sis_id") == []
    for table in ("school_people", "section_teachers", "contact_students", "section_students", "student_sections"):
        assert await other.rows(f"select 1 from {table} where district_id = :district_id") == []
    assert (await district.sync(roster())).moved() == {}


async def test_ext_names_keep_their_first_spelling(district: Syncing) -> None:
    """A header that is spelled in another case means the same field, by the name it first had."""
    files = roster()
    files["students"][3]["ext"] = '{"BUS": "7", "Locker": "12"}'
    assert (await district.sync(files)).moved() == {"students": (0, 1, 0)}
    files["students"][0]["ext"] = '{"bus": "8", "locker": "13"}'
    await district.sync(files)
    assert await district.values("students", "ext->>'Bus'", "ext->>'Locker'", "ext ? 'bus'") == [
        ("8", "13", False),
        (None, None, False),
        ("7", "12", False),
    ]


@pytest.mark.parametrize(
    ("before", "removed", "held"),
    [(100, 20, False), (100, 21, True), (210, 21, False), (209, 21, True), (21, 21, True)],
)
def test_a_sync_that_removes_much_is_held(before: int, removed: int, held: bool) -> None:
    """More than a tenth and more than twenty of the records of a kind must leave before a person is asked."""
    outcome = {kind: Changes() for kind in HELD_KINDS} | {"staff": Changes(before=before, removed=removed)}
    assert removes_too_much(outcome) == (["staff"] if held else [])
