"""How often a token or a client may call: so many requests a minute, a minute's worth of them at once."""

import time
from collections.abc import Callable
from typing import Final

from sharing_service.access.callers import Caller
from sharing_service.errors import TooManyRequests

REQUESTS_A_MINUTE: Final = 6000
MINUTE: Final = 60.0
REMEMBERED: Final = 10_000
"""Tokens whose pace is known; beyond it, those that have rested are forgotten."""


class Pace:
    """The requests of this process by token: a token's allowance refills evenly."""

    def __init__(
        self,
        requests: int = REQUESTS_A_MINUTE,
        *,
        remembered: int = REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._step = MINUTE / requests
        self._remembered = remembered
        self._clock = clock
        self._paid_until: dict[str, float] = {}
        """When each token's requests so far will have been made at the even pace."""

    def check(self, caller: Caller) -> None:
        """Count a request, or refuse it if the caller has used a minute's worth beyond the even pace."""
        self.check_name(caller.role if caller.token_id is None else str(caller.token_id))

    def check_name(self, name: str) -> None:
        """The same for whoever bears a name that is no token's."""
        now = self._clock()
        paid = max(self._paid_until.get(name, now), now) + self._step
        if paid > now + MINUTE:
            raise TooManyRequests(retry_after=max(1, round(paid - now - MINUTE)))
        self._paid_until[name] = paid
        self._forget(now)

    def charge(self, name: str, requests: int) -> None:
        """Count a request that passed as so many more, for what must not be repeated often."""
        now = self._clock()
        self._paid_until[name] = max(self._paid_until.get(name, now), now) + requests * self._step

    def _forget(self, now: float) -> None:
        if len(self._paid_until) > self._remembered:
            self._paid_until = {name: until for name, until in self._paid_until.items() if until > now}
