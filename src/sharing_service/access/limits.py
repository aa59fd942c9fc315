"""How often a token, a district's applications or a client may call: so often a minute, over all processes together.

Each process takes parts of a minute's quota from the table `paces` before they are needed, so that most requests ask
nobody.
"""

import asyncio
import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never
from uuid import UUID

from sharing_service.access.callers import (
    ApplicationCaller,
    AuditReader,
    Caller,
    DistrictAdmin,
    Operator,
    SchoolLead,
)
from sharing_service.database import Database

REQUESTS_A_MINUTE: Final = 6_000
OF_A_DISTRICT: Final = 60_000
"""Requests a minute of all applications of a district together."""
GUESS: Final = 100
"""A client may send one wrong secret where it may send so many right ones."""
MINUTE: Final = 60
PARTS: Final = 20
"""A process takes a twentieth of a quota at a time, which is what is lost when it ends."""
LARGEST: Final = 1_000
"""Requests that a process takes at a time at most."""
REMEMBERED: Final = 10_000
"""Callers whose allowance is known; beyond it, those whose minute is over are forgotten."""

# `used` may pass the quota: nobody was given what was asked for beyond it. A statement that waits for the row while
# the next window begins counts there.
TAKE: Final = """
insert into paces as pace (name, begins, used)
values ($1, date_bin($3::interval, clock_timestamp(), timestamptz 'epoch'), $2)
on conflict (name) do update set
    begins = greatest(pace.begins, excluded.begins),
    used = excluded.used + case when pace.begins >= excluded.begins then pace.used else 0 end
returning begins, used, extract(epoch from begins + $3::interval - clock_timestamp())::float8 as seconds
"""
SWEEP: Final = """
delete from paces where name in (
    select name from paces where begins < clock_timestamp() - interval '1 hour' limit 1000 for update skip locked
)
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """How many requests there are for one name in each window of so many seconds."""

    name: str
    quota: int
    window: int

    @property
    def part(self) -> int:
        """How many a process takes at a time."""
        return min(max(1, self.quota // PARTS), LARGEST)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a quota after a request, as far as this process knows."""

    policy: Policy
    remaining: int
    seconds: int
    """Until the next window begins."""
    refused: bool


@dataclass(slots=True)
class Allowance:
    """What one name may still ask for in the present window."""

    policy: Policy
    name: str
    left: int = 0
    """Requests that this process has taken and nobody has used."""
    beyond: int = 0
    """Requests that no process had taken when this one asked last."""
    begins: datetime | None = None
    ends: float = -math.inf
    """The end of the window by the clock of this process."""
    taking: asyncio.Task[None] | None = None

    def taken(self, task: asyncio.Task[None]) -> None:
        """The next part is there, or could not be had: whoever waited is told so, and the next one tries again."""
        self.taking = None
        if not task.cancelled():
            task.exception()


class Pace:
    """Counts requests by token, and those of applications also by district, unless they are refused for their token."""

    def __init__(
        self,
        database: Database,
        *,
        requests: int = REQUESTS_A_MINUTE,
        of_district: int = OF_A_DISTRICT,
        window: int = MINUTE,
        remembered: int = REMEMBERED,
    ) -> None:
        """Admit so many requests of a token or client, and of a district's applications, in each window of seconds.

        All who report leaked tokens are admitted as one token is.
        """
        self._database = database
        self._token = Policy("token", requests, window)
        self._client = Policy("client", requests, window)
        self._guess = Policy("guess", max(1, requests // GUESS), window)
        self._reporter = Policy("reporter", requests, window)
        self._district = Policy("district", of_district, window)
        self._remembered = remembered
        self._allowances: dict[tuple[str, UUID | str], Allowance] = {}
        self._swept: datetime | None = None

    async def count(self, caller: Caller) -> tuple[Standing, ...]:
        """Count a request of a caller; none of the standings is refused if it may pass.

        People are counted by their token alone: no application can use up what its district needs to pause it.
        """
        own = await self._count(self._allowance(self._token, caller.token_id or caller.role))
        match caller:
            case Operator() | DistrictAdmin() | SchoolLead() | AuditReader():
                return (own,)
            case ApplicationCaller():
                if own.refused:
                    return (own,)
                return own, await self._count(self._allowance(self._district, caller.district_id))
            case unhandled:
                assert_never(unhandled)

    async def count_client(self, client: UUID) -> tuple[Standing, ...]:
        """The same for a client that sent a secret of its own."""
        return (await self._count(self._allowance(self._client, client)),)

    async def count_guess(self, client: UUID | None) -> tuple[Standing, ...]:
        """The same for whoever says to be this client and is not; guesses at clients that nobody knows count together.

        They take nothing from the client itself, whom anybody could shut out otherwise.
        """
        return (await self._count(self._allowance(self._guess, client or "unknown")),)

    async def count_report(self, texts: int) -> tuple[Standing, ...]:
        """The same for whoever reports so many leaked tokens: all share one allowance, in which each text counts."""
        allowance = self._allowance(self._reporter, "anybody")
        standing = await self._count(allowance)
        if not standing.refused:
            await self._charge(allowance, texts)
        return (standing,)

    async def _charge(self, allowance: Allowance, requests: int) -> None:
        own = min(allowance.left, requests)
        allowance.left -= own
        if requests > own:
            await self._take(allowance, requests - own)
            allowance.left -= min(allowance.left, requests - own)

    async def _count(self, allowance: Allowance) -> Standing:
        """Use one request of an allowance, if there is one; only who finds none of a part left waits for the next."""
        while (now := time.monotonic()) >= allowance.ends or (allowance.beyond and not allowance.left):
            await asyncio.shield(self._taking(allowance))
        refused = not allowance.left
        if not refused:
            allowance.left -= 1
            if allowance.beyond and allowance.left < allowance.policy.part / 2:
                _ = self._taking(allowance)  # beside this request
        remaining, seconds = allowance.left + allowance.beyond, math.ceil(allowance.ends - now)
        return Standing(allowance.policy, remaining, seconds, refused)

    def _taking(self, allowance: Allowance) -> asyncio.Task[None]:
        """The taking of the next part, one for all who need it."""
        if allowance.taking is None:
            allowance.taking = asyncio.create_task(self._take(allowance, allowance.policy.part))
            allowance.taking.add_done_callback(allowance.taken)
        return allowance.taking

    async def _take(self, allowance: Allowance, wanted: int) -> None:
        """Take so many of what no process has taken yet in the present window of the database, or what is there."""
        policy, asked = allowance.policy, time.monotonic()
        async with self._database.counters.lend() as driver:
            row = await driver.fetchrow(TAKE, allowance.name, wanted, timedelta(seconds=policy.window))
            if self._swept != row["begins"]:
                self._swept = row["begins"]
                await driver.execute(SWEEP)
        if allowance.begins != row["begins"]:
            allowance.left = 0  # what was not used ends with its window
        allowance.left += min(wanted, max(0, wanted + policy.quota - row["used"]))
        allowance.beyond = max(0, policy.quota - row["used"])
        # Counted from before the question, so that nothing of a window is used in the next one.
        allowance.begins, allowance.ends = row["begins"], asked + row["seconds"]

    def _allowance(self, policy: Policy, key: UUID | str) -> Allowance:
        known = self._allowances.get((policy.name, key))
        if known is None:
            if len(self._allowances) >= self._remembered:
                now = time.monotonic()
                self._allowances = {name: one for name, one in self._allowances.items() if one.ends > now}
            known = self._allowances[policy.name, key] = Allowance(policy, f"{policy.name} {key}")
        return known
