"""A generated district goes through the import as if a district had sent it."""

from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.generator.district import write_district
from sharing_service.roster import checking, grouped, merging, staging
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.enrollment_rows import Frames, read_enrollments
from sharing_service.roster.problems import ProblemLog
from sharing_service.roster.reading import read_rows
from sharing_service.roster.upload import FILES
from tests.roster.syncing import ID_TIME, new_district


@pytest.mark.parametrize("students", [1, 10, 60, 2000])
async def test_import_has_nothing_to_say(session: AsyncSession, tmp_path: Path, students: int) -> None:
    """Every row is taken without an error or a warning, and every kind has records."""
    write_district(tmp_path, students=students)
    district_id = (await new_district(session)).district_id
    log = ProblemLog()

    await staging.create(session)
    for name, kind in FILES.items():
        with (tmp_path / name).open("rb") as stream:
            if kind != "enrollments":
                await staging.load(session, kind, read_rows(kind, name, stream, log))
    enrollments = (tmp_path / "enrollments.csv").read_bytes()

    async def frames() -> Frames:
        return read_enrollments("enrollments.csv", lambda: BytesIO(enrollments), log)

    published = await grouped.published(await staging.driver(session), district_id)
    checked = await checking.check(session, district_id, log, frames, published=published, id_time=ID_TIME)
    outcome = await merging.merge(session, district_id, checked)

    assert log.kept == []
    assert outcome["students"].added == students
    assert all(outcome[kind].added > 0 for kind in Kind)
