"""How often a token may call."""

import pytest
from uuid_utils.compat import uuid7

from sharing_service.access.callers import Operator
from sharing_service.access.limits import Pace
from sharing_service.errors import TooManyRequests


class Clock:
    """A clock that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


def allowed(pace: Pace, caller: Operator) -> int:
    """How many requests pass before one is refused."""
    for passed in range(1000):
        try:
            pace.check(caller)
        except TooManyRequests:
            return passed
    raise AssertionError("no limit")


@pytest.mark.asvs("V2.4.1")
def test_a_minutes_worth_then_an_even_pace() -> None:
    """A token may use a minute's worth at once, and after that as much as has refilled meanwhile."""
    clock = Clock()
    pace = Pace(60, clock=clock)

    assert allowed(pace, Operator()) == 60
    clock.now += 5
    assert allowed(pace, Operator()) == 5
    clock.now += 1000
    assert allowed(pace, Operator()) == 60


def test_each_token_has_its_own_pace() -> None:
    """A token that calls too often takes nothing from others, and is told how long to wait."""
    pace = Pace(2, clock=Clock())
    busy, calm = Operator(token_id=uuid7()), Operator(token_id=uuid7())
    assert allowed(pace, busy) == 2

    pace.check(calm)
    with pytest.raises(TooManyRequests) as refused:
        pace.check(busy)
    assert refused.value.members == {"retry_after": 30}


@pytest.mark.asvs("V15.2.2")
def test_rested_tokens_are_forgotten() -> None:
    """Memory stays bounded however many tokens have ever called."""
    clock = Clock()
    pace = Pace(60, remembered=3, clock=clock)
    for _ in range(10):
        pace.check(Operator(token_id=uuid7()))
        clock.now += 10

    assert len(pace._paid_until) <= 3
