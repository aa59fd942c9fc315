"""Measures the service on a generated district and writes docs/performance.md: `python -m tests.bench STUDENTS`."""

import asyncio
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import httpx2

from sharing_service import schema
from sharing_service.database import Database
from sharing_service.embedded import start
from sharing_service.generator.district import write_district
from tests.bench.comparison import TURNS, Comparison, table
from tests.bench.decisions import compare_decisions
from tests.bench.imports import Imports
from tests.bench.reading import compare_reading
from tests.bench.serving import OPERATOR_TOKEN, Served, served
from tests.factories.service import District, Service, bearer

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
IMPORTS: Final = 3
ANSWER_SECONDS: Final = 600
COUNTED: Final = ("schools", "students", "teachers", "sections", "enrollments")

TEXT: Final = """# Performance

`make bench STUDENTS={asked}` on {cores} cores, {date}, PostgreSQL {postgres}, Python {python}:
{schools} schools, {students} students, {teachers} teachers, {sections} sections, {enrollments} enrollments.

The service runs as `serve` runs it, its PostgreSQL with every commit on the disk, its client on the same machine. Both
sides of a row are measured in turn in one run. The figures are medians: of {imports} turns for the imports, each in a
new database, and of {turns} turns for the rest, after one that does not count, in a vacuumed database. The ratio is
ours divided by the reference.

{table}
"""


def main(students: int) -> None:
    """Measure, print the page and write it."""
    with tempfile.TemporaryDirectory(prefix="sharing-bench-") as folder, start(Path(folder)) as server:
        schema.upgrade(server.url)
        files = Path(folder) / "upload"
        write_district(files, students=students)
        imports = Imports(files)
        for turn in range(1, IMPORTS + 1):
            with served(server, f"bench_{turn}", Path(folder)) as service:
                page = asyncio.run(_measure(service, imports, asked=students, last=turn == IMPORTS))
    print(page)
    PAGE.write_text(page, encoding="utf-8")


async def _measure(service: Served, imports: Imports, *, asked: int, last: bool) -> str:
    """One turn of the imports and, in the last one's database, all the rest; the page."""
    connection = await asyncpg.connect(service.dsn)
    client = httpx2.AsyncClient(base_url=service.url, timeout=ANSWER_SECONDS, trust_env=False)
    async with client:
        district = await Service(client, Database(service.dsn), bearer(OPERATOR_TOKEN)).district()
        await imports.wake_worker(district)
        await imports.take_turn(district, connection)
        comparisons = [imports.first, imports.again]
        if last:
            comparisons += await _compare_the_rest(district, connection)
        page = await _page(comparisons, connection, asked=asked)
    await connection.close()
    return page


async def _compare_the_rest(district: District, connection: asyncpg.Connection) -> list[Comparison]:
    await connection.execute("vacuum analyze")
    return [
        *await compare_decisions(await district.connect(), connection),
        *await compare_reading(await district.connect(), await district.connect(), connection),
    ]


async def _page(comparisons: list[Comparison], connection: asyncpg.Connection, *, asked: int) -> str:
    counts = {name: await connection.fetchval(f"select count(*) from {name}") for name in COUNTED}
    return TEXT.format(
        asked=asked,
        cores=len(os.sched_getaffinity(0)),
        date=datetime.now(UTC).date(),
        postgres=await connection.fetchval("show server_version"),
        python=platform.python_version(),
        imports=IMPORTS,
        turns=TURNS,
        table=table(comparisons),
        **counts,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
