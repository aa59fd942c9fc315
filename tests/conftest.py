"""Parts that every test may ask for: a real PostgreSQL built by the migrations, and sessions on it."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from sharing_service import schema
from sharing_service.database import Database, DatabaseRole
from sharing_service.embedded import start
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import District, Service, bearer

pytest_plugins = ["tests.hanging"]

OPERATOR_TOKEN = "operator-token-of-the-tests-0123456789"

# Two halves of as many worlds, ten permissions each: 3,000 cases in a run, 200,000 in a nightly one.
# Shrinking repeats whole syncs and may take many minutes, so only the quick profile does it.
UNSHRUNK = [Phase.explicit, Phase.reuse, Phase.generate]
hypothesis_settings.register_profile("check", max_examples=150, phases=UNSHRUNK, print_blob=True)
hypothesis_settings.register_profile("quick", max_examples=20)
hypothesis_settings.register_profile("nightly", max_examples=10_000, phases=UNSHRUNK, print_blob=True)
hypothesis_settings.load_profile("check")


# Two processes share what is made up at random.
HALVES = ["first", "second"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose its PostgreSQL: `--postgres-bindir /usr/lib/postgresql/15/bin`."""
    parser.addoption("--postgres-bindir", type=Path, default=None, help="run on the PostgreSQL of this directory")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process has minutes of it left when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Let the collector leave alone what was imported: walking through it again and again took a sixth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
async def told_loop() -> None:
    """Of a test that hangs it is told what its tasks wait for."""
    from tests import hanging  # only now: pytest imports it as a plugin

    hanging.loops.append(asyncio.get_running_loop())


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database on a server of this test process, or, by a superuser, that of SHARING_TEST_DATABASE_URL."""
    given = os.environ.get("SHARING_TEST_DATABASE_URL")
    if given:
        schema.upgrade(given)
        yield given
        return
    bindir: Path | None = request.config.getoption("--postgres-bindir")
    with start(tmp_path_factory.mktemp("postgres"), bindir=bindir, fast=True) as server:
        schema.upgrade(server.url)
        yield server.url


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database as requests see it."""
    database = Database(database_url)
    yield database
    await database.close()


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[AsyncSession]:
    """A write session whose work is undone afterwards."""
    async with database.engine.connect() as connection:
        transaction = await connection.begin()
        make_session = async_sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        async with make_session() as session:
            yield session
        await transaction.rollback()


@pytest.fixture(scope="session")
async def jobs(database_url: str) -> AsyncIterator[Database]:
    """The database as the worker sees it."""
    database = Database(database_url, role=DatabaseRole.WORKER)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def by_hand(database_url: str) -> AsyncIterator[Database]:
    """The database as a superuser sees it, whom no policy stops: for what a test prepares or looks up by hand."""
    database = Database(database_url, role=None)
    yield database
    await database.close()


@pytest.fixture
async def session(jobs: Database) -> AsyncIterator[AsyncSession]:
    """A write session of the worker whose work is undone after the test."""
    async with undone(jobs) as session:
        yield session


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What the environment of the service decides."""
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        operator_token=SecretStr(OPERATOR_TOKEN),
        token_key=SecretStr("k" * 32),
        rate_limit=10**9,  # a fast machine reads more often than a token may
        security_contact="mailto:security@example.org",
    )


@pytest.fixture(scope="session")
async def service(settings: Settings, database_url: str, jobs: Database, by_hand: Database) -> AsyncIterator[Service]:
    """The whole service behind an HTTP client, and its operator."""
    app = create_app(settings, database_url=database_url)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
        yield Service(client, app.state.database, bearer(OPERATOR_TOKEN), jobs=jobs, by_hand=by_hand)
    await app.state.database.close()


@pytest.fixture
async def district(service: Service) -> District:
    """A new district, with nothing published yet."""
    return await service.district()
