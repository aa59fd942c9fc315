"""Whoever looks at what is shared, in whichever way, sees the same records."""

import csv
import io
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.factories.permissions import with_public_ids
from tests.factories.service import Connected, Service
from tests.factories.sheets import csv_of
from tests.factories.upload import render
from tests.test_resolution import Story, select_sites, stories

COUNTED = ("schools", "sections", "students", "teachers", "staff")
ROLES = {"students": "student", "teachers": "teacher", "staff": "staff"}
Ids = dict[str, set[str]]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(story=stories())
async def test_all_views_agree(service: Service, story: Story) -> None:
    """Partner lists, management lists, CSV, counts and preview tell of the same records, for every mode.

    Catches a view that asks the roster instead of the ledger, and a preview that evaluates otherwise than the save.
    """
    world, sites, cases = story
    district = await service.district()
    await district.publish(render(world))
    ids = await district.ids()
    application = await district.connect()
    await select_sites(application, sites, ids)
    before: Ids = {kind: set() for kind in COUNTED}
    for permission, _ in cases[:4]:
        sent = with_public_ids(permission, ids)
        preview = await district.call("POST", f"{application.path}/sharing/preview", sent)
        saved = await application.share(sent)
        listed = await by_management_lists(application)
        assert listed == await by_partner_lists(application)
        assert listed == await by_csv(application)
        counts = {kind: len(found) for kind, found in listed.items()}
        shown = await district.get(f"{application.path}/shared")
        assert preview["counts"] == saved["counts"] == shown["counts"] == counts
        changes = {
            kind: {"added": len(listed[kind] - before[kind]), "removed": len(before[kind] - listed[kind])}
            for kind in COUNTED
        }
        assert preview["changes"] == saved["changes"] == changes
        before = listed


async def by_management_lists(application: Connected) -> Ids:
    """The ids of the lists that the district sees."""
    found = {}
    for kind in COUNTED:
        page = await application.district.get(f"{application.path}/shared/{kind}", limit=1000)
        assert page["next"] is None
        assert page["total"] == len(page["data"])
        found[kind] = {row["id"] for row in page["data"]}
    return found


async def by_partner_lists(application: Connected) -> Ids:
    """The ids of the lists that the application sees."""
    users: list[dict[str, Any]] = await application.records("/users")
    return {
        "schools": {school["id"] for school in await application.records("/schools")},
        "sections": {section["id"] for section in await application.records("/sections")},
        **{kind: {user["id"] for user in users if role in user["roles"]} for kind, role in ROLES.items()},
    }


async def by_csv(application: Connected) -> Ids:
    """The ids of the CSV files that the district downloads; each file is its list, byte for byte."""
    found = {}
    for kind in COUNTED:
        path = f"{application.district.path}{application.path}/shared/{kind}.csv"
        response = await application.district.service.client.get(path, headers=application.district.admin)
        assert response.status_code == 200
        if rows := (await application.district.get(f"{application.path}/shared/{kind}", limit=1000))["data"]:
            assert response.content == csv_of(rows)
        found[kind] = {row["id"] for row in csv.DictReader(io.StringIO(response.text, newline=""))}
    return found
