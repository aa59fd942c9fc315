"""Writes of one district that wait for each other, and what the others get meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import httpx2
import pytest

from sharing_service.database import Database
from sharing_service.delivery.disclosures import Disclosures
from sharing_service.main import create_app
from sharing_service.patience import Patience
from sharing_service.pools import decisions_of, exchanges_of
from sharing_service.roster import revisions
from sharing_service.settings import Settings
from tests.factories.clients import register
from tests.factories.service import Connected, Json, Service, answered
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

BRIEF = Patience(slot=0.3)
ASKED = 30
"""Requests at once: more than there are connections."""
WHOLE: Json = {"mode": "district"}
OF_ONE = decisions_of(Settings().pool_size) // 2
"""Writes and previews that one district may have at work."""


@dataclass(frozen=True)
class Crowd:
    """A service that tells soon that it is busy, and two districts with an application each."""

    service: Service
    greedy: Connected
    calm: Connected

    async def write(self, method: str, path: str, body: Json) -> httpx2.Response:
        """The answer to a write of the greedy district's admin; D and A in the path are district and application."""
        district = self.greedy.district
        path = path.replace("D/", f"{district.path}/").replace("/A/", f"/{self.greedy.id}/")
        body = body | ({"district_id": district.id} if path == "/v1/tokens" else {})
        return await self.service.client.request(method, path, json=body, headers=district.admin)

    async def preview(self, connected: Connected) -> httpx2.Response:
        """The answer to a preview."""
        district = connected.district
        path = f"{district.path}{connected.path}/sharing/preview"
        return await self.service.client.post(path, json=WHOLE, headers=district.admin)

    async def others_are_well(self) -> None:
        """The other district and the operator read and write, its application reads, and the service is ready."""
        await self.calm.district.get("/students")
        await self.calm.share(WHOLE)
        await self.calm.read("/users")
        await self.service.application()
        answered(await self.service.client.get("/health/ready"))


@pytest.fixture(scope="module")
async def pair(service: Service) -> list[Connected]:
    """Two districts with an application each."""
    made = []
    for _ in range(2):
        district = await service.district()
        await district.publish(render(SMALL_DISTRICT))
        connected = await district.connect()
        await connected.share(WHOLE)
        made.append(connected)
    return made


@pytest.fixture
async def crowd(settings: Settings, service: Service, pair: list[Connected]) -> AsyncIterator[Crowd]:
    """The districts before a service of their own."""
    app = create_app(settings, database_url=service.database.url)
    await app.state.database.close()
    app.state.database = Database(service.database.url, patience=BRIEF)
    app.state.disclosures = Disclosures(app.state.database)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
        brief = replace(service, client=client, database=app.state.database)
        yield Crowd(brief, *(replace(one, district=replace(one.district, service=brief)) for one in pair))
    await app.state.database.close()


@asynccontextmanager
async def deciding(*of: Connected) -> AsyncIterator[None]:
    """Somebody takes long over a decision of each of these districts."""
    async with of[0].district.service.by_hand.write() as session:
        for one in of:
            await revisions.lock(session, UUID(one.district.id))
        async with asyncio.timeout(15):
            yield


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "D/applications/A/sharing", WHOLE, 200),
        ("POST", "D/applications/A/resume", {}, 200),
        ("POST", "/v1/tokens", {"role": "audit_reader"}, 201),
    ],
)
@pytest.mark.asvs("V2.4.1", "V15.2.2")
async def test_writes_of_one_district(crowd: Crowd, method: str, path: str, body: Json, status: int) -> None:
    """Far more writes of a district than there are connections wait for its lock: some stay, and all else goes on.

    Catches writes that take every connection of a process, by which others are told apart.
    """
    async with asyncio.TaskGroup() as asking, deciding(crowd.greedy):
        asked = [asking.create_task(crowd.write(method, path, body)) for _ in range(ASKED)]
        await crowd.others_are_well()
        waited = asyncio.as_completed(asked)
        refused = [await one for _, one in zip(range(ASKED - OF_ONE), waited, strict=False)]
        await crowd.others_are_well()

    assert {(one.status_code, one.json()["code"]) for one in refused} == {(503, "busy")}
    assert all(int(one.headers["Retry-After"]) > 0 for one in refused)
    assert [one.result().status_code for one in asked].count(status) == OF_ONE


@pytest.mark.asvs("V2.4.1", "V15.2.2")
async def test_clients_of_one_district(crowd: Crowd) -> None:
    """While a client waits for one district, it obtains tokens of another, and takes no slot of an admin."""
    client = await register(crowd.service)
    for one in (crowd.greedy, crowd.calm):
        await client.connect(one.district)
    async with asyncio.TaskGroup() as asking, deciding(crowd.greedy):
        asked = [asking.create_task(client.ask(district_id=crowd.greedy.district.id)) for _ in range(ASKED)]
        await client.token(district_id=crowd.calm.district.id)
        await crowd.others_are_well()
        previewed = await crowd.preview(crowd.greedy)

    assert previewed.status_code == 200
    statuses = [one.result().status_code for one in asked]
    assert statuses.count(200) >= max(1, exchanges_of(Settings().pool_size) // 2)
    assert set(statuses) <= {200, 503}


@pytest.mark.asvs("V15.2.2")
async def test_strangers_wait_for_no_district(crowd: Crowd) -> None:
    """A client that a district has not connected is refused at once, whoever decides something there.

    Catches a client that takes the slots of a district by naming it.
    """
    client = await register(crowd.service)
    async with deciding(crowd.greedy):
        refusal = await client.ask(district_id=crowd.greedy.district.id)

    assert refusal.json()["error"] == "invalid_grant"


@pytest.mark.asvs("V15.2.2")
async def test_previews_of_one_district(crowd: Crowd) -> None:
    """Previews share the slots of writes: another district has its own."""
    decisions = crowd.service.database.decisions
    async with AsyncExitStack() as held:
        for _ in range(OF_ONE):
            await held.enter_async_context(decisions.taken(UUID(crowd.greedy.district.id)))
        refusal, other = await crowd.preview(crowd.greedy), await crowd.preview(crowd.calm)

    assert (refusal.status_code, refusal.json()["code"]) == (503, "busy")
    assert other.status_code == 200
    assert (await crowd.preview(crowd.greedy)).status_code == 200


@pytest.mark.asvs("V15.2.2")
async def test_reading_while_all_writes_wait(crowd: Crowd) -> None:
    """Also when as many writes wait as may, of several districts, callers are told apart and the service is ready.

    Catches slots for writes that are as many as the connections.
    """
    both = (crowd.greedy, crowd.calm)
    async with asyncio.TaskGroup() as asking, deciding(*both):
        for one in both:
            for _ in range(ASKED):
                path = f"{one.district.path}{one.path}/sharing"
                asking.create_task(crowd.service.client.put(path, json=WHOLE, headers=one.district.admin))
        await asyncio.sleep(2 * BRIEF.slot)
        for one in both:
            await one.district.get("/students")
        answered(await crowd.service.client.get("/health/ready"))
