"""Large pages, sent while they are read: whole or visibly broken off, on record before, and no burden if slow."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from pyroaring import BitMap
from sqlalchemy import text
from starlette.types import Message

from sharing_service.access.callers import ApplicationCaller
from sharing_service.api.clever_exchange import READ_AT_ONCE
from sharing_service.api.clever_sending import Streamed
from sharing_service.database import Database
from sharing_service.delivery.withdrawal import Watch
from sharing_service.roster.catalogue import Kind
from tests.api.test_clever_disclosure import refusing_disclosures
from tests.factories.partner import Partner, Readers
from tests.factories.roster import Roster
from tests.factories.service import EVERY_FIELD

SCOPE: dict[str, Any] = {"type": "http", "method": "GET"}


@dataclass(frozen=True)
class Large:
    """A district whose users fill more than what is read at once; its reader does not see the first of them."""

    roster: Roster
    reader: Partner
    hidden: int
    shared: list[int]

    async def disclosed(self, readers: Readers) -> list[BitMap]:
        """The persons of each disclosure, oldest first."""
        async with readers.by_hand.read() as session:
            statement = text("select persons from disclosures where district_id = :id order by id")
            found = await session.scalars(statement, {"id": self.roster.district_id})
            return [BitMap.deserialize(persons) for persons in found]


@pytest.fixture
async def large(readers: Readers) -> Large:
    """Students of one school, and a contact of the hidden one and of another."""
    roster = Roster()
    school = roster.record(Kind.SCHOOLS, name="North")
    hidden, *students = [
        roster.person(Kind.STUDENTS, schools=[school], last_name="Árbol") for _ in range(READ_AT_ONCE + 5)
    ]
    contact = roster.contact(students=[(hidden, "Mother", "guardian"), (students[0], "Mother", "guardian")])
    async with readers.by_hand.write() as session:
        await roster.publish(session)
        sets = roster.everything() | {Kind.STUDENTS: students}
        token = await roster.grant(session, readers.app.state.tokens, sets=sets, fields=EVERY_FIELD)
    return Large(roster, Partner(readers.client, token), hidden, [*students, contact])


async def test_a_large_page_is_what_small_ones_are(readers: Readers, large: Large) -> None:
    """It has the records of the small pages once and in order, its count and links, plain and compressed alike.

    Catches parts without a comma between them, parts that come in another order, a page that begins before its
    disclosure is on record or records others than it carries, and contacts who tell of a student that is not shared.
    """
    path = "/users?limit=10000&count=true"
    answer = await large.reader.ask(path, {"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    assert "Content-Length" not in answer.headers
    assert await large.disclosed(readers) == [BitMap(large.shared)]
    listed = answer.json()
    everybody = [large.roster.ids["people", ordinal] for ordinal in large.shared]
    assert [item["data"]["id"] for item in listed["data"]] == everybody
    assert listed["count"] == len(everybody)
    assert listed["links"] == [{"rel": "self", "uri": f"/v3.1{path}"}]
    assert large.roster.ids["people", large.hidden] not in answer.text
    first = await large.reader.get("/users?limit=900")
    rest = await large.reader.get(f"/users?limit=900&starting_after={everybody[899]}")
    assert listed["data"] == first["data"] + rest["data"]
    request = readers.client.stream(
        "GET", f"/v3.1{path}", headers=large.reader.headers | {"Accept-Encoding": "br, gzip"}
    )
    async with request as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join([part async for part in packed.aiter_raw()])) == answer.content


async def test_a_large_page_without_persons_discloses_nobody(readers: Readers) -> None:
    """Courses are sent as they are read; ordinals of which no document is there any more leave no gap in the list."""
    roster = Roster()
    courses = [roster.record(Kind.COURSES, name=f"Course {number}") for number in range(READ_AT_ONCE + 5)]
    async with readers.by_hand.write() as session:
        await roster.publish(session)
        sets = roster.everything() | {Kind.COURSES: range(3 * READ_AT_ONCE)}
        token = await roster.grant(session, readers.app.state.tokens, sets=sets)
    large = Large(roster, Partner(readers.client, token), 0, [])
    assert await large.reader.ids("/courses?limit=10000") == [roster.ids["courses", course] for course in courses]
    assert await large.disclosed(readers) == []


async def test_a_large_page_links_to_its_neighbours(large: Large) -> None:
    """Next and prev name the ends of a page that was not read when its sending began."""
    everybody = [large.roster.ids["people", ordinal] for ordinal in large.shared]
    page = await large.reader.get(f"/users?limit={READ_AT_ONCE + 2}&starting_after={everybody[0]}")
    assert [item["data"]["id"] for item in page["data"]] == everybody[1 : READ_AT_ONCE + 3]
    links = {link["rel"]: link["uri"] for link in page["links"]}
    assert links["next"].endswith(f"starting_after={everybody[READ_AT_ONCE + 2]}")
    assert links["prev"].endswith(f"ending_before={everybody[1]}")


async def test_a_head_of_a_large_page_discloses_nothing(readers: Readers, large: Large) -> None:
    """HEAD has the headers of GET and no body; nothing of it is a disclosure."""
    head = await large.reader.ask("/users?limit=10000", {"Accept-Encoding": "identity"}, method="HEAD")
    assert (head.status_code, head.content, await large.disclosed(readers)) == (200, b"", [])
    got = await large.reader.ask("/users?limit=10000", {"Accept-Encoding": "identity"})
    assert head.headers["ETag"] == got.headers["ETag"]
    assert "Content-Length" not in head.headers


async def test_no_record_no_large_page(readers: Readers, large: Large) -> None:
    """When its disclosure cannot be recorded, nothing of a large page is sent, and its connection is free again.

    Catches a page whose first part is sent while its disclosure is being written.
    """
    async with refusing_disclosures(readers.by_hand, large.roster.district_id):
        answer = await large.reader.ask("/users?limit=10000")
    assert answer.status_code >= 400
    assert list(answer.json()) == ["message"]
    assert not any(driver.is_in_transaction() for driver in readers.database.drivers.idle)
    assert (await large.reader.ask("/users?limit=10000")).status_code == 200


class Sent(list[bytes]):
    """What a client receives that may be slow, or gone."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.begun = asyncio.Event()
        self.ended = False

    async def __call__(self, message: Message) -> None:
        """Take a message once the client is ready."""
        await self.ready.wait()
        if message["type"] == "http.response.body":
            self.append(message["body"])
            self.begun.set()
            self.ended = not message["more_body"]


