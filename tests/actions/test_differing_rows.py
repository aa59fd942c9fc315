"""An upload of which only the rows that differ are read makes the very roster that reading all of it makes."""

from collections.abc import Callable
from typing import Final

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import Database
from tests.actions.uploads import Files, Synced

Day = Callable[[Files], object]

CROWD: Final = 40
"""Students of whom nothing changes, so that a few changes are not much."""
POOLS: Final = {
    "School_id": ("A", "B", "C", "A", "B", "C", "nowhere"),
    "Student_id": tuple(f"s{n}" for n in range(9)),
    "Teacher_id": ("t0", "t1", "t2", "t3"),
    "Teacher_2_id": ("", "t0", "t1", "t2", "t3"),
    "Section_id": tuple(f"x{n}" for n in range(7)),
    "Staff_id": ("f0", "f1", "f2"),
    "Grade": ("", "1", "01", "2", "K", "unknown"),
    "Contact_sis_id": ("", "c0", "c1", "c2", "c3"),
    "Contact_name": ("", "Bea", "Bo"),
    "Course_name": ("", "Art", "Biology"),
    "Term_name": ("", "Fall"),
}
ANY: Final = ("one", "two", " one ", "a, b", 'a "b"')


def roster() -> Files:
    """Three schools and of everything a few, with brothers and sisters, and people at several schools."""
    students = [
        ["A", "s0", "L", "F", "1", "c0", "Bea", "1", "Mother"],
        ["A", "s0", "L", "F", "1", "c1", "Bo", "2", "Father"],
        ["A", "s1", "L", "F", "2", "c0", "Bea", "3", "Mother"],
        ["B", "s1", "L", "F", "2", "", "", "", ""],
        ["B", "s2", "M", "F", "", "", "Bea", "", "Aunt"],
        ["B", "s3", "M", "F", "", "c1", "Bo", "4", "Uncle"],
        ["B", "s3", "M", "F", "", "c2", "Bea", "5", "Aunt"],
        ["C", "s4", "M", "F", "", "c2", "Bea", "6", "Aunt"],
        ["C", "s5", "M", "F", "", "", "", "", ""],
    ]
    crowd = [["C", f"n{n}", "L", "F", "1", f"p{n}", "Bea", "", "Parent"] for n in range(CROWD)]
    contact = ["Contact_sis_id", "Contact_name", "Contact_phone", "Contact_relationship"]
    return {
        "schools.csv": [
            ["School_id", "School_name", "School_number"],
            ["A", "Oak", "1"],
            ["B", "Elm", "2"],
            ["C", "Ash", "3"],
        ],
        "students.csv": [
            ["School_id", "Student_id", "Last_name", "First_name", "Grade", *contact],
            *students,
            *crowd,
        ],
        "teachers.csv": [
            ["School_id", "Teacher_id", "Last_name", "First_name", "ext.Room"],
            ["A", "t0", "Adams", "F", "1"],
            ["B", "t1", "Baker", "F", ""],
            ["A", "t1", "Baker", "F", ""],
            ["C", "t2", "Clark", "F", ""],
        ],
        "sections.csv": [
            ["School_id", "Section_id", "Teacher_id", "Teacher_2_id", "Course_name", "Term_name"],
            ["A", "x0", "t0", "t1", "Art", "Fall"],
            ["A", "x1", "t1", "", "Art", "Fall"],
            ["B", "x2", "t1", "t2", "Biology", ""],
            ["C", "x3", "t2", "", "", "Fall"],
            ["C", "x4", "t0", "", "Art", ""],
        ],
        "enrollments.csv": [
            ["School_id", "Section_id", "Student_id"],
            *(["A", "x0", f"s{n}"] for n in range(3)),
            *(["A", "x1", f"s{n}"] for n in range(2, 5)),
            *(["B", "x2", f"s{n}"] for n in range(1, 6, 2)),
            *(["C", "x3", f"n{n}"] for n in range(9)),
        ],
        "staff.csv": [
            ["School_id", "Staff_id", "Staff_email", "First_name", "Last_name"],
            ["A", "f0", "f0@x.org", "F", "L"],
            ["B", "f1", "f1@x.org", "F", "L"],
        ],
    }


def rows_of(files: Files, name: str, key: str) -> list[list[str]]:
    """The rows of a key, to be changed where they are."""
    return [row for row in files[name] if row[1] == key]


