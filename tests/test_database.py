"""The database that the migrations build."""

from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import schema
from sharing_service.database import Database, enter_district
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
