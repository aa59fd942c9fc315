"""One district that holds all it can get, by slow readers and slow writers, and what the others get meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from starlette.types import Message, Scope

from sharing_service.api.clever_exchange import READ_AT_ONCE
from sharing_service.database import Database
from sharing_service.delivery.disclosures import Disclosures
from sharing_service.main import create_app
from sharing_service.patience import Patience
from sharing_service.pools import EXPORTS, LARGE_PAGES, UPLOADS
from sharing_service.settings import Settings
from tests.factories.service import Connected, Headers, Service
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

STUDENTS = "School_id,Student_id,Last_name,First_name\n" + "".join(
    f"N,s{n:04},Last,First\n" for n in range(READ_AT_ONCE + 200)
)
FILES = render(SMALL_DISTRICT) | {"students.csv": STUDENTS, "enrollments.csv": "School_id,Section_id,Student_id\n"}
BRIEF = Patience(slot=0.3)


@dataclass
class SlowClient:
    """A client of which the service hears no more once its answer begins, or before its request ends."""

    app: FastAPI
    scope: Scope
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    going_on: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0

    async def receive(self) -> Message:
        """Send a piece of the body, and then nothing for long."""
        if self.scope["method"] == "POST" and not self.begun.is_set():
            self.begun.set()
            return {"type": "http.request", "body": b"P", "more_body": True}
        await self.going_on.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take the beginning of an answer, and then nothing for long."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.begun.set()
        await self.going_on.wait()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Its request, as long as the block takes."""
        asking = asyncio.create_task(self._ask())
        await self.begun.wait()
        try:
            yield
        finally:
            self.going_on.set()
            await asyncio.wait([asking], timeout=5)
            asking.cancel()
            await asyncio.wait([asking], timeout=5)
            assert asking.done()

    async def _ask(self) -> None:
        await self.app(self.scope, self.receive, self.send)
        self.answered.set()


@dataclass(frozen=True)
class Crowd:
    """A service that tells soon that it is busy, and two districts with an application each."""

    app: FastAPI
    greedy: Connected
    calm: Connected

    def slow(self, method: str, path: str, headers: Headers, **more: str) -> SlowClient:
        """A slow client."""
        given = [(name.lower().encode(), value.encode()) for name, value in (headers | more).items()]
        where, _, query = path.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": given,
            "client": ("127.0.0.1", 1),
            "server": ("service.test", 80),
        }
        return SlowClient(self.app, scope)

    def export(self) -> SlowClient:
        """A slow reader of a file of the greedy district."""
        path = f"{self.greedy.district.path}/applications/{self.greedy.id}/shared/students.csv"
        return self.slow("GET", path, self.greedy.district.admin)

    def upload(self) -> SlowClient:
        """A slow upload to the greedy district."""
        path = f"{self.greedy.district.path}/syncs"
        return self.slow("POST", path, self.greedy.district.admin, **{"Content-Type": "application/zip"})

    def large_page(self) -> SlowClient:
        """A slow reader of a large page of the greedy district."""
        return self.slow("GET", f"/v3.1/users?limit={2 * READ_AT_ONCE}", self.greedy.headers)

    async def exported(self, reader: Connected) -> httpx2.Response:
        """The answer to a request for a file."""
        path = f"{reader.district.path}/applications/{reader.id}/shared/students.csv"
        return await reader.district.service.client.get(path, headers=reader.district.admin)

    async def uploaded(self, reader: Connected) -> httpx2.Response:
        """The answer to an upload."""
        headers = reader.district.admin | {"Content-Type": "application/zip"}
        path = f"{reader.district.path}/syncs"
        return await reader.district.service.client.post(path, content=b"no archive", headers=headers)

    async def all_else_is_well(self) -> None:
        """Records, pages, lists and decisions of both districts are as ever."""
        for one in (self.greedy, self.calm):
            [somebody, *_] = await one.records("/users")
            await one.read(f"/users/{somebody['id']}")
            await one.district.get("/students")
            await one.share({"mode": "district"})


@pytest.fixture(scope="module")
async def pair(service: Service) -> list[Connected]:
    """Two districts with an application each."""
    made = []
    for _ in range(2):
        district = await service.district()
        await district.publish(FILES)
        connected = await district.connect()
        await connected.share({"mode": "district"})
        made.append(connected)
    return made


@pytest.fixture
async def crowd(settings: Settings, pair: list[Connected]) -> AsyncIterator[Crowd]:
    """The districts before a service of their own."""
    url = pair[0].district.service.database.url
    app = create_app(settings, database_url=url)
    await app.state.database.close()
    app.state.database = Database(url, patience=BRIEF)
    app.state.disclosures = Disclosures(app.state.database)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
        service = replace(pair[0].district.service, client=client, database=app.state.database)
        yield Crowd(app, *(replace(one, district=replace(one.district, service=service)) for one in pair))
    await app.state.database.close()


