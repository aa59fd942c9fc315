"""The database that the migrations build."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from asyncpg import DivisionByZeroError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import schema
from sharing_service.database import Database, driver_of, enter_district
from sharing_service.pools import HELPERS
from sharing_service.roster.models import District

NOBODY = b""
"""The digest of no token."""


async def test_the_migrations_bring_the_newest_schema(session: AsyncSession) -> None:
    """A database that was migrated is at the newest migration."""
    assert await schema.is_current(session)


async def test_lower_knows_every_alphabet(session: AsyncSession) -> None:
    """Rules that ignore case lower accented letters; what has no single lower-case letter stays."""
    lowered = await session.scalar(text("select lower('ÁÉßΣ' collate unicode_letters)"))
    assert lowered == "áéßσ"


@pytest.mark.asvs("V8.4.1")
async def test_the_district_of_a_transaction_ends_with_it(database: Database) -> None:
    """A connection returns to the pool without the district that it served.

    Catches a context set for the session, which the next district's request on that connection would inherit.
    """
    district_id = uuid4()
    async with database.write() as session:
        await enter_district(session, district_id)
        assert await session.scalar(text("select current_setting('app.district_id')")) == str(district_id)
        backend = await session.scalar(text("select pg_backend_pid()"))
    async with database.write() as session:
        assert await session.scalar(text("select pg_backend_pid()")) == backend
        assert not await session.scalar(text("select current_setting('app.district_id', true)"))


async def test_a_read_is_one_snapshot(database: Database) -> None:
    """What is committed while a reader reads stays unseen by it.

    Catches a read session under READ COMMITTED, whose pages would mix two rosters.
    """
    async with database.read() as reading:
        before = await reading.scalar(text("select count(*) from districts"))
        async with database.write() as writing:
            writing.add(District(id=uuid4(), name="Riverbend"))
        assert await reading.scalar(text("select count(*) from districts")) == before


async def test_a_snapshot_is_one_instant_of_one_district(database: Database) -> None:
    """A snapshot sees nothing that is committed after it began, and its connections leave it without a district."""
    district_id = uuid4()
    async with database.snapshot(district_id, NOBODY) as snapshot:
        assert await snapshot.driver.fetchval("select current_setting('app.district_id')") == str(district_id)
        before = await snapshot.driver.fetchval("select count(*) from districts")
        async with database.write() as writing:
            writing.add(District(id=uuid4(), name="Riverbend"))
        assert await snapshot.driver.fetchval("select count(*) from districts") == before
        driver = snapshot.driver
    assert not await driver.fetchval("select current_setting('app.district_id', true)")


async def test_a_snapshot_that_cannot_end_takes_its_connection_along(database: Database) -> None:
    """A request that is cancelled while its transaction ends leaves no open transaction in the pool.

    Catches a connection that goes back with an old snapshot, from which the next request would be answered.
    """

    async def read() -> None:
        async with database.snapshot(uuid4(), NOBODY) as snapshot:
            backends.append(await snapshot.driver.fetchval("select pg_backend_pid()"))
            asyncio.current_task().cancel()  # type: ignore[union-attr]

    backends: list[int] = []
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(read())
    async with database.snapshot(uuid4(), NOBODY) as snapshot:
        assert await snapshot.driver.fetchval("select pg_backend_pid()") not in backends


@pytest.mark.parametrize("steps", [*range(12), 20, 40])
@pytest.mark.asvs("V1.4.3")
async def test_a_snapshot_that_is_cancelled_gives_its_place_back(database_url: str, steps: int) -> None:
    """Wherever a request is cancelled, the only connection serves the next one, and no transaction stays open.

    Catches a place that nobody gives back, and a connection that goes back before its `begin` has been answered.
    """
    database = Database(database_url, pool_size=1)

    async def read() -> None:
        async with database.snapshot(uuid4(), NOBODY) as snapshot:
            await snapshot.driver.fetchval("select pg_sleep(0.01)")

    if steps % 2:
        await read()  # the connection is there already
    for _ in range(3):
        reading = [asyncio.create_task(read()) for _ in range(2)]  # one reads, one waits
        for _ in range(steps):
            await asyncio.sleep(0.0005)
        for task in reading:
            task.cancel()
        outcomes = await asyncio.gather(*reading, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {asyncio.CancelledError, type(None)}
        assert not any(driver.is_in_transaction() for driver in database.drivers.idle)
    async with asyncio.timeout(20), database.drivers.lend() as driver:
        assert not driver.is_in_transaction()
        assert not await driver.fetchval("select current_setting('app.district_id', true)")
    await database.close()


async def test_a_snapshot_that_fails_gives_its_connection_back(database_url: str) -> None:
    """A refusal, or a statement that fails, ends the transaction, and the connection serves the next request."""
    database = Database(database_url, pool_size=1)
    used = []

    async def fail(statement: str) -> None:
        async with database.snapshot(uuid4(), NOBODY) as snapshot:
            used.append(snapshot.driver)
            await snapshot.driver.execute(statement)
            raise LookupError

    for statement, error in (("select 1", LookupError), ("select 1 / 0", DivisionByZeroError)):
        with pytest.raises(error):
            await fail(statement)
        assert database.drivers.idle == [used[0]]
        assert not used[0].is_in_transaction()
    await database.close()
    assert used[0].is_closed()


async def test_a_transaction_that_goes_on_ends_with_its_connection(database_url: str) -> None:
    """Whoever leaves a transaction open loses the connection.

    Catches an old snapshot in the pool, from which the next request would be answered.
    """
    database = Database(database_url, pool_size=1)
    async with database.drivers.lend() as driver:
        await driver.execute("begin")
    assert driver.is_closed()
    assert database.drivers.idle == []
    await database.close()


async def test_a_closed_connection_is_not_lent(database_url: str) -> None:
    """After a restart of the server the first request of a partner finds a connection that works.

    Catches a pool that hands out what it has without looking.
    """
    database = Database(database_url, pool_size=1)
    async with database.drivers.lend() as driver:
        pass
    driver.terminate()
    async with database.snapshot(uuid4(), NOBODY) as snapshot:
        assert await snapshot.driver.fetchval("select 1") == 1
    await database.close()


async def test_a_connection_that_the_server_closed_is_replaced(database_url: str) -> None:
    """After a restart of the server the first request finds a connection that works.

    Catches a pool that hands out what it has without looking.
    """
    database = Database(database_url, pool_size=1)
    async with database.read() as session:
        backend = await session.scalar(text("select pg_backend_pid()"))
    async with database.engine.connect() as connection:
        (await driver_of(connection)).terminate()
    async with database.read() as session:
        assert await session.scalar(text("select pg_backend_pid()")) != backend
    await database.close()


async def test_a_second_connection_is_never_waited_for(database: Database) -> None:
    """Of several that begin together, as many read by two connections as there are, and the others by their own.

    Catches two that find the last one free, of which one then waits for the other's end.
    """
    district_id = uuid4()
    found: list[int] = []
    async with AsyncExitStack() as held:

        async def begin(session: AsyncSession) -> None:
            found.append(len(await held.enter_async_context(database.side_by_side(session, district_id))))

        sessions = [await held.enter_async_context(database.read()) for _ in range(HELPERS + 2)]
        for session in sessions:
            await enter_district(session, district_id)
        async with asyncio.timeout(10):
            await asyncio.gather(*map(begin, sessions))

    assert sorted(found) == [1, 1] + [2] * HELPERS
