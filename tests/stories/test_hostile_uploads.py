"""Files made to harm, sent to the whole service: nothing is published, and no log tells what stood in them."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.factories.logged import logged
from tests.factories.service import Connected, District, Json, Service
from tests.roster.faulty_uploads import GOOD, FaultyUpload
from tests.roster.test_hostile import CHANGED, HOSTILE, edited
from tests.stories.test_faulty_uploads import check_told, receiving_all, seen, send

FAILING = [upload for upload in HOSTILE if upload.outcome == "failed"]
PASSING = [upload for upload in HOSTILE if upload.outcome == "published" and (upload.archive or upload.stage == "sync")]
"""Those of which reading alone does not tell everything."""


@pytest.fixture(scope="module")
async def tutor(service: Service) -> Connected:
    """An application that receives the whole of a small district."""
    return await receiving_all(service)


@pytest.fixture(scope="module")
async def before(tutor: Connected) -> Json:
    """What everybody sees before the first hostile upload."""
    return await seen(tutor)


@pytest.fixture(scope="module")
async def careful(service: Service) -> District:
    """A district that looks before it publishes."""
    return await service.district("Careful Unified")


@pytest.mark.parametrize("upload", FAILING, ids=lambda upload: upload.name)
async def test_nothing_is_published(tutor: Connected, before: Json, upload: FaultyUpload) -> None:
    """A sync of hostile files fails with the exact places and changes no revision; the log holds no cell."""
    with logged() as log:
        sync, text = await send(tutor.district, upload, as_body=False, dry_run=False)

    assert (sync["status"], sync["revision"], sync["report"]) == ("failed", None, {})
    check_told(sync, text, upload)
    assert "zebedee" not in log.text.lower()
    assert (await tutor.fetch("/schools", limit=1)).headers["X-Sharing-Revision"] == before["/schools"][1]


async def test_nothing_has_changed(tutor: Connected, before: Json) -> None:
    """After all of them everybody sees what they saw before."""
    assert await seen(tutor) == before


@pytest.mark.parametrize("upload", PASSING, ids=lambda upload: upload.name)
async def test_what_only_looks_like_harm(careful: District, upload: FaultyUpload) -> None:
    """Rows that name what is not there are told with their places; the log holds no cell."""
    with logged() as log:
        sync, text = await send(careful, upload, as_body=False, dry_run=True)

    assert sync["status"] == "checked"
    check_told(sync, text, upload)
    assert "zebedee" not in log.text.lower()


async def test_cells_are_kept_as_they_are(careful: District) -> None:
    """Look-alikes, marks and signs that mean something to a program stay what they are, and stay apart.

    Catches ids that are normalised, and a wrong merge of two students because theirs look alike.
    """
    names = [
        "s1",
        "s2",
        "\u0455" + "1",
        "s\u200b1",
        "S1",
        "\\.",
        "\\N",
        "null",
        "../s1",
        "%",
        "=1+1",
        "\u202es1",
        "e\u0301",
        "\u00e9",
    ]
    rows = "".join(f"10,{name},Last {name},A,3\n" for name in names)
    files = {**GOOD, "students.csv": b"School_id,Student_id,Last_name,First_name,Grade\n" + rows.encode()}

    await careful.publish(files)

    found = await careful.everything("students")
    assert {row["sis_id"]: row["last_name"] for row in found} == {name: f"Last {name}" for name in names}
    assert len(found) == len(names)


@given(change=CHANGED)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_change_is_answered(careful: District, change: tuple[str, list[tuple[float, int, bytes]]]) -> None:
    """Whatever becomes of a file, its sync ends, and a dry run of it publishes nothing.

    Catches a file on which the service fails again and again.
    """
    name, edits = change
    before = await careful.everything("students")

    sync = await careful.upload({**GOOD, name: edited(GOOD[name], edits)}, dry_run=True)

    assert sync["status"] in ("checked", "failed")
    assert "given_up" not in {problem["code"] for problem in sync["problems"]}
    assert await careful.everything("students") == before
