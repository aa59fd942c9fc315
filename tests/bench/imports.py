"""How long an upload takes until it is published, against COPY of the same files."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from sharing_service.generator.files import COLUMNS, File
from tests.bench.comparison import Comparison
from tests.factories.service import District, Json, answered

POLL_SECONDS: Final = 0.02


class Imports:
    """The two comparisons, which gain one turn from each new database."""

    def __init__(self, files: Path) -> None:
        """Name the folder of the upload."""
        self._paths = [files / f"{file}.csv" for file in COLUMNS]
        self._files = {path.name: path.read_bytes() for path in self._paths}
        self.first = Comparison("first import, until published", "COPY of the files into bare text tables")
        self.again = Comparison("the same files again, until published", "COPY of the files into bare text tables")

    async def take_turn(self, district: District, connection: asyncpg.Connection) -> None:
        """Publish the files twice in a new district, each time beside a COPY."""
        revisions = []

        async def publish(_: int) -> None:
            sync = await _sync(district, self._files)
            assert sync["status"] == "published", sync
            revisions.append(sync["revision"])

        async def copy(_: int) -> None:
            for path in self._paths:
                await connection.copy_to_table(f"bare_{path.stem}", source=path, format="csv", header=True)

        for comparison in (self.first, self.again):
            await _make_bare_tables(connection)
            await comparison.turn(0, publish, copy)
        assert revisions[0] == revisions[1], "the same files again changed something"

    async def wake_worker(self, district: District) -> None:
        """Have a dry run of nothing answered, since a worker that has just been started is still loading itself."""
        headers = {path.name: ",".join(COLUMNS[File(path.stem)]).encode() + b"\n" for path in self._paths}
        assert (await _sync(district, headers, dry_run=True))["status"] == "checked"


async def _sync(district: District, files: Mapping[str, bytes], *, dry_run: bool = False) -> Json:
    """Upload files, leave the rest to the worker, and ask until it is done; the sync as it ended."""
    response = await district.service.client.post(
        f"{district.path}/syncs",
        params={"dry_run": dry_run},
        files=[(name, (name, content, "text/csv")) for name, content in files.items()],
        headers=district.admin,
    )
    sync: Json = answered(response, 202)
    while sync["status"] in ("queued", "running"):
        await asyncio.sleep(POLL_SECONDS)
        sync = await district.sync_report(sync["id"])
    return sync


async def _make_bare_tables(connection: asyncpg.Connection) -> None:
    for file, columns in COLUMNS.items():
        named = ", ".join(f'"{name}" text' for name in columns)
        await connection.execute(f"drop table if exists bare_{file}")
        await connection.execute(f"create table bare_{file} ({named})")
