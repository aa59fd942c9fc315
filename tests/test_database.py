"""The database that the migrations build."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import schema
from sharing_service.database import Database, driver_of, enter_district
from sharing_service.roster.models import District


async def test_the_migrations_bring_the_newest_schema(session: AsyncSession) -> None:
    """A database that was migrated is at the newest migration."""
    assert await schema.is_current(session)


async def test_lower_knows_every_alphabet(session: AsyncSession) -> None:
    """Rules that ignore case lower accented letters; what has no single lower-case letter stays."""
    lowered = await session.scalar(text("select lower('ÁÉßΣ' collate unicode_letters)"))
    assert lowered == "áéßσ"


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
    async with database.snapshot(district_id) as snapshot:
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
        async with database.snapshot(uuid4()) as snapshot:
            backends.append(await snapshot.driver.fetchval("select pg_backend_pid()"))
            asyncio.current_task().cancel()  # type: ignore[union-attr]

    backends: list[int] = []
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(read())
    async with database.snapshot(uuid4()) as snapshot:
        assert await snapshot.driver.fetchval("select pg_backend_pid()") not in backends


@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_a_snapshot_that_was_given_up_as_it_began_leaves_no_transaction(database_url: str, steps: int) -> None:
    """A request that is cancelled while its transaction begins leaves no open transaction in the pool.

    Catches a beginning that nobody ends: the server may have carried it out though nobody heard so.
    """

    async def read() -> None:
        async with database.snapshot(uuid4()):
            await asyncio.Event().wait()

    database = Database(database_url, pool_size=1)
    async with database.autocommit():
        pass  # from here on there is a connection, so the next one who asks begins at once
    reading = asyncio.create_task(read())
    for _ in range(steps):
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    async with database.autocommit() as connection:
        assert not (await driver_of(connection)).is_in_transaction()
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
