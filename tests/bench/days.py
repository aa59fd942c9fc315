"""How long the files of each next day take, with one grant and with a hundred, and what a grant keeps."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from tests.bench.beginning import begun
from tests.bench.comparison import TURNS, Comparison, Goal, Row, Size, timed
from tests.bench.decisions import varied_rules
from tests.bench.ground import Ground, Opened, opened
from tests.bench.serving import Served
from tests.bench.uploads import COPY, check_published, copy, make_bare_tables, publish_next, settled
from tests.factories.service import Connected, District

GRANTS: Final = 100
KEPT: Final = 4_000_000
"""Bytes of one grant."""
DAYS_KEPT: Final = 30


def measure_days(ground: Ground) -> list[Row]:
    """The same days in two databases, one of them with many grants."""
    # The first of them does not count: it finds a worker that is still loading itself.
    days = [ground.day(number) for number in range(1, TURNS + 2)]
    with begun(ground, "one_grant") as one, begun(ground, "many_grants") as many:
        return asyncio.run(_measure(one, many, days))


async def connect(there: Opened, *, grants: int) -> list[Connected]:
    """Connect applications with rules that all differ."""
    applications = [await _connected(there.district, number) for number in range(grants)]
    await there.connection.execute("vacuum analyze")
    return applications


async def _connected(district: District, number: int) -> Connected:
    application = await district.connect()
    await application.share(varied_rules(number))
    return application


async def _measure(one: Served, many: Served, days: list[Path]) -> list[Row]:
    alone = Comparison("files of the next day, 1 % churn, one grant with `rules`", COPY, Goal(5))
    crowd = Comparison(f"files of the next day, {GRANTS} grants with `rules`", "the same with one grant", Goal(2))
    first = Comparison("the first save after a publication, `rules` (three)", "the save after it")
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(opened(service)) for service in (one, many)]
        await connect(here, grants=1)
        applications = await connect(there, grants=GRANTS)

        async def copied(number: int) -> None:
            await copy(here, days[number])

        async def with_one(number: int) -> None:
            await publish_next(here, days[number])

        async def with_many(number: int) -> None:
            await publish_next(there, days[number])

        async def other_rules(_: int) -> None:
            await applications[0].share(varied_rules(GRANTS))

        async def first_rules(_: int) -> None:
            await applications[0].share(varied_rules(0))

        for number in range(len(days)):
            await make_bare_tables(here)
            await alone.turn(number, with_one, copied)
            await settled(here)
            crowd.ours.append(await timed(with_many, number))
            await settled(there)
            first.ours.append(await timed(other_rules, number))
            first.theirs.append(await timed(first_rules, number))
            for side in (here, there):
                await check_published(side, days[number])
        for figures in (alone.ours, alone.theirs, crowd.ours, first.ours, first.theirs):
            del figures[0]
        crowd.theirs = alone.ours
        return [alone, crowd, first, await _kept(here)]


async def _kept(there: Opened) -> Size:
    """What the one grant keeps: its ledger, and the feed of the days that were published, scaled to 30."""
    ledger = await there.connection.fetchval(
        "select pg_column_size(ledgers.*) from ledgers join grants on ledger_id = ledgers.id"
    )
    days, feed = await there.connection.fetchrow(
        "select count(distinct f.revision), sum(pg_column_size(f.*)) from feed f join revisions r"
        " on r.district_id = f.district_id and r.number = f.revision where r.cause = 'sync_roster'"
    )
    what = f"what a grant with `rules` keeps: its ledger and {DAYS_KEPT} days of feed, from {days} days"
    return Size(what, ledger + feed * DAYS_KEPT // days, KEPT)
