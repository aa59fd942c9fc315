"""Measures the service on generated districts: `python -m tests.bench STUDENTS [PART ...]`.

All parts together write docs/performance.md.
"""

import asyncio
import os
import platform
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from sharing_service import schema
from sharing_service.embedded import start
from sharing_service.generator.files import File
from tests.bench.answers import measure_answers
from tests.bench.comparison import HEAD, TURNS, Row
from tests.bench.days import measure_days
from tests.bench.decisions import measure_decisions
from tests.bench.ground import Ground, rows_of
from tests.bench.growth import measure_growth
from tests.bench.imports import DATABASES, measure_imports
from tests.bench.waiting import measure_waiting

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
PARTS: Final[Mapping[str, Callable[[Ground], list[Row]]]] = {
    "imports": measure_imports,
    "days": measure_days,
    "decisions": measure_decisions,
    "answers": measure_answers,
    "growth": measure_growth,
    "waiting": measure_waiting,
}

TEXT: Final = """# Performance

`make bench STUDENTS={students}` on {cores} cores, {date}, PostgreSQL {postgres}, Python {python}.
Rows of the first day's files: {rows}.

The service runs as `serve` runs it, its PostgreSQL with every commit on the disk, its client on the same machine. Both
sides of a row are measured in turn in one run. The figures are medians: of {databases} turns for the imports, each in a
new database, and of {turns} turns for the rest, after one that does not count, in vacuumed copies of a database that
has published the first day. Answers are asked for uncompressed, as the references are, where nothing else is said. The
ratio is ours divided by the reference. The goals are those for a district of a million students.

{table}
"""


def main(students: int, parts: Sequence[str]) -> None:
    """Measure, print the table and, if no part was left out, write the page."""
    with tempfile.TemporaryDirectory(prefix="sharing-bench-") as folder, start(Path(folder)) as server:
        schema.upgrade(server.url)
        ground = Ground(server, Path(folder), students)
        lines = [HEAD]
        print(HEAD)
        for name in parts:
            rows = [row.row for row in PARTS[name](ground)]
            # At once: a part of a large district takes hours.
            print(*rows, sep="\n", flush=True)
            lines += rows
        if len(parts) == len(PARTS):
            PAGE.write_text(_page(ground, lines), encoding="utf-8")


def _page(ground: Ground, lines: Sequence[str]) -> str:
    return TEXT.format(
        students=ground.students,
        cores=len(os.sched_getaffinity(0)),
        date=datetime.now(UTC).date(),
        postgres=asyncio.run(_version(ground.server.dsn)),
        python=platform.python_version(),
        rows=", ".join(f"{file} {rows_of(ground.day(0), file)}" for file in File),
        databases=DATABASES,
        turns=TURNS,
        table="\n".join(lines),
    )


async def _version(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    version: str = await connection.fetchval("show server_version")
    await connection.close()
    return version


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m tests.bench", description="Measure the service on generated districts.")
    parser.add_argument("students", type=int)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"Of {', '.join(PARTS)}.")
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"No part is called {unknown[0]}; there are {', '.join(PARTS)}.")
    main(asked.students, asked.parts or list(PARTS))
