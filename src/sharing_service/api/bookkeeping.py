"""Writes down about every minute, and when the process ends, what it has noticed of tokens: last uses and volumes."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sharing_service.access.usage import Noticed, Usage, write_used
from sharing_service.actions.raise_volume_alarm import raise_volume_alarm
from sharing_service.api.edge import Measures
from sharing_service.database import Database, enter_district
from sharing_service.delivery import volumes
from sharing_service.delivery.volumes import Volume

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds; the last use of a token is known as exactly as that."""


class Bookkeeping:
    """The writer of one process. What it cannot write now it writes the next time, and nothing waits for it."""

    def __init__(self, database: Database, usage: Usage, measures: Measures, *, times: int) -> None:
        """Write what is in `usage`; above so many times the persons that a grant shares an alarm is raised."""
        self._database = database
        self._usage = usage
        self._measures = measures
        self._times = times

    async def keep(self, *, every: float = EVERY) -> None:
        """Write every so many seconds until it is cancelled."""
        while True:
            await asyncio.sleep(every)
            await self.write()

    async def write(self) -> None:
        """Write what is noticed by now, one transaction for each district."""
        for place in self._usage.places():
            noticed = self._usage.take(place)
            try:
                unusual = await self._write(place, noticed)
            except BaseException as error:
                self._usage.give_back(place, noticed)
                if not isinstance(error, Exception):
                    raise
                # Its message may hold values of a statement.
                log.warning("uses of tokens wait to be written", extra={"kind": type(error).__name__})
            else:
                self._tell(unusual)

    async def _write(self, place: UUID, noticed: Noticed) -> Sequence[Volume]:
        async with self._database.write() as session:
            await enter_district(session, place)
            await write_used(session, place, noticed.used)
            unusual = await volumes.add(session, place, noticed.persons, times=self._times)
            for volume in unusual:
                await raise_volume_alarm(session, volume)
            return unusual

    def _tell(self, unusual: Sequence[Volume]) -> None:
        for volume in unusual:
            self._measures.volume_alarms.inc()
            said = {"district_id": volume.hour.reader.district_id, "token_id": volume.hour.token_id}
            log.warning("a token received unusually many persons within an hour", extra=said)
