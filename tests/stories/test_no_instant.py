"""At no instant does an application see what was not shared at that instant."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tests.factories.service import Connected, District, Service
from tests.factories.upload import render
from tests.oracle import share
from tests.oracle_answers import Shared
from tests.world import Ids, Person, School, Section, World

Json = dict[str, Any]
Value = TypeVar("Value")

SCHOOLS: Final = {"N": School("N", {"name": "North"}), "S": School("S", {"name": "South"})}
SYNCS: Final = 8
SAVES: Final = 30
READERS: Final = 4


def roster(year: int) -> World:
    """One of two rosters whose students sit in other sections, have other grades and partly left."""
    students = {
        f"s{n}": Person(f"s{n}", ["N" if (n + year) % 2 else "S"], {"grade": str(1 + (n + year) % 3)})
        for n in range(12)
        if (n + year) % 4
    }
    teachers = {f"t{n}": Person(f"t{n}", ["NS"[n % 2]]) for n in range(4)}
    sections = {
        f"x{n}": Section(f"x{n}", "NS"[(n + year) % 2], [f"t{(n + year) % 4}", f"t{(n + 2 * year + 1) % 4}"])
        for n in range(5)
    }
    enrollments = {(f"x{n % 5}", student) for n, student in enumerate(students)}
    return World(SCHOOLS, sections, students, teachers, {}, enrollments)


def permissions(ids: Ids) -> list[Json]:
    """Permissions that share quite different parts."""
    third = {"match": "students", "where": [{"field": "grade", "operator": "is", "values": ["3"]}]}
    return [
        {"mode": "district"},
        {"mode": "schools", "school_ids": [ids["schools", "N"]]},
        {"mode": "sections", "section_ids": [ids["sections", "x0"], ids["sections", "x3"]]},
        {"mode": "rules", "rules": [third]},
        {"mode": "rules", "rules": [third | {"companions": False}], "except": []},
        {"mode": "schools", "school_ids": []},
    ]


@dataclass
class Timeline:
    """What was true from which revision on, and what readers were told at which revision."""

    rosters: dict[int, World] = field(default_factory=dict)
    sharings: dict[int, Json] = field(default_factory=dict)
    answers: list[tuple[int, str, list[Json]]] = field(default_factory=list)
    done: bool = False

    def expected(self, revision: int, ids: Ids) -> Shared:
        """What the oracle says for a revision."""
        return share(at(self.rosters, revision), at(self.sharings, revision), ids=ids)


def at(timeline: dict[int, Value], revision: int) -> Value:
    """What was true at a revision."""
    return timeline[max(number for number in timeline if number <= revision)]


async def test_every_answer_equals_the_oracle_at_its_revision(service: Service) -> None:
    """While syncs and saves of sharing run, each answer is exactly what was shared at the revision in its header.

    Catches a ledger that is swapped apart from the roster, a reader without one snapshot, and a sync that publishes a
    ledger of a permission that was changed while it worked.
    """
    district = await service.district()
    timeline = Timeline()
    ids: Ids = {}
    for year in (1, 0):
        sync = await district.publish(render(roster(year)))
        timeline.rosters[sync["revision"]] = roster(year)
        ids = {**ids, **await district.ids()}
    application = await district.connect()
    saved = await application.share({"mode": "district"})
    timeline.sharings[saved["revision"]] = {"mode": "district"}
    readers = [asyncio.create_task(keep_reading(application, timeline)) for _ in range(READERS)]
    await asyncio.gather(sync_to_and_fro(district, timeline), save_at_random(application, timeline, ids))
    timeline.done = True
    await asyncio.gather(*readers)
    assert len({revision for revision, _, _ in timeline.answers}) > SYNCS
    for revision, path, records in timeline.answers:
        assert told(path, records) == wanted(path, timeline.expected(revision, ids), ids), (revision, path)


async def sync_to_and_fro(district: District, timeline: Timeline) -> None:
    """Publish the two rosters in turn."""
    for year in range(1, SYNCS + 1):
        sync = await district.publish(render(roster(year % 2)))
        timeline.rosters[sync["revision"]] = roster(year % 2)


async def save_at_random(application: Connected, timeline: Timeline, ids: Ids) -> None:
    """Change the sharing permission again and again."""
    chance = random.Random(20)
    for _ in range(SAVES):
        sharing = chance.choice(permissions(ids))
        saved = await application.share(sharing)
        timeline.sharings.setdefault(saved["revision"], sharing)
        await asyncio.sleep(chance.random() / 20)


async def keep_reading(application: Connected, timeline: Timeline) -> None:
    """Read lists until the writers are done."""
    while not timeline.done:
        for path in ("/users", "/sections", "/schools"):
            response = await application.fetch(path, limit=10000)
            assert response.status_code == 200, response.text
            records = [entry["data"] for entry in response.json()["data"]]
            timeline.answers.append((int(response.headers["X-Sharing-Revision"]), path, records))


def told(path: str, records: list[Json]) -> Any:
    """The ids and references of an answer."""
    references: dict[str, Callable[[Json], Any]] = {
        "/schools": lambda school: None,
        "/sections": lambda section: (section["school"], sorted(section["students"]), section["teachers"]),
        "/users": lambda user: next(iter(user["roles"].values()))["schools"],
    }
    return {record["id"]: references[path](record) for record in records}


def wanted(path: str, shared: Shared, ids: Ids) -> Any:
    """The same as the oracle says it."""
    match path:
        case "/schools":
            return {ids["schools", school]: None for school in shared.schools}
        case "/sections":
            return {
                ids["sections", sis_id]: (
                    ids["schools", seen.school],
                    sorted(ids["students", student] for student in seen.students),
                    [ids["teachers", teacher] for teacher in seen.teachers],
                )
                for sis_id, seen in shared.sections.items()
            }
        case _:
            people = [("students", shared.students), ("teachers", shared.teachers), ("staff", shared.staff)]
            return {
                ids[kind, sis_id]: [ids["schools", school] for school in seen.schools]
                for kind, found in people
                for sis_id, seen in found.items()
            }
