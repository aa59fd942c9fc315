"""How often secrets may be guessed and tokens be reported, which costs more than a request."""

import pytest
from sqlalchemy import delete
from uuid_utils.compat import uuid7

from sharing_service.access.models import PaceWindow
from sharing_service.database import Database
from tests.access.conftest import MakePace
from tests.access.test_limits import used


@pytest.fixture
async def unreported(by_hand: Database) -> None:
    """Nobody has reported anything: all who do share one allowance, also those of other tests."""
    async with by_hand.write() as session:
        await session.execute(delete(PaceWindow))


@pytest.mark.usefixtures("unreported")
async def test_a_report_is_charged(process: MakePace) -> None:
    """What a report is charged counts in all processes, also if it is more than a part."""
    first, second = process(requests=100), process(requests=100)
    for spent in (1, 30, 59):
        [standing] = await first.count_report(28)
        assert standing.remaining == 100 - spent

    others = [(await second.count_report(0))[0] for _ in range(20)]
    assert [one.refused for one in others] == [False] * 13 + [True] * 7


@pytest.mark.usefixtures("unreported")
@pytest.mark.parametrize("charge", [1, 4, 5, 96, 98])
async def test_a_charge_is_exact(process: MakePace, charge: int) -> None:
    """A charge takes from the part that is left first, and from the others what it lacks."""
    pace = process(requests=100)
    await pace.count_report(charge)

    assert (await pace.count_report(0))[0].remaining == 98 - charge


@pytest.mark.usefixtures("unreported")
async def test_a_charge_beyond_the_quota(process: MakePace) -> None:
    """Who is charged more than there is, is refused what is left as well."""
    pace = process(requests=100)
    await pace.count_report(1000)

    assert (await pace.count_report(0))[0].refused


async def test_guesses_are_counted_apart(process: MakePace) -> None:
    """A client has a hundredth of its quota for wrong secrets, at least one, and not a request less for right ones.

    Catches guesses by which somebody shuts out a client.
    """
    pace, client = process(requests=300), uuid7()

    assert [(await pace.count_guess(client))[0].refused for _ in range(5)] == [False] * 3 + [True] * 2
    assert (await pace.count_client(client))[0].remaining == 299
    assert not (await process(requests=99).count_guess(uuid7()))[0].refused


async def test_clients_that_nobody_knows_share_an_allowance(process: MakePace, by_hand: Database) -> None:
    """Guesses at invented clients cost one row and no memory each."""
    pace = process(requests=10**6)
    before = len(pace._allowances)
    for _ in range(3):
        await pace.count_guess(None)

    assert len(pace._allowances) == before + 1
    assert await used(by_hand, "guess unknown") > 0
