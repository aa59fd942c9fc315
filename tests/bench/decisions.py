"""How long a save and a preview of a permission take, against counting enrollments."""

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncpg

from tests.bench.beginning import begun
from tests.bench.comparison import Goal, Operation, Row, compare
from tests.bench.ground import Ground, opened
from tests.bench.serving import Served
from tests.factories.service import Connected, District, Json

NOTHING: Final[Json] = {"mode": "schools", "school_ids": []}
GOAL: Final = Goal(4)
COUNT: Final = "select count(*) from enrollments"
ENROLLMENTS: Final = """
create table enrollments as
    select district_id, section, unnest(students) as student from section_students order by district_id, section;
alter table enrollments add primary key (district_id, section, student)
"""
"""What is counted: the service keeps arrays, of which there are too few to measure a decision against."""


SUBJECTS: Final = ("math", "english/language arts", "science", "social studies")
LETTERS: Final = "amsjrcdlkenpt"
"""With which many emails begin."""


def rule(match: str, *where: tuple[str, str, list[str]], **rest: bool) -> Json:
    """A rule with all of these conditions, each a field, an operator and values."""
    conditions = [{"field": field, "operator": operator, "values": values} for field, operator, values in where]
    return {"match": match, "where": conditions, **rest}


def varied_rules(number: int) -> Json:
    """Three rules, of sections, students and teachers, other ones for each number below 156."""
    grades = [str(1 + (number + step) % 12) for step in (2, 3, 8, 9)]
    return {
        "mode": "rules",
        "rules": [
            rule("sections", ("subject", "is", [SUBJECTS[number % len(SUBJECTS)]]), ("grade", "is", grades)),
            rule("students", ("ell_status", "is", ["Y"]), companions=True),
            rule("teachers", ("email", "starts_with", [LETTERS[number % len(LETTERS)]]), companions=True),
        ],
    }


THREE_RULES: Final = varied_rules(0)
ELA: Final[Json] = {"share": "rules", "rules": [rule("sections", ("subject", "is", ["english/language arts"]))]}


def measure_decisions(ground: Ground) -> list[Row]:
    """A save and a preview of each mode."""
    with begun(ground, "decisions") as service:
        return asyncio.run(_measure(service))


async def _measure(service: Served) -> list[Row]:
    async with opened(service) as there:
        await there.connection.execute(ENROLLMENTS)
        await there.connection.execute("vacuum analyze enrollments")
        return await _compare(await there.district.connect(), there.connection)


async def _compare(application: Connected, connection: asyncpg.Connection) -> list[Row]:
    """A save and a preview of each mode, from a grant that shares nothing."""
    comparisons: list[Row] = []
    permissions = await _permissions(application.district)
    await _choose_sites(application)

    async def nothing(_: int) -> None:
        await application.share(NOTHING)

    async def count(_: int) -> None:
        await connection.fetchval(COUNT)

    for name, permission in permissions.items():
        what = f"save of a permission, {name}"
        save = _save(application, permission)
        comparisons.append(await compare(what, save, f"`{COUNT}`", count, goal=GOAL, before=nothing))
    await application.share(NOTHING)
    for name, permission in permissions.items():
        what = f"preview of a permission, {name}"
        comparisons.append(await compare(what, _preview(application, permission), f"`{COUNT}`", count, goal=GOAL))
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
        "`sections` (every fourth)": {"mode": "sections", "section_ids": sections[::4]},
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
