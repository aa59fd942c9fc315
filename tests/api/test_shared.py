"""What an application receives, as the district reads it: lists, CSV files, and nothing beyond what is shared."""

import csv
import io
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message

from sharing_service.api.shared import _File
from sharing_service.patience import Patience
from tests.factories.service import Connected, District, Json
from tests.factories.small_district import SMALL_DISTRICT, by_rules, rule
from tests.factories.upload import render

FILES = render(SMALL_DISTRICT)
COUNTED = ("schools", "sections", "students", "teachers", "staff")
WHOLE = {"mode": "district", "include_staff": True}
DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a,b", 'say "hi"', "two\nlines", "'=1", "ünï;code")


async def lines_of(tutor: Connected, kind: str) -> list[dict[str, str]]:
    """The parsed lines of a CSV file."""
    response = await tutor.district.service.client.get(
        f"{tutor.district.path}{tutor.path}/shared/{kind}.csv", headers=tutor.district.admin
    )
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{kind}.csv"'
    assert response.content.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


def ids_in(value: Any) -> set[str]:
    """Every text of the form of an id, however deep."""
    match value:
        case dict():
            return {found for inner in value.values() for found in ids_in(inner)}
        case list():
            return {found for inner in value for found in ids_in(inner)}
        case str() if len(value) == 36 and value.count("-") == 4:
            return {value}
        case _:
            return set()


@pytest.fixture
async def riverbend(district: District) -> District:
    """The small district, published."""
    await district.publish(FILES)
    return district


async def test_overview(riverbend: District) -> None:
    """The overview has version, revision and counts, and links that answer with as many records."""
    tutor = await riverbend.connect()
    saved = await tutor.share(WHOLE)
    shared = await riverbend.get(f"{tutor.path}/shared")

    assert {name: shared[name] for name in ("version", "revision", "counts")} == {
        name: saved[name] for name in ("version", "revision", "counts")
    }
    for kind, links in shared["links"].items():
        listed = await riverbend.service.client.get(links["list"], headers=riverbend.admin)
        downloaded = await riverbend.service.client.get(links["csv"], headers=riverbend.admin)
        assert listed.json()["total"] == shared["counts"][kind] == len(listed.json()["data"])
        assert downloaded.text.count("\r\n") == shared["counts"][kind] + 1


@pytest.mark.asvs("V5.4.1", "V5.4.2")
async def test_nothing_shared(riverbend: District) -> None:
    """A connected application with which nothing is shared has empty lists and files with a header only."""
    tutor = await riverbend.connect()

    for kind in COUNTED:
        assert await riverbend.get(f"{tutor.path}/shared/{kind}") == {"data": [], "next": None, "total": 0}
        assert await lines_of(tutor, kind) == []
    for kind in ("courses", "contacts", "pupils", "students.txt"):
        await riverbend.get(f"{tutor.path}/shared/{kind}", 404)


async def test_rows_are_those_of_the_data_browser(riverbend: District) -> None:
    """If everything is shared with every field, the rows are the rows of the data browser."""
    tutor = await riverbend.connect()
    await tutor.share(WHOLE)

    for kind in COUNTED:
        assert (await riverbend.get(f"{tutor.path}/shared/{kind}"))["data"] == await riverbend.everything(kind)


@pytest.mark.asvs("V8.2.3", "V15.3.1")
async def test_only_granted_fields(riverbend: District) -> None:
    """Of an application that asks for identity only, rows and files have no other field.

    Catches: an export that reads the fields of the district instead of the application's."""
    application = await riverbend.service.application(fields={"students": {"optional": ["numbers"]}})
    tutor = await riverbend.connect(application)
    await tutor.share(WHOLE)
    [row, *_] = (await riverbend.get(f"{tutor.path}/shared/students"))["data"]
    [teacher, *_] = (await riverbend.get(f"{tutor.path}/shared/teachers"))["data"]
    files = {kind: await lines_of(tutor, kind) for kind in ("students", "teachers")}

    names = ["last_name", "first_name", "middle_name"]
    head = ["id", "sis_id", "name", "school", "schools"]
    assert list(row) == [*head, *names, "student_number", "state_id", "grade", "graduation_year"]
    assert list(teacher) == [*head, *names, "title"]
    assert [list(files["students"][0]), list(files["teachers"][0])] == [list(row), list(teacher)]


PERMISSIONS: list[Json] = [
    by_rules(rule("students", sis_id="ann")),
    by_rules(rule("students", sis_id="cal"), exceptions=(rule("teachers", sis_id="una"),)),
    by_rules(rule("teachers", sis_id="una")),
    by_rules(rule("sections", sis_id="art"), rule("staff", sis_id="yan")),
    by_rules(rule("sections", sis_id="algebra"), exceptions=(rule("students", sis_id="ann"),)),
]


@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_no_identifier_leaks(riverbend: District, permission: Json) -> None:
    """No row and no cell names a record that is not shared.

    Catches: references that are taken from the roster instead of the ledger."""
    tutor = await riverbend.connect()
    await tutor.share(permission)
    rows = {kind: (await riverbend.get(f"{tutor.path}/shared/{kind}"))["data"] for kind in COUNTED}
    shared = {row["id"] for of_kind in rows.values() for row in of_kind}
    along = {row["id"] for kind in ("courses", "terms") for row in await riverbend.everything(kind)}
    everyone = {record_id for kind in COUNTED for row in await riverbend.everything(kind) for record_id in [row["id"]]}
    named = {found for kind in COUNTED for found in ids_in(rows[kind])}
    in_files = "".join([str(await lines_of(tutor, kind)) for kind in COUNTED])

    assert shared < everyone
    assert named - along <= shared
    assert {record_id for record_id in everyone if record_id in in_files} == shared


