"""What is noticed of tokens, and how their last use is written."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.access.callers import ApplicationCaller, DistrictAdmin, Operator
from sharing_service.access.models import Token
from sharing_service.access.usage import Hour, Usage, write_used
from sharing_service.database import SERVICE, Database, enter_district
from tests.access.test_tokens import DISTRICT, OTHER, TOKENS, kept

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
READER = ApplicationCaller(token_id=uuid7(), district_id=DISTRICT, application_id=uuid7())


class Clock:
    """A clock that stands until it is moved."""

    now = NOON

    def __call__(self) -> float:
        """The time in seconds since 1970."""
        return self.now.timestamp()


def test_who_is_noticed_where() -> None:
    """A token is noticed in its district, an operator's in the service, and that of the environment nowhere."""
    usage, clock = Usage(clock=Clock()), Clock()
    operator, admin = Operator(token_id=uuid7()), DistrictAdmin(token_id=uuid7(), district_id=OTHER)
    for caller in (operator, admin, Operator()):
        usage.note(caller)

    assert {*usage.places()} == {SERVICE, OTHER}
    assert usage.take(SERVICE).used == {operator.token_id: clock()}
    assert usage.take(OTHER).used == {admin.token_id: clock()}
    assert usage.places() == []


def test_persons_are_counted_by_the_hour() -> None:
    """Answers of one hour are added up, those of the next hour apart; an application without a token has no volume."""
    clock = Clock()
    usage = Usage(clock=clock)
    for minutes in (0, 59, 60):
        clock.now = NOON + timedelta(minutes=minutes)
        usage.count(READER, 10)
    usage.count(READER.model_copy(update={"token_id": None}), 10)

    counted = usage.take(DISTRICT).persons
    assert {(hour.token_id, hour.begins): persons for hour, persons in counted.items()} == {
        (READER.token_id, NOON): 20,
        (READER.token_id, NOON + timedelta(hours=1)): 10,
    }


def test_what_is_given_back_is_taken_again() -> None:
    """What could not be written joins what was noticed since: of two uses the later one, of persons the sum.

    Catches uses that are lost with a transaction, or that take the place of later ones.
    """
    clock = Clock()
    usage = Usage(clock=clock)
    rested = READER.model_copy(update={"token_id": uuid7()})
    for caller in (READER, rested):
        usage.note(caller)
    usage.count(READER, 10)
    failed = usage.take(DISTRICT)
    clock.now += timedelta(seconds=1)
    usage.note(READER)
    usage.count(READER, 5)
    usage.give_back(DISTRICT, failed)
    usage.give_back(OTHER, failed)

    again = usage.take(DISTRICT)
    assert again.used == {READER.token_id: clock(), rested.token_id: NOON.timestamp()}
    assert [*again.persons.values()] == [15]
    assert usage.take(OTHER) == failed
    [hour] = failed.persons
    assert isinstance(hour, Hour)


async def stored(session: AsyncSession, place: UUID | None) -> list[datetime | None]:
    """The last uses of the tokens of a place that these tests made, oldest token first."""
    statement = select(Token.last_used_at).where(Token.district_id == place, Token.key_id == TOKENS.key_id)
    return list(await session.scalars(statement.order_by(Token.id).execution_options(populate_existing=True)))


async def test_a_last_use_moves_forward_only(session: AsyncSession) -> None:
    """A later use is written, an earlier one of another process is not.

    Catches two processes of which the slower one turns the time back.
    """
    token_id = uuid7()
    await kept(session, id=token_id)
    await enter_district(session, DISTRICT)
    found = []
    for minutes in (5, 9, 7):
        await write_used(session, DISTRICT, {token_id: (NOON + timedelta(minutes=minutes)).timestamp()})
        found.append(await stored(session, DISTRICT))

    assert found == [[NOON + timedelta(minutes=minutes)] for minutes in (5, 9, 9)]


async def test_a_last_use_is_of_its_place(session: AsyncSession) -> None:
    """Tokens are looked for in the named district only, those of operators in the service only.

    Catches a statement that leaves it to row level security whose token it is.
    """
    ids = [uuid7() for _ in range(3)]
    await kept(session, id=ids[0])
    await kept(session, id=ids[1], district_id=OTHER)
    await kept(session, id=ids[2], role="operator", district_id=None)
    used = dict.fromkeys(ids, NOON.timestamp())
    await enter_district(session, SERVICE)
    await write_used(session, OTHER, used)

    assert [await stored(session, place) for place in (DISTRICT, OTHER)] == [[None], [NOON]]
    assert NOON not in await stored(session, None)
    await write_used(session, SERVICE, used)
    assert NOON in await stored(session, None)
    assert await stored(session, DISTRICT) == [None]
    await write_used(session, DISTRICT, {})


@pytest.mark.parametrize("held", [True, False])
async def test_nobody_waits_for_a_last_use(database: Database, by_hand: Database, held: bool) -> None:
    """A token that somebody is just revoking is left out, so that neither waits for the other.

    Catches a writer that deadlocks with whoever ends many tokens at once.
    """
    district_id, token_id = uuid7(), uuid7()
    async with by_hand.write() as session:
        await kept(session, district_id=district_id, id=token_id)
    async with by_hand.write() as deciding, database.write() as writing:
        if held:
            await deciding.get(Token, token_id, with_for_update=True)
        await enter_district(writing, district_id)
        async with asyncio.timeout(10):
            await write_used(writing, district_id, {token_id: NOON.timestamp()})
        assert await stored(writing, district_id) == [None if held else NOON]
