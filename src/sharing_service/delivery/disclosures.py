"""Disclosure records: which persons an answer carried to an application (34 CFR 99.32)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from sharing_service.database import Database
from sharing_service.errors import Unavailable

# The context is entered by the insert itself: one statement is one transaction and one round trip. A join reads
# both sides before its first row, so the district is set before anything is written.
INSERT: Final = """
insert into disclosures (district_id, id, application_id, token_id, route, revision, field_groups, persons)
select entered.district_id::uuid, d.id, d.application_id, d.token_id, d.route, d.revision,
       string_to_array(d.field_groups, ','), d.persons
from set_config('app.district_id', $1::text, true) as entered (district_id)
cross join unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[], $8::bytea[])
    as d (id, application_id, token_id, route, revision, field_groups, persons)
"""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What one answer carries: to whom, by which route, at which revision, which groups of which persons."""

    application_id: UUID
    token_id: UUID
    route: str
    revision: int
    field_groups: Sequence[str]
    persons: bytes
    """A serialized Roaring bitmap of ordinals."""


_Waiting = list[tuple[Disclosed, "asyncio.Future[None]"]]


class Disclosures:
    """Writes disclosures; those of a district that come while one transaction is under way share the next one."""

    def __init__(self, database: Database) -> None:
        """Write to this database."""
        self._database = database
        self._waiting: dict[UUID, _Waiting] = {}
        self._writers: set[asyncio.Task[None]] = set()

    async def record(self, district_id: UUID, disclosed: Disclosed) -> None:
        """Write and commit that these persons go out now; an answer may begin only after this has returned."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if district_id in self._waiting:
            self._waiting[district_id].append((disclosed, written))
        else:
            self._waiting[district_id] = [(disclosed, written)]
            writer = asyncio.create_task(self._write(district_id))
            self._writers.add(writer)  # the loop itself keeps no task alive
            writer.add_done_callback(partial(self._ended, district_id))
        await written

    async def _write(self, district_id: UUID) -> None:
        while taken := self._waiting[district_id]:
            self._waiting[district_id] = []
            await self._insert(district_id, taken)
        del self._waiting[district_id]

    def _ended(self, district_id: UUID, writer: "asyncio.Task[None]") -> None:
        self._writers.discard(writer)
        if writer.cancelled():
            _tell(self._waiting.pop(district_id), Unavailable())

    async def _insert(self, district_id: UUID, taken: _Waiting) -> None:
        rows = [disclosed for disclosed, _ in taken]
        try:
            async with self._database.recorders.lend() as driver:
                await driver.execute(
                    INSERT,
                    str(district_id),
                    [uuid7() for _ in rows],
                    [row.application_id for row in rows],
                    [row.token_id for row in rows],
                    [row.route for row in rows],
                    [row.revision for row in rows],
                    [",".join(row.field_groups) for row in rows],
                    [row.persons for row in rows],
                )
        except Exception as error:
            _tell(taken, error)
        except asyncio.CancelledError:
            _tell(taken, Unavailable())
            raise
        else:
            _tell(taken, None)


def _tell(waiting: _Waiting, failure: Exception | None) -> None:
    for _, written in waiting:
        if written.done():  # its request was cancelled
            continue
        if failure is None:
            written.set_result(None)
        else:
            written.set_exception(failure)
