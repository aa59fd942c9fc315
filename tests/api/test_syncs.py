"""Uploads over HTTP: queued, run, held, released, discarded."""

import io
import zipfile
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.factories.service import District, Json, Service, answered
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

FILES = render(SMALL_DISTRICT)
STUDENTS = "School_id,Student_id,Last_name,First_name\n"


def zipped(files: dict[str, str]) -> bytes:
    """The files in one archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return archive.getvalue()


def many(students: int) -> dict[str, str]:
    """The small district with this many students, in no section."""
    rows = "".join(f"N,s{n},Last,First\n" for n in range(students))
    return FILES | {"students.csv": STUDENTS + rows, "enrollments.csv": "School_id,Section_id,Student_id\n"}


async def send(district: District, body: bytes, content_type: str, status: int = 202, query: str = "") -> Json:
    """The answer to an upload."""
    headers = district.admin | {"Content-Type": content_type}
    response = await district.service.client.post(f"{district.path}/syncs{query}", content=body, headers=headers)
    answer: Json = answered(response, status)
    if status == 202:
        assert response.headers["Location"] == f"{district.path}/syncs/{answer['id']}"
    return answer


async def held(district: District) -> Json:
    """A sync that waits for a person, since it removes more students than usual."""
    await district.publish(many(100))
    sync = await district.upload(many(50))
    assert sync["status"] == "held", sync
    return sync


async def actions(district: District) -> list[str]:
    """The trail, newest first."""
    return [line["action"] for line in (await district.get("/audit"))["data"]]


async def test_a_zip_archive(district: District) -> None:
    """A zip archive is queued with its place in Location, and published by the worker."""
    queued = await send(district, zipped(FILES), "application/zip")
    await district.run_sync()
    done = await district.sync_report(queued["id"])

    assert (queued["status"], queued["progress"], queued["revision"], queued["dry_run"]) == ("queued", 0.0, None, False)
    assert (done["status"], done["progress"], done["revision"]) == ("published", 1.0, 1)
    assert done["report"]["students"]["added"] == 4
    assert await actions(district) == ["sync_roster", "request_sync", "issue_token", "create_district"]
    assert await district.kept_rows() == 0


async def test_a_job_is_queued_with_the_upload(district: District) -> None:
    """The job stands in the queue once the answer is there, and none stands there for a refused upload.

    Catches: a job enqueued in a transaction of its own."""
    await send(district, zipped(FILES), "application/zip")
    await send(district, b"no parts", "multipart/form-data; boundary=x", 422)
    async with district.service.by_hand.read() as session:
        payloads = await session.scalars(text("select convert_from(payload, 'UTF8') from pgqueuer"))
        assert sum(district.id in payload for payload in payloads) == 1
    assert await district.kept_rows() == 2


async def test_a_dry_run(district: District) -> None:
    """A dry run ends checked and says what would change, but changes nothing; nor do the same files again."""
    await district.publish(FILES)
    checked = await district.upload(many(100), dry_run=True)
    again = await district.upload(FILES)

    assert (checked["status"], checked["dry_run"], checked["revision"]) == ("checked", True, None)
    assert checked["report"]["students"]["added"] == 100
    assert (again["status"], again["revision"]) == ("published", 1)
    assert (await district.get("/students"))["total"] == 4


@pytest.mark.parametrize("content_type", ["text/csv", "application/json", "", "multipart/mixed; boundary=x"])
async def test_other_content_types(district: District, content_type: str) -> None:
    """A body of another content type is answered 415."""
    problem = await send(district, b"School_id", content_type, 415)

    assert problem["code"] == "unsupported_content"


@pytest.mark.asvs("V5.2.2")
async def test_an_upload_that_calls_itself_json_is_not_read(district: District) -> None:
    """A body that no upload has is refused before it is read, also with an Idempotency-Key, whose body is compared.

    Catches: an unbounded body in memory, because the routes of uploads count their bytes themselves."""
    read = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            read.append(number)
            yield bytes(1024)

    headers = district.admin | {"Content-Type": "application/json", "Idempotency-Key": "k"}
    response = await district.service.client.post(f"{district.path}/syncs", content=pieces(), headers=headers)

    assert answered(response, 415)["code"] == "unsupported_content"
    assert len(read) <= 1


@pytest.mark.asvs("V2.3.2", "V5.2.1")
async def test_an_upload_that_is_too_large(service: Service, district: District) -> None:
    """More bytes than the limit of uploads are answered 413, and nothing of them is kept."""
    application = service.client._transport.app  # type: ignore[attr-defined]
    limit, application.state.upload_limit = application.state.upload_limit, 1024
    try:
        problems = [
            await send(district, zipped(FILES) + bytes(1024), "application/zip", 413),
            await send(district, bytes(2048), "multipart/form-data; boundary=x", 413),
        ]
    finally:
        application.state.upload_limit = limit

    assert {problem["code"] for problem in problems} == {"too_large"}
    assert ((await district.get("/syncs"))["total"], await district.kept_rows()) == (0, 0)


@pytest.mark.asvs("V2.3.1")
async def test_releasing(district: District) -> None:
    """A held sync that a person releases is published; the old roster serves until then."""
    sync = await held(district)
    before = (await district.get("/students"))["total"]
    queued = await district.call("POST", f"/syncs/{sync['id']}/release", status=202)
    again = await district.call("POST", f"/syncs/{sync['id']}/release", status=409)
    await district.run_sync()
    done = await district.sync_report(sync["id"])

    assert (before, queued["status"], queued["progress"], again["code"]) == (100, "queued", 0, "not_held")
    assert (done["status"], done["progress"], (await district.get("/students"))["total"]) == ("published", 1, 50)
    assert (await actions(district))[:2] == ["sync_roster", "release_sync"]


async def test_the_reason_of_a_hold_comes_first(district: District) -> None:
    """A held sync says first why it is held, however many rows of it have problems."""
    await district.publish(many(100))
    enrollments = "School_id,Section_id,Student_id\n" + "N,x,nobody\n" * 1100
    sync = await district.upload(many(50) | {"enrollments.csv": enrollments})

    assert (sync["status"], len(sync["problems"]), sync["problem_count"] > 1000) == ("held", 1000, True)
    assert sync["problems"][0]["code"] == "removes_too_much"


async def test_discarding(district: District) -> None:
    """A held sync that a person discards changes nothing, and its upload is deleted."""
    sync = await held(district)
    kept = await district.kept_rows()
    done = await district.call("POST", f"/syncs/{sync['id']}/discard")
    again = await district.call("POST", f"/syncs/{sync['id']}/discard", status=409)
    async with district.service.by_hand.read() as session:
        payloads = "select convert_from(payload, 'UTF8') from pgqueuer where entrypoint = 'delete_uploads'"
        queued = [payload for payload in await session.scalars(text(payloads)) if district.id in payload]
    await district.clear_away()

    assert kept > 0
    assert len(queued) == 2  # one of the sync that was published before
    assert (done["status"], again["code"], await district.kept_rows()) == ("discarded", "not_held", 0)
    assert (await district.get("/students"))["total"] == 100
    assert (await actions(district))[0] == "discard_sync"


async def test_a_newer_upload_discards_a_held_one(district: District) -> None:
    """A new upload makes the held one pointless, a dry run does not; the trail names what was discarded."""
    sync = await held(district)
    await district.upload(many(60), dry_run=True)
    kept = (await district.sync_report(sync["id"]))["status"]
    await send(district, zipped(many(99)), "application/zip")
    discarded = (await district.sync_report(sync["id"]))["status"]
    line = (await district.get("/audit", limit=1))["data"][0]

    assert (kept, discarded) == ("held", "discarded")
    assert (line["action"], line["after"]) == ("request_sync", {"dry_run": False, "discarded": [sync["id"]]})
    await district.call("POST", f"/syncs/{sync['id']}/release", status=409)


@pytest.mark.asvs("V8.4.1")
async def test_the_list_of_syncs(district: District) -> None:
    """Syncs are listed newest first, in pages; one of another district is not found."""
    ids = [(await send(district, zipped(FILES), "application/zip"))["id"] for _ in range(3)]
    first = await district.get("/syncs", limit=2)
    second = await district.get("/syncs", limit=2, after=first["next"])
    other = await district.service.district()

    assert [sync["id"] for page in (first, second) for sync in page["data"]] == ids[::-1]
    assert (first["total"], second["next"]) == (3, None)
    for path in (f"/syncs/{ids[0]}", f"/syncs/{uuid4()}", "/syncs/x"):
        await other.get(path, 404)


async def test_a_repeated_upload(district: District) -> None:
    """An upload that is sent again under its Idempotency-Key is one sync."""
    headers = district.admin | {"Content-Type": "application/zip", "Idempotency-Key": str(uuid4())}
    answers = [
        await district.service.client.post(f"{district.path}/syncs", content=zipped(FILES), headers=headers)
        for _ in range(2)
    ]

    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert (await district.get("/syncs"))["total"] == 1
