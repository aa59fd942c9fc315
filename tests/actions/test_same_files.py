"""The same files again: published without being read, and only if they would give what is published."""

from uuid import UUID

import pytest

from sharing_service.actions.sync_roster import sync_roster
from sharing_service.database import enter_district
from sharing_service.roster import syncs
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.fingerprint import fingerprint
from sharing_service.roster.sync_models import UploadFile
from tests.actions.test_sync_roster import queued
from tests.factories.service import District, Json
from tests.factories.upload import render
from tests.stories.test_no_instant import roster

Files = dict[str, str]
FIRST, SECOND = render(roster(0)), render(roster(1))
FAULTY = FIRST | {
    "enrollments.csv": FIRST["enrollments.csv"] + "N,nowhere,s1\nN,x0,nobody\n",
    "notes.csv": "Note\n",
}


async def run(district: District, files: Files, limits: ArchiveLimits | None = None) -> tuple[Json, bool]:
    """Upload files and run the sync; the sync as it ended, and whether the files were read."""
    sync_id = await queued(district, files)
    steps: list[float] = []

    async def progress(done: float) -> None:
        steps.append(done)

    async with district.service.jobs.write() as session:
        await enter_district(session, UUID(district.id))
        await syncs.take_turn(session, UUID(district.id))
        sync = await syncs.next_of(session, UUID(district.id))
        assert sync is not None
        await sync_roster(session, sync, attempt=1, limits=limits or ArchiveLimits(), progress=progress)
    return await district.sync_report(sync_id), bool(steps)


async def test_they_are_not_read_and_tell_the_same_problems(district: District) -> None:
    """The same files again change nothing, take no revision, and repeat what is wrong with them, time after time."""
    first, was_read = await run(district, FAULTY)
    assert was_read
    for _ in range(2):
        again, was_read = await run(district, FAULTY)
        assert not was_read
        assert (again["status"], again["revision"]) == ("published", first["revision"])
        codes = {problem["code"] for problem in again["problems"]}
        assert codes >= {"ignored_file", "unknown_section", "unknown_student"}
        for member in ("problems", "problem_count"):
            assert again[member] == first[member]
        zeros = {"added": 0, "changed": 0, "removed": 0}
        assert again["report"] == {kind: counts | zeros for kind, counts in first["report"].items()}
        assert again["report"]["enrollments"]["rejected"] == 2


async def test_the_answer_is_the_one_of_reading(district: District) -> None:
    """A sync that skips the reading ends as one that reads: other limits make it read."""
    await run(district, FAULTY)
    skipped, _ = await run(district, FAULTY)
    full, was_read = await run(district, FAULTY, ArchiveLimits(entries=99))
    assert was_read
    for member in ("status", "revision", "report", "problems", "problem_count", "dry_run", "progress"):
        assert skipped[member] == full[member]


async def test_another_roster_in_between_is_replaced(district: District) -> None:
    """Files that were published once, but not last, are read again.

    Catches a fingerprint that outlives its roster: the district would believe that its upload serves.
    """
    for files in (FIRST, SECOND, FIRST):
        sync, was_read = await run(district, files)
        assert was_read
        assert sync["report"]["students"]["added"] > 0


async def test_uploads_that_were_not_published_do_not_count(district: District) -> None:
    """A dry run or a failure in between leaves the published files the same, and is itself never taken for them."""
    await run(district, FIRST)
    for _ in range(2):
        assert (await district.upload(SECOND, dry_run=True))["report"]["students"]["removed"] > 0
        assert (await district.upload({"schools.csv": "x"}))["status"] == "failed"
    assert not (await run(district, FIRST))[1]
    assert (await run(district, SECOND))[1]


async def test_a_dry_run_of_the_same_files_is_checked(district: District) -> None:
    """A dry run of what is published ends checked and leaves it published."""
    first, _ = await run(district, FIRST)
    checked = await district.upload(FIRST, dry_run=True)
    assert (checked["status"], checked["revision"]) == ("checked", first["revision"])
    assert not (await run(district, FIRST))[1]


async def test_a_held_upload_counts_once_it_is_released(district: District) -> None:
    """The files of a held sync are held again when they come again, and the same files once a person let them pass."""
    head, *_ = FIRST["students.csv"].splitlines(keepends=True)
    width = head.count(",")
    files = [FIRST | {"students.csv": head + _rows(count, width)} for count in (60, 10)]
    await run(district, files[0])
    for _ in range(2):
        assert (await run(district, files[1]))[0]["status"] == "held"
    await district.publish(files[1])
    again, was_read = await run(district, files[1])
    assert (again["status"], was_read) == ("published", False)
    assert "removes_too_much" not in [problem["code"] for problem in again["problems"]]


def _rows(count: int, width: int) -> str:
    return "".join(
        ",".join(["N", f"n{n}", "Last", "First"][: width + 1] + [""] * (width - 3)) + "\n" for n in range(count)
    )


@pytest.mark.parametrize(
    ("name", "is_archive", "digest"), [("b.csv", False, b"1"), ("a.csv", True, b"1"), ("a.csv", False, b"2")]
)
def test_every_part_of_a_fingerprint_counts(name: str, is_archive: bool, digest: bytes) -> None:
    """Another name, form or content, another order, or other limits are another upload."""
    one = UploadFile(name="a.csv", is_archive=False, digest=b"1")
    other = UploadFile(name=name, is_archive=is_archive, digest=digest)
    same = UploadFile(name="a.csv", is_archive=False, digest=b"1")
    limits = ArchiveLimits()
    assert fingerprint([one], limits) == fingerprint([same], ArchiveLimits())
    assert fingerprint([one], limits) != fingerprint([one], ArchiveLimits(ratio=7))
    assert fingerprint([one], limits) != fingerprint([other], limits)
    assert fingerprint([one, other], limits) != fingerprint([other, one], limits)
