"""Everything about answers that carry records: their time, and the memory of the process that gives them."""

import asyncio
from dataclasses import replace
from typing import Final

from tests.bench.beginning import begun
from tests.bench.comparison import Goal, Row, Size
from tests.bench.crawling import crawl
from tests.bench.ground import Ground, opened
from tests.bench.memory import API_LIMIT, api, forget_peak, peak
from tests.bench.reading import compare_reading
from tests.bench.serving import Served
from tests.bench.uploads import publish, settled
from tests.factories.service import Connected

GOALS: Final = (Goal(0.6, least=True), Goal(0.5, least=True), Goal(2.5), Goal(3), None)
"""Of pages and records in requests per second; of the export and the crawls, of which the compressed one has none."""


def measure_answers(ground: Ground) -> list[Row]:
    """The comparisons of `reading`, then one crawl and one export for the memory."""
    with begun(ground, "answers") as service:
        return asyncio.run(_measure(service, ground))


async def _measure(service: Served, ground: Ground) -> list[Row]:
    async with opened(service) as there:
        # Nothing changes, but the memory of an API process that has taken an upload is what counts.
        await publish(there, ground.day(0))
        await settled(there)
        by_rules, whole = await there.district.connect(), await there.district.connect()
        rows: list[Row] = []
        comparisons = await compare_reading(by_rules, whole, there.connection)
        for comparison, goal in zip(comparisons, GOALS, strict=True):
            rows.append(replace(comparison, goal=goal))
        forget_peak(api())
        async for _ in crawl(whole):
            pass
        crawled = peak(api())
        forget_peak(api())
        await _export(whole)
        rows += [
            Size("memory of the API process during a crawl, peak", crawled, API_LIMIT),
            Size("memory of the API process during a CSV export, peak", peak(api()), API_LIMIT),
        ]
    return rows


async def _export(application: Connected) -> None:
    district = application.district
    path = f"{district.path}{application.path}/shared/students.csv"
    async with district.service.client.stream("GET", path, headers=district.admin) as response:
        assert response.status_code == 200
        async for _ in response.aiter_raw():
            pass