def set_cell(name: str, key: str, column: str, value: str, *, nth: int = 0) -> Day:
    """A day on which one cell changes, of the first row of a key or a later one."""

    def day(files: Files) -> None:
        rows_of(files, name, key)[nth][files[name][0].index(column)] = value

    return day


def leave(**keys: str) -> Day:
    """A day on which records leave, with all enrollments of theirs."""

    def day(files: Files) -> None:
        for kind, key in keys.items():
            files[f"{kind}.csv"] = [row for row in files[f"{kind}.csv"] if row[1] != key]
        files["enrollments.csv"] = [row for row in files["enrollments.csv"] if not set(keys.values()) & {*row[1:]}]

    return day


def come(name: str, *rows: list[str], at: int | None = None) -> Day:
    """A day on which rows come, at the end of the file or before others."""

    def day(files: Files) -> None:
        place = len(files[name]) if at is None else at
        files[name][place:place] = [list(row) for row in rows]

    return day


def move_first(name: str, key: str) -> Day:
    """A day on which the last row of a key stands before all others."""

    def day(files: Files) -> None:
        row = rows_of(files, name, key)[-1]
        files[name] = [files[name][0], row, *(other for other in files[name][1:] if other is not row)]

    return day


def reverse_crowd(files: Files) -> None:
    """A day on which rows stand in another order and nothing else is new."""
    files["students.csv"][-CROWD:] = reversed(files["students.csv"][-CROWD:])


DAYS: Final[dict[str, Day]] = {
    "rows of different records change places": reverse_crowd,
    "the first row of a shared contact changes": set_cell("students.csv", "s0", "Contact_phone", "9"),
    "a later row of a shared contact changes": set_cell("students.csv", "s1", "Contact_phone", "8"),
    "another row of a shared contact is the first": move_first("students.csv", "s4"),
    "another row of a student is the first": move_first("students.csv", "s3"),
    "the student leaves whose row gave a contact its values": leave(students="s0"),
    "the student returns": come("students.csv", ["A", "s0", "L", "F", "2", "c0", "Bea", "7", "Mother"]),
    "a student comes to a contact that is there": come(
        "students.csv", ["A", "s8", "L", "F", "2", "c2", "Bea", "7", "Aunt"], at=1
    ),
    "a student gives a contact up": set_cell("students.csv", "s4", "Contact_sis_id", "c3"),
    "a student goes to another school": set_cell("students.csv", "s1", "School_id", "C"),
    "a teacher has another name": set_cell("teachers.csv", "t0", "Last_name", "Abel"),
    "a teacher of two schools has another home": move_first("teachers.csv", "t1"),
    "a section gives one of its teachers up": set_cell("sections.csv", "x0", "Teacher_2_id", ""),
    "a section gets another teacher": set_cell("sections.csv", "x3", "Teacher_id", "t1"),
    "a section goes to another school": set_cell("sections.csv", "x1", "School_id", "C"),
    "the last section of a course goes": leave(sections="x2"),
    "one of several sections of a course goes": leave(sections="x4"),
    "a section comes": come("sections.csv", ["B", "x5", "t2", "t0", "Music", ""]),
    "students change sections": come("enrollments.csv", ["B", "x5", "n1"], ["B", "x5", "n2"]),
    "a teacher leaves with a section": leave(teachers="t2", sections="x5"),
    "a teacher and a section come": lambda files: (
        come("teachers.csv", ["B", "t3", "Dean", "F", "2"])(files),
        come("sections.csv", ["B", "x6", "t3", "t1", "Art", "Fall"])(files),
    ),
    "staff leave": leave(staff="f0"),
    "a school has another name": lambda files: files["schools.csv"][1].__setitem__(1, "Yew"),
}


async def test_each_thing_that_other_rows_depend_on(jobs: Database) -> None:
    """Day after day only rows that differ are read, and what depends on them follows as if all were.

    Catches a record that is wrongly left as it was, or removed because no row of it was read, and a section of which
    the feed would not tell. Seen with a fault in each step of `differing` and `affected`, and in `moved.remember`.
    """
    async with jobs.engine.connect() as connection, AsyncSession(connection) as session:
        compared, whole = await Synced.new(session), await Synced.new(session)
        files = roster()
        for what, day in {"the first": lambda files: None, **DAYS}.items():
            day(files)
            found = await compared.sync(files)
            lines = compared.read("students")
            assert len(lines) < len(files["students.csv"]) // 3 or what == "the first", what
            await whole.forget()
            assert found == await whole.sync(files), what
        # Sections that still name a teacher who left are a problem, of which the report must tell.
        leave(teachers="t1")(files)
        found = await compared.sync(files)
        await whole.forget()
        assert found == await whole.sync(files)
        assert "unknown_teacher" in [problem["code"] for problem in found["problems"]]
        await session.rollback()


