"""What a process writes down of tokens: when each was used last, and who receives unusually much."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from sharing_service import main
from sharing_service.access.callers import ApplicationCaller
from sharing_service.access.usage import Usage
from sharing_service.api.bookkeeping import Bookkeeping
from sharing_service.api.edge import Measures
from sharing_service.database import Database
from sharing_service.delivery.volumes import SHARED_AT_LEAST
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.clients import Client
from tests.factories.logged import logged
from tests.factories.service import District, Headers, Json, Service, answered, bearer, everything

NOW = datetime.now(UTC)
UNUSUAL = "a token received unusually many persons within an hour"


@dataclass(frozen=True)
class Process:
    """One process of the service."""

    app: FastAPI
    client: httpx2.AsyncClient

    @property
    def books(self) -> Bookkeeping:
        """What writes down for it."""
        books: Bookkeeping = self.app.state.bookkeeping
        return books

    @property
    def usage(self) -> Usage:
        """What it has noticed."""
        usage: Usage = self.app.state.usage
        return usage

    async def tokens(self, headers: Headers, *, by_secret: bool = False) -> dict[str, Json]:
        """The tokens on the caller's list by their id."""
        tokens = await everything(self.client, "/v1/tokens", headers, by_secret=by_secret)
        return {token["id"]: token for token in tokens}


