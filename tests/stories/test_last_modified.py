"""`last_modified` tells an application of changes that it may know of, and of no others."""

from dataclasses import replace
from typing import Final

from tests.factories.service import District, Service
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render
from tests.world import World

NARROW: Final = {"students": {"required": ["email"]}}


def with_ann(world: World, **values: str) -> World:
    """The same roster with other values of ann."""
    ann = world.students["ann"]
    return replace(world, students={**world.students, "ann": replace(ann, values={**ann.values, **values})})


async def test_changes_of_other_groups_are_not_told(service: Service, district: District) -> None:
    """A change of a field moves the `last_modified` of the applications that receive its group, and of no other.

    Catches a time that is kept for the whole record: it would tell that something hidden has changed.
    """
    first = with_ann(SMALL_DISTRICT, email="ann@x.org", gender="F")
    await district.publish(render(first))
    ann = (await district.ids())["students", "ann"]
    every = await district.connect()
    some = await district.connect(await service.application(fields=NARROW))
    none = await district.connect(await service.application(fields={"staff": {"required": ["email"]}}))
    applications = (every, some, none)
    for application in applications:
        await application.share({"mode": "district"})

    async def times() -> list[str]:
        return [(await one.read(f"/users/{ann}"))["data"]["last_modified"] for one in applications]

    [start, *others] = await times()
    assert others == [start, start]
    steps = [
        (with_ann(first, gender="X"), [1, 0, 0]),
        (with_ann(first, gender="X", email="a@x.org"), [2, 2, 0]),
        (with_ann(first, gender="M", email="a@x.org"), [3, 2, 0]),
        (with_ann(first, gender="M", email="a@x.org", grade="5"), [4, 4, 4]),
    ]
    told = [start]
    for world, expected in steps:
        await district.publish(render(world))
        now = await times()
        told.append(now[0])
        assert now == [told[step] for step in expected]
    assert told == sorted({*told})
    listed = {user["id"]: user["last_modified"] for user in await some.records("/users")}
    assert listed[ann] == told[-1]
    assert {time for record_id, time in listed.items() if record_id != ann} == {start}


async def test_a_section_is_not_modified_by_who_teaches_it(district: District) -> None:
    """A further teacher of a section does not move its `last_modified`: the application may not see the teacher."""
    await district.publish(render(SMALL_DISTRICT))
    application = await district.connect()
    await application.share({"mode": "district"})
    before = {one["sis_id"]: one["last_modified"] for one in await application.records("/sections")}
    algebra = replace(SMALL_DISTRICT.sections["algebra"], teachers=["tom", "una", "vic"])
    taught = replace(SMALL_DISTRICT, sections={**SMALL_DISTRICT.sections, "algebra": algebra})
    await district.publish(render(taught))
    after = {one["sis_id"]: one for one in await application.records("/sections")}
    assert len(after["algebra"]["teachers"]) == 3
    assert {sis_id: one["last_modified"] for sis_id, one in after.items()} == before
