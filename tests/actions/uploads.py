"""Syncs of small uploads in a transaction that is undone, and everything that one leaves behind."""

import csv
import io
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.access.callers import Operator
from sharing_service.actions.sync_roster import sync_roster
from sharing_service.database import enter_district
from sharing_service.delivery.moved import OTHER_SECTIONS
from sharing_service.roster import intake
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.catalogue import UPLOADED, Kind
from sharing_service.roster.models import LINKS, District
from sharing_service.roster.sync_models import Sync
from tests.factories.roster import add_district

Table = list[list[str]]
"""A header and its rows."""
Files = dict[str, Table]

LONG_AGO: Final = "2001-01-01"
BEFORE_THE_LEDGERS: Final = 0.9
"""The progress at which the new roster is written and no ledger is evaluated yet."""
LISTS: Final = ("touched", "relinked", "left_records", "restamped")
_ID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def rendered(table: Table) -> bytes:
    """The bytes of a file."""
    data = io.StringIO(newline="")
    csv.writer(data, lineterminator="\n").writerows(table)
    return data.getvalue().encode()


class Synced:
    """A district whose syncs are run here, one after the other."""

    def __init__(self, session: AsyncSession, district_id: UUID) -> None:
        """Use a district that is there."""
        self.session = session
        self.id = district_id
        self._lists: dict[str, list[Any]] = {}
        self._lines: dict[str, list[int]] = {}

    @classmethod
    async def new(cls, session: AsyncSession) -> "Synced":
        """A new district."""
        district = District(id=uuid4(), name="Riverbend")
        await add_district(session, district)
        return cls(session, district.id)

    async def sync(self, files: Files) -> dict[str, Any]:
        """Sync an upload, past any hold; what it leaves behind, without anything that differs between districts."""
        sync = Sync(district_id=self.id, id=uuid4(), dry_run=False, released=True, caller=Operator().described())
        await enter_district(self.session, self.id)
        self.session.add(sync)
        await self.session.flush()
        for position, (name, table) in enumerate(files.items()):
            await intake.store_file(
                self.session,
                self.id,
                sync.id,
                position=position,
                name=name,
                is_archive=False,
                chunks=_once(rendered(table)),
                limit=10**6,
            )
        for kind in Kind:
            times = f"created_at = '{LONG_AGO}', modified_at = '{LONG_AGO}'"
            await self.session.execute(text(f"update {kind} set {times} where district_id = :id"), {"id": self.id})
        await sync_roster(self.session, sync, attempt=1, limits=ArchiveLimits(), progress=self._look)
        told = {"status": sync.status, "report": sync.report, "problems": sync.problems, "revision": sync.revision}
        return told | await self.left_behind()

    async def forget(self) -> None:
        """Let the next upload be read whole."""
        await self._all("delete from row_digests where district_id = :id returning 1")

    async def has_digests(self) -> bool:
        """Whether the next upload may be compared with the last one."""
        return bool(await self._all("select 1 from row_digests where district_id = :id"))

    def read(self, kind: str) -> list[int]:
        """The lines of a file that the last sync has read."""
        return self._lines[kind]

    async def left_behind(self) -> dict[str, Any]:
        """The rows of every table of the roster, the documents, and what the last sync lists, without ids."""
        lists = dict(self._lists)
        if await self._all("select 1 where to_regclass('pg_temp.sections_before') is not null"):
            lists["other sections"] = await self._all(OTHER_SECTIONS.replace(":district_id", ":id"))
        return await self.roster() | {name: sorted(str(tuple(row)) for row in rows) for name, rows in lists.items()}

    async def _look(self, done: float) -> None:
        """Keep what a sync has listed, while its tables are there."""
        if done == BEFORE_THE_LEDGERS:
            self._lists = {table: await self._all(f"select to_jsonb(t) from {table} t") for table in LISTS}
            for kind in UPLOADED:
                lines = await self.session.scalars(text(f"select line from staged_{kind} order by line"))
                self._lines[kind] = list(lines)

    async def roster(self) -> dict[str, list[str]]:
        """The rows of every table of the roster and the documents, without ids."""
        numbered = await self._all("select id::text, numbering, ordinal from identities where district_id = :id")
        names = {str(self.id): "district"} | {record: f"{numbering} {one}" for record, numbering, one in numbered}
        tables = (*(kind.value for kind in Kind), *(link.name for link in LINKS), "identities", "documents")
        queries = {table: f"select to_jsonb(t) from {table} t where district_id = :id" for table in tables}
        queries["counters"] = "select to_jsonb(t) - 'last_id_time' from ordinal_counters t where district_id = :id"
        return {
            name: sorted(_ID.sub(lambda found: names[found[0]], str(row)) for (row,) in await self._all(query))
            for name, query in queries.items()
        }

    async def _all(self, statement: str) -> list[Any]:
        await enter_district(self.session, self.id)
        parameters = {"id": self.id} if ":id" in statement else {}
        return list((await self.session.execute(text(statement), parameters)).all())


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