async def test_digests_serve_only_with_their_roster(jobs: Database) -> None:
    """Rows are compared with those of the published upload, through the same files again, and with no others.

    Catches digests that outlive their roster, as when an older release has published another one meanwhile: records
    would stay that nobody has uploaded.
    """
    async with jobs.engine.connect() as connection, AsyncSession(connection) as session:
        district = await Synced.new(session)
        files = roster()
        for _ in range(2):
            await district.sync(files)
        set_cell("students.csv", "s0", "Grade", "3")(files)
        await district.sync(files)
        assert len(district.read("students")) < CROWD
        await session.execute(text("update syncs set fingerprint = 'another' where fingerprint is not null"))
        set_cell("students.csv", "s0", "Grade", "4")(files)
        await district.sync(files)
        assert len(district.read("students")) > CROWD
        await session.rollback()


async def test_an_upload_with_a_problem_leaves_no_digests(jobs: Database) -> None:
    """Its problems are told again the next day, when all rows are read again; so are they if they come with that day.

    Catches a report that forgets what is wrong with rows that did not change.
    """
    async with jobs.engine.connect() as connection, AsyncSession(connection) as session:
        district = await Synced.new(session)
        files = roster()
        await district.sync(files)
        set_cell("sections.csv", "x0", "Teacher_2_id", "nobody")(files)
        for grade in ("3", "4"):
            set_cell("students.csv", "s0", "Grade", grade)(files)
            found = await district.sync(files)
            assert len(found["problems"]) == 1
            assert not await district.has_digests()
            assert len(district.read("students")) > CROWD
        await session.rollback()


Edit = tuple[str, str, int, int, int]
EDITS: Final = st.tuples(
    st.sampled_from(("cell", "cell", "cell", "cell", "drop", "copy", "copy as", "move", "leave", "reverse", "columns")),
    st.sampled_from(
        tuple(file for file in roster() for _ in range(6 if file in ("students.csv", "sections.csv") else 2))
    ),
    st.integers(0, 12),
    st.integers(0, 20),
    st.integers(0, 20),
)


def edit(files: Files, what: Edit) -> None:
    """Change one file as an hour of a school's office would."""
    verb, name, row, place, value = what
    head, *rows = files[name]
    if not rows:
        return
    row %= len(rows)
    column = place % len(head)
    pool = POOLS.get(head[column], ANY)
    match verb:
        case "cell":
            rows[row][column] = pool[value % len(pool)]
        case "drop":
            del rows[row]
        case "copy":
            rows.insert(place % (len(rows) + 1), list(rows[row]))
        case "copy as":
            rows.insert(place % (len(rows) + 1), list(rows[row]))
            of = POOLS.get(head[1], ("D",))
            key = of[value % len(of)]
            rows[place % len(rows)][1 if head[1] in POOLS else 0] = key
        case "move":
            rows.insert(place % len(rows), rows.pop(row))
        case "leave":
            rows[:] = [other for other in rows if other[1] != rows[row][1]]
        case "reverse":
            rows.reverse()
        case "columns" if value == 0:
            head, *rows = [[*cells[1:], cells[0]] for cells in (head, *rows)]
    files[name] = [head, *rows]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(days=st.lists(st.lists(EDITS, min_size=1, max_size=3), min_size=1, max_size=3))
async def test_both_ways_of_reading_make_the_same_roster(jobs: Database, days: list[list[Edit]]) -> None:
    """Roster, documents, report, problems and lists of what moved are the same, row for row, day after day.

    Catches a row that is wrongly left unread: its record would keep what it no longer has, or leave.
    """
    async with jobs.engine.connect() as connection, AsyncSession(connection) as session:
        compared, whole = await Synced.new(session), await Synced.new(session)
        files = roster()
        await compared.sync(files)
        await whole.sync(files)
        for number, edits in enumerate(days):
            for one in edits:
                edit(files, one)
            ready = await compared.has_digests()
            found = await compared.sync(files)
            lines = compared.read("students")
            event(f"read {'some' if ready and len(lines) < len(files['students.csv']) - 1 else 'all'}")
            await whole.forget()
            expected = await whole.sync(files)
            note(f"day {number}: {found['problems']}")
            assert found == expected
        await session.rollback()
