"""How long an upload takes until it is published, and what memory, against COPY of the same files."""

import asyncio
from pathlib import Path
from typing import Final

from tests.bench.comparison import Comparison, Goal, Row, Size
from tests.bench.ground import Ground, opened
from tests.bench.memory import WORKER_LIMIT, peak, worker
from tests.bench.serving import Served
from tests.bench.uploads import COPY, check_published, copy, make_bare_tables, publish, wake_worker

DATABASES: Final = 5


def measure_imports(ground: Ground) -> list[Row]:
    """The first import and the same files again, a turn in each of some new databases."""
    imports = _Imports(ground.day(0))
    for number in range(DATABASES):
        with ground.served(f"imports_{number}") as service:
            asyncio.run(imports.take_turn(service))
    return [imports.first, imports.again, Size("memory of the importing process, peak", imports.peak, WORKER_LIMIT)]


class _Imports:
    def __init__(self, files: Path) -> None:
        self._files = files
        self.peak = 0
        self.first = Comparison("first import, until published", COPY, Goal(12))
        self.again = Comparison("the same files again, until published", COPY, Goal(4))

    async def take_turn(self, service: Served) -> None:
        """Publish the files twice in a new district, each time beside a COPY."""
        revisions = []
        async with opened(service) as there:
            await wake_worker(there.district)

            async def ours(_: int) -> None:
                revisions.append((await publish(there, self._files))["revision"])

            async def theirs(_: int) -> None:
                await copy(there, self._files)

            for comparison in (self.first, self.again):
                await make_bare_tables(there)
                await comparison.turn(0, ours, theirs)
                await check_published(there, self._files)
        assert revisions[0] == revisions[1], "the same files again changed something"
        self.peak = max(self.peak, peak(worker()))
