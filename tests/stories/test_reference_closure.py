"""No identifier leaks: whatever id stands in an answer can be fetched with the same token."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from tests.factories.permissions import with_public_ids
from tests.factories.service import Connected, Service
from tests.factories.upload import render
from tests.test_resolution import Story, select_sites, stories

LISTS: Final = ("districts", "schools", "sections", "courses", "terms", "users")
KEPT_AT: Final = {
    "district": "districts",
    "school": "schools",
    "schools": "schools",
    "course": "courses",
    "term_id": "terms",
    "students": "users",
    "student": "users",
    "teacher": "users",
    "teachers": "users",
}
"""Where the record is fetched that a member of an object refers to."""

OPTIONAL: Final = {"course": "course", "term": "term_id"}
"""Links to what a section may lack, as its member says; such a link answers 404, as the paths are always the same."""


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
@pytest.mark.asvs("V8.2.2")
async def test_every_id_in_an_answer_can_be_fetched(service: Service, story: Story) -> None:
    """Ids of objects, ids inside objects and links answer 200 with the token that was told of them.

    Catches a reference that is not filtered by the ledger, such as a section that lists an unshared student.
    """
    world, sites, cases = story
    district = await service.district()
    await district.publish(render(world))
    ids = await district.ids()
    application = await district.connect()
    await select_sites(application, sites, ids)
    for permission, _ in cases[:2]:
        await application.share(with_public_ids(permission, ids))
        for path in sorted(await told(application)):
            await application.read(path)


async def told(application: Connected) -> set[str]:
    """The paths of everything that the lists and the records tell of."""
    paths: set[str] = set()
    for name in LISTS:
        for record in await application.records(f"/{name}"):
            paths.add(f"/{name}/{record['id']}")
            paths |= set(references(record))
            one = await application.read(f"/{name}/{record['id']}")
            assert one["data"] == record, "a record is the same alone and in a list"
            absent = {rel for rel, member in OPTIONAL.items() if member in record and record[member] is None}
            paths |= {link["uri"].removeprefix("/v3.1") for link in one["links"] if link["rel"] not in absent}
    return paths


def references(value: Any) -> Iterator[str]:
    """The paths of the records that an object refers to, however deep."""
    match value:
        case dict():
            for name, member in value.items():
                if name in KEPT_AT:
                    for target in member if isinstance(member, list) else [member]:
                        if isinstance(target, str):
                            yield f"/{KEPT_AT[name]}/{target}"
                yield from references(member)
        case list():
            for member in value:
                yield from references(member)
        case _:
            return
