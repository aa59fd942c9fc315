"""What an application is given equals the naive reading of the design, for small worlds of every shape."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.conftest import HALVES
from tests.factories.permissions import blocks, permissions, site_selections, with_public_ids
from tests.factories.reading import seen_by
from tests.factories.service import Connected, Service
from tests.factories.upload import render
from tests.factories.worlds import worlds
from tests.oracle import share
from tests.oracle_answers import Shared
from tests.world import Ids, Key, World

Decision = dict[str, Any]
CASES_OF_A_WORLD = 10


Story = tuple[World, dict[str, Decision], list[tuple[Decision, set[Key]]]]
"""A world, what its schools selected, and permissions with blocks."""


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A world, what its schools selected, and ten permissions with blocks to try on it."""
    world = draw(worlds())
    cases = [
        (draw(permissions(world)), draw(blocks(world)) if turn % 3 == 2 else set()) for turn in range(CASES_OF_A_WORLD)
    ]
    return world, draw(site_selections(world)), cases


@pytest.mark.long
@pytest.mark.parametrize("half", HALVES)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
@pytest.mark.asvs("V8.2.2")
async def test_an_application_sees_exactly_what_the_design_says(service: Service, half: str, story: Story) -> None:
    """Ids and visible references of every list equal the oracle's, for each permission with its blocks and sites.

    Catches every fault of the resolver, the ledger and the references of documents that shows in a small world; the
    planted ones are listed in test_planted_faults.
    """
    note(f"{half} half: two processes share the work")
    world, sites, cases = story
    district = await service.district()
    await district.publish(render(world))
    ids = await district.ids()
    application = await district.connect()
    selected = await select_sites(application, sites, ids)
    for permission, blocked in cases:
        sharing = with_public_ids(permission, ids)
        expected = share(world, sharing, ids=ids, sites=selected, blocks=blocked)
        await check(application, sharing, expected, blocked=[(kind, ids[kind, who]) for kind, who in sorted(blocked)])


async def select_sites(application: Connected, sites: dict[str, Decision], ids: Ids) -> dict[str, Decision]:
    """Save what each school selected; the selections as they were sent."""
    sent = {school: with_public_ids(selection, ids) for school, selection in sites.items()}
    for school, selection in sent.items():
        await application.district.call("PUT", f"{application.path}/sites/{ids['schools', school]}", selection)
    return sent


async def check(
    application: Connected, sharing: Decision, expected: Shared, *, blocked: Sequence[tuple[str, str]]
) -> None:
    """Save a permission and blocks, compare, and take the blocks back."""
    district = application.district
    await application.share(sharing)
    made = []
    for kind, record_id in blocked:
        body = {"kind": kind, "record_id": record_id, "application_id": application.id, "reason": "asked for"}
        made.append(await district.call("POST", "/blocks", body, status=201))
    assert await seen_by(application) == expected
    if made:  # and the same is found anew under blocks that are there already
        await application.share({"mode": "schools", "school_ids": []})
        await application.share(sharing)
        assert await seen_by(application) == expected
    for block in made:
        await district.call("DELETE", f"/blocks/{block['id']}", status=204)


@st.composite
def years(draw: st.DrawFn) -> tuple[World, World, dict[str, Decision], list[Decision]]:
    """Two worlds from the same pools, so that records leave, come, move and change; decisions about the first."""
    before = draw(worlds())
    return before, draw(worlds()), draw(site_selections(before)), [draw(permissions(before)) for _ in range(4)]


@pytest.mark.long
@settings(max_examples=settings().max_examples // 4, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=years())
async def test_what_is_shared_follows_every_sync(
    service: Service, story: tuple[World, World, dict[str, Decision], list[Decision]]
) -> None:
    """After a sync every grant shares what its decision means on the new roster, and on the old one once it is back.

    Catches a merge that leaves a row of the old roster, a ledger that a sync does not rebuild, a frozen section that
    moved to another school and stays shared there, and an id that a returning record does not get back.
    """
    before, after, sites, decisions = story
    district = await service.district()
    await district.publish(render(before))
    ids = await district.ids()
    granted = []
    for decision in decisions:
        application = await district.connect()
        selected = await select_sites(application, sites, ids)
        sent = with_public_ids(decision, ids)
        await application.share(sent)
        granted.append((application, sent, selected))
    for world in (after, before):
        await district.publish(render(world))
        seen = await district.ids()
        assert all(ids[key] == seen[key] for key in ids.keys() & seen.keys())
        ids |= seen
        for application, sent, selected in granted:
            assert await seen_by(application) == share(world, sent, ids=ids, sites=selected)
