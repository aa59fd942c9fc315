"""What every part of the bench stands on: a server, the files of a district day by day, and services on databases."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx2

from sharing_service.database import Database
from sharing_service.embedded import EmbeddedPostgres
from sharing_service.generator.district import write_district
from sharing_service.generator.files import File, path_of
from sharing_service.generator.next_day import write_next_day
from tests.bench.crawling import PLAIN
from tests.bench.serving import EMPTY, OPERATOR_TOKEN, Admin, Served, served
from tests.factories.service import District, Service, bearer

CHURN: Final = 0.01
ANSWER_SECONDS: Final = 3600
KEPT_SECONDS: Final = 2
"""A client drops its idle connections before the server does: else a request meets one that is just being closed."""


@dataclass(frozen=True)
class Ground:
    """A server whose database `sharing` is migrated and unused, a folder for files, and the size of the district."""

    server: EmbeddedPostgres
    folder: Path
    students: int
    admins: dict[int, Admin] = field(default_factory=dict)
    """Of the districts that are published, by how many students they have."""

    def district(self, students: int) -> Path:
        """The folder with the files of a district, written when first asked for."""
        folder = self.folder / f"district-{students}"
        if not folder.exists():
            write_district(folder, students=students)
        return folder

    def day(self, number: int) -> Path:
        """The folder with the files of the district so many days after the first, written when first asked for."""
        if number == 0:
            return self.district(self.students)
        folder = self.folder / f"day-{number}"
        if not folder.exists():
            write_next_day(folder, self.day(number - 1), churn=CHURN)
        return folder

    @contextmanager
    def served(self, name: str, *, template: str = EMPTY) -> Iterator[Served]:
        """Serve a new database, by default an empty one, which is dropped afterwards."""
        with served(self.server, name, self.folder, template=template) as service:
            yield service
        asyncio.run(_drop(self.server.dsn, name))


@dataclass(frozen=True)
class Opened:
    """A district of a service that is its only one, and a connection to the database behind it."""

    district: District
    connection: asyncpg.Connection


@asynccontextmanager
async def opened(service: Served) -> AsyncIterator[Opened]:
    """The district that a service has, or a new one."""
    connection = await asyncpg.connect(service.dsn)
    limits = httpx2.Limits(keepalive_expiry=KEPT_SECONDS)
    client = httpx2.AsyncClient(
        base_url=service.url, timeout=ANSWER_SECONDS, limits=limits, trust_env=False, headers={"Accept-Encoding": PLAIN}
    )
    async with client:
        # Everything but the look-ups of the bench goes over HTTP, to processes in their own roles.
        database = Database(service.dsn, role=None)
        there = Service(client, database, bearer(OPERATOR_TOKEN), jobs=database, by_hand=database)
        admin = service.admin
        district = District(there, admin.district_id, admin.headers) if admin else await there.district()
        yield Opened(district, connection)
        await database.close()
    await connection.close()


def rows_of(folder: Path, file: File) -> int:
    """How many rows a file has, whose cells the generator writes without line breaks."""
    with path_of(folder, file).open("rb") as stream:
        return sum(1 for _ in stream) - 1


async def _drop(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(f"{dsn.removesuffix('/sharing')}/postgres")
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()
