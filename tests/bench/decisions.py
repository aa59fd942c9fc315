"""How long a district waits for the preview and the save of a permission, against counting its enrollments."""

from collections.abc import Mapping
from typing import Final

import asyncpg

from tests.bench.comparison import Comparison, Operation, compare
from tests.factories.service import Connected, District, Json

NOTHING: Final[Json] = {"mode": "schools", "school_ids": []}
COUNT: Final = "select count(*) from enrollments"


def _rule(match: str, *where: tuple[str, str, list[str]], **rest: bool) -> Json:
    conditions = [{"field": field, "operator": operator, "values": values} for field, operator, values in where]
    return {"match": match, "where": conditions, **rest}


THREE_RULES: Final[Json] = {
    "mode": "rules",
    "rules": [
        _rule("sections", ("subject", "is", ["math"]), ("grade", "is", ["3", "4", "9", "10"])),
        _rule("students", ("ell_status", "is", ["Y"]), companions=True),
        _rule("teachers", ("email", "starts_with", ["a"]), companions=True),
    ],
}
ELA: Final[Json] = {"share": "rules", "rules": [_rule("sections", ("subject", "is", ["english/language arts"]))]}


async def compare_decisions(application: Connected, connection: asyncpg.Connection) -> list[Comparison]:
    """A save and a preview of each mode, from a grant that shares nothing."""
    comparisons = []
    permissions = await _permissions(application.district)
    await _choose_sites(application)

    async def nothing(_: int) -> None:
        await application.share(NOTHING)

    async def count(_: int) -> None:
        await connection.fetchval(COUNT)

    for name, permission in permissions.items():
        what = f"save of a permission, {name}"
        comparisons.append(await compare(what, _save(application, permission), f"`{COUNT}`", count, before=nothing))
    await application.share(NOTHING)
    for name, permission in permissions.items():
        what = f"preview of a permission, {name}"
        comparisons.append(await compare(what, _preview(application, permission), f"`{COUNT}`", count))
    return comparisons


def _save(application: Connected, permission: Json) -> Operation:
    async def save(_: int) -> None:
        assert (await application.share(permission))["counts"]["students"]

    return save


def _preview(application: Connected, permission: Json) -> Operation:
    async def preview(_: int) -> None:
        path = f"{application.path}/sharing/preview"
        assert (await application.district.call("POST", path, permission))["counts"]["students"]

    return preview


async def _permissions(district: District) -> Mapping[str, Json]:
    """One of each mode that shares a good part, by what the table calls it."""
    schools = [row["id"] for row in await district.everything("schools")]
    sections = [row["id"] for row in await district.everything("sections")]
    return {
        "`district`": {"mode": "district", "include_staff": True},
        "`schools` (every other)": {"mode": "schools", "school_ids": schools[::2]},
        "`sections` (every third)": {"mode": "sections", "section_ids": sections[::3]},
        "`rules` (three)": THREE_RULES,
        "`school_site`": {"mode": "school_site"},
    }


async def _choose_sites(application: Connected) -> None:
    """In turn a school selects everyone, half of its sections, its English sections, or never chose."""
    taught: dict[str, list[str]] = {}
    for section in await application.district.everything("sections"):
        taught.setdefault(section["school"], []).append(section["id"])
    for number, (school, sections) in enumerate(taught.items()):
        selections: list[Json | None] = [
            {"share": "everyone", "include_staff": True},
            {"share": "sections", "section_ids": sections[::2]},
            ELA,
            None,
        ]
        selection = selections[number % len(selections)]
        if selection is not None:
            await application.district.call("PUT", f"{application.path}/sites/{school}", selection)
