"""Answers that take long end when what allowed them is withdrawn, and no client takes what it has for the whole."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, nullcontext
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from starlette.types import Message

from sharing_service.access.callers import ApplicationCaller, DistrictAdmin
from sharing_service.api.clever_sending import Streamed
from sharing_service.delivery.withdrawal import EVERY, Watch, Withdrawn
from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.listening import listening
from tests.factories.logged import logged
from tests.factories.service import Connected, District, Json, Service, answered, bearer
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.planting import planted

FILES: Final = render(SMALL_DISTRICT)
MANY: Final = 4500
STUDENTS: Final = "School_id,Student_id,Last_name,First_name\n" + "".join(
    f"N,s{n:05},{'Last' * 20},First\n" for n in range(MANY)
)
NEVER_DUE: Final = ("self._clock() < self._due", "True")


@dataclass(frozen=True)
class Readers:
    """An application of a district and an admin of it, each with a token that may end."""

    connected: Connected
    app: Json
    admin: Json

    @property
    def district(self) -> District:
        """The district that both read."""
        return self.connected.district

    @property
    def application(self) -> ApplicationCaller:
        """The application as its requests know it."""
        ids = {"district_id": self.district.id, "application_id": self.connected.id}
        return ApplicationCaller.model_validate({"token_id": self.app["id"], **ids})

    @property
    def admins(self) -> DistrictAdmin:
        """The admin as its requests know it."""
        return DistrictAdmin(token_id=UUID(self.admin["id"]), district_id=UUID(self.district.id))

    def watch(self, caller: ApplicationCaller | DistrictAdmin, **more: Any) -> Watch:
        """A watch over an answer to one of them, which looks before each part unless it is told otherwise."""
        return Watch(self.district.service.database, caller, UUID(self.connected.id), **{"every": 0, **more})

    async def revoke(self, token: Json) -> None:
        """Let the operator revoke a token."""
        service = self.district.service
        answered(await service.client.delete(f"/v1/tokens/{token['id']}", headers=service.operator), 204)


async def readers_of(district: District) -> Readers:
    """A new application with which the district shares everything, and a further admin."""
    service, connected = district.service, await district.connect()
    await connected.share({"mode": "district", "include_staff": True})
    wanted = (
        {"role": "application", "district_id": district.id, "application_id": connected.id},
        {"role": "district_admin", "district_id": district.id},
    )
    issued = [
        answered(await service.client.post("/v1/tokens", json=one, headers=service.operator), 201) for one in wanted
    ]
    return Readers(connected, *issued)


@pytest.fixture
async def readers(district: District) -> Readers:
    """Readers of a small district of their own."""
    await district.publish(FILES)
    return await readers_of(district)


@pytest.fixture(scope="module")
async def crowded(service: Service) -> District:
    """A district whose lists are longer than what is sent at once."""
    district = await service.district()
    await district.publish(FILES | {"students.csv": STUDENTS, "enrollments.csv": "School_id,Section_id,Student_id\n"})
    return district


async def may_go_on(watch: Watch) -> bool:
    """Whether a watch lets the next part pass."""
    try:
        await watch.check()
    except Withdrawn:
        return False
    return True


async def leak(readers: Readers) -> None:
    """Somebody finds both tokens."""
    found = [{"token": token["token"]} for token in (readers.app, readers.admin)]
    assert (await readers.district.service.client.post("/v1/leaked-tokens", json=found)).status_code == 202


async def revoke(readers: Readers) -> None:
    """The operator revokes both tokens."""
    for token in (readers.app, readers.admin):
        await readers.revoke(token)


async def expire(readers: Readers) -> None:
    """Both tokens end by themselves."""
    async with readers.district.service.by_hand.write() as session:
        ids = [UUID(readers.app["id"]), UUID(readers.admin["id"])]
        await session.execute(text("update tokens set expires_at = now() where id = any(:ids)"), {"ids": ids})


async def disconnect(readers: Readers) -> None:
    """The district takes the grant back."""
    await readers.district.call("DELETE", readers.connected.path, status=204)


async def pause(readers: Readers) -> None:
    """The district pauses the grant."""
    await readers.district.call("POST", f"{readers.connected.path}/pause")


async def erase(readers: Readers) -> None:
    """The operator erases the district."""
    service = readers.district.service
    answered(await service.client.delete(readers.district.path, headers=service.operator), 202)


async def narrow(readers: Readers) -> None:
    """The district shares less, with which the next request begins."""
    await readers.connected.share({"mode": "schools", "school_ids": []})


Deed = Callable[[Readers], Awaitable[None]]
DEEDS: Final[dict[Deed, tuple[bool, bool]]] = {
    leak: (False, False),
    revoke: (False, False),
    expire: (False, False),
    disconnect: (False, False),
    erase: (False, False),
    pause: (False, True),
    narrow: (True, True),
}
"""What somebody may do meanwhile, and whether answers to the application and to the admin then go on."""


@pytest.mark.asvs("V7.4.1")
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
async def test_what_withdraws_an_answer(readers: Readers, deed: Deed) -> None:
    """A token that ends in whatever way, a grant that is gone and, for the application, one that is paused.

    Catches a look at the token alone, at the grant alone, and one in the snapshot of the answer.
    """
    watches = [readers.watch(caller) for caller in (readers.application, readers.admins)]
    assert [await may_go_on(watch) for watch in watches] == [True, True]
    await deed(readers)

    assert tuple([await may_go_on(watch) for watch in watches]) == DEEDS[deed]


async def test_a_short_answer_costs_nothing(readers: Readers) -> None:
    """Within the first second nothing is looked up, and after it once a second.

    Catches a statement for each part.
    """
    now = 1000.0
    watch = readers.watch(readers.application, every=EVERY, clock=lambda: now)
    seen: list[Any] = []
    counts = []
    async with readers.district.service.database.counters.lend() as driver:
        driver.add_query_logger(seen.append)
    for passed in (0, 0.9, 0.2, 0, 0.9, 0.2):
        now += passed
        await watch.check()
        await asyncio.sleep(0)  # the driver tells of a statement a moment later
        counts.append(len(seen))
    driver.remove_query_logger(seen.append)

    assert counts == [0, 0, 1, 1, 1, 2]


async def parts(end: asyncio.Event) -> AsyncGenerator[bytes]:
    """Some parts; whoever reads them to the end is noticed."""
    for part in (b"one", b"two", b"three"):
        yield part
    end.set()


async def test_the_next_part_never_comes(readers: Readers) -> None:
    """A token that is revoked between two parts of a page: the second is not sent, even if it has been read already.

    Catches a page whose reading is watched and not its sending, so that a slow client gets all of it.
    """
    received: list[bytes] = []
    end, revoked = asyncio.Event(), asyncio.Event()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            received.append(message["body"])
            if not revoked.is_set():
                await end.wait()
                await readers.revoke(readers.app)
                revoked.set()

    async def receive() -> Message:
        raise NotImplementedError

    answer = Streamed(parts(end), {}, AsyncExitStack(), readers.watch(readers.application))
    with pytest.raises(Withdrawn):
        await answer({"type": "http", "method": "GET"}, receive, send)

    assert received == [b"one"]


async def test_the_next_piece_never_comes(readers: Readers) -> None:
    """A token that is revoked between two pieces of a file: the second is not sent, and its reading is ended."""
    closed = asyncio.Event()

    async def pieces() -> AsyncGenerator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.set()

    async with aclosing(readers.watch(readers.admins).over(pieces())) as file:
        assert await anext(file) == b"one"
        await readers.revoke(readers.admin)
        with pytest.raises(Withdrawn):
            await anext(file)

    assert closed.is_set()


@pytest.fixture
async def client(settings: Settings, service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the whole service on a socket."""
    app = create_app(settings, database_url=service.database.url)
    async with listening(app) as client:
        yield client
    await app.state.database.close()


