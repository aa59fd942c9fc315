"""CSV files of what is shared: the cells, the turns in which they are read, and what happens when one breaks off."""

import asyncio
import csv
import io
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from anyio import CancelScope
from asyncpg import PostgresError
from pyroaring import BitMap, FrozenBitMap
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import Database, driver_of, enter_district
from sharing_service.delivery import exports
from sharing_service.delivery.ledger import Ledger
from sharing_service.delivery.sheets import Turn
from sharing_service.roster import queries
from sharing_service.roster.catalogue import Kind
from tests.factories.service import Connected, District
from tests.factories.sheets import csv_of
from tests.factories.small_district import SMALL_DISTRICT, by_rules, rule
from tests.factories.upload import render

WHOLE = {"mode": "district", "include_staff": True}
KINDS = (Kind.SCHOOLS, Kind.SECTIONS, Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF)
FILES = render(SMALL_DISTRICT)
TRICKY = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "'=1", "*", "?x", "/", ":", "<b>", "A", "9", "~", "é=1", "\N{PILE OF POO}"),
    *("a,b", ";", 'say "hi"', '"', '""', "two\nlines", "two\r\nlines", "old\rline", 'a\n"b"\nc', '",\n', "\\.", "\\N"),
    *(
        'a": "b',
        'a", "b',
        '": "',
        '":',
        '{"a": "b"}',
        "\\",
        '\\": "',
        "bell\x07",
        "delete\x7f",
        "\u2028",
        "%s",
        "$1",
        "{x}",
    ),
)
PERMISSIONS = (
    WHOLE,
    by_rules(rule("students", sis_id="ann"), rule("students", sis_id="dee")),
    by_rules(rule("students", sis_id="ben"), rule("staff", sis_id="yan"), rule("teachers", sis_id="vic")),
    by_rules(rule("sections", sis_id="algebra"), exceptions=(rule("students", sis_id="ann"),)),
)


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application connected with the small district."""
    await district.publish(FILES)
    return await district.connect()


@asynccontextmanager
async def reading(tutor: Connected) -> AsyncIterator["Reading"]:
    """A snapshot, and what the application receives there."""
    district_id, database = UUID(tutor.district.id), tutor.district.service.database
    async with database.read() as session:
        await enter_district(session, district_id)
        yield Reading(database, session, district_id, await exports.of(session, district_id, UUID(tutor.id)))


@dataclass(frozen=True)
class Reading:
    """An export and what it is read from."""

    database: Database
    session: AsyncSession
    district_id: UUID
    export: exports.Export

    def as_csv(self, kind: Kind, *, at_once: int) -> AsyncGenerator[bytes]:
        """The file in pieces."""
        return exports.as_csv(self.database, self.session, self.district_id, kind, self.export, at_once=at_once)

    async def compared(self, kind: Kind, *, at_once: int) -> bytes:
        """The file, after a look at its list."""
        written = b"".join([piece async for piece in self.as_csv(kind, at_once=at_once)])
        rows, total = await exports.page(
            self.session, self.district_id, kind, self.export, search=None, after=None, limit=1000
        )
        assert len(rows) == total
        assert written == (csv_of(rows) if rows else written.partition(b"\r\n")[0] + b"\r\n")
        return written


async def same_as_list(tutor: Connected, kind: Kind, *, at_once: int) -> bytes:
    """A file that is the list of the same records in CSV, byte for byte."""
    async with reading(tutor) as found:
        return await found.compared(kind, at_once=at_once)


@pytest.mark.asvs("V1.1.2", "V1.2.1")
async def test_every_text_is_kept(district: District) -> None:
    """Whatever a cell holds, the file is the list in CSV: guarded, quoted and with its line ends.

    Catches: line ends that are changed within cells, and extensions whose texts look like JSON."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["School_id", "Student_id", "Last_name", "First_name", "ext.note", 'ext.": "', 'ext.\\", "x'])
    writer.writerows(["N", f"s{n:02}", value, "", value, value, value] for n, value in enumerate(TRICKY))
    await district.publish(
        FILES | {"students.csv": table.getvalue(), "enrollments.csv": "School_id,Section_id,Student_id\n"}
    )
    tutor = await district.connect()
    await tutor.share(WHOLE)

    for at_once in (1, 7, 1000):
        written = await same_as_list(tutor, Kind.STUDENTS, at_once=at_once)
        assert written.decode().count(",s") >= len(TRICKY)


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("at_once", [1, 2, 1000])
async def test_turns_make_no_difference(tutor: Connected, permission: dict[str, object], at_once: int) -> None:
    """However many records are read at once, by two connections or one, in a row or not, the file is the same.

    Catches turns of two connections that are sent in another order.
    """
    await tutor.share(permission)
    helpers = tutor.district.service.database.helpers

    for kind in KINDS:
        by_two = await same_as_list(tutor, kind, at_once=at_once)
        async with AsyncExitStack() as busy:
            while not helpers.are_busy:
                await busy.enter_async_context(helpers.lend())
            assert await same_as_list(tutor, kind, at_once=at_once) == by_two


