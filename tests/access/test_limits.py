"""How often a token, a district or a client may call, counted by several processes on one database."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from sharing_service.access.callers import (
    ApplicationCaller,
    AuditReader,
    Caller,
    DistrictAdmin,
    Operator,
    SchoolLead,
)
from sharing_service.access.limits import LARGEST, Pace, Policy
from sharing_service.access.models import PaceWindow
from sharing_service.database import Database
from tests.access.conftest import LONG, MakePace


def someone() -> Operator:
    """A token of its own."""
    return Operator(token_id=uuid7())


def an_application(district_id: UUID) -> ApplicationCaller:
    """A token of its own of some application of a district."""
    return ApplicationCaller(token_id=uuid7(), district_id=district_id, application_id=uuid7())


async def passes(pace: Pace, caller: Caller) -> bool:
    """Whether a request may pass."""
    return not any(standing.refused for standing in await pace.count(caller))


async def admitted(pace: Pace, caller: Caller, requests: int) -> int:
    """How many of so many requests at once may pass."""
    return sum(await asyncio.gather(*(passes(pace, caller) for _ in range(requests))))


async def used(database: Database, name: str) -> int:
    """What the processes have taken for a name."""
    async with database.read() as session:
        return await session.scalar(select(PaceWindow.used).where(PaceWindow.name == name)) or 0


@pytest.mark.parametrize("quota", [1, 7, 100, 6000])
@pytest.mark.asvs("V2.4.1")
async def test_a_windows_worth_at_once(process: MakePace, quota: int) -> None:
    """A token may use all of its quota at once, and nothing beyond it until the next window."""
    pace, caller = process(requests=quota), someone()

    assert await admitted(pace, caller, quota + 50) == quota
    assert not await passes(pace, caller)


@pytest.mark.parametrize("quota", [10, 100, 1000])
@pytest.mark.asvs("V2.4.1")
async def test_processes_count_together(process: MakePace, quota: int) -> None:
    """Two processes admit together what one alone would: the quota, to the last request and not one more.

    Catches a count that each process keeps for itself.
    """
    first, second, caller = process(requests=quota), process(requests=quota), someone()
    both = await asyncio.gather(*(admitted(pace, caller, quota) for pace in (first, second)))

    assert sum(both) == quota
    assert not await passes(first, caller)
    assert not await passes(second, caller)


async def test_most_requests_ask_nobody(process: MakePace, by_hand: Database) -> None:
    """A process takes a part in advance: what it has taken, and no more, is lost to the others when it ends.

    Catches a statement for each request, and a process that takes all there is.
    """
    pace, caller = process(requests=200), someone()
    for _ in range(4):
        assert await passes(pace, caller)
    assert await used(by_hand, f"token {caller.token_id}") == 10
    other = process(requests=200)
    assert await admitted(other, caller, 300) == 190


async def test_the_next_part_is_taken_before_it_is_needed(process: MakePace, by_hand: Database) -> None:
    """When less than half of a part is left the next one is taken beside the request."""
    pace, caller = process(requests=200), someone()
    for _ in range(6):
        await pace.count(caller)
    taking = pace._allowances["token", caller.token_id or ""].taking
    assert taking is not None
    await taking
    assert await used(by_hand, f"token {caller.token_id}") == 20
    assert [standing.remaining for standing in await pace.count(caller)] == [193]


def test_parts_are_small() -> None:
    """A part is a twentieth of the quota, at least one request and at most a thousand."""
    assert [Policy("token", quota, 60).part for quota in (1, 19, 60, 6000, 10**9)] == [1, 1, 3, 300, LARGEST]


@pytest.mark.asvs("V2.4.1")
async def test_a_district_counts_all_of_its_applications(process: MakePace) -> None:
    """The applications of a district share its quota; those of another district and operators do not.

    Catches an application that multiplies its quota by obtaining tokens.
    """
    pace = process(requests=50, of_district=20)
    district, other = uuid7(), uuid7()

    assert sum([await admitted(pace, an_application(district), 10) for _ in range(3)]) == 20
    assert await passes(pace, an_application(other))
    assert await passes(pace, someone())


@pytest.mark.asvs("V2.4.1")
async def test_people_are_counted_by_their_own_tokens(process: MakePace) -> None:
    """The people of a district go on when its applications have used up its quota, and take nothing of it.

    Catches an application that keeps an admin from pausing it.
    """
    pace, district = process(requests=10, of_district=20), uuid7()
    people: list[Caller] = [
        DistrictAdmin(token_id=uuid7(), district_id=district),
        SchoolLead(token_id=uuid7(), district_id=district, school_ids=(uuid7(),)),
        AuditReader(token_id=uuid7(), district_id=district),
    ]

    assert [await admitted(pace, person, 5) for person in people] == [5, 5, 5]
    assert sum([await admitted(pace, an_application(district), 10) for _ in range(3)]) == 20
    assert [await admitted(pace, person, 10) for person in people] == [5, 5, 5]


async def test_a_refused_token_takes_nothing_from_its_district(process: MakePace) -> None:
    """A token that goes on calling beyond its own quota leaves that of its district to the others.

    Catches one mad token that shuts out a whole district.
    """
    pace, district = process(requests=5, of_district=20), uuid7()
    mad, calm = an_application(district), an_application(district)

    assert await admitted(pace, mad, 100) == 5
    assert await admitted(pace, calm, 5) == 5


async def test_what_is_told(process: MakePace) -> None:
    """A standing tells what is left of the quota and of the window; a refusal tells nothing but what was used up."""
    pace, caller = process(requests=2, of_district=9), an_application(uuid7())
    own, districts = await pace.count(caller)
    await pace.count(caller)
    [refusal] = await pace.count(caller)

    assert [(one.policy.name, one.policy.quota, one.remaining, one.refused) for one in (own, districts)] == [
        ("token", 2, 1, False),
        ("district", 9, 8, False),
    ]
    assert (refusal.policy.name, refusal.remaining, refusal.refused) == ("token", 0, True)
    assert 0 < refusal.seconds <= LONG


async def test_a_window_ends(process: MakePace) -> None:
    """With the next window the whole quota is there again, and nothing of what was left before.

    Catches parts that are hoarded from one window to the next.
    """
    pace, caller = process(requests=40, window=1), someone()
    for _ in range(3):
        [standing] = await pace.count(caller)  # one request of the part is left
        assert (standing.remaining, standing.seconds) == (39, 1)
        await asyncio.sleep(1.1)


async def test_a_statement_of_the_window_before(process: MakePace, by_hand: Database) -> None:
    """A part that was asked for in one window and granted in the next counts in the next one.

    Catches a window that begins anew because a slower process still thinks of the one before.
    """
    pace, caller = process(requests=10), someone()
    later = datetime.now(UTC) + timedelta(hours=1)
    async with by_hand.write() as session:
        session.add(PaceWindow(name=f"token {caller.token_id}", begins=later, used=8))

    assert await admitted(pace, caller, 10) == 2
    async with by_hand.read() as session:
        kept = select(PaceWindow.begins).where(PaceWindow.name == f"token {caller.token_id}")
        assert await session.scalar(kept) == later


@pytest.mark.asvs("V15.2.2")
async def test_rested_callers_are_forgotten(process: MakePace) -> None:
    """Memory stays bounded however many tokens have ever called."""
    pace = process(requests=60, remembered=3, window=1)
    for _ in range(3):
        await pace.count(someone())
    await asyncio.sleep(1.1)
    await pace.count(someone())

    assert len(pace._allowances) == 1


async def test_old_windows_are_swept(process: MakePace, by_hand: Database) -> None:
    """A window that ended an hour ago and more is gone from the table with the first request of a newer one."""
    async with by_hand.write() as session:
        long_ago = datetime.now(UTC) - timedelta(hours=3)
        session.add(PaceWindow(name="token of long ago", begins=long_ago, used=1))
    await process(requests=60, window=60).count(someone())

    async with by_hand.read() as session:
        kept = await session.scalars(select(PaceWindow.name).where(PaceWindow.name == "token of long ago"))
        assert kept.all() == []


async def test_without_its_database_nobody_passes(database_url: str) -> None:
    """A part that cannot be had is an error for who needs it, and the next one asks again.

    Catches a count that lets everybody pass while the database is away.
    """
    gone = Pace(Database("postgresql://nobody:nothing@127.0.0.1:1/none"), requests=60)
    caller = someone()
    for _ in range(2):
        with pytest.raises(OSError, match="Connect call failed"):
            await gone.count(caller)


async def test_a_caller_that_is_cancelled_leaves_the_part_to_the_others(process: MakePace) -> None:
    """Of two requests that wait for the same part, one may be cut: the other one gets it."""
    pace, caller = process(requests=60), someone()
    cut, other = (asyncio.create_task(passes(pace, caller)) for _ in range(2))
    await asyncio.sleep(0)
    cut.cancel()

    assert await other
    with pytest.raises(asyncio.CancelledError):
        await cut


async def test_a_taking_that_is_cancelled(process: MakePace) -> None:
    """When the taking of a part is cut, as at the end of a process, who waits is cut too, and a later one asks anew."""
    pace, caller = process(requests=60), someone()
    asking = asyncio.create_task(passes(pace, caller))
    await asyncio.sleep(0)
    taking = pace._allowances["token", caller.token_id or ""].taking
    assert taking is not None
    taking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await passes(pace, caller)
