"""An application that keeps a copy of its part of a roster: it takes a cursor, reads the lists, follows the feed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.factories.service import Connected

Json = dict[str, Any]
Copy = dict[tuple[str, str], str]
"""Each record as its text, by the path of its list and its id."""
PATHS: Final = ("schools", "terms", "courses", "users", "sections")
BEGINNING: Final = "00000000-0000-0000-0000-000000000000"


def as_text(record: Json) -> str:
    """A record so that the order of its members counts as well."""
    return json.dumps(record, ensure_ascii=False)


async def read_lists(application: Connected) -> Copy:
    """Everything that the application sees now."""
    return {(path, one["id"]): as_text(one) for path in PATHS for one in await application.records(f"/{path}")}


async def newest(application: Connected) -> str:
    """A cursor behind all that has happened."""
    listed = (await application.read("/events", ending_before="last", limit=1))["data"]
    return str(listed[0]["data"]["id"]) if listed else BEGINNING


async def events_after(application: Connected, cursor: str, *, limit: int = 10_000) -> list[Json]:
    """The events after a cursor, page by page."""
    found: list[Json] = []
    while True:
        page = await application.read("/events", starting_after=cursor, limit=limit)
        found += [item["data"] for item in page["data"]]
        if "next" not in {link["rel"] for link in page["links"]}:
            return found
        cursor = found[-1]["id"]


def folded(copy: Copy, events: Iterable[Json]) -> Copy:
    """A copy after some events, each of them applied to it."""
    now = dict(copy)
    for event in events:
        path, operation = event["type"].split(".")
        told = event["data"]["object"]
        if operation == "deleted":
            assert list(told) == ["id"]
            now.pop((path, told["id"]), None)
        else:
            now[path, told["id"]] = as_text(told)
    return now


def changes(before: Copy, now: Copy) -> set[tuple[str, str]]:
    """The type and record of every event that leads from one copy to another."""
    created = {(f"{path}.created", record_id) for path, record_id in now.keys() - before.keys()}
    deleted = {(f"{path}.deleted", record_id) for path, record_id in before.keys() - now.keys()}
    kept = before.keys() & now.keys()
    updated = {
        (f"{path}.updated", record_id) for path, record_id in kept if before[path, record_id] != now[path, record_id]
    }
    return created | updated | deleted


def named(events: Iterable[Json]) -> list[tuple[str, str]]:
    """The type and record of events."""
    return [(event["type"], event["data"]["object"]["id"]) for event in events]


@dataclass
class Follower:
    """A copy and how far it is."""

    application: Connected
    cursor: str = BEGINNING
    copy: Copy = field(default_factory=dict)

    @classmethod
    async def begin(cls, application: Connected) -> "Follower":
        """Take the cursor before the lists: what changes while they are read comes again in the events."""
        cursor = await newest(application)
        return cls(application, cursor, await read_lists(application))

    async def follow(self, *, limit: int = 10_000) -> list[Json]:
        """Apply the events since, and keep their last as the cursor."""
        events = await events_after(self.application, self.cursor, limit=limit)
        ids = [event["id"] for event in events]
        assert ids == sorted({*ids}), "events ascend, none comes twice"
        self.copy = folded(self.copy, events)
        self.cursor = ids[-1] if ids else self.cursor
        return events
