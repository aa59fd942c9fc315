"""The oracle finds faults: each planted one changes what some small world shares."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import enter_district
from sharing_service.delivery import ledger
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import Identity
from sharing_service.sharing import grants
from sharing_service.sharing.models import Grant
from sharing_service.sharing.permissions import SHARING, SharingPermission
from tests.factories.permissions import Decision, with_public_ids
from tests.factories.service import Service
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.oracle import share
from tests.planted_faults import CHAIN, FAULTS, Fault
from tests.planting import twin
from tests.test_resolution import Story, select_sites, stories
from tests.world import Key

WORLDS: Final = 15
KINDS: Final = ("schools", "sections", "students", "teachers", "staff")
EVERY: Final = list(HealthCheck)
Found = dict[str, set[str]]


@dataclass(frozen=True)
class Case:
    """One permission on one world, and what it shares by the design."""

    district_id: UUID
    grant: Grant
    sharing: SharingPermission
    keys: dict[tuple[str, int], str]
    expected: Found


def drawn(count: int) -> list[Story]:
    """The same worlds at every run."""
    found: list[Story] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(story=stories())
    def collect(story: Story) -> None:
        found.append(story)

    collect()
    return found


async def prepared(service: Service, story: Story) -> list[Case]:
    """Sync a world, make its decisions, and ask the oracle what each permission shares; blocks are for all of them."""
    world, sites, decisions = story
    district = await service.district()
    await district.publish(render(world))
    ids = await district.ids()
    application = await district.connect()
    selected = await select_sites(application, sites, ids)
    blocked = set().union(*(blocked for _, blocked in decisions))
    for kind, sis_id in sorted(blocked):
        body = {"kind": kind, "record_id": ids[kind, sis_id], "application_id": None, "reason": "asked for"}
        await district.call("POST", "/blocks", body, status=201)
    async with service.database.read() as session:
        await enter_district(session, UUID(district.id))
        identities = select(Identity).where(Identity.district_id == UUID(district.id))
        keys = {(one.kind, one.ordinal): one.key for one in await session.scalars(identities)}
        grant = await grants.get(session, UUID(district.id), UUID(application.id))
        session.expunge(grant)
    cases = []
    for permission, _ in decisions:
        sent = with_public_ids(permission, ids)
        shared = share(world, sent, ids=ids, sites=selected, blocks=blocked)
        expected = {kind: set(getattr(shared, kind)) for kind in KINDS} | {"contacts": {str(len(shared.contacts))}}
        cases.append(Case(UUID(district.id), grant, SHARING.validate_python(sent), keys, expected))
    return cases


async def is_right(session: AsyncSession, graph: Any, case: Case) -> bool:
    """Whether the resolver, as it is now, shares what the oracle says."""
    found = await ledger.evaluate(session, case.district_id, case.grant, case.sharing, graph)
    shared = {
        kind: {case.keys.get((kind, ordinal), "of another kind") for ordinal in found.of(Kind(kind))} for kind in KINDS
    }
    return shared | {"contacts": {str(len(found.of(Kind.CONTACTS)))}} == case.expected


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Let the ledger resolve by modules of which one has the fault."""
    names = [f"sharing_service.sharing.{name}" for name in CHAIN]
    right = {name: sys.modules[name] for name in names}
    right_calls = (ledger.resolve, ledger.with_companions)  # type: ignore[attr-defined]
    try:
        for name in names:
            sys.modules[name] = faulty(right[name], fault)
        resolver: Any = sys.modules[names[-1]]
        ledger.resolve, ledger.with_companions = resolver.resolve, resolver.with_companions  # type: ignore[attr-defined]
        yield
    finally:
        sys.modules.update(right)
        ledger.resolve, ledger.with_companions = right_calls  # type: ignore[attr-defined]


def faulty(module: ModuleType, fault: Fault) -> ModuleType:
    """A copy of a module, with the fault if it is the one."""
    if not module.__name__.endswith(fault.module):
        return twin(module)
    return twin(module, fault.right, fault.wrong, true=true)


def where(field: str, operator: str, *values: str, **more: bool) -> Decision:
    """One condition."""
    return {"field": field, "operator": operator, **({"values": list(values)} if values else {}), **more}


def rule(match: str, *conditions: Decision, **more: bool) -> Decision:
    """One rule."""
    return {"match": match, "where": list(conditions), **more}


