"""What is taken back is gone with the next request: a service that remembers decisions for seconds is noticed."""

import time
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from sharing_service.access.tokens import Tokens
from sharing_service.delivery import singles, views
from tests.factories.service import Connected, District, Service, answered, bearer
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.matrix.world import issued
from tests.planting import planted

SECONDS: Final = 5
EVERYBODY: Final = {"mode": "district"}
NOBODY: Final[Mapping[str, Any]] = {"mode": "schools", "school_ids": []}


class Memory:
    """What was found in the last seconds, by what it was looked up with."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[float, Any]] = {}

    def find(self, key: Hashable) -> Any:
        """What was found, or None."""
        until, found = self._found.get(key, (0, None))
        return found if time.monotonic() < until else None

    def keep(self, key: Hashable, found: Any) -> Any:
        """The same, from now on remembered."""
        self._found[key] = (time.monotonic() + SECONDS, found)
        return found


async def an_admin_is_revoked(tutor: Connected) -> None:
    """An admin's token is refused from the revocation on."""
    await revoked(tutor, f"{tutor.district.path}/students", role="district_admin")


async def an_application_is_revoked(tutor: Connected) -> None:
    """So is an application's."""
    await revoked(tutor, "/v3.1/users", role="application", application_id=tutor.id)


async def revoked(tutor: Connected, path: str, **wanted: str) -> None:
    """A token that worked a moment ago is refused."""
    service = tutor.district.service
    token = await issued(service, district_id=tutor.district.id, **wanted)
    answered(await service.client.get(path, headers=bearer(token["token"])))
    answered(await service.client.delete(f"/v1/tokens/{token['id']}", headers=service.operator), 204)
    answered(await service.client.get(path, headers=bearer(token["token"])), 401)


async def a_list_is_narrowed(tutor: Connected) -> None:
    """The list after the answer to the save has nobody who is no longer shared."""
    assert len(await tutor.records("/users")) > 0
    await tutor.share({**NOBODY})
    assert await tutor.records("/users") == []


async def a_record_is_narrowed(tutor: Connected) -> None:
    """A record that was read before is not there after the answer to the save."""
    path = f"/users/{(await tutor.district.ids())['students', 'ann']}"
    for _ in range(3):  # the first time it is found step by step
        await tutor.read(path)
    await tutor.share({**NOBODY})
    await tutor.read(path, 404)


async def a_person_is_blocked(tutor: Connected) -> None:
    """A blocked student is not in the list after the answer."""
    ann = (await tutor.district.ids())["students", "ann"]
    assert ann in [user["id"] for user in await tutor.records("/users")]
    block = {"kind": "students", "record_id": ann, "application_id": tutor.id, "reason": "asked for"}
    await tutor.district.call("POST", "/blocks", block, status=201)
    assert ann not in [user["id"] for user in await tutor.records("/users")]


async def a_grant_is_paused(tutor: Connected) -> None:
    """A paused application is answered 423 from the pause on."""
    await tutor.read("/users")
    await tutor.district.call("POST", f"{tutor.path}/pause")
    await tutor.read("/users", 423)


Story = Callable[[Connected], Awaitable[None]]
STORIES: Final[Mapping[str, Story]] = {
    story.__name__: story
    for story in (
        *(an_admin_is_revoked, an_application_is_revoked),
        *(a_list_is_narrowed, a_record_is_narrowed, a_person_is_blocked, a_grant_is_paused),
    )
}


@dataclass(frozen=True)
class Fault:
    """An edit of one function that remembers for seconds what it found, and the stories that notice."""

    function: Callable[..., Any]
    right: str
    wrong: str
    noticed: frozenset[str]


def remembering(key: str, found: str) -> str:
    """The source of something found that is remembered."""
    return f"(MEMORY.find({key}) or MEMORY.keep({key}, {found}))"


LOOKED_UP: Final = "(await session.execute(inside(statement, district_id=place))).one_or_none()"
ENTERED: Final = "await _ENTER.fetchrow(snapshot.driver, **entering(district_id, digest, places))"
LEDGER: Final = 'await ledger.of_id(snapshot, entered["district_id"], entered["ledger_id"])'
SEEN: Final = 'Seen(row["fields"], row["ledger_id"])'
NARROWED: Final = ("a_list_is_narrowed", "a_record_is_narrowed", "a_person_is_blocked")
FAULTS: Final = {
    "who bears a token": Fault(
        Tokens.caller_of, LOOKED_UP, remembering("text", LOOKED_UP), frozenset({"an_admin_is_revoked"})
    ),
    "what a token opens": Fault(
        views.enter,
        ENTERED,
        remembering("(digest, places)", ENTERED),
        frozenset({"an_application_is_revoked", "a_grant_is_paused", *NARROWED}),
    ),
    "what a grant shares": Fault(
        views.visit, LEDGER, remembering('entered["application_id"]', LEDGER), frozenset(NARROWED)
    ),
    "what a token saw last": Fault(
        singles.read, SEEN, remembering("digest", SEEN), frozenset({"a_record_is_narrowed"})
    ),
}
"""By what is remembered."""


@pytest.fixture(scope="module")
async def published(service: Service) -> District:
    """A district with a roster."""
    district = await service.district()
    await district.publish(render(SMALL_DISTRICT))
    return district


async def fails(story: Story, district: District) -> bool:
    """Whether a story of a new tutor, with whom everything is shared, comes to another end."""
    tutor = await district.connect()
    await tutor.share(EVERYBODY)
    try:
        await story(tutor)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.asvs("V7.4.1")
async def test_what_is_taken_back_is_gone(published: District, name: str) -> None:
    """What a district or its operator takes back is gone with the very next request.

    Catches a decision that is remembered, for however short a time.
    """
    assert not await fails(STORIES[name], published)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_remembered_decision_is_noticed(published: District, name: str) -> None:
    """Whatever is remembered for five seconds, exactly the stories that hang on it come to another end.

    Catches stories that a memory of seconds would pass.
    """
    fault = FAULTS[name]
    with planted(fault.function, fault.right, fault.wrong, MEMORY=Memory()):
        noticed = {story for story in STORIES if await fails(STORIES[story], published)}

    assert noticed == fault.noticed
