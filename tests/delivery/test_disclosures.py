"""Disclosures that are written together."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from pyroaring import BitMap
from sqlalchemy import text

from sharing_service.database import Database
from sharing_service.delivery.disclosures import Disclosed, Disclosures
from sharing_service.errors import Unavailable
from tests.factories.service import District


def disclosed(*persons: int) -> Disclosed:
    """What an answer with these persons carries."""
    return Disclosed(
        application_id=uuid4(),
        token_id=uuid4(),
        route="/v3.1/users",
        revision=1,
        field_groups=("email", "identity"),
        persons=BitMap(persons).serialize(),
    )


async def stored(by_hand: Database, district_id: UUID) -> list[Any]:
    """The disclosures of a district, with the transaction that wrote each."""
    found = "select xmin::text as writer, field_groups, persons from disclosures where district_id = :id order by id"
    async with by_hand.read() as session:
        return list(await session.execute(text(found), {"id": district_id}))


async def test_those_that_wait_share_a_transaction(district: District) -> None:
    """Those that come at once are written together, and each is there when its answer goes on."""
    database, district_id = district.service.database, UUID(district.id)
    disclosures = Disclosures(database)
    await asyncio.gather(*(disclosures.record(district_id, disclosed(n)) for n in range(5)))
    rows = await stored(district.service.by_hand, district_id)
    assert sorted(BitMap.deserialize(row.persons)[0] for row in rows) == [0, 1, 2, 3, 4]
    assert {tuple(row.field_groups) for row in rows} == {("email", "identity")}
    assert len({row.writer for row in rows}) == 1
    await disclosures.record(district_id, disclosed(5))
    assert len(await stored(district.service.by_hand, district_id)) == 6


async def test_a_failure_fails_every_answer_that_waited(district: District) -> None:
    """Nobody is told that a disclosure was written which was not, and the next one is written again.

    Catches a writer that tells only the first of those who wait.
    """
    database, district_id = district.service.database, UUID(district.id)
    disclosures = Disclosures(database)
    broken = Disclosed(uuid4(), uuid4(), "/v3.1/users", 2**63, (), b"")  # no such revision fits
    others: Sequence[Disclosed] = [disclosed(1), broken, disclosed(2)]
    outcomes = await asyncio.gather(
        *(disclosures.record(district_id, other) for other in others), return_exceptions=True
    )
    assert all(isinstance(outcome, Exception) for outcome in outcomes)
    await disclosures.record(district_id, disclosed(3))
    assert [BitMap.deserialize(row.persons)[0] for row in await stored(district.service.by_hand, district_id)] == [3]


async def test_an_answer_that_was_given_up_keeps_nobody(district: District) -> None:
    """The others are written, whoever of them went away meanwhile."""
    disclosures, district_id = Disclosures(district.service.database), UUID(district.id)
    gone = asyncio.create_task(disclosures.record(district_id, disclosed(1)))
    stays = asyncio.create_task(disclosures.record(district_id, disclosed(2)))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert gone.cancelled() or gone.cancelling()


@pytest.mark.parametrize("steps", [1, 3])
async def test_a_writer_that_is_stopped_leaves_nobody_waiting(district: District, steps: int) -> None:
    """When the service stops, whoever waits is told so and sends nothing, whether or not the writer had begun."""
    disclosures, district_id = Disclosures(district.service.database), UUID(district.id)
    others = asyncio.all_tasks()
    waiting = {asyncio.create_task(disclosures.record(district_id, disclosed(n))) for n in range(2)}
    for _ in range(steps):
        await asyncio.sleep(0)
    [writer] = asyncio.all_tasks() - others - waiting
    writer.cancel()
    for task in waiting:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(task, 10)
