"""Cuts an answer that takes long once what allowed it is withdrawn: its token, or the grant that it tells of.

The answer itself is read from one snapshot, which would never notice.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, cast, select

from sharing_service.access.callers import ApplicationCaller, DistrictAdmin
from sharing_service.access.models import Token
from sharing_service.access.tokens import USABLE
from sharing_service.database import Database, Prepared, inside
from sharing_service.delivery.references import DISTRICT
from sharing_service.sharing.models import Grant

EVERY: Final = 1.0
"""Seconds between two looks, and before the first: a short answer costs none."""

_NOW: Final = Prepared(
    inside(
        select(Grant.paused_at)
        .join(Token, Token.district_id == Grant.district_id)
        .where(
            Grant.district_id == DISTRICT,
            Grant.application_id == bindparam("application_id", type_=Uuid),
            Token.id == bindparam("token_id", type_=Uuid),
            *USABLE,
        ),
        district_id=cast(DISTRICT, Text),
    )
)


class Withdrawn(Exception):
    """Cuts an answer that has begun, so that its client cannot take it for a whole one."""


class Watch:
    """Looks now and then whether the caller may still be told what one application sees."""

    def __init__(
        self,
        database: Database,
        caller: ApplicationCaller | DistrictAdmin,
        application_id: UUID,
        *,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over an answer that begins now."""
        self._database = database
        self._caller = caller
        self._application_id = application_id
        self._every = every
        self._clock = clock
        self._due = clock() + every

    async def check(self) -> None:
        """Withdrawn if the answer may not go on; to be asked before each part of it."""
        if self._clock() < self._due:
            return
        async with self._database.counters.lend() as driver:
            row = await _NOW.fetchrow(
                driver,
                district_id=self._caller.district_id,
                application_id=self._application_id,
                token_id=self._caller.token_id,
            )
        # A pause is for the application; the district's own views go on.
        if row is None or (row["paused_at"] is not None and isinstance(self._caller, ApplicationCaller)):
            raise Withdrawn
        self._due = self._clock() + self._every

    async def over(self, parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """The parts as long as they may be told."""
        async with aclosing(parts):
            async for part in parts:
                await self.check()
                yield part
