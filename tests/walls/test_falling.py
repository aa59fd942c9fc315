"""Walls fall one by one: without policies the statements hold, and without a condition in a statement the policies."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import schema
from sharing_service.access.tokens import Tokens
from sharing_service.audit import trail
from sharing_service.database import Database, DatabaseRole, enter_district
from sharing_service.delivery import views
from sharing_service.delivery.views import Places
from sharing_service.main import create_app
from sharing_service.roster import queries, syncs
from sharing_service.roster.catalogue import Kind
from sharing_service.settings import Settings
from sharing_service.sharing import grants
from tests.architecture.project import SOURCE
from tests.conftest import OPERATOR_TOKEN
from tests.factories.service import Connected, District, Service, bearer
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.walls.rows import connected, tables_of

KEY: Final = "k" * 32


@dataclass(frozen=True)
class Town:
    """Two districts with the same roster, and two applications with which the first shares all of it."""

    here: District
    there: District
    first: Connected
    second: Connected


async def town(service: Service) -> Town:
    """Two districts on a service."""
    here, there = await service.district(), await service.district()
    for district in (here, there):
        await district.publish(render(SMALL_DISTRICT))
    first, second, third = await here.connect(), await here.connect(), await there.connect()
    for application in (first, second, third):
        await application.share({"mode": "district"})
    return Town(here, there, first, second)


@pytest.fixture(scope="module")
async def walled(service: Service) -> Town:
    """Behind the policies."""
    return await town(service)


@pytest.fixture(scope="module")
async def bare(by_hand: Database, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """On a database of its own, all of whose policies are gone."""
    async with emptied(by_hand, database_url) as url:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("bare"), operator_token=SecretStr(OPERATOR_TOKEN), token_key=SecretStr(KEY)
        )
        app = create_app(settings, database_url=url)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        jobs, everything = Database(url, role=DatabaseRole.WORKER), Database(url, role=None)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
            made = Service(client, app.state.database, bearer(OPERATOR_TOKEN), jobs=jobs, by_hand=everything)
            yield await town(made)
        for database in (app.state.database, jobs, everything):
            await database.close()


@asynccontextmanager
async def emptied(by_hand: Database, database_url: str) -> AsyncIterator[str]:
    """The address of a new database without row level security, which has nothing in it."""
    name = f"bare_{uuid4().hex}"
    url = make_url(database_url).set(database=name).render_as_string(hide_password=False)
    async with connected(by_hand) as connection:
        await connection.execute(f"create database {name}")
        await migrated(url)
        everything = Database(url, role=None)
        async with connected(everything) as inside:
            for table in await tables_of(everything):
                await inside.execute(f"alter table {table.name} no force row level security")
                await inside.execute(f"alter table {table.name} disable row level security")
        yield url
        await connection.execute(f"drop database {name} with (force)")


async def migrated(url: str) -> None:
    """Bring a database to the newest migration, which runs an event loop of its own."""
    await asyncio.to_thread(schema.upgrade, url)


@pytest.fixture(params=["walled", "bare"])
def either(request: pytest.FixtureRequest, walled: Town, bare: Town) -> Town:
    """With the policies, and without."""
    return walled if request.param == "walled" else bare


@pytest.mark.asvs("V8.4.1")
async def test_routes_and_statements_keep_districts_apart(either: Town) -> None:
    """An admin and an application of one district learn nothing of another, even where no policy is left.

    Catches a service that leaves it to the policies, which a superuser's login would pass by.
    """
    here, there = either.here, either.there
    intruder = replace(here, admin=there.admin)
    for path in ("/students", "/applications", "/syncs", "/audit", "/blocks", f"{either.first.path}/sharing"):
        await intruder.get(path, 404)
    own, foreign = set((await here.ids()).values()), set((await there.ids()).values())
    assert own.isdisjoint(foreign)
    seen = {record["id"] for record in await either.first.records("/users", role="student")}
    assert seen
    assert seen <= own
    for kind, path in (("students", "users"), ("sections", "sections"), ("schools", "schools")):
        record_id = (await there.everything(kind))[0]["id"]
        await either.first.read(f"/{path}/{record_id}", 404)
        await here.get(f"/{kind}/{record_id}", 404)


@dataclass(frozen=True)
class Hole:
    """A condition that a tired hand forgot, and what the statement then finds."""

    function: Callable[..., Any]
    condition: str
    use: Callable[[Any, AsyncSession, UUID], Awaitable[Any]]
    instead: str = ""

    def broken(self) -> Any:
        """The function without the condition."""
        source = inspect.getsource(self.function)
        assert source.count(self.condition) == 1
        names = dict(self.function.__globals__)
        exec(source.replace(self.condition, self.instead), names)  # noqa: S102 - our own source, broken on purpose
        return names[self.function.__name__]


async def total(page: Any, session: AsyncSession, district_id: UUID) -> Any:
    """How many students there are."""
    return (await page(session, district_id, Kind.STUDENTS, search=None, after=None, limit=100))[1]


async def names(names_of: Any, session: AsyncSession, district_id: UUID) -> Any:
    """The names of the first records."""
    return await names_of(session, district_id, Kind.STUDENTS, [0, 1, 2])


async def lines(select_entries: Any, session: AsyncSession, district_id: UUID) -> Any:
    """The lines of the trail."""
    return [line.id for line in await session.scalars(select_entries(district_id, after=None, limit=100))]


async def uploads(page: Any, session: AsyncSession, district_id: UUID) -> Any:
    """The syncs."""
    return (await page(session, district_id, before=None, limit=100))[1]


async def all_grants(all_of: Any, session: AsyncSession, district_id: UUID) -> Any:
    """The applications."""
    return [grant.application_id for grant in await all_of(session, district_id)]


HOLES: Final = {
    "records": Hole(queries.page, "table.c.district_id == district_id, *", total, "table.c.ordinal >= 0, *"),
    "names": Hole(queries.names_of, "table.c.district_id == district_id, ", names),
    "the trail": Hole(trail.select_entries, ".where(AuditEntry.district_id == district_id)", lines),
    "syncs": Hole(syncs.page, ".where(Sync.district_id == district_id)", uploads),
    "grants": Hole(grants.all_of, ".where(Grant.district_id == district_id)", all_grants),
}


@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
@pytest.mark.asvs("V8.4.1")
async def test_a_forgotten_condition_shows_nothing(walled: Town, bare: Town, hole: Hole) -> None:
    """A statement that forgets its district still finds the rows of this one only; without policies it finds more.

    Catches policies that only seem to hold because every statement names its district.
    """
    found = {}
    for place, in_town in (("walled", walled), ("bare", bare)):
        async with in_town.here.service.database.read() as session:
            district_id = UUID(in_town.here.id)
            await enter_district(session, district_id)
            right = await hole.use(hole.function, session, district_id)
            found[place] = await hole.use(hole.broken(), session, district_id) == right
    assert found == {"walled": True, "bare": False}


GRANT_OF_TOKEN: Final = " & (Grant.application_id == Token.application_id)"


async def test_a_partner_that_meets_every_grant_sees_its_own(walled: Town, bare: Town) -> None:
    """If the statement that admits a partner forgets whose grant it wants, the second wall finds the right one.

    Catches a second wall that does not stand: the application would read what is shared with another.
    """
    source = (SOURCE / "delivery" / "views.py").read_text(encoding="utf-8")
    assert source.count(GRANT_OF_TOKEN) == 1
    broken: dict[str, Any] = {"__name__": views.__name__}
    exec(source.replace(GRANT_OF_TOKEN, ""), broken)  # noqa: S102 - our own source, broken on purpose
    found = {}
    for place, in_town in (("walled", walled), ("bare", bare)):
        district_id = UUID(in_town.here.id)
        digest = Tokens(KEY.encode()).digest(in_town.first.headers["Authorization"].removeprefix("Bearer "))
        async with in_town.here.service.database.snapshot(district_id, digest) as snapshot:
            entering = views.entering(district_id, digest, Places())
            rows = await broken["_ENTER"].fetch(snapshot.driver, **entering)
        found[place] = len({row["ledger_id"] for row in rows})
    assert found == {"walled": 1, "bare": 2}


async def test_the_policies_are_gone_where_they_must_be(bare: Town) -> None:
    """The database without policies shows all rows without a district: else it would prove nothing."""
    async with bare.here.service.database.read() as session:
        districts = await session.scalars(text("select distinct district_id from students"))
        assert {str(district_id) for district_id in districts} == {bare.here.id, bare.there.id}
