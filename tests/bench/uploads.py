"""Uploads through HTTP until they are published, and the COPY of the same files that they are measured against."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from sharing_service.generator.files import COLUMNS, File, path_of
from tests.bench.ground import Opened, rows_of
from tests.factories.service import District, Json, answered

SOONEST: Final = 0.02
"""Seconds until a sync is asked for again, at least."""
LATEST: Final = 0.02
"""The part by which a sync may seem longer than it was: each question takes time from it, of which there is little."""
COPY: Final = "COPY of the files into bare text tables"


async def publish(opened: Opened, folder: Path) -> Json:
    """Upload the files of a folder and wait until they are published; the sync as it ended."""
    with ExitStack() as streams:
        files = {f"{file}.csv": streams.enter_context(path_of(folder, file).open("rb")) for file in File}
        sync = await _sync(opened.district, files)
    assert (sync["status"], sync["problems"]) == ("published", []), sync
    return sync


async def publish_next(opened: Opened, folder: Path) -> Json:
    """Upload the files of a folder after those of the day before or after it; the sync as it ended."""
    sync = await publish(opened, folder)
    students = sync["report"]["students"]
    assert students["added"] == students["removed"] > 0, students
    return sync


async def check_published(opened: Opened, folder: Path) -> None:
    """Fail unless the roster has as many enrollments as the files, once nothing is to be done any more."""
    await settled(opened)
    found = await opened.connection.fetchval("select sum(cardinality(students)) from section_students")
    assert found == rows_of(folder, File.ENROLLMENTS), f"{found} enrollments are not those of {folder}"


async def settled(opened: Opened) -> None:
    """Wait until the worker has deleted what was uploaded, which takes time from whatever is measured next."""
    left = "select exists (select from upload_files)"
    while await opened.connection.fetchval(left):  # noqa: ASYNC110 - the worker tells nobody
        await asyncio.sleep(SOONEST)


async def wake_worker(district: District) -> None:
    """Have a dry run of nothing answered, since a worker that has just been started is still loading itself."""
    headers = {f"{file}.csv": ",".join(columns).encode() + b"\n" for file, columns in COLUMNS.items()}
    assert (await _sync(district, headers, dry_run=True))["status"] == "checked"


async def make_bare_tables(opened: Opened) -> None:
    """Make the tables of `copy` anew."""
    for file, columns in COLUMNS.items():
        named = ", ".join(f'"{name}" text' for name in columns)
        await opened.connection.execute(f"drop table if exists bare_{file}")
        await opened.connection.execute(f"create table bare_{file} ({named})")


async def copy(opened: Opened, folder: Path) -> None:
    """Do the least that could bring the files into the database."""
    for file in File:
        await opened.connection.copy_to_table(f"bare_{file}", source=path_of(folder, file), format="csv", header=True)


async def _sync(district: District, files: Mapping[str, bytes | BinaryIO], *, dry_run: bool = False) -> Json:
    """Upload files, leave the rest to the worker, and ask until it is done; the sync as it ended."""
    response = await district.service.client.post(
        f"{district.path}/syncs",
        params={"dry_run": dry_run},
        files=[(name, (name, content, "text/csv")) for name, content in files.items()],
        headers=district.admin,
    )
    sync: Json = answered(response, 202)
    begin = time.monotonic()
    while sync["status"] in ("queued", "running"):
        await asyncio.sleep(max(SOONEST, LATEST * (time.monotonic() - begin)))
        sync = await district.sync_report(sync["id"])
    return sync
