"""Whatever happens to a district, its feeds tell each application exactly what changed for it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx2
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from pydantic import SecretStr
from sqlalchemy import select

from sharing_service.database import Database, DatabaseRole, enter_district
from sharing_service.main import create_app
from sharing_service.roster.models import Identity
from sharing_service.settings import Settings
from sharing_service.sharing.fields import BY_NAME
from tests.conftest import HALVES, OPERATOR_TOKEN
from tests.factories.following import Follower, as_text, changes, named, read_lists
from tests.factories.permissions import permissions, site_selections, with_public_ids
from tests.factories.service import EVERY_FIELD, Service, answered, bearer
from tests.factories.upload import render
from tests.factories.worlds import worlds
from tests.world import Ids, Person, World

Result = TypeVar("Result")
HISTORIES: Final = 150
"""Of each half in an ordinary run."""
STEPS: Final = 5
LONG: Final = 15
"""Steps of a nightly history."""
CROWD: Final = {f"crowd{n}": Person(f"crowd{n}", []) for n in range(21)}
"""So many students that a sync without them is held."""
GROUPS: Final = sorted(BY_NAME)
OPTIONAL: Final = {kind: {"optional": asked["required"]} for kind, asked in EVERY_FIELD.items()}


class Histories(RuleBasedStateMachine):
    """One district, an application that is watched at each step, and followers that begin at any time."""

    runner: asyncio.Runner
    service: Service

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Wait for what the service does."""
        return self.runner.run(coroutine)

    @initialize(world=worlds(), first=st.booleans())
    def begin(self, world: World, first: bool) -> None:
        """Publish a roster, before or after something is shared."""
        self.world = world
        self.ids: Ids = {}
        self.paused, self.held = False, None
        self.followers: list[Follower] = []
        self.blocks: list[str] = []
        self.run(self._begin(first))

    async def _begin(self, first: bool) -> None:
        self.district = await self.service.district()
        self.application = await self.district.connect(await self.service.application(fields=OPTIONAL))
        if first:
            await self.application.share({"mode": "district"})
        await self._publish(self.world)
        self.watcher = await Follower.begin(self.application)
        if first:
            assert changes({}, self.watcher.copy) == set(named(await Follower(self.application).follow()))

    async def _publish(self, world: World) -> None:
        sync = await self.district.upload(render(world))
        self.held = sync["id"] if sync["status"] == "held" else None
        self.wanted = world
        await self._now(world, published=self.held is None)

    async def _now(self, world: World, *, published: bool) -> None:
        if published:
            self.world = world
            district_id = UUID(self.district.id)
            async with self.service.by_hand.read() as session:
                await enter_district(session, district_id)
                known = await session.scalars(select(Identity).where(Identity.district_id == district_id))
                self.ids = {(one.kind, one.key): str(one.id) for one in known}

    def watched(self, step: Coroutine[Any, Any, object]) -> None:
        """Do something; while the application may read, its feed tells what this changed in its lists, and no more."""
        self.run(self._watched(step))

    async def _watched(self, step: Coroutine[Any, Any, object]) -> None:
        await step
        if self.paused:
            return
        before = self.watcher.copy
        events = await self.watcher.follow()
        now = await read_lists(self.application)
        assert self.watcher.copy == now
        if not self.missed:
            assert sorted(named(events)) == sorted(changes(before, now))
        self.missed = False

    missed = False
    """Whether the application was paused in between: then something may have changed to and fro."""

    @rule(world=worlds(), part=st.sets(st.sampled_from(["students", "teachers", "staff", "sections", "enrollments"])))
    def sync(self, world: World, part: set[str]) -> None:
        """Publish another roster: a new one, or the present one with some parts of a new one."""
        self.watched(self._publish(mixed(self.world, world, part) if part else world))

    @precondition(lambda self: "crowd0" not in self.world.students)
    @rule()
    def crowd_comes(self) -> None:
        """Many students come to the first school."""
        crowd = {sis_id: replace(one, schools=[next(iter(self.world.schools))]) for sis_id, one in CROWD.items()}
        self.watched(self._publish(replace(self.world, students={**self.world.students, **crowd})))

    @precondition(lambda self: "crowd0" in self.world.students)
    @rule()
    def crowd_leaves(self) -> None:
        """So many students leave at once that a person must look first."""
        rest = {sis_id: one for sis_id, one in self.world.students.items() if sis_id not in CROWD}
        enrolled = {pair for pair in self.world.enrollments if pair[1] in rest}
        self.watched(self._publish(replace(self.world, students=rest, enrollments=enrolled)))

    @precondition(lambda self: self.held is not None)
    @rule(release=st.booleans())
    def decide_held(self, release: bool) -> None:
        """Let a held sync pass, or drop it."""
        self.watched(self._decide_held(release))

    async def _decide_held(self, release: bool) -> None:
        await self.district.call(
            "POST", f"/syncs/{self.held}/{'release' if release else 'discard'}", status=202 if release else 200
        )
        if release:
            await self.district.run_sync()
        self.held = None
        await self._now(self.wanted, published=release)

    @rule(data=st.data())
    def save(self, data: st.DataObject) -> None:
        """Save a permission of any mode."""
        sent = with_public_ids(data.draw(permissions(self.world)), self.ids)
        self.watched(self.application.share(sent))

    @rule(data=st.data())
    def choose_sites(self, data: st.DataObject) -> None:
        """Let schools select, whatever the mode is."""
        self.watched(self._choose(data.draw(site_selections(self.world))))

    async def _choose(self, selections: dict[str, Any]) -> None:
        await self.application.share({"mode": "school_site"})
        await self.watcher.follow() if not self.paused else None
        self.missed = True
        for school, selection in selections.items():
            path = f"{self.application.path}/sites/{self.ids['schools', school]}"
            await self.district.call("PUT", path, with_public_ids(selection, self.ids))

    @rule()
    def unshare(self) -> None:
        """Take the permission away."""
        self.watched(self._unshare())

    async def _unshare(self) -> None:
        if (await self.district.get(self.application.path))["mode"]:
            await self.district.call("DELETE", f"{self.application.path}/sharing")

    @rule(back=st.integers(1, 3))
    def restore(self, back: int) -> None:
        """Restore an earlier permission."""
        self.watched(self._restore(back))

    async def _restore(self, back: int) -> None:
        history = (await self.district.get(f"{self.application.path}/sharing/history"))["data"]
        if len(history) >= back:
            path = f"{self.application.path}/sharing/history/{history[-back]['version']}/restore"
            await self.district.call("POST", path)

    @rule(data=st.data(), everywhere=st.booleans())
    def block(self, data: st.DataObject, everywhere: bool) -> None:
        """Block somebody, who may have left."""
        people = [key for key in self.ids if key[0] in ("students", "teachers", "staff")]
        if people:
            kind, sis_id = data.draw(st.sampled_from(sorted(people)))
            for_ = None if everywhere else self.application.id
            body = {"kind": kind, "record_id": self.ids[kind, sis_id], "application_id": for_, "reason": "asked for"}
            self.watched(self._block(body))

    async def _block(self, body: dict[str, Any]) -> None:
        path = f"{self.district.path}/blocks"
        answer = await self.service.client.post(path, json=body, headers=self.district.admin)
        assert answer.status_code in (201, 409), answer.text
        self.blocks += [answer.json()["id"]] if answer.status_code == 201 else []

    @precondition(lambda self: self.blocks)
    @rule()
    def unblock(self) -> None:
        """Take the oldest block away."""
        self.watched(self.district.call("DELETE", f"/blocks/{self.blocks.pop(0)}", status=204))

    @rule(declined=st.one_of(st.just(frozenset[str]()), st.frozensets(st.sampled_from(GROUPS))))
    def choose_fields(self, declined: frozenset[str]) -> None:
        """Decline some field groups and accept the others."""
        self.watched(self.district.call("PUT", f"{self.application.path}/fields", {"declined": sorted(declined)}))

    @rule(kinds=st.frozensets(st.sampled_from(sorted(EVERY_FIELD))))
    def ask_for(self, kinds: frozenset[str]) -> None:
        """Let the application ask for the groups of some kinds only; more of them wait until they are accepted."""
        self.watched(self._ask_for(kinds))

    async def _ask_for(self, kinds: frozenset[str]) -> None:
        path = f"/v1/applications/{self.application.id}"
        body = {"fields": {kind: OPTIONAL[kind] for kind in kinds}}
        answered(await self.service.client.patch(path, json=body, headers=self.service.operator))

    @rule()
    def pause_or_resume(self) -> None:
        """Pause the application, or let it read on: by itself neither is a change."""
        self.watched(self._pause_or_resume())

    async def _pause_or_resume(self) -> None:
        await self.district.call("POST", f"{self.application.path}/{'resume' if self.paused else 'pause'}")
        self.paused = not self.paused
        self.missed = self.missed or self.paused
        if self.paused:
            await self.application.read("/events", 423)

    @precondition(lambda self: not self.paused)
    @rule()
    def somebody_begins(self) -> None:
        """A reader takes a cursor and the lists."""
        self.followers.append(self.run(Follower.begin(self.application)))

    @precondition(lambda self: not self.paused and self.followers)
    @rule(limit=st.integers(1, 7))
    def everybody_follows(self, limit: int) -> None:
        """Readers follow the feed in small pages, to the lists of now; no event tells anything else."""
        self.run(self._follow(limit))

    async def _follow(self, limit: int) -> None:
        now = await read_lists(self.application)
        for follower in [*self.followers, Follower(self.application)]:
            for event in await follower.follow(limit=limit):
                path, operation = event["type"].split(".")
                told = event["data"]["object"]
                assert operation == "deleted" or as_text(told) == now[path, told["id"]]
            assert follower.copy == now

    def teardown(self) -> None:
        """In the end every reader arrives."""
        if hasattr(self, "watcher"):
            if self.paused:
                self.pause_or_resume()
            self.run(self._follow(10_000))


