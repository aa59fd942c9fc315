"""Loading rows into the temporary tables of a sync."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import Database, DatabaseRole
from sharing_service.roster import staging
from sharing_service.roster.catalogue import Kind
from tests.roster.syncing import student, teacher, tuples

ODD = ["tab\there", "line\nend", "return\rhere", "back\\slash", "\\N", "\\.", 'quo"te', "Zoë 😀", "\x01\x02\x1f"]


@pytest.mark.parametrize("value", ODD)
async def test_a_cell_is_kept_byte_for_byte(session: AsyncSession, value: str) -> None:
    """Characters that mean something to COPY arrive as they were.

    Catches a block that is sent without escaping.
    """
    await staging.create(session)
    rows = [teacher("T1", title=value), teacher("T2", title="plain")]
    assert await staging.load(session, Kind.TEACHERS, tuples(Kind.TEACHERS, rows)) == 2
    found = await session.scalars(text("select title from staged_teachers order by line"))
    assert list(found) == [value, "plain"]


async def test_many_rows_are_loaded_in_blocks(session: AsyncSession) -> None:
    """Every row arrives when a file has more of them than one block, the last block being a short one."""
    count = 2_001
    await staging.create(session)
    rows = tuples(Kind.STAFF, ({"school": "S1", "sis_id": str(n), "title": "x" * 5_000} for n in range(count)))
    assert await staging.load(session, Kind.STAFF, rows) == count
    assert await session.scalar(text("select count(distinct line) from staged_staff")) == count


def test_a_block_is_bound_by_its_bytes() -> None:
    """However long its rows are, a block holds few bytes more than it should, and all blocks hold all rows.

    Catches blocks of so many rows, of which each may have four mebibytes.
    """
    rows = tuples(Kind.STAFF, ({"school": "S1", "sis_id": str(n), "title": "x" * 100_000} for n in range(100)))
    blocks = list(iter(partial(staging.next_block, rows), b""))

    assert max(map(len, blocks)) < 2 * staging.BLOCK
    assert len(b"".join(blocks).splitlines()) == 100


async def test_a_file_without_rows_is_loaded(session: AsyncSession) -> None:
    """A file with a header and no rows is valid."""
    await staging.create(session)
    assert await staging.load(session, Kind.STAFF, iter(())) == 0


async def test_blocks_are_loaded_in_their_order(session: AsyncSession) -> None:
    """However long each of them takes to be formed, rows stand in the order of their file.

    Catches blocks that are sent when they are ready.
    """

    def formed(line: int) -> bytes:
        time.sleep(0.02 * (line % 3 == 0))
        return staging.copy_text(list(tuples(Kind.STAFF, [{"school": "S1", "sis_id": f"T{line}"}])))

    await staging.create(session)
    count = await staging.load_blocks(session, Kind.STAFF, (partial(formed, line) for line in range(20)))

    found = await session.scalars(text("select sis_id from staged_staff order by ctid"))
    assert (count, list(found)) == (20, [f"T{line}" for line in range(20)])


@pytest.mark.parametrize("wrong", range(6))
async def test_a_block_that_cannot_be_formed_fails_with_its_own_reason(session: AsyncSession, wrong: int) -> None:
    """Nothing of the file is kept, and no thread is at work on it any more, when the reason is told.

    Catches a file that is closed while others of its blocks are formed.
    """
    at_work: set[int] = set()

    def formed(number: int) -> bytes:
        at_work.add(number)
        time.sleep(0.02)
        at_work.remove(number)
        if number == wrong:
            raise ValueError("This block cannot be formed.")
        return staging.copy_text(list(tuples(Kind.STAFF, [{"school": "S1", "sis_id": f"T{number}"}])))

    await staging.create(session)
    savepoint = await session.begin_nested()
    with pytest.raises(ValueError, match="cannot be formed"):
        await staging.load_blocks(session, Kind.STAFF, (partial(formed, number) for number in range(6)))
    assert not at_work
    await savepoint.rollback()
    assert await session.scalar(text("select count(*) from staged_staff")) == 0


def _failing_rows() -> Iterator[tuple[Any, ...]]:
    yield from tuples(Kind.STUDENTS, [student("P1")])
    raise ValueError("This file cannot be read.")


async def test_a_file_that_cannot_be_read_fails_with_its_own_reason(session: AsyncSession) -> None:
    """What the reading part raises comes out as it is, and the connection serves on after the rollback."""
    await staging.create(session)
    savepoint = await session.begin_nested()
    with pytest.raises(ValueError, match="cannot be read"):
        await staging.load(session, Kind.STUDENTS, _failing_rows())
    await savepoint.rollback()
    assert await staging.load(session, Kind.STUDENTS, tuples(Kind.STUDENTS, [student("P1")])) == 1


async def test_the_tables_end_with_the_transaction(database_url: str) -> None:
    """Nothing of an upload is left on a pooled connection.

    Catches temporary tables that live as long as the connection.
    """
    jobs = Database(database_url, pool_size=1, role=DatabaseRole.WORKER)
    async with jobs.write() as session:
        await staging.create(session)
        backend = await session.scalar(text("select pg_backend_pid()"))
    async with jobs.write() as session:
        assert await session.scalar(text("select pg_backend_pid()")) == backend
        assert await session.scalar(text("select to_regclass('pg_temp.staged_students')")) is None
    await jobs.close()