async def test_two_connections_read_of_one_instant(tutor: Connected) -> None:
    """What is published while a file is written is in no turn of it.

    Catches a second connection with a snapshot of its own.
    """
    await tutor.share(WHOLE)
    async with reading(tutor) as before:
        pieces = before.as_csv(Kind.STUDENTS, at_once=1)
        begin = await anext(pieces)
        await tutor.district.publish(FILES | {"students.csv": FILES["students.csv"].replace("Red", "Blue")})
        written = begin + b"".join([piece async for piece in pieces])
        assert written == await before.compared(Kind.STUDENTS, at_once=1000)
        assert b"Red" in written


@pytest.mark.parametrize("hidden", range(4))
async def test_a_record_that_is_not_shared_is_not_named(tutor: Connected, hidden: int) -> None:
    """Of every kind, without one record of each: no cell names it, and a hidden home school gives way to the next.

    Catches: a home school, teachers or students that are taken from the roster instead of the ledger."""
    await tutor.share(WHOLE)
    async with reading(tutor) as found:
        ledger = found.export.ledger
        sets = {kind: ordinals - FrozenBitMap(ordinals[hidden:][:1]) for kind, ordinals in ledger.sets.items()}
        narrowed = replace(found, export=replace(found.export, ledger=Ledger(ledger.id, sets)))
        everything = [await narrowed.compared(kind, at_once=1000) for kind in KINDS]
        for kind in KINDS:
            gone = ledger.of(kind) - sets[kind]
            for row in await queries.rows(found.session, found.district_id, kind, list(gone)):
                assert not [file for file in everything if row["id"].encode() in file]


async def test_a_failure_breaks_off(tutor: Connected) -> None:
    """A file whose reading fails ends with the error, never as if it were whole."""
    await tutor.share(WHOLE)

    async with reading(tutor) as found:
        pieces = found.as_csv(Kind.STUDENTS, at_once=1)
        assert [(await anext(pieces)).count(b"\r\n") for _ in range(2)] == [1, 1]
        with pytest.raises(DBAPIError):
            await found.session.execute(text("select 1 / 0"))
        with pytest.raises(PostgresError):
            async for _ in pieces:
                pass


@pytest.mark.asvs("V1.4.3")
async def test_a_reader_who_leaves_gives_back_the_connection(tutor: Connected) -> None:
    """A file that nobody waits for any more is no longer read, and its connection serves others."""
    await tutor.share(WHOLE)
    pool = tutor.district.service.database.engine.pool
    before, begun = pool.status(), asyncio.Event()

    async def read() -> None:
        async with (
            reading(tutor) as found,
            aclosing(found.as_csv(Kind.STUDENTS, at_once=1)) as pieces,
        ):
            async for _ in pieces:
                begun.set()

    reader = asyncio.create_task(read())
    await asyncio.wait({reader, asyncio.create_task(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader

    assert pool.status() == before
    assert not any(helper.is_in_transaction() for helper in tutor.district.service.database.helpers.idle)
    await same_as_list(tutor, Kind.STUDENTS, at_once=1)


@pytest.mark.parametrize("again", [False, True])
async def test_a_turn_that_is_left_spares_its_connection(database: Database, again: bool) -> None:
    """Wherever a turn is left, even by somebody who is cancelled again and again, its connection serves the next one.

    Catches a copy that is cancelled when a piece of it has just come, and one that goes on when its turn is closed.
    """
    async with database.drivers.lend() as driver:
        for moment in range(60):
            turn = Turn(driver, "select repeat('x', 1000) from generate_series(1, 400)", BitMap())
            for _ in range(moment):
                await asyncio.sleep(0)
            leaving = asyncio.create_task(turn.close())
            while not leaving.done():
                await asyncio.sleep(0)
                if again:
                    leaving.cancel()
            assert await driver.fetchval("select 1") == 1


async def test_a_turn_that_is_left_leaves_the_loop_alone(database: Database) -> None:
    """While whoever answers a client that left waits for the rest of a turn, nothing is done.

    Catches a wait that is cancelled and begun anew at each turn of the event loop, which takes all of a processor.
    """
    async with database.drivers.lend() as driver:
        turn = Turn(driver, "select pg_sleep(1)", BitMap())
        with CancelScope() as answering:
            answering.cancel()
            before = time.thread_time()
            await turn.close()
        assert time.thread_time() - before < 0.1
        assert await driver.fetchval("select 1") == 1


@pytest.mark.parametrize("again", [False, True])
async def test_a_turn_that_does_not_end_is_hung_up(database: Database, again: bool) -> None:
    """A turn that PostgreSQL does not end is waited for so long only: its session ends, and the next one works.

    Catches whoever answers a client that left, and cannot be ended, waiting for a server that answers no more.
    """
    hung_up = asyncio.Event()

    async def leave() -> None:
        async with database.read() as session:
            await session.execute(text("select 1"))
            driver = await driver_of(await session.connection())
            turn = Turn(driver, "select pg_sleep(5)", BitMap())
            await asyncio.sleep(0.1)
            leaving = asyncio.create_task(turn.close(seconds=0.2))
            while not leaving.done():
                await asyncio.sleep(0.01)
                if again:
                    leaving.cancel()
            assert driver.is_closed()
            hung_up.set()

    with pytest.raises(DBAPIError):
        async with asyncio.timeout(3):
            await leave()

    assert hung_up.is_set()
    assert database.engine.pool.status().endswith("Checked out connections: 0")
    async with database.read() as session:
        assert await session.scalar(text("select 1")) == 1