def mixed(world: World, other: World, parts: set[str]) -> World:
    """A roster with some parts of another one, and nothing that refers to what it does not have."""
    found = replace(world, **{part: getattr(other, part) for part in parts})

    def at_known(one: Any) -> Any:
        return replace(one, schools=[school for school in one.schools if school in world.schools] or [first])

    first = next(iter(world.schools))
    people = {
        kind: {sis_id: at_known(one) for sis_id, one in found.of(kind).items()}
        for kind in ("students", "teachers", "staff")
    }
    sections = {
        sis_id: replace(
            one,
            school=one.school if one.school in world.schools else first,
            teachers=[teacher for teacher in one.teachers if teacher in people["teachers"]],
        )
        for sis_id, one in found.sections.items()
    }
    enrolled = {
        (section, student)
        for section, student in found.enrollments
        if section in sections and student in people["students"]
    }
    contacts = [
        replace(
            one, students={student: link for student, link in one.students.items() if student in people["students"]}
        )
        for one in found.contacts
        if one.students.keys() & people["students"].keys()
    ]
    return replace(found, **people, sections=sections, enrollments=enrolled, contacts=contacts)


@pytest.mark.long
@pytest.mark.parametrize("half", HALVES)
def test_histories(database_url: str, tmp_path_factory: pytest.TempPathFactory, half: str) -> None:
    """After each step the feed holds the events that lead from the lists before to the lists now, and no others.

    Whoever took a cursor and then the lists has the lists of now after the events since.

    Catches an event that is missing, superfluous or out of order, for every cause of change and every kind.
    """
    made = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        operator_token=SecretStr(OPERATOR_TOKEN),
        token_key=SecretStr("k" * 32),
        rate_limit=10**9,
    )
    with asyncio.Runner() as runner:
        app = create_app(made, database_url=database_url)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60)

        class Here(Histories):
            pass

        jobs, by_hand = Database(database_url, role=DatabaseRole.WORKER), Database(database_url, role=None)
        Here.runner = runner
        Here.service = Service(client, app.state.database, bearer(OPERATOR_TOKEN), jobs=jobs, by_hand=by_hand)
        run_state_machine_as_test(
            Here,
            settings=settings(
                deadline=None,
                stateful_step_count=STEPS if settings().max_examples <= HISTORIES else LONG,
                suppress_health_check=list(HealthCheck),
            ),
        )
        for database in (app.state.database, jobs, by_hand):
            runner.run(database.close())