@pytest.mark.asvs("V2.4.1", "V15.2.2")
async def test_slow_readers_of_one_district(crowd: Crowd) -> None:
    """All exports that a district may have are held by slow readers: another one exports, and all else goes on.

    Catches exports that share the connections of requests, and a district that takes all of theirs.
    """
    async with AsyncExitStack() as held:
        for _ in range(EXPORTS // 2):
            await held.enter_async_context(crowd.export().at_work())
        refusal = await crowd.exported(crowd.greedy)
        other = await crowd.exported(crowd.calm)
        await crowd.all_else_is_well()

    assert refusal.status_code == 503
    assert refusal.json()["code"] == "busy"
    assert int(refusal.headers["Retry-After"]) > 0
    assert other.status_code == 200
    assert other.text.count("\r\n") > 1
    assert (await crowd.exported(crowd.greedy)).status_code == 200


@pytest.mark.asvs("V2.4.1", "V15.2.2")
async def test_slow_uploads_of_one_district(crowd: Crowd) -> None:
    """All uploads that a district may have are slow: another one uploads, and all else goes on."""
    async with AsyncExitStack() as held:
        for _ in range(UPLOADS // 2):
            await held.enter_async_context(crowd.upload().at_work())
        refusal, other = await crowd.uploaded(crowd.greedy), await crowd.uploaded(crowd.calm)
        await crowd.all_else_is_well()

    assert (refusal.status_code, refusal.json()["code"]) == (503, "busy")
    assert other.status_code == 202
    assert (await crowd.uploaded(crowd.greedy)).status_code == 202


@pytest.mark.asvs("V15.2.2")
async def test_large_pages_of_one_district(crowd: Crowd) -> None:
    """All large pages that a district may read at once are being read: another reads its own, and small ones go on."""
    slots = crowd.app.state.database.page_slots
    district_id = UUID(crowd.greedy.district.id)
    async with AsyncExitStack() as held:
        for _ in range(LARGE_PAGES // 2):
            await held.enter_async_context(slots.taken(district_id))
        refusal = await crowd.greedy.fetch("/users", limit=2000)
        other = await crowd.calm.fetch("/users", limit=2000)
        small = await crowd.greedy.fetch("/users", limit=1000)

    assert (refusal.status_code, list(refusal.json())) == (503, ["message"])
    assert (other.status_code, small.status_code) == (200, 200)
    assert (await crowd.greedy.fetch("/users", limit=2000)).json()["data"][:1000] == small.json()["data"]


async def test_slow_readers_of_large_pages(crowd: Crowd) -> None:
    """A large page keeps its slot until its client has taken it, and its connection only until it has been read.

    Catches a slot that is free while the page is held in memory, of which slow clients could then take all.
    """
    pages = crowd.app.state.database.pages
    async with AsyncExitStack() as held:
        for _ in range(LARGE_PAGES // 2):
            await held.enter_async_context(crowd.large_page().at_work())
        async with asyncio.timeout(5), AsyncExitStack() as lent:
            for _ in range(LARGE_PAGES):
                await lent.enter_async_context(pages.lend())
        refusal = await crowd.greedy.fetch("/users", limit=2000)
        other = await crowd.calm.fetch("/users", limit=2000)
        small = await crowd.greedy.fetch("/users", limit=1000)

    assert (refusal.status_code, other.status_code, small.status_code) == (503, 200, 200)
    assert (await crowd.greedy.fetch("/users", limit=2000)).status_code == 200


async def test_who_is_refused_a_large_page_keeps_no_slot(crowd: Crowd) -> None:
    """Somebody who may not read a large page holds no slot while the refusal is not taken.

    Catches slots of a district that anybody can hold who knows its id.
    """
    async with AsyncExitStack() as held:
        admin = crowd.greedy.district.admin
        refused = [crowd.slow("GET", "/v3.1/users?limit=2000", admin) for _ in range(LARGE_PAGES)]
        for one in refused:
            await held.enter_async_context(one.at_work())
        answer = await crowd.greedy.fetch("/users", limit=2000)

    assert [one.status for one in refused] == [403] * LARGE_PAGES
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/v3.1/users?limit=2000", "/v3.1/users", "D/students"])
async def test_an_answer_that_nobody_takes_is_cut(crowd: Crowd, path: str) -> None:
    """Whoever does not take a part of an answer in time is cut: a large page, a small one, or a list of the district.

    Catches a client that holds what is read for it for as long as it likes, though its token has been revoked.
    """
    crowd.app.state.database.patience = replace(BRIEF, piece=0.2)
    headers = crowd.greedy.headers if path.startswith("/v3") else crowd.greedy.district.admin
    slow = crowd.slow("GET", path.replace("D/", f"{crowd.greedy.district.path}/"), headers)
    async with slow.at_work(), asyncio.timeout(5):
        await slow.answered.wait()

    assert slow.status == 200


async def test_who_may_not_export_takes_no_slot(crowd: Crowd) -> None:
    """Nobody, and nobody of another district, waits for a slot or takes one.

    Catches a slot that is taken before it is known who asks.
    """
    async with AsyncExitStack() as held:
        for _ in range(EXPORTS // 2):
            await held.enter_async_context(crowd.export().at_work())
        path = f"{crowd.greedy.district.path}/applications/{crowd.greedy.id}/shared/students.csv"
        client = crowd.calm.district.service.client
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers=crowd.calm.district.admin)).status_code == 404


async def test_a_reader_who_takes_nothing_is_cut(crowd: Crowd) -> None:
    """Whoever does not take a piece of a file in time is cut, and the slot and the snapshot are free.

    Catches a client that holds a snapshot for as long as it likes.
    """
    database = crowd.app.state.database
    database.patience = replace(BRIEF, piece=0.2)
    slow = crowd.export()
    async with slow.at_work():
        await asyncio.sleep(0.6)
        assert slow.status == 200
        assert database.exports.sessions.engine.pool.status().endswith("Checked out connections: 0")


async def test_a_file_that_takes_too_long_is_cut(crowd: Crowd) -> None:
    """A reader that takes piece by piece, but too slowly in all, is cut as well."""
    database = crowd.app.state.database
    database.patience = replace(BRIEF, export=0.2)
    async with crowd.export().at_work():
        await asyncio.sleep(0.6)
        assert database.exports.sessions.engine.pool.status().endswith("Checked out connections: 0")