@pytest.mark.asvs("V7.4.1")
@pytest.mark.parametrize("watched", [True, False], ids=["watched", "twin"])
@pytest.mark.parametrize("which", ["page", "file"])
async def test_a_client_is_cut_off(client: httpx2.AsyncClient, crowded: District, which: str, watched: bool) -> None:
    """A token is revoked while a page or a file is being received: the rest never comes, and the client gets an error.

    The twin, which never looks at what the token still is, sends the page or the file whole.
    """
    readers = await readers_of(crowded)
    token = readers.app if which == "page" else readers.admin
    file = f"{crowded.path}{readers.connected.path}/shared/students.csv"
    path = "/v3.1/users?limit=10000" if which == "page" else file
    headers = bearer(token["token"]) | {"Accept-Encoding": "identity"}
    with logged() as log, nullcontext() if watched else planted(Watch.check, *NEVER_DUE):
        async with client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            received = response.aiter_raw(1024)
            size = len(await anext(received))
            await readers.revoke(token)
            await asyncio.sleep(1.1 * EVERY)
            try:
                async for piece in received:
                    size += len(piece)
                whole = True
            except httpx2.RemoteProtocolError:
                whole = False

    assert whole is not watched
    cut = [line for line in log.lines() if line["event"] == "an answer was cut, since what allowed it was withdrawn"]
    assert len(cut) == watched
    assert not [line for line in log.lines() if line["event"] == "unexpected error"]
