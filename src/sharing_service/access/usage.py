"""Usage: when each token was used last and how many persons it received, noted in memory and written down later.

A request costs a note in a dictionary and no statement. What a process has not written when it is killed is lost.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import ApplicationCaller, Caller, Operator
from sharing_service.database import SERVICE

HOUR: Final = 3600


class Hour(NamedTuple):
    """One hour (UTC) of an application's token."""

    token_id: UUID
    number: int
    """Since 1970."""
    reader: ApplicationCaller

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.fromtimestamp(self.number * HOUR, UTC)


@dataclass
class Noticed:
    """What the tokens of one district have done."""

    used: dict[UUID, float] = field(default_factory=dict)
    """When each was used last, in seconds since 1970."""
    persons: Counter[Hour] = field(default_factory=Counter)
    """How many persons were in the answers to each, one who was in two of them counted twice."""


class Usage:
    """What this process has noticed and nobody has taken to be written down yet."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """Notice nothing yet."""
        self._clock = clock
        self._noticed: dict[UUID, Noticed] = {}

    def note(self, caller: Caller) -> None:
        """A request of this caller begins; the operator of the environment has no token that could be noted."""
        if caller.token_id is not None:
            place = SERVICE if isinstance(caller, Operator) else caller.district_id
            self._of(place).used[caller.token_id] = self._clock()

    def count(self, reader: ApplicationCaller, persons: int) -> None:
        """An answer with so many persons goes to an application."""
        if reader.token_id is not None:
            hour = Hour(reader.token_id, int(self._clock()) // HOUR, reader)
            self._of(reader.district_id).persons[hour] += persons

    def places(self) -> Sequence[UUID]:
        """The districts of which something is noticed, SERVICE standing for operators."""
        return list(self._noticed)

    def take(self, place: UUID) -> Noticed:
        """What is noticed of one of them; from now on it is noticed anew."""
        return self._noticed.pop(place)

    def give_back(self, place: UUID, noticed: Noticed) -> None:
        """What could not be written, to be taken with what was noticed since."""
        since = self._of(place)
        since.used = noticed.used | since.used
        since.persons.update(noticed.persons)

    def _of(self, place: UUID) -> Noticed:
        found = self._noticed.get(place)
        if found is None:
            found = self._noticed[place] = Noticed()
        return found


# Rows that somebody else holds are left out: whoever revokes a token must not wait for this, nor deadlock with it.
USED: Final = text("""
update tokens set last_used_at = moved.at
from (
    select t.id, used.at
    from unnest(cast(:ids as uuid[]), cast(:moments as timestamptz[])) as used (id, at)
    join tokens t on t.id = used.id
    where t.district_id is not distinct from cast(:district_id as uuid)
        and (t.last_used_at is null or t.last_used_at < used.at)
    for no key update of t skip locked
) as moved
where tokens.id = moved.id
""")


async def write_used(session: AsyncSession, place: UUID, used: Mapping[UUID, float]) -> None:
    """Move the last use of tokens of a district, or with SERVICE of operators, forward and never back."""
    if used:
        moments = [datetime.fromtimestamp(moment, UTC) for moment in used.values()]
        district_id = None if place == SERVICE else place
        await session.execute(USED, {"ids": list(used), "moments": moments, "district_id": district_id})
