"""Volumes that are added up over processes, and when they are unusual."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import ApplicationCaller
from sharing_service.access.usage import HOUR, Hour
from sharing_service.actions.raise_volume_alarm import raise_volume_alarm
from sharing_service.database import Database, enter_district
from sharing_service.delivery import volumes
from sharing_service.delivery.models import TokenVolume
from sharing_service.delivery.volumes import KEPT, SHARED_AT_LEAST, Volume
from tests.conftest import undone
from tests.factories.service import Connected, District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.planting import replaced

NOW = int(datetime.now(UTC).timestamp()) // HOUR


@pytest.fixture
async def connected(district: District) -> Connected:
    """An application that sees all nine persons and two contacts of the small district."""
    await district.publish(render(SMALL_DISTRICT))
    connected = await district.connect()
    await connected.share({"mode": "district", "include_staff": True})
    return connected


def hour_of(connected: Connected, *, ago: int = 0) -> Hour:
    """An hour of a token of the application."""
    token_id = uuid4()
    ids = {"district_id": connected.district.id, "application_id": connected.id}
    reader = ApplicationCaller.model_validate({"token_id": token_id, **ids})
    return Hour(token_id, NOW - ago, reader)


async def added(
    database: Database, hour: Hour, *counts: int, times: int = 2, raising: bool = True
) -> list[list[Volume]]:
    """What is unusual after each of these counts of an hour, each written by a process of its own."""
    found = []
    for persons in counts:
        async with database.write() as session:
            await enter_district(session, hour.reader.district_id)
            unusual = await volumes.add(session, hour.reader.district_id, {hour: persons}, times=times)
            for volume in unusual if raising else ():
                await raise_volume_alarm(session, volume)
            found.append(unusual)
    return found


async def test_an_alarm_is_raised_once(connected: Connected, database: Database) -> None:
    """What all processes counted is added up; when it passes the bound one of them is told, and none after that.

    Catches a bound for each process, an alarm a minute, and one at the bound itself.
    """
    hour = hour_of(connected)
    bound = 2 * SHARED_AT_LEAST

    found = await added(database, hour, bound - 1, 1, 1, bound)
    assert found == [[], [], [Volume(hour, bound + 1, 11)], []]
    assert await added(database, hour._replace(number=NOW - 1), bound) == [[]]


async def test_an_alarm_that_was_not_told_comes_again(connected: Connected, database: Database) -> None:
    """As long as nobody has written the line of an alarm, the next count says so again."""
    hour = hour_of(connected)
    found = await added(database, hour, 2 * SHARED_AT_LEAST + 1, 1, raising=False)

    assert [len(unusual) for unusual in found] == [1, 1]


async def test_who_shares_much_may_send_much(connected: Connected, database: Database) -> None:
    """The bound grows with what the grant shares, contacts included where the application reads them."""
    hour = hour_of(connected)
    with replaced(volumes, "SHARED_AT_LEAST", 1):
        assert await added(database, hour, 2 * 11, 1) == [[], [Volume(hour, 2 * 11 + 1, 11)]]


async def test_a_grant_that_is_gone_shares_nobody(connected: Connected, database: Database) -> None:
    """What a token received before its application was disconnected is told all the same."""
    hour = hour_of(connected)
    await connected.district.call("DELETE", connected.path, status=204)

    [[volume]] = await added(database, hour, 2 * SHARED_AT_LEAST + 1)
    assert volume.shared == 0


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A write session whose work is undone after the test."""
    async with undone(database) as session:
        yield session


async def test_old_volumes_are_deleted(connected: Connected, session: AsyncSession) -> None:
    """After two days a volume is gone with the next one that is written, and a younger one is not."""
    district_id = UUID(connected.district.id)
    await enter_district(session, district_id)
    kept = KEPT // timedelta(hours=1)
    hours = [hour_of(connected, ago=ago) for ago in (kept + 1, kept - 2, 0)]
    for hour in hours:
        await volumes.add(session, district_id, {hour: 1}, times=20)

    found = select(TokenVolume.token_id).where(TokenVolume.district_id == district_id)
    assert {*await session.scalars(found)} == {hour.token_id for hour in hours[1:]}


async def test_a_district_that_is_erased_keeps_no_volume(connected: Connected, database: Database) -> None:
    """What comes too late is not written behind the erasure."""
    service, hour = connected.district.service, hour_of(connected)
    assert (await service.client.delete(connected.district.path, headers=service.operator)).status_code == 202

    assert await added(database, hour, 2 * SHARED_AT_LEAST + 1) == [[]]
    async with service.by_hand.read() as session:
        found = select(TokenVolume).where(TokenVolume.district_id == UUID(connected.district.id))
        assert (await session.scalars(found)).all() == []


async def test_nothing_counted_is_nothing_written(connected: Connected, session: AsyncSession) -> None:
    """A district whose tokens received nobody costs no statement."""
    assert await volumes.add(session, UUID(connected.district.id), {}, times=1) == []
