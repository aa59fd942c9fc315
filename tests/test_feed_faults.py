"""The stories of the feed find faults: each planted one makes some feed differ from what its lists say."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from pyroaring import BitMap

from sharing_service.delivery import differences, feed, feed_drafts, feed_entries
from sharing_service.sharing import nearby
from tests.actions.test_sync_roster import queued, run
from tests.factories.following import Follower, changes, named, read_lists
from tests.factories.service import Connected, District, Service
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.planting import planted
from tests.world import World


@dataclass
class Followed:
    """The small district, an application that sees all of it but staff, and a reader who follows its feed."""

    district: District
    application: Connected
    reader: Follower

    async def check(self) -> None:
        """The events since are those that lead from the lists before to the lists now."""
        before = self.reader.copy
        events = await self.reader.follow()
        now = await read_lists(self.application)
        assert self.reader.copy == now
        assert sorted(named(events)) == sorted(changes(before, now))

    async def publish(self, world: World) -> None:
        """Sync a roster and check."""
        await self.district.publish(render(world))
        await self.check()

    async def block(self, kind: str, sis_id: str) -> str:
        """Block somebody and check; the path of the block."""
        record_id = (await self.district.ids())[kind, sis_id]
        body = {"kind": kind, "record_id": record_id, "application_id": None, "reason": "asked for"}
        made = await self.district.call("POST", "/blocks", body, status=201)
        await self.check()
        return f"/blocks/{made['id']}"


async def begin(service: Service) -> Followed:
    """The small district as it is told in FIRST."""
    district = await service.district()
    await district.publish(render(FIRST))
    application = await district.connect(await service.application(fields={"students": {"optional": ["email"]}}))
    await application.share({"mode": "district"})
    return Followed(district, application, await Follower.begin(application))


ALGEBRA: Final = replace(SMALL_DISTRICT.sections["algebra"], values={"source_name": "A"})
FIRST: Final = replace(SMALL_DISTRICT, sections={**SMALL_DISTRICT.sections, "algebra": ALGEBRA})
TURNED: Final = replace(
    FIRST, sections={**FIRST.sections, "algebra": replace(ALGEBRA, teachers=[*reversed(ALGEBRA.teachers)])}
)
WITHOUT_CAL: Final = replace(FIRST, enrollments={pair for pair in FIRST.enrollments if pair != ("algebra", "cal")})
OTHER_ANN: Final = replace(FIRST.students["ann"], values={**FIRST.students["ann"].values, "gender": "X"})
OTHER_MAIL: Final = {**FIRST.students["ann"].values, "email": "other@x.org"}
MAILED: Final = replace(FIRST, students={**FIRST.students, "ann": replace(FIRST.students["ann"], values=OTHER_MAIL)})
HIDDEN: Final = replace(FIRST, students={**FIRST.students, "ann": OTHER_ANN})


async def links_move(followed: Followed) -> None:
    """Teachers change places, and a student leaves a section and comes back."""
    for world in (TURNED, FIRST, WITHOUT_CAL, FIRST):
        await followed.publish(world)


async def somebody_is_hidden(followed: Followed) -> None:
    """A blocked student leaves a section and comes back, then is shown again."""
    block = await followed.block("students", "cal")
    for world in (WITHOUT_CAL, FIRST):
        await followed.publish(world)
    await followed.district.call("DELETE", block, status=204)
    await followed.check()


async def everybody_is_blocked(followed: Followed) -> None:
    """One person after the other is blocked."""
    for kind in ("students", "teachers"):
        for sis_id in FIRST.of(kind):
            await followed.block(kind, sis_id)


async def fields_change(followed: Followed) -> None:
    """A field that nobody receives changes, then a group is declined."""
    await followed.publish(HIDDEN)
    await followed.district.call("PUT", f"{followed.application.path}/fields", {"declined": ["students.email"]})
    await followed.check()


async def a_save_comes_before_a_sync(followed: Followed) -> None:
    """A sync begins before a save and is published after it; the reader follows in between."""
    for move in ("pause", "resume"):  # a revision without entries
        await followed.district.call("POST", f"{followed.application.path}/{move}")
    await queued(followed.district, render(WITHOUT_CAL))
    narrow = {"mode": "schools", "school_ids": [(await followed.district.ids())["schools", "N"]]}

    async def meanwhile() -> None:
        await followed.application.share(narrow)
        await followed.reader.follow()

    await run(followed.district, meanwhile)
    await followed.check()


async def fields_change_before_a_sync(followed: Followed) -> None:
    """A sync that changes a field begins before its group is accepted, and is published after it."""
    path = f"{followed.application.path}/fields"
    await followed.district.call("PUT", path, {"declined": ["students.email"]})
    await followed.check()
    await queued(followed.district, render(MAILED))

    async def meanwhile() -> None:
        await followed.district.call("PUT", path, {"declined": []})
        await followed.reader.follow()

    await run(followed.district, meanwhile)
    await followed.check()


@dataclass(frozen=True)
class Fault:
    """One edit of one function: what a tired hand might have typed."""

    what: str
    story: Callable[[Followed], Awaitable[None]]
    function: Callable[..., Any]
    right: str
    wrong: str


NOT_DELETED: Final = "if differences[kind].created or differences[kind].updated\n"
BEGUN: Final = "    revision -= 2\n    told = {"
"""The revision that there was before the save."""
LISTING: Final = differences._listing_otherwise
TOLD: Final = differences._told_otherwise
FAULTS: Final = (
    Fault("an added link is no change", links_move, LISTING, " | moves.added.owners(after)", ""),
    Fault("a removed link is no change", links_move, LISTING, " | moves.removed.owners(before)", ""),
    Fault("the order of teachers does not count", links_move, LISTING, "sure.add(owner)", "continue"),
    Fault("old events are told again", links_move, feed_entries.take, "told.rank(after", "0 * told.rank(after"),
    Fault("a hidden link is a change", somebody_is_hidden, LISTING, "added.owners(after)", "added.owners(EVERYBODY)"),
    Fault("who disappears is not missed", somebody_is_hidden, LISTING, "appeared | gone", "appeared"),
    Fault("who appears is not noticed", somebody_is_hidden, LISTING, "appeared | gone", "gone"),
    Fault("what is deleted is not told", somebody_is_hidden, feed.entries, "if differences[kind]\n", NOT_DELETED),
    Fault("a block changes no list", everybody_is_blocked, nearby.of_person, "in found]", "in found][:0]"),
    Fault("hidden groups are told", fields_change, TOLD, "for name in granted if", "for name in fragments if"),
    Fault("other groups are no change", fields_change, TOLD, "return BitMap(kept)", "return BitMap()"),
    Fault("events are numbered as they begin", a_save_comes_before_a_sync, feed_drafts.publish, "    told = {", BEGUN),
)


STORIES: Final = (
    links_move,
    somebody_is_hidden,
    everybody_is_blocked,
    fields_change,
    a_save_comes_before_a_sync,
    fields_change_before_a_sync,
)


@pytest.mark.parametrize("story", STORIES)
async def test_a_story_passes(service: Service, story: Callable[[Followed], Awaitable[None]]) -> None:
    """Without a fault each story ends well.

    Catches a sync that keeps the events of the field groups that there were when it began.
    """
    await story(await begin(service))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.what for fault in FAULTS])
async def test_a_planted_fault_is_found(service: Service, fault: Fault) -> None:
    """With the fault something in the story fails.

    Catches stories too tame to notice that an event is missing, superfluous, or out of order.
    """
    followed = await begin(service)
    everybody = BitMap(range(1000))
    with planted(fault.function, fault.right, fault.wrong, EVERYBODY=everybody), pytest.raises(AssertionError):
        await fault.story(followed)
