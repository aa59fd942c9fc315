"""Faulty uploads sent to the whole service: each is answered exactly, and none changes what anybody sees."""

from typing import Any

import httpx2
import pytest

from tests.factories.service import KINDS, Connected, District, Json, Service, answered
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.roster.faulty_archives import FAULTY_UPLOADS, packed
from tests.roster.faulty_uploads import ARCHIVE_NAME, GOOD, FaultyUpload

UNNAMED = "upload.zip"
"""What reports call an archive that was the whole body."""

FAILING = [upload for upload in FAULTY_UPLOADS if upload.outcome == "failed"]
PASSING = [upload for upload in FAULTY_UPLOADS if upload.outcome == "published"]
COMPARED = [upload for upload in PASSING if upload.archive or upload.stage == "sync"]


@pytest.fixture(scope="module")
async def tutor(service: Service) -> Connected:
    """An application that receives the whole of a small district."""
    return await receiving_all(service)


async def receiving_all(service: Service) -> Connected:
    """A new district that shares all it has with an application."""
    district = await service.district()
    await district.publish(render(SMALL_DISTRICT))
    tutor = await district.connect()
    await tutor.share({"mode": "district", "include_staff": True})
    return tutor


@pytest.fixture(scope="module")
async def before(tutor: Connected) -> Json:
    """What everybody sees before the first faulty upload."""
    return await seen(tutor)


@pytest.fixture(scope="module")
async def careless(service: Service) -> District:
    """A district whose uploads are published with all their faults."""
    return await service.district("Careless Unified")


async def seen(tutor: Connected) -> Json:
    """What the operator, the district and the application see of the roster."""
    district, service = tutor.district, tutor.district.service
    shown: Json = answered(await service.client.get(district.path, headers=service.operator))
    for kind in KINDS:
        shown[kind] = await district.everything(kind)
    for path in ("/schools", "/sections", "/users"):
        response = await tutor.fetch(path, limit=10000)
        assert response.status_code == 200
        shown[path] = (response.content, response.headers["X-Sharing-Revision"])
    return shown


async def send(district: District, upload: FaultyUpload, *, as_body: bool, dry_run: bool) -> tuple[Json, str]:
    """Sync an upload, sent as parts or as one archive; the sync as it ended, and the text of its report."""
    sent = upload.sent()
    if as_body:
        body: Json = {"content": sent.get(ARCHIVE_NAME) or packed(sent)}
        headers = {"Content-Type": "application/zip"}
    else:
        body = {"files": [(name, (name, data, "text/csv")) for name, data in sent.items()]}
        headers = {}
    response: httpx2.Response = await district.service.client.post(
        f"{district.path}/syncs", params={"dry_run": dry_run}, headers=district.admin | headers, **body
    )
    queued = answered(response, 202)
    await district.run_sync()
    ended = await district.service.client.get(f"{district.path}/syncs/{queued['id']}", headers=district.admin)
    return answered(ended), ended.text


def told(sync: Json) -> list[str]:
    """Severity, file, line, column and code of each problem, in an order of their own."""
    problems: list[dict[str, Any]] = sync["problems"]
    return sorted(repr((one["severity"], one["file"], one["line"], one["column"], one["code"])) for one in problems)


def expected(upload: FaultyUpload, *, as_body: bool) -> list[str]:
    """What the table says of an upload that is sent in this way."""
    named = {ARCHIVE_NAME: UNNAMED} if as_body else {}
    return sorted(
        repr((severity, named.get(file, file), line, column, code))
        for severity, file, line, column, code in upload.problems
    )


def check_told(sync: Json, text: str, upload: FaultyUpload, *, as_body: bool = False) -> None:
    """A sync tells exactly the problems of the table and repeats no cell."""
    assert told(sync) == expected(upload, as_body=as_body)
    assert sync["problem_count"] == len(upload.problems)
    assert "zebedee" not in text.lower()


@pytest.mark.parametrize(
    ("upload", "as_body"),
    [
        *(pytest.param(upload, False, id=upload.name) for upload in FAILING),
        *(pytest.param(upload, True, id=f"{upload.name}, as the body") for upload in FAILING if upload.archive),
    ],
)
@pytest.mark.asvs("V2.2.1", "V5.2.2", "V2.3.3")
async def test_an_upload_that_cannot_be_read(
    tutor: Connected, before: Json, upload: FaultyUpload, as_body: bool
) -> None:
    """A sync of files that cannot be read fails with the exact places, repeats no cell and changes nothing.

    Catches: a sync that goes on with the files that it could read, and so removes what stands in the others."""
    sync, text = await send(tutor.district, upload, as_body=as_body, dry_run=False)

    assert (sync["status"], sync["revision"], sync["report"]) == ("failed", None, {})
    check_told(sync, text, upload, as_body=as_body)
    assert await seen(tutor) == before


@pytest.mark.parametrize("upload", PASSING, ids=lambda upload: upload.name)
async def test_an_upload_with_faulty_rows(careless: District, upload: FaultyUpload) -> None:
    """Faulty rows are told with their places, and the others are published."""
    sync, text = await send(careless, upload, as_body=False, dry_run=False)

    assert sync["status"] == "published"
    check_told(sync, text, upload)
    rejected = sum(of_kind["rejected"] for of_kind in sync["report"].values())
    assert rejected == len([one for one in upload.problems if one[0] == "error"])


@pytest.mark.parametrize("upload", COMPARED, ids=lambda upload: upload.name)
async def test_a_dry_run_with_faulty_rows(tutor: Connected, before: Json, upload: FaultyUpload) -> None:
    """A dry run tells what only the comparison of the files shows, and changes nothing.

    Catches: a dry run that publishes, or that stops before the comparison."""
    sync, text = await send(tutor.district, upload, as_body=True, dry_run=True)

    assert sync["status"] == "checked"
    check_told(sync, text, upload, as_body=True)
    assert await seen(tutor) == before


@pytest.mark.asvs("V16.5.3")
async def test_after_all_faults(careless: District) -> None:
    """After all these faults the good upload is published without a problem: no fault leaves anything behind."""
    sync = await careless.publish(GOOD)

    assert (sync["problems"], sync["problem_count"]) == ([], 0)
    assert [row["sis_id"] for row in await careless.everything("students")] == ["s1", "s2"]
