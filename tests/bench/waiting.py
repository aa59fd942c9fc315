"""How long a district waits for a decision that it makes while the files of the next day are published."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.beginning import begun
from tests.bench.comparison import TURNS, Comparison, Goal, Operation, Row, Size, timed
from tests.bench.days import GRANTS, connect
from tests.bench.decisions import varied_rules
from tests.bench.ground import Ground, Opened, opened
from tests.bench.memory import WORKER_LIMIT, peak, worker
from tests.bench.serving import Served
from tests.bench.uploads import check_published, publish_next, settled
from tests.factories.service import Connected

IDLE: Final = 3
"""How many decisions are timed before each upload."""
REST_SECONDS: Final = 0.02


def measure_waiting(ground: Ground) -> list[Row]:
    """A save, a block and a pause, made in turn over and over during an upload."""
    days = cycle([ground.day(1), ground.day(0)])
    with begun(ground, "waiting") as service:
        return asyncio.run(_measure(service, days))


@dataclass(frozen=True)
class _Decision:
    """What a district decides, and how the same can be decided again."""

    name: str
    decide: Operation
    undo: Operation

    async def seconds(self) -> float:
        """How long it takes."""
        waited = await timed(self.decide, 0)
        await self.undo(0)
        return waited


async def _measure(service: Served, days: Iterator[Path]) -> list[Row]:
    async with opened(service) as there:
        applications = await connect(there, grants=GRANTS)
        # One that does not count: it finds a worker that is still loading itself.
        await publish_next(there, next(days))
        await settled(there)
        decisions = (_save(applications[0]), await _block(applications[1]), _pause(applications[2]))
        what = f"during an upload of 1 % churn with {GRANTS} grants, the slowest of each"
        rows = [Comparison(f"{one.name} {what}", "the same when idle", Goal(10)) for one in decisions]
        for _ in range(TURNS):
            for decision, comparison in zip(decisions, rows, strict=True):
                comparison.theirs.append(median([await decision.seconds() for _ in range(IDLE)]))
            slowest = await _slowest(there, decisions, next(days))
            for seconds, comparison in zip(slowest, rows, strict=True):
                comparison.ours.append(seconds)
    what = f"memory of the importing process with {GRANTS} grants, peak"
    return [*rows, Size(what, peak(worker()), WORKER_LIMIT)]


async def _slowest(there: Opened, decisions: Sequence[_Decision], day: Path) -> list[float]:
    """Of each decision, made in turn with the others until a day is published, how long the slowest took.

    The upload is known to be published a little later than it is. Decisions of that time wait for the new graph, as
    whatever comes first after a publication does, which `days` measures.
    """
    upload = asyncio.create_task(publish_next(there, day))
    waited: list[list[tuple[datetime, float]]] = [[] for _ in decisions]
    while not upload.done():
        for decision, found in zip(decisions, waited, strict=True):
            found.append((datetime.now(UTC), await decision.seconds()))
            await asyncio.sleep(REST_SECONDS)
    published = datetime.fromisoformat((await upload)["finished_at"])
    await check_published(there, day)
    return [max(seconds for began, seconds in found if began < published) for found in waited]


def _save(application: Connected) -> _Decision:
    permissions = cycle([varied_rules(1), varied_rules(2)])

    async def save(_: int) -> None:
        assert (await application.share(next(permissions)))["counts"]["students"]

    async def nothing(_: int) -> None:
        pass

    return _Decision("save of a permission, `rules` (three),", save, nothing)


async def _block(application: Connected) -> _Decision:
    """A teacher's, since a student may be one of those who leave on the next day."""
    (teacher,) = (await application.read("/users", role="teacher", limit=1))["data"]
    wanted = {
        "kind": "teachers",
        "record_id": teacher["data"]["id"],
        "application_id": application.id,
        "reason": "Bench",
    }
    blocks: list[str] = []

    async def block(_: int) -> None:
        blocks.append((await application.district.call("POST", "/blocks", wanted, 201))["id"])

    async def unblock(_: int) -> None:
        await application.district.call("DELETE", f"/blocks/{blocks.pop()}", status=204)

    return _Decision("block of a teacher for one application", block, unblock)


def _pause(application: Connected) -> _Decision:
    async def pause(_: int) -> None:
        assert (await application.district.call("POST", f"{application.path}/pause"))["paused"]

    async def resume(_: int) -> None:
        await application.district.call("POST", f"{application.path}/resume")

    return _Decision("pause of a grant", pause, resume)