@pytest.fixture
async def process(settings: Settings, service: Service) -> AsyncIterator[Process]:
    """A process that writes down when the test says so, and whose clock stands still."""
    app = create_app(settings, database_url=service.database.url)
    app.state.usage = Usage(clock=lambda: NOW.timestamp())
    app.state.bookkeeping = Bookkeeping(
        app.state.database, app.state.usage, app.state.measures, times=settings.volume_alarm
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test") as client:
        yield Process(app, client)
    await app.state.database.close()


async def issued(service: Service, **wanted: str) -> Json:
    """A token from the operator."""
    token: Json = answered(await service.client.post("/v1/tokens", json=wanted, headers=service.operator), 201)
    return token


async def test_last_uses_are_shown(process: Process, service: Service, published: District, client: Client) -> None:
    """Each token that opened something tells when, whichever way it came in; one that nobody used tells nothing.

    Catches a way in by which a token is used unseen, and a statement for each request.
    """
    own = {"district_id": published.id}
    operator = await issued(service, role="operator")
    admin, unused = [await issued(service, role="district_admin", **own) for _ in range(2)]
    reader = await issued(service, role="application", **own, application_id=client.id)
    obtained = await client.token(district_id=published.id)
    for path, text_ in (
        ("/v1/districts", operator["token"]),
        (f"{published.path}/students", admin["token"]),
        ("/v3.1/users", reader["token"]),
        ("/v3.1/me", obtained),
    ):
        answered(await process.client.get(path, headers=bearer(text_)))
    used = [token["id"] for token in (operator, admin, reader)]
    before = await process.tokens(service.operator)
    await process.books.write()
    after = await process.tokens(service.operator)
    by_secret = await process.tokens(published.admin, by_secret=True)

    assert [before[token]["last_used_at"] for token in (*used, unused["id"])] == [None] * 4
    assert after[unused["id"]]["last_used_at"] is None
    moments = [after[token]["last_used_at"] for token in used]
    moments += [token["last_used_at"] for token in by_secret.values() if token["last_used_at"]]
    assert [datetime.fromisoformat(moment) for moment in moments] == [NOW] * 4


async def test_a_refused_token_is_not_used(process: Process, service: Service, district: District) -> None:
    """A token that does not work any more, and one of nobody, leave nothing to be written."""
    revoked = await issued(service, role="district_admin", district_id=district.id)
    answered(await service.client.delete(f"/v1/tokens/{revoked['id']}", headers=service.operator), 204)
    for headers in (bearer(revoked["token"]), service.operator, {}):
        for path in ("/v1/tokens", "/v3.1/me"):
            await process.client.get(path, headers=headers)

    assert process.usage.places() == []


@pytest.fixture
async def refusing(service: Service, district: District) -> AsyncIterator[District]:
    """A district whose volumes the table refuses."""
    change = "alter table token_volumes {} constraint closed"
    async with service.by_hand.write() as session:
        await session.execute(text(f"{change.format('add')} check (district_id <> '{district.id}')"))
    yield district
    async with service.by_hand.write() as session:
        await session.execute(text(f"{change.format('drop')}"))


def reader_of(district: District) -> ApplicationCaller:
    """An application of a district that reads by a token."""
    return ApplicationCaller(token_id=uuid4(), district_id=UUID(district.id), application_id=uuid4())


async def volumes_of(service: Service, district: District) -> list[int]:
    """The stored volumes of a district."""
    async with service.by_hand.read() as session:
        found = text("select persons from token_volumes where district_id = :id")
        return list(await session.scalars(found, {"id": UUID(district.id)}))


async def test_what_cannot_be_written_waits(process: Process, service: Service, refusing: District) -> None:
    """The failure of one district stops no other, is logged without a value, and is tried again with the next.

    Catches a task that ends with its first failure, and uses that are lost with it.
    """
    other = await service.district("Lakeside")
    for district in (refusing, other):
        process.usage.count(reader_of(district), 7)
    with logged() as log:
        await process.books.write()

    assert [(line["event"], line["kind"]) for line in log.lines()] == [
        ("uses of tokens wait to be written", "IntegrityError")
    ]
    assert [await volumes_of(service, district) for district in (refusing, other)] == [[], [7]]
    assert process.usage.places() == [UUID(refusing.id)]


async def test_a_database_that_is_away_is_waited_for(service: Service, district: District) -> None:
    """Nothing is lost while no database answers."""
    usage = Usage()
    usage.count(reader_of(district), 7)
    away = Database("postgresql://127.0.0.1:1/none")
    with logged() as log:
        await Bookkeeping(away, usage, Measures(), times=20).write()
    await away.close()
    await Bookkeeping(service.database, usage, Measures(), times=20).write()

    assert [line["level"] for line in log.lines()] == ["warning"]
    assert await volumes_of(service, district) == [7]


async def test_a_writer_that_is_stopped_loses_nothing(process: Process, service: Service, district: District) -> None:
    """What a process is writing while it is told to end is written at its end."""
    process.usage.count(reader_of(district), 7)
    writing = asyncio.create_task(process.books.write())
    await asyncio.sleep(0)
    assert process.usage.places() == []
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert process.usage.places() == [UUID(district.id)]
    await process.books.write()
    assert await volumes_of(service, district) == [7]


async def test_it_is_written_by_itself(process: Process, service: Service, district: District) -> None:
    """Every so often, and once more when the process ends.

    Catches a process whose last minute is never written.
    """
    process.usage.count(reader_of(district), 7)
    keeping = asyncio.create_task(process.books.keep(every=0.01))
    async with asyncio.timeout(10):
        while not await volumes_of(service, district):  # noqa: ASYNC110 - of a table
            await asyncio.sleep(0.01)
    keeping.cancel()
    async with process.app.router.lifespan_context(process.app):
        process.usage.count(reader_of(district), 8)

    assert sorted(await volumes_of(service, district)) == [7, 8]


async def never() -> None:
    """Wait until it is cancelled."""
    await asyncio.Event().wait()


async def test_what_a_process_does_last_has_an_end(
    settings: Settings, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that hangs keeps no process from ending, nor does what the process does now and then.

    Catches a service that a signal does not stop, since it waits for a database.
    """
    deaf = asyncio.Event()

    async def keep() -> None:
        while not deaf.is_set():
            with suppress(asyncio.CancelledError):
                await deaf.wait()

    monkeypatch.setattr(main, "LAST_SECONDS", 0.1)
    app = create_app(settings, database_url=service.database.url)
    database = app.state.database
    app.state.bookkeeping = SimpleNamespace(keep=keep, write=never)
    app.state.database = SimpleNamespace(close=never)
    async with asyncio.timeout(5):
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0)
    deaf.set()
    await database.close()


async def alarms(process: Process) -> float | None:
    """How many alarms the process has measured."""
    measures: Measures = process.app.state.measures
    return measures.registry.get_sample_value("sharing_volume_alarms_total")


@pytest.mark.asvs("V16.3.3")
async def test_the_alarm_about_a_volume(
    process: Process, service: Service, published: District, client: Client, settings: Settings
) -> None:
    """A token that receives far more persons than are shared with it: the trail, the log and the measures say so once.

    The token works on. Catches an alarm that nobody hears, or that comes every minute.
    """
    reader = await issued(service, role="application", district_id=published.id, application_id=client.id)
    listed = answered(await process.client.get("/v3.1/users", headers=bearer(reader["token"])))["data"]
    noticed = process.usage.take(UUID(published.id))
    [hour] = noticed.persons
    assert (str(hour.token_id), noticed.persons[hour]) == (reader["id"], len(listed))

    process.usage.count(hour.reader, settings.volume_alarm * SHARED_AT_LEAST)
    with logged() as log:
        await process.books.write()
        assert log.lines(UNUSUAL) == []
        for _ in range(2):
            process.usage.count(hour.reader, 1)
            await process.books.write()

    [line] = log.lines(UNUSUAL)
    assert (line["level"], line["district_id"], line["token_id"]) == ("warning", published.id, reader["id"])
    assert await alarms(process) == 1
    told = [entry for entry in (await published.get("/audit"))["data"] if entry["action"] == "raise_volume_alarm"]
    assert [entry["subject"]["id"] for entry in told] == [reader["id"]]
    assert told[0]["caller"] == hour.reader.described()
    assert told[0]["after"]["persons"] == settings.volume_alarm * SHARED_AT_LEAST + 1
    assert told[0]["after"]["shared"] == len(listed)
    answered(await process.client.get("/v3.1/users", headers=bearer(reader["token"])))
