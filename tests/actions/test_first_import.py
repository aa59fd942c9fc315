"""The first roster of a district, which two connections write."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text

from sharing_service import worker
from sharing_service.errors import NotFound
from sharing_service.roster import beside
from sharing_service.roster.beside import Beside
from tests.actions.test_sync_roster import queued, run
from tests.actions.uploads import Synced
from tests.factories.full_district import full_district
from tests.factories.service import District, Service
from tests.factories.upload import render
from tests.stories.test_no_instant import roster

WRITTEN: Final = 0.9
"""The progress at which both connections have written everything."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00(:00)?)")


async def nothing() -> None:
    """Happen in between."""


async def kept(district: District) -> dict[str, list[str]]:
    """The rows of the roster and its documents, without ids and times."""
    async with district.service.by_hand.read() as session:
        rows = await Synced(session, UUID(district.id)).roster()
    return {table: [_TIME.sub("time", row) for row in found] for table, found in rows.items()}


async def written_beside(district: District) -> dict[str, int]:
    """How many rows the second connection has left of a district."""
    async with district.service.by_hand.read() as session:
        return {
            table: await session.scalar(
                text(f"select count(*) from {table} where district_id = :district_id"), {"district_id": district.id}
            )
            or 0
            for table in beside.TABLES
        }


async def fail() -> None:
    """End the sync as a crash would."""
    raise InterruptedError


async def cut_off(district: District) -> None:
    """Run the queued sync until all is written and nothing is published, and end it there for good."""
    async with Beside(district.service.jobs.connect, UUID(district.id)) as other:
        with pytest.raises(InterruptedError):
            await run(district, fail, at=WRITTEN, beside=other)
    async with district.service.by_hand.write() as session:
        statement = text("update syncs set status = 'failed' where district_id = :district_id")
        await session.execute(statement, {"district_id": district.id})


async def test_two_connections_write_what_one_would(service: Service) -> None:
    """A first roster that two connections have written is, row for row, that of one connection."""
    by_one, by_two = await service.district(), await service.district()
    await queued(by_one, full_district())
    await run(by_one, nothing)
    await by_two.publish(full_district())
    found = await kept(by_two)
    assert found == await kept(by_one)
    assert all(found[table] for table in beside.TABLES)


async def test_what_a_cut_off_import_leaves_behind_does_no_harm(service: Service) -> None:
    """Rows of an import that was cut off serve nobody, and the next import of the district is that of a new one.

    Catches leftovers that are taken for identities and enrollments of the next upload.
    """
    district, other = await service.district(), await service.district()
    application = await district.connect()
    await application.share({"mode": "district"})
    await queued(district, render(roster(0)))
    await cut_off(district)
    left = await written_beside(district)
    assert left["identities"]
    assert left["section_students"]
    await application.read("/users", 503)
    for each in (district, other):
        await each.publish(render(roster(1)))
    assert await kept(district) == await kept(other)


async def test_a_dry_run_after_a_cut_off_import(service: Service) -> None:
    """A dry run of the next files tells what it would of a new district, and what was left behind is gone.

    Catches leftovers that only the next import takes away: a dry run met their ordinals and failed.
    """
    district, other = await service.district(), await service.district()
    await queued(district, render(roster(0)))
    await cut_off(district)
    told, expected = [await each.upload(render(roster(1)), dry_run=True) for each in (district, other)]
    assert (told["status"], told["report"]) == ("checked", expected["report"])
    assert not any((await written_beside(district)).values())


async def test_a_dry_run_of_a_first_upload_leaves_nothing(district: District) -> None:
    """A dry run checks the files of a new district on one connection, which undoes all of it.

    Catches a dry run whose second connection commits.
    """
    report = await district.upload(render(roster(0)), dry_run=True)
    assert report["status"] == "checked"
    assert not any((await written_beside(district)).values())


async def test_an_unreadable_first_upload_leaves_nothing(district: District) -> None:
    """A new district whose enrollments cannot be read is told so, and no row of its other files stays.

    Catches a failed sync that reports records as added, and contacts that the second connection has committed.
    """
    files = render(roster(0)) | {"enrollments.csv": "School_id,Section_id\nA,x0\n"}
    report = await district.upload(files)
    assert (report["status"], report["report"]) == ("failed", {})
    assert report["problems"][0]["file"] == "enrollments.csv"
    assert not any((await written_beside(district)).values())


async def test_an_erasure_waits_for_a_second_connection(service: Service) -> None:
    """What a second connection is writing while its district is erased is erased with it, and it writes no more.

    Catches rows of a sync that are committed after the erasure has passed.
    """
    district = await service.district()
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def rows() -> AsyncIterator[bytes]:
        writing.set()
        await go_on.wait()
        for block in await _teacher(service):
            yield block

    async with Beside(service.jobs.connect, UUID(district.id)) as other:
        other.begin(rows(), table="section_teachers", columns="section, teacher, position")
        await writing.wait()
        answer = await service.client.delete(f"/v1/districts/{district.id}", headers=service.operator)
        assert answer.status_code in (202, 204)
        erasing = asyncio.create_task(worker.erase_district(service.jobs, UUID(district.id)))
        await _waits_for_a_lock(service)
        go_on.set()
        await erasing
        await other.finish()
        assert not any((await written_beside(district)).values())
        with pytest.raises(NotFound):
            await other.clear()


async def _teacher(service: Service) -> list[bytes]:
    """One row in the binary format of COPY."""
    blocks: list[bytes] = []

    async def keep(block: bytes) -> None:
        blocks.append(block)

    connection = await service.jobs.connect()
    await connection.copy_from_query("select 1, 2, 0::smallint", output=keep, format="binary")
    await connection.close()
    return blocks


async def _waits_for_a_lock(service: Service) -> None:
    waiting = text("select exists (select from pg_locks where locktype = 'advisory' and not granted)")
    async with asyncio.timeout(30):
        while True:
            async with service.by_hand.read() as session:
                if await session.scalar(waiting):
                    return
            await asyncio.sleep(0.05)
