"""Small uploads as rows, and a sync of them as far as the merge."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import enter_district
from sharing_service.roster import checking, grouped, merging, staging
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.columns import UploadKind, columns_of
from sharing_service.roster.enrollment_rows import COLUMNS, Frames
from sharing_service.roster.models import District
from sharing_service.roster.outcome import Outcome
from sharing_service.roster.problems import ProblemLog
from tests.factories.roster import add_district

Row = dict[str, str]
Upload = dict[str, list[Row]]
ID_TIME = 1_790_000_000_000


def upload(**files: list[Row]) -> Upload:
    """An upload of one school, unless `schools` says otherwise."""
    return {"schools": [{"sis_id": "S1", "name": "Oak"}], **files}


def student(sis_id: str, school: str = "S1", **values: str) -> Row:
    """A row of students.csv."""
    return {"school": school, "sis_id": sis_id, "first_name": "Ada", "last_name": "Lovelace", **values}


def teacher(sis_id: str, school: str = "S1", **values: str) -> Row:
    """A row of teachers.csv."""
    return {"school": school, "sis_id": sis_id, "first_name": "Grace", "last_name": "Hopper", **values}


def section(sis_id: str, school: str = "S1", **values: str) -> Row:
    """A row of sections.csv."""
    return {"school": school, "sis_id": sis_id, **values}


def enrolled(section: str, student: str, school: str = "S1") -> Row:
    """A row of enrollments.csv."""
    return {"school": school, "section": section, "student": student}


def tuples(kind: UploadKind, rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """Rows in the shape that the reading part gives; the first stands on line 2."""
    columns = columns_of(kind)[1:]
    for line, row in enumerate(rows, start=2):
        assert set(row) <= set(columns)
        yield (line, *(row.get(column, "{}" if column == "ext" else "") for column in columns))


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did, and the problems it found as (code, file, line, column)."""

    outcome: Outcome
    log: ProblemLog

    @property
    def problems(self) -> list[tuple[str, str, int | None, str | None]]:
        """The problems without their words."""
        return [(problem.code, problem.file, problem.line, problem.column) for problem in self.log.kept]

    def moved(self) -> dict[str, tuple[int, int, int]]:
        """Added, changed and removed of each kind of which anything moved."""
        counts = {kind: (one.added, one.changed, one.removed) for kind, one in self.outcome.items()}
        return {kind: count for kind, count in counts.items() if any(count)}


class Syncing:
    """A district of its own in a session that is undone, and syncs of it."""

    def __init__(self, session: AsyncSession, district_id: UUID) -> None:
        """Use a district that is there."""
        self.session = session
        self.district_id = district_id

    async def sync(self, files: Upload, *, id_time: int = ID_TIME) -> Synced:
        """Load, check and merge."""
        log = ProblemLog()
        await enter_district(self.session, self.district_id)
        await staging.create(self.session)
        for name, rows in files.items():
            if name != "enrollments":
                await staging.load(self.session, Kind(name), tuples(Kind(name), rows))
        frame = pl.DataFrame(list(tuples("enrollments", files.get("enrollments", []))), COLUMNS, orient="row")

        async def frames() -> Frames:
            return lambda: iter([frame])

        published = await grouped.published(await staging.driver(self.session), self.district_id)
        checked = await checking.check(
            self.session, self.district_id, log, frames, published=published, id_time=id_time
        )
        return Synced(await merging.merge(self.session, self.district_id, checked), log)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, which may name `:district_id`."""
        await enter_district(self.session, self.district_id)
        parameters = {"district_id": self.district_id} if ":district_id" in query else {}
        return [tuple(row) for row in await self.session.execute(text(query), parameters)]

    async def values(self, kind: str, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of the district's records of a kind, by ordinal."""
        return await self.rows(
            f"select {', '.join(columns)} from {kind} where district_id = :district_id order by ordinal"
        )

    async def ordinal(self, kind: str, key: str) -> int:
        """The ordinal of a key."""
        found = await self.rows(
            f"select ordinal from identities where district_id = :district_id and kind = '{kind}' and key = '{key}'"
        )
        return int(found[0][0])


async def new_district(session: AsyncSession) -> Syncing:
    """A district without a roster."""
    district = District(id=uuid4(), name="Riverbend")
    await add_district(session, district)
    await enter_district(session, district.id)
    return Syncing(session, district.id)
