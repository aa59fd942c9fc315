"""How long answers take that carry records, against the same bytes read from where they lie ready."""

import asyncio
import json
import random
import time
from typing import Any, Final

import asyncpg
import httpx2

from tests.bench.comparison import TURNS, Comparison, Operation, compare, rate
from tests.bench.crawling import PLAIN, crawl
from tests.bench.decisions import THREE_RULES
from tests.bench.serving import CLIENTS
from tests.factories.service import Connected, Json, answered

PAGE: Final = 1000
PAGES, RECORDS = 10, 50
"""Requests of each client in a turn."""


async def compare_reading(by_rules: Connected, whole: Connected, connection: asyncpg.Connection) -> list[Comparison]:
    """Pages and records of a grant with rules; the export and the crawl of one that shares the whole district."""
    await by_rules.share(THREE_RULES)
    await whole.share({"mode": "district", "include_staff": True})
    ids = await _store(connection, "bench_students", by_rules, role="student")
    await _store(connection, "bench_users", whole)
    assert len(ids) > PAGE, f"the rules share {len(ids)} students, less than a page: take a larger district"
    return [
        await _compare_pages(by_rules, ids),
        await _compare_records(by_rules, ids),
        await _compare_exports(whole, connection),
        await _compare_crawls(whole, connection),
        await _compare_crawls(whole, connection, encoding="gzip"),
    ]


async def _compare_pages(application: Connected, ids: list[str]) -> Comparison:
    places = random.Random(1)

    async def ours(_: int) -> httpx2.Response:
        after = ids[places.randrange(len(ids) - PAGE)]
        return await application.fetch("/users", role="student", limit=PAGE, starting_after=after)

    async def theirs(_: int) -> httpx2.Response:
        return await _bare(application, "/bench/page", after=ids[places.randrange(len(ids) - PAGE)])

    stored = answered(await _bare(application, "/bench/page", after=ids[0]))
    read = await application.read("/users", role="student", limit=PAGE, starting_after=ids[0])
    assert [entry["data"] for entry in read["data"]] == stored
    assert len(stored) == PAGE
    what = f"page of {PAGE} students, all fields, of {len(ids)} shared by `rules`"
    return await _compare_rates(what, ours, "bare route, as many stored documents by primary key", theirs, PAGES)


async def _compare_records(application: Connected, ids: list[str]) -> Comparison:
    chosen = random.Random(1)

    async def ours(_: int) -> httpx2.Response:
        return await application.fetch(f"/users/{chosen.choice(ids)}")

    async def theirs(_: int) -> httpx2.Response:
        return await _bare(application, "/bench/one", id=chosen.choice(ids))

    [same] = answered(await _bare(application, "/bench/one", id=ids[0]))
    assert (await application.read(f"/users/{ids[0]}"))["data"] == same
    return await _compare_rates("one student by id", ours, "bare route, one stored document", theirs, RECORDS)


async def _compare_exports(application: Connected, connection: asyncpg.Connection) -> Comparison:
    district = application.district
    path = f"{district.path}{application.path}/shared/students.csv"

    async def ours(_: int) -> str:
        async with district.service.client.stream("GET", path, headers=district.admin) as response:
            assert response.status_code == 200
            pieces = response.aiter_raw()
            begin = await anext(pieces)
            async for _piece in pieces:
                pass
        return begin.decode()

    known = await connection.fetch(
        "select attname from pg_attribute where attrelid = 'students'::regclass and attnum > 0"
    )
    header = (await ours(0)).partition("\r\n")[0].split(",")
    there = [name for name in header if name in {row["attname"] for row in known}]
    return await compare(
        "CSV of all students",
        ours,
        f"COPY to CSV of {len(there)} of its {len(header)} columns, those of its table",
        _copied(connection, f"select {', '.join(there)} from students", format="csv", header=True),
    )


async def _compare_crawls(
    application: Connected, connection: asyncpg.Connection, *, encoding: str = PLAIN
) -> Comparison:
    async def ours(_: int) -> None:
        async for _body in crawl(application, encoding=encoding):
            pass

    theirs = _copied(connection, "select document from bench_users")
    users = await connection.fetchval("select count(*) from bench_users")
    what = f"crawl of all {users} users at limit 10000" + (f", as {encoding}" if encoding != PLAIN else "")
    return await compare(what, ours, "COPY of their stored documents", theirs)


async def _compare_rates(what: str, ours: Operation, reference: str, theirs: Operation, requests: int) -> Comparison:
    """Both sides in turn, each with this many requests of every client, after one turn that does not count."""
    rates = Comparison(f"{what}, {CLIENTS} clients", reference, unit=rate)
    for number in range(TURNS + 1):
        for operation, figures in ((theirs, rates.theirs), (ours, rates.ours)):
            started = time.perf_counter()
            await asyncio.gather(*(_repeated(operation, requests) for _ in range(CLIENTS)))
            if number:
                figures.append(CLIENTS * requests / (time.perf_counter() - started))
    return rates


async def _repeated(operation: Operation, requests: int) -> None:
    for number in range(requests):
        response = await operation(number)
        assert isinstance(response, httpx2.Response)
        assert response.status_code == 200, response.text


def _copied(connection: asyncpg.Connection, query: str, **options: Any) -> Operation:
    async def copy(_: int) -> None:
        received = 0

        async def receive(piece: bytes) -> None:
            nonlocal received
            received += len(piece)

        await connection.copy_from_query(query, output=receive, **options)
        assert received

    return copy


async def _bare(application: Connected, path: str, **parameters: str) -> httpx2.Response:
    return await application.district.service.client.get(path, params=parameters)


async def _store(connection: asyncpg.Connection, name: str, application: Connected, **parameters: str) -> list[str]:
    """Keep every user that an application receives as one text by primary key; their ids."""
    ids: list[str] = []
    await connection.execute(f"create table {name} (id uuid primary key, document text not null)")
    async for body in crawl(application, **parameters):
        records: list[Json] = [entry["data"] for entry in json.loads(body)["data"]]
        stored = [(record["id"], json.dumps(record, ensure_ascii=False, separators=(",", ":"))) for record in records]
        await connection.copy_records_to_table(name, records=stored)
        ids += [record["id"] for record in records]
    await connection.execute(f"vacuum analyze {name}")
    return ids