def by_rules(*rules: Decision, exceptions: Sequence[Decision] = ()) -> tuple[Decision, set[Key]]:
    """A permission in rules mode, without blocks."""
    return {"mode": "rules", "rules": list(rules), "except": list(exceptions)}, set()


MATH: Final = rule("sections", where("subject", "is", "math"))
TOM: Final = rule("teachers", where("sis_id", "is", "tom"), companions=True)
AIMED: Final[Sequence[Story]] = (
    (
        SMALL_DISTRICT,
        {
            "N": {"share": "everyone"},
            "S": {"share": "rules", "rules": [rule("sections", where("name", "is", "nobody"))]},
            "W": {"share": "rules", "rules": [rule("sections", where("subject", "is", "arts and music"))]},
        },
        [
            by_rules(rule("sections", where("subject", "is", "MATH", case_sensitive=False))),
            by_rules(rule("sections", where("course_name", "starts_with", "gebra"))),
            by_rules(MATH, exceptions=[rule("students", where("grade", "is", "3"))]),
            by_rules(MATH, exceptions=[rule("teachers", where("sis_id", "is", "tom"))]),
            by_rules(MATH, rule("sections", where("subject", "is", "arts and music"))),
            by_rules(TOM),
            by_rules(TOM, exceptions=[rule("teachers", where("sis_id", "is", "tom"))]),
            by_rules(rule("sections", where("subject", "is", "math"), where("period", "is", "9"))),
            by_rules(rule("sections", where("subject", "is", "MATH"))),
            by_rules(rule("sections", where("course_name", "contains", "A%I"))),
            by_rules(rule("students", where("grade", "is_empty"))),
            by_rules(rule("students", where("sis_id", "is", "ann"))),
            by_rules(rule("students", where("sis_id", "is", "ben"), companions=False)),
            by_rules(rule("students", where("ext.house", "is_not", "Red"))),
            by_rules(rule("students", where("school_name", "is", "North"))),
            by_rules(rule("sections", where("teacher_sis_id", "is", "tom"))),
            ({"mode": "sections", "section_ids": ["algebra"]}, set()),
            ({"mode": "schools", "school_ids": [], "include_staff": False}, set()),
            ({"mode": "schools", "school_ids": ["N"], "include_staff": False}, set()),
            ({"mode": "school_site"}, set()),
        ],
    ),
    (
        SMALL_DISTRICT,
        {"S": {"share": "rules", "rules": [rule("students", where("sis_id", "is", "cal"), companions=True)]}},
        [({"mode": "school_site"}, set())],
    ),
    (
        SMALL_DISTRICT,
        {"S": {"share": "rules", "rules": [rule("teachers", where("sis_id", "is", "una"), companions=True)]}},
        [({"mode": "school_site"}, set())],
    ),
    (SMALL_DISTRICT, {}, [({"mode": "district"}, {("students", "ann"), ("students", "cal"), ("teachers", "tom")})]),
)
"""At least one case for each fault."""


async def test_every_planted_fault_is_found(service: Service) -> None:
    """Each fault makes the resolver differ from the oracle on the small district; without a fault there is no
    difference.

    Catches an oracle that only repeats what the resolver does.
    """
    assert await hidden_from(service, AIMED) == []
    assert len(FAULTS) >= 20


async def test_worlds_drawn_at_random_find_most_faults(service: Service) -> None:
    """Some worlds alone find nearly all faults: which worlds, depends on the version of Hypothesis.

    Catches an oracle run whose worlds and permissions are too tame to find anything.
    """
    assert len(await hidden_from(service, drawn(WORLDS))) <= len(FAULTS) // 3


async def hidden_from(service: Service, tried: Iterable[Story]) -> list[str]:
    """The faults that change nothing in any of the stories."""
    hidden = list(FAULTS)
    for story in tried:
        cases = await prepared(service, story)
        async with service.database.read() as session:
            await enter_district(session, cases[0].district_id)
            assert not await any_wrong(session, cases)
            for fault in tuple(hidden):
                with planted(fault):
                    if await any_wrong(session, cases):
                        hidden.remove(fault)
    return [fault.what for fault in hidden]


async def any_wrong(session: AsyncSession, cases: list[Case]) -> bool:
    """Whether some case of a district shows the fault."""
    graph = await sys.modules["sharing_service.sharing.graph"].read(session, cases[0].district_id)
    for case in cases:
        if not await is_right(session, graph, case):
            return True
    return False