@pytest.mark.asvs("V1.3.3")
async def test_cells_are_no_formulas(district: District) -> None:
    """A cell that a spreadsheet would run begins with an apostrophe; every other is as it is in the roster.

    Catches: a writer without the guard, and one that does not quote."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["School_id", "Student_id", "Last_name", "First_name", "ext.note"])
    writer.writerows(["N", f"s{n:02}", value, "First", value] for n, value in enumerate(DANGEROUS))
    files = FILES | {"students.csv": text.getvalue(), "enrollments.csv": "School_id,Section_id,Student_id\n"}
    await district.publish(files)
    tutor = await district.connect()
    await tutor.share(WHOLE)
    rows = await district.everything("students")
    lines = await lines_of(tutor, "students")

    guarded = [line["last_name"] for line in lines]
    assert guarded == ["'" + row["last_name"] if row["last_name"][0] in "=+-@" else row["last_name"] for row in rows]
    assert sum(value.startswith("'") for value in guarded) == 6
    assert {line["school"] for line in lines} == {rows[0]["school"]}


async def test_lists_in_cells(riverbend: District) -> None:
    """A cell with several ids holds them in order, joined by semicolons; extensions are JSON."""
    tutor = await riverbend.connect()
    await tutor.share(WHOLE)
    ids = await riverbend.ids()
    lines = {line["sis_id"]: line for line in await lines_of(tutor, "students")}
    sections = {line["sis_id"]: line for line in await lines_of(tutor, "sections")}

    assert lines["ben"]["schools"] == f"{ids['schools', 'N']};{ids['schools', 'S']}"
    assert (lines["ben"]["ext"], lines["ann"]["ext"]) == ('{"house":"Red"}', "{}")
    assert sections["algebra"]["students"] == f"{ids['students', 'ann']};{ids['students', 'cal']}"
    assert (sections["lab"]["teachers"], sections["lab"]["term"]) == ("", "")


async def test_long_lists(district: District) -> None:
    """Files of more records than are read at once, and lists in pages, hold every shared record once and in order."""
    rows = "".join(f"N,s{n:05},Last,First\n" for n in range(4500))
    students = "School_id,Student_id,Last_name,First_name\n" + rows
    await district.publish(FILES | {"students.csv": students, "enrollments.csv": "School_id,Section_id,Student_id\n"})
    tutor = await district.connect()
    await tutor.share(by_rules({"match": "students", "where": [odd]}))
    lines = [line["sis_id"] for line in await lines_of(tutor, "students")]
    paged, after = [], None
    while True:
        page = await district.get(f"{tutor.path}/shared/students", limit=999, **({"after": after} if after else {}))
        paged += [row["sis_id"] for row in page["data"]]
        after = page["next"]
        if after is None:
            break

    assert lines == paged == [f"s{n:05}" for n in range(4500) if "7" not in f"{n:05}"]


odd = {"field": "sis_id", "operator": "does_not_contain", "values": ["7"]}


@pytest.mark.asvs("V8.2.3")
async def test_search_in_shared_lists(riverbend: District) -> None:
    """A search finds shared records only, by the fields that the application receives, and pages through them.

    Catches: a search that tells what a hidden field holds, or who is not shared."""
    asked = await riverbend.service.application(fields={"teachers": {"optional": ["email"]}})
    tutor = await riverbend.connect(asked)
    await tutor.share(WHOLE | {"include_staff": False})

    async def found(kind: str, **parameters: Any) -> list[str]:
        page = await riverbend.get(f"{tutor.path}/shared/{kind}", **parameters)
        assert page["total"] == len(page["data"])
        return [row["sis_id"] for row in page["data"]]

    assert await found("teachers", q="tom@n") == ["tom"]
    assert await found("teachers", q="TOM@N") == []
    assert await found("teachers", q="TOM@N", case_sensitive=False) == ["tom"]
    assert await found("staff", q="yan") == []
    await riverbend.call("PUT", f"{tutor.path}/fields", {"declined": ["email"]})
    assert await found("teachers", q="tom@n") == []
    first = await riverbend.get(f"{tutor.path}/shared/students", q="e", limit=1)
    second = await riverbend.get(f"{tutor.path}/shared/students", q="e", limit=1, after=first["next"])
    assert [row["sis_id"] for page in (first, second) for row in page["data"]] == ["ben", "dee"]
    assert (first["total"], second["total"], second["next"]) == (2, 2, None)


async def test_a_file_whose_reading_runs_out_of_time() -> None:
    """A file for which something within the service was waited for too long ends with an error, never without its end.

    Catches a failure of our own that is taken for a client that has gone, of which nobody hears.
    """

    async def pieces() -> AsyncGenerator[bytes]:
        yield b"one"
        raise TimeoutError

    received: list[Message] = []

    async def send(message: Message) -> None:
        received.append(message)

    with pytest.raises(TimeoutError):
        await _File(pieces(), Patience(), name="some.csv").stream_response(send)

    assert [message.get("body") for message in received] == [None, b"one"]
