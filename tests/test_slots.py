"""Slots for long work."""

import asyncio
import gc
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest

from sharing_service.errors import Busy
from sharing_service.slots import Slots

ONE, OTHER, THIRD = uuid4(), uuid4(), uuid4()
SHORT = 0.05


async def taken(held: AsyncExitStack, slots: Slots, *districts: UUID) -> list[bool]:
    """Who gets a slot, and keeps it, of those that ask one after the other."""
    got = []
    for district_id in districts:
        try:
            await held.enter_async_context(slots.taken(district_id))
            got.append(True)
        except Busy:
            got.append(False)
    return got


@pytest.mark.asvs("V15.2.2")
async def test_one_district_has_half() -> None:
    """A district gets half of the slots and no more; the others are for the others.

    Catches a bound for all together, which one district uses up.
    """
    slots = Slots(4, wait_seconds=SHORT)
    async with AsyncExitStack() as held:
        assert await taken(held, slots, ONE, ONE, ONE) == [True, True, False]
        assert await taken(held, slots, OTHER, OTHER, OTHER, THIRD) == [True, True, False, False]
    async with AsyncExitStack() as held:
        assert await taken(held, slots, THIRD, ONE, THIRD) == [True, True, True]


async def test_waiting_stands_in_nobodys_way() -> None:
    """Whoever waits for a slot of its own district takes none of another one's, and gets the next that is free.

    Catches a queue in which those of one district stand before all others.
    """
    slots = Slots(4, wait_seconds=5)
    async with AsyncExitStack() as held, AsyncExitStack() as later:
        assert await taken(later, slots, ONE) == [True]
        assert await taken(held, slots, ONE) == [True]
        waiting = [asyncio.create_task(taken(held, slots, ONE)) for _ in range(5)]
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            assert await taken(held, slots, OTHER, OTHER) == [True, True]
        await later.aclose()
        done, still = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        for task in still:
            task.cancel()
        await asyncio.wait(still)


async def test_whoever_gives_up_leaves_no_trace() -> None:
    """Cancelled, refused or done: the slots are free again for everybody."""
    slots = Slots(1, wait_seconds=SHORT)
    async with AsyncExitStack() as held:
        assert await taken(held, slots, ONE, ONE, OTHER) == [True, False, False]
        cut = asyncio.create_task(taken(held, slots, OTHER))
        await asyncio.sleep(0)
        cut.cancel()
        await asyncio.wait([cut])
    for district_id in (ONE, OTHER, THIRD):
        async with AsyncExitStack() as held:
            assert await taken(held, slots, district_id) == [True]


async def test_districts_are_forgotten() -> None:
    """Of districts that have no slot and wait for none, nothing is kept."""
    slots = Slots(1, wait_seconds=0.001)
    async with AsyncExitStack() as held:
        assert await taken(held, slots, ONE) == [True]
        assert True not in await taken(held, slots, *(uuid4() for _ in range(50)))
        gc.collect()
        assert len(slots._own) < 5  # the last errors still have hold of their place