async def nothing() -> Message:
    """A client that sends nothing more."""
    raise NotImplementedError


async def parts(failing: bool = False) -> AsyncGenerator[bytes]:
    """Some parts, perhaps not all."""
    for part in (b"one", b"two", b"three"):
        await asyncio.sleep(0)
        yield part
    if failing:
        raise ConnectionError


def streamed(parts: AsyncGenerator[bytes], reading: AsyncExitStack) -> Streamed:
    """An answer of these parts, too short for anybody to look whether it may go on."""
    reader = ApplicationCaller(token_id=uuid4(), district_id=uuid4(), application_id=uuid4())
    watch = Watch(Database("postgresql://nowhere"), reader, reader.application_id)
    return Streamed(parts, {}, reading, watch)


@pytest.fixture
async def closed() -> tuple[AsyncExitStack, asyncio.Event]:
    """What parts are read from, and whether it has been closed."""
    stack, event = AsyncExitStack(), asyncio.Event()
    stack.callback(event.set)
    return stack, event


async def test_a_slow_client_holds_no_connection(closed: tuple[AsyncExitStack, asyncio.Event]) -> None:
    """What the parts are read from is closed while the client has not taken a byte; it gets all of them later.

    Catches a reader that waits for its client: a few slow ones would hold every connection.
    """
    reading, is_closed = closed
    client = Sent()
    answering = asyncio.create_task(streamed(parts(), reading)(SCOPE, nothing, client))
    async with asyncio.timeout(5):
        await is_closed.wait()
        assert not client
        client.ready.set()
        await answering
    assert (b"".join(client), client.ended) == (b"onetwothree", True)


async def test_a_page_that_cannot_be_read_on_has_no_end(closed: tuple[AsyncExitStack, asyncio.Event]) -> None:
    """When a part cannot be read, the answer breaks off: the client is never told that it is whole.

    Catches a failure that looks like the last page, after which a partner would delete everybody behind it.
    """
    reading, is_closed = closed
    client = Sent()
    client.ready.set()
    with pytest.raises(ConnectionError):
        await streamed(parts(failing=True), reading)(SCOPE, nothing, client)
    assert (b"".join(client), client.ended, is_closed.is_set()) == (b"onetwothree", False, True)


async def test_a_head_reads_nothing(closed: tuple[AsyncExitStack, asyncio.Event]) -> None:
    """What a HEAD would not send is not read either, and its connection is free.

    Catches a page of 10,000 records that is read to be thrown away.
    """
    reading, is_closed = closed
    client = Sent()
    client.ready.set()
    await streamed(parts(failing=True), reading)(SCOPE | {"method": "HEAD"}, nothing, client)
    assert (b"".join(client), client.ended, is_closed.is_set()) == (b"", True, True)


async def test_an_answer_that_is_given_up_reads_no_further(closed: tuple[AsyncExitStack, asyncio.Event]) -> None:
    """When the request is cancelled, the reader has ended and its connection is free."""
    reading, is_closed = closed

    async def endless() -> AsyncGenerator[bytes]:
        yield b"one"
        await asyncio.Event().wait()

    client = Sent()
    client.ready.set()
    answering = asyncio.create_task(streamed(endless(), reading)(SCOPE, nothing, client))
    await client.begun.wait()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    assert (client, client.ended, is_closed.is_set()) == ([b"one"], False, True)
