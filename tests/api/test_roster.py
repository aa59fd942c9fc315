"""The data browser: every record as the district itself reads it."""

from typing import Any
from uuid import uuid4

import pytest

from sharing_service.roster.catalogue import FIELDS, Kind
from tests.factories.service import KINDS, District, answered
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

FILES = render(SMALL_DISTRICT)
PERSONS = """School_id,Student_id,Last_name,First_name,Middle_name,Student_email,State_id,Student_number
N,1%,O'Neil,Ánna,Maria,a_b@n.org,77,900
N,1_,Stone,Ben,,B@n.org,78,901
"""


@pytest.fixture
async def riverbend(district: District) -> District:
    """The small district, published."""
    await district.publish(FILES)
    return district


async def found(district: District, kind: str, **parameters: Any) -> list[str]:
    """The sis_ids that a search finds."""
    page = await district.get(f"/{kind}", **parameters)
    assert page["total"] == len(page["data"])
    return [row["sis_id"] for row in page["data"]]


@pytest.mark.parametrize("kind", KINDS)
async def test_rows_have_every_field(riverbend: District, kind: str) -> None:
    """A row has id, sis_id, name and every field of the catalogue, and is the same alone as in the list."""
    page = await riverbend.get(f"/{kind}")
    for row in page["data"]:
        assert list(row)[:3] == ["id", "sis_id", "name"]
        assert {field.name for field in FIELDS[Kind(kind)]} <= set(row)
        assert row == await riverbend.get(f"/{kind}/{row['id']}")
    assert page["total"] == len(page["data"]) > 0


async def test_references(riverbend: District) -> None:
    """A section names school, course, term, teachers and students; a person the schools, the home school first."""
    ids = await riverbend.ids()
    algebra = await riverbend.get(f"/sections/{ids['sections', 'algebra']}")
    ben = await riverbend.get(f"/students/{ids['students', 'ben']}")
    cal = await riverbend.get(f"/students/{ids['students', 'cal']}")

    assert algebra["name"] == "Algebra I - Toms - 2"
    assert (algebra["school"], algebra["subject"]) == (ids["schools", "N"], "math")
    assert algebra["teachers"] == [ids["teachers", "tom"], ids["teachers", "una"]]
    assert algebra["students"] == [ids["students", "ann"], ids["students", "cal"]]
    assert (await riverbend.get(f"/courses/{algebra['course']}"))["number"] == "101"
    assert (await riverbend.get(f"/terms/{algebra['term']}"))["name"] == "Fall"
    assert (ben["school"], ben["schools"]) == (ids["schools", "N"], [ids["schools", "N"], ids["schools", "S"]])
    assert ben["ext"] == {"house": "Red"}
    assert cal["schools"] == [ids["schools", "S"], ids["schools", "N"]]


async def test_names_of_persons(district: District) -> None:
    """A person's name is first, middle and last name, without a gap where one is missing."""
    await district.publish(FILES | {"students.csv": PERSONS, "enrollments.csv": "School_id,Section_id,Student_id\n"})
    rows = (await district.get("/students"))["data"]

    assert [row["name"] for row in rows] == ["Ánna Maria O'Neil", "Ben Stone"]


@pytest.mark.parametrize(
    ("q", "sensitive", "expected"),
    [
        ("Maria O'N", True, ["1%"]),
        ("Ánna O'Neil", True, ["1%"]),
        ("ánna", True, []),
        ("ánna", False, ["1%"]),
        ("ÁNNA MARIA", False, ["1%"]),
        ("%", True, ["1%"]),
        ("_", True, ["1%", "1_"]),
        ("a_b", True, ["1%"]),
        ("axb", False, []),
        ("B@N.ORG", False, ["1%", "1_"]),
        ("90", True, ["1%", "1_"]),
        ("78", True, ["1_"]),
        ("1_", True, ["1_"]),
        ("' or true --", True, []),
        ("\\", True, []),
        ("", True, ["1%", "1_"]),
    ],
)
@pytest.mark.asvs("V1.2.4", "V1.2.9")
async def test_search(district: District, q: str, sensitive: bool, expected: list[str]) -> None:
    """A search looks for the text itself in names, sis_id, e-mail and numbers.

    Catches: LIKE, in which % and _ stand for other letters, and lower() that knows only ASCII."""
    await district.publish(FILES | {"students.csv": PERSONS, "enrollments.csv": "School_id,Section_id,Student_id\n"})

    assert await found(district, "students", q=q, case_sensitive=sensitive) == expected


@pytest.mark.parametrize(
    ("kind", "q", "expected"),
    [
        ("schools", "ort", ["N"]),
        ("schools", "2", ["S"]),
        ("sections", "Art Cl", ["art"]),
        ("sections", "Toms", ["algebra"]),
        ("sections", "101", ["algebra"]),
        ("teachers", "tom@", ["tom"]),
        ("staff", "zo", ["zoe"]),
        ("courses", "bra", [None]),
        ("terms", "Fa", [None]),
    ],
)
async def test_search_in_every_kind(riverbend: District, kind: str, q: str, expected: list[str]) -> None:
    """Every kind is searched by what names its records."""
    assert await found(riverbend, kind, q=q) == expected


async def test_pages(riverbend: District) -> None:
    """Pages in the order of ids hold every record once, and `total` counts what was found."""
    seen, after = [], None
    while True:
        page = await riverbend.get("/students", limit=3, **({"after": after} if after else {}))
        seen += [row["id"] for row in page["data"]]
        assert page["total"] == 4
        after = page["next"]
        if after is None:
            break

    assert seen == sorted(set(seen))
    assert len(seen) == 4
    searched = await riverbend.get("/students", limit=1, q="n")
    assert (searched["total"], searched["next"] is None) == (2, False)


async def test_what_cannot_be_asked(riverbend: District) -> None:
    """Wrong limits, cursors and texts are refused; unknown kinds and records are not found."""
    ids = await riverbend.ids()
    for wrong in ({"limit": 0}, {"limit": 1001}, {"after": "x"}, {"q": "a\0"}, {"q": "a" * 201}):
        await riverbend.get("/students", 422, **wrong)
    student = ids["students", "ann"]
    for path in (
        "/contacts",
        "/pupils",
        f"/teachers/{student}",
        f"/students/{student.upper()}",
        f"/students/{uuid4()}",
    ):
        await riverbend.get(path, 404)


async def test_a_record_that_left(riverbend: District) -> None:
    """A record that has left is neither listed nor found, and comes back under its id."""
    ids = await riverbend.ids()
    gone = {name: "".join(line for line in text.splitlines(True) if "dee" not in line) for name, text in FILES.items()}
    await riverbend.publish(gone)
    await riverbend.get(f"/students/{ids['students', 'dee']}", 404)
    await riverbend.publish(FILES)

    assert (await riverbend.get(f"/students/{ids['students', 'dee']}"))["sis_id"] == "dee"


async def test_a_district_without_a_roster(district: District) -> None:
    """Before the first sync every list is empty."""
    for kind in KINDS:
        assert await district.get(f"/{kind}") == {"data": [], "next": None, "total": 0}
    answered(await district.service.client.get(f"{district.path}/students"), 401)
