"""Every upload of the table of faulty ones is answered exactly."""

from dataclasses import astuple

import pytest

from sharing_service.roster.problems import ProblemLog
from tests.roster.faulty_archives import FAULTY_UPLOADS
from tests.roster.faulty_uploads import GOOD, FaultyUpload
from tests.roster.reader import read_upload

SYNC_CODES = {
    "unknown_school",
    "unknown_section",
    "unknown_student",
    "unknown_teacher",
    "school_mismatch",
    "duplicate_row",
}


@pytest.mark.parametrize("upload", FAULTY_UPLOADS, ids=lambda upload: upload.name)
def test_faulty_upload(upload: FaultyUpload) -> None:
    """Each fault is reported with its severity, file, line, column and code, and nothing else is."""
    log = ProblemLog()

    rows = read_upload(upload.sent(), log)

    expected = [found for found in upload.problems if found[-1] not in SYNC_CODES]
    assert sorted(map(repr, (astuple(problem)[:5] for problem in log.kept))) == sorted(map(repr, expected))
    assert log.count == len(expected)
    assert ("failed" if rows is None else "published") == upload.outcome


@pytest.mark.parametrize("upload", FAULTY_UPLOADS, ids=lambda upload: upload.name)
@pytest.mark.asvs("V16.2.5")
def test_no_cell_is_repeated(upload: FaultyUpload) -> None:
    """No problem repeats what stands in a cell, because reports are read by more people than rosters."""
    log = ProblemLog()

    read_upload(upload.sent(), log)

    assert "zebedee" not in repr(log.kept).lower()


def test_names_are_unique() -> None:
    """Each faulty upload has a name of its own."""
    assert len({upload.name for upload in FAULTY_UPLOADS}) == len(FAULTY_UPLOADS) >= 60


def test_good_upload() -> None:
    """The upload that all others differ from is without fault."""
    log = ProblemLog()

    rows = read_upload(GOOD, log)

    assert rows is not None
    assert {file: len(found) for file, found in rows.items()} == {
        "schools.csv": 2,
        "students.csv": 2,
        "teachers.csv": 1,
        "sections.csv": 1,
        "enrollments.csv": 1,
        "staff.csv": 1,
    }
    assert log.kept == []
