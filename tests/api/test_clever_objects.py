"""Every member of every object of the partner API, on answers about an uploaded district."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.api.clever_objects import DIFFERENCES, NOT_HERE, OBJECTS, Member, members
from tests.factories.service import Connected, Json, answered

LISTED = {"schools": "school", "courses": "course", "terms": "term", "sections": "section"}
ROLES = ("student", "teacher", "staff", "contact")
OPEN = ("ext", "data.object")
"""Objects whose members are not looked at: any, and those of a record in an event."""
ALWAYS_NULL = {
    "nces_id": "an upload does not tell it of a district",
    "district_contact.email": "nobody is named there",
    "roles.student.enrollments.start_date": DIFFERENCES["roles.student.enrollments.start_date"],
    "roles.student.enrollments.end_date": DIFFERENCES["roles.student.enrollments.end_date"],
}
NEVER_NULL = {
    "last_sync": "without a sync there is no answer",
    "roles.student.school": "every mode shares a school with the student",
    "roles.teacher.school": "every mode shares a school with the teacher",
}


async def objects(reader: Connected, version: str) -> dict[str, list[Json]]:
    """The objects of each name that a version answers, each of them as a list shows it and alone."""
    client, found = reader.district.service.client, defaultdict(list)
    wanted = {"districts": "district", "events": "event", **LISTED} | {f"users?role={role}": role for role in ROLES}
    for path, name in wanted.items():
        listed = answered(await client.get(f"/{version}/{path}", headers=reader.headers))
        for item in listed["data"]:
            alone = answered(await client.get(item["uri"], headers=reader.headers))
            assert alone["data"] == item["data"]
            found[name].append(item["data"])
    return found


def seen(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The path and the JSON type of every member; of `ext` and of an event's record only that it is an object."""
    match value:
        case dict():
            yield path, "object"
            for name, member in value.items() if not path.endswith(OPEN) else ():
                yield from seen(member, f"{path}.{name}".strip("."))
        case [str(), *_]:
            yield path, "[string]"
        case list():
            yield path, "[object]" if value else "[]"
            for item in value:
                yield from (member for member in seen(item, path) if member[0] != path)
        case None:
            yield path, "null"
        case _:
            yield path, {str: "string"}.get(type(value), type(value).__name__)


def allowed(member: Member) -> set[str]:
    """The JSON types that a member may have here."""
    assert member.here
    type_ = member.here.removesuffix("?")
    return {type_, *(["null"] if member.here.endswith("?") else []), *(["[]"] if type_[0] == "[" else [])}


def is_below(path: str, others: Iterable[str]) -> bool:
    """Whether a path leads into one of the others."""
    return any(path.startswith(f"{other}.") for other in others)


@pytest.mark.parametrize("version", ["v3.0", "v3.1"])
async def test_every_member_is_there_with_its_type(full_reader: Connected, version: str) -> None:
    """Each object has every member of the table and no other, null only where it may be, and there it is seen so.

    Catches a member that was lost, renamed or added on the way from the upload to the answer.
    """
    found = await objects(full_reader, version)
    assert found.keys() == OBJECTS.keys()
    for name, of_name in found.items():
        table = {member.path: allowed(member) for member in members(name) if member.here}
        types = defaultdict(set)
        for one in of_name:
            shown = defaultdict(set)
            for path, type_ in list(seen(one))[1:]:
                shown[path].add(type_)
                types[path].add(type_)
            empty = [path for path, types_ in shown.items() if types_ == {"[]"}]
            assert {path for path in table if not is_below(path, empty)} == shown.keys(), name
        for path, may in table.items():
            assert types[path] <= may, (name, path)
            if "null" in may:
                expected = {"null"} if path in ALWAYS_NULL and name in ("district", "student") else may
                assert types[path] == expected - ({"null"} if path in NEVER_NULL else set()), (name, path)


async def test_the_document_has_the_same_members(full_reader: Connected) -> None:
    """The OpenAPI document describes each object as the table does, and a member of a group as one that may lack."""
    document = answered(await full_reader.district.service.client.get("/openapi.json"))
    schemas = document["components"]["schemas"]
    described = {name: dict(of_schema(schemas, schemas[name.title()])) for name in ("district", *LISTED.values())}
    described["event"] = dict(of_schema(schemas, schemas["Event"]))
    user = dict(of_schema(schemas, schemas["User"]))
    for role in ROLES:
        others = [f"roles.{other}" for other in ROLES if other != role]
        described[role] = {
            path: type_ for path, type_ in user.items() if path not in others and not is_below(path, others)
        }
    table = {name: {member.path: member.here for member in members(name) if member.here} for name in OBJECTS}
    assert described == table


def of_schema(schemas: Json, schema: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """The path and type of every member that a schema describes."""
    for name, member in schema["properties"].items():
        whole = f"{path}.{name}".strip(".")
        if whole == "data.object":
            yield whole, "object"
            continue
        options = [resolved(schemas, option) for option in member.get("anyOf", [member])]
        null = "?" if {"type": "null"} in options else ""
        [shown] = [option for option in options if option != {"type": "null"}]
        inner = resolved(schemas, shown["items"]) if shown["type"] == "array" else shown
        yield whole, (f"[{inner['type']}]" if shown["type"] == "array" else inner["type"]) + null
        if "properties" in inner:
            yield from of_schema(schemas, inner, whole)


def resolved(schemas: Json, schema: Json) -> Json:
    """A schema, or the one that it refers to."""
    reference: str | None = schema.get("$ref")
    return schemas[reference.rpartition("/")[2]] if reference else schema


def test_every_difference_has_a_reason() -> None:
    """Each member is as both versions say, or its difference is listed with a reason; nothing else is listed."""
    different, missing = set(), set()
    for name in OBJECTS:
        for path, here, *theirs in members(name):
            if here is None:
                missing.add(path)
            # Whoever expects null can read a value, so that never answering null is no difference.
            elif any(type_ is None or here not in (type_, type_.removesuffix("?")) for type_ in theirs):
                different.add(path)
    assert different == DIFFERENCES.keys()
    ends = {path: [end for end in NOT_HERE if f".{path}".endswith(f".{end}")] for path in missing}
    assert all(ends.values()), ends
    assert {end for found in ends.values() for end in found} == NOT_HERE.keys()
