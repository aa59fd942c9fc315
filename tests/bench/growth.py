"""Whether answers to partners take longer in a large district than in a small one."""

import asyncio
import json
import random
from contextlib import AsyncExitStack
from typing import Any, Final

from tests.bench.beginning import begun
from tests.bench.comparison import Goal, Row, compare
from tests.bench.crawling import crawl
from tests.bench.days import connect
from tests.bench.ground import Ground, opened
from tests.bench.serving import Served
from tests.factories.service import Connected

SMALL: Final = 10_000
PAGE: Final = 1000
RECORD: Final = b'{"data":{'
"""How each record of a page begins."""
ASKED: Final = 20
"""How many requests are one turn."""
GOAL: Final = Goal(1.3)


def measure_growth(ground: Ground) -> list[Row]:
    """Pages and single records of the same permission in two databases."""
    with begun(ground, "grown") as large, begun(ground, "small", students=SMALL) as small:
        return asyncio.run(_measure(large, small))


async def _measure(*services: Served) -> list[Row]:
    partners = []
    async with AsyncExitStack() as stack:
        for service in services:
            there = await stack.enter_async_context(opened(service))
            (application,) = await connect(there, grants=1)
            partners.append(_Partner(application, await _students(application)))
        large, small = partners
        reference = f"the same in a district of {SMALL} students"
        return [
            await compare(f"{ASKED} pages of {PAGE} students", large.pages, reference, small.pages, goal=GOAL),
            await compare(f"{ASKED} students by id", large.records, reference, small.records, goal=GOAL),
        ]


async def _students(application: Connected) -> list[str]:
    ids = [
        entry["data"]["id"] async for body in crawl(application, role="student") for entry in json.loads(body)["data"]
    ]
    assert len(ids) > PAGE, f"the rules share {len(ids)} students, less than a page: take a larger district"
    return ids


class _Partner:
    """An application that knows the ids of its students."""

    def __init__(self, application: Connected, ids: list[str]) -> None:
        self._application = application
        self._ids = ids

    async def pages(self, turn: int) -> None:
        rng = random.Random(turn)
        for _ in range(ASKED):
            after = self._ids[rng.randrange(len(self._ids) - PAGE)]
            page = await self._content("/users", role="student", limit=PAGE, starting_after=after)
            # To parse its records would be the time of the client.
            assert page.count(RECORD) == PAGE

    async def records(self, turn: int) -> None:
        for chosen in random.Random(turn).choices(self._ids, k=ASKED):
            assert chosen.encode() in await self._content(f"/users/{chosen}")

    async def _content(self, path: str, **parameters: Any) -> bytes:
        response = await self._application.fetch(path, **parameters)
        assert response.status_code == 200, response.text
        return response.content
