"""A service in a process of its own: where it answers, what it has in use, and what it logs."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from sqlalchemy import text

from sharing_service.database import Database
from tests.architecture.project import ROOT
from tests.factories.service import Json
from tests.stories.storm.connections import Address
from tests.stories.storm.serving import STATE

READY_SECONDS: Final = 60
END_SECONDS: Final = 60
CALM_LOOKS: Final = 50
"""Ten a second: so long may the last of those who were cut go on."""
ENVIRONMENT: Final = {
    name: value for name, value in os.environ.items() if not name.startswith(("SHARING_", "COVERAGE_"))
}
"""Without measurement of coverage: it would take as long again, and every line is run elsewhere."""
BACKENDS: Final = """
select state, count(*) as backends from pg_stat_activity
where datname = :database and backend_type = 'client backend' group by state
"""


@dataclass(frozen=True)
class Served:
    """A running service."""

    url: str
    database: str
    """The name of its database, which nobody else uses."""
    by_hand: Database
    """Another one on the same server, as a superuser sees it."""
    log: Path

    @property
    def logged(self) -> str:
        """Every line so far."""
        return self.log.read_text()

    @property
    def address(self) -> Address:
        """Where it listens."""
        url = httpx2.URL(self.url)
        return url.host, url.port or 80

    async def numbers(self) -> Json:
        """What the service has in use and what is free while nobody asks."""
        while True:
            _, told = await self._look()
            numbers: Json = told["numbers"]
            if numbers["lent of sessions"] == 0:  # what it keeps in memory is refreshed now and then
                return numbers

    async def unlike(self, before: Json) -> list[str]:
        """What is not as before, once the last requests have had some seconds to end."""
        found: list[str] = []
        for _ in range(CALM_LOOKS):
            found = self._found(before, *await self._look())
            if not found:
                break
            await asyncio.sleep(0.1)
        return found

    def _found(self, before: Json, states: dict[str, int], told: Json) -> list[str]:
        now = told["numbers"]
        found = [*told["left"]]
        found += [f"{name}: {before[name]} before, {now[name]} now" for name in now if now[name] != before[name]]
        if states != {"idle": told["connections"]}:
            found.append(f"the server has connections {states}, of which the pools know {told['connections']}")
        return found

    async def _look(self) -> tuple[dict[str, int], Json]:
        async with httpx2.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as client:
            told: Json = (await client.get(STATE)).raise_for_status().json()
        async with self.by_hand.read() as session:
            rows = await session.execute(text(BACKENDS), {"database": self.database})
            return {row.state: row.backends for row in rows}, told


@contextmanager
def served(url: str, *, by_hand: Database, folder: Path, fault: str | None = None) -> Iterator[Served]:
    """Serve a database, with a fault if one is named, as long as the block lasts."""
    line = [sys.executable, "-m", "tests.stories.storm.serving", url, *([fault] if fault else [])]
    printed, log = folder / "printed", folder / "log"
    with (
        open(printed, "wb") as output,
        open(log, "wb") as errors,
        subprocess.Popen(line, cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=errors) as process,
    ):
        try:
            yield Served(_ready(process, printed), url.rpartition("/")[2], by_hand, log)
            if fault is None:  # else it may keep a request for ever
                process.terminate()
                process.wait(END_SECONDS)
        finally:
            process.kill()


def _ready(process: "subprocess.Popen[bytes]", printed: Path) -> str:
    give_up = time.monotonic() + READY_SECONDS
    while not (text := printed.read_text()).startswith("ready "):
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return text.strip().removeprefix("ready ")
