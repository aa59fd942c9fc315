"""How long the files of each next day take, for a district with one application and for one with a hundred."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from tests.bench.comparison import TURNS, Comparison, Goal, Row, timed
from tests.bench.decisions import varied_rules
from tests.bench.ground import Ground, Opened, opened
from tests.bench.serving import Served
from tests.bench.uploads import COPY, check_published, copy, make_bare_tables, publish, publish_next
from tests.factories.service import Connected, District

GRANTS: Final = 100


def measure_days(ground: Ground) -> list[Row]:
    """The same days in two databases, one of them with many grants."""
    days = [ground.day(number) for number in range(TURNS + 1)]
    with ground.served("one_grant") as one, ground.served("many_grants") as many:
        return asyncio.run(_measure(one, many, days))


async def begin(there: Opened, first_day: Path, *, grants: int) -> list[Connected]:
    """Connect applications with rules that all differ, and publish the first day."""
    # A permission is quickly saved while there is nobody to share.
    applications = [await _connected(there.district, number) for number in range(grants)]
    await publish(there, first_day)
    await there.connection.execute("vacuum analyze")
    return applications


async def _connected(district: District, number: int) -> Connected:
    application = await district.connect()
    await application.share(varied_rules(number))
    return application


async def _measure(one: Served, many: Served, days: list[Path]) -> list[Row]:
    alone = Comparison("files of the next day, 1 % churn, one grant with `rules`", COPY, Goal(5))
    crowd = Comparison(f"files of the next day, {GRANTS} grants with `rules`", "the same with one grant", Goal(2))
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(opened(service)) for service in (one, many)]
        await begin(here, days[0], grants=1)
        await begin(there, days[0], grants=GRANTS)

        async def copied(number: int) -> None:
            await copy(here, days[number])

        async def with_one(number: int) -> None:
            await publish_next(here, days[number])

        async def with_many(number: int) -> None:
            await publish_next(there, days[number])

        for number in range(1, len(days)):
            await make_bare_tables(here)
            await alone.turn(number, with_one, copied)
            crowd.theirs.append(alone.ours[-1])
            crowd.ours.append(await timed(with_many, number))
            for side in (here, there):
                await check_published(side, days[number])
    return [alone, crowd]
