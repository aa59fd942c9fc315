"""Writes the stored documents: JSON members of each record as text, one fragment per field group.

The fragments never refer to other records, because references differ from grant to grant; what a person refers to
stands beside them, and `delivery.references` decides who is told of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    FromClause,
    Insert,
    Integer,
    Table,
    Text,
    cast,
    column,
    delete,
    func,
    insert,
    join,
    literal,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import modified, references
from sharing_service.delivery.models import FRAGMENTS, UNGROUPED, documents
from sharing_service.roster import staging
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, PEOPLE, Field, Group, Kind, numbering_of
from sharing_service.roster.models import EXACT, RECORDS

TOUCHED: Final = table("touched", column("numbering", EXACT), column("ordinal", Integer))
"""Temporary table of a sync: the records whose documents are written again."""
RELINKED: Final = table("relinked", column("numbering", EXACT), column("ordinal", Integer))
"""Temporary table of a sync: the records of which only references to others moved."""
LEFT: Final = table("left_records", column("numbering", EXACT), column("ordinal", Integer))
"""Temporary table of a sync: the records whose documents go."""

REPLACED: Final = table("replaced", *(column(each.name, each.type) for each in documents.c))
"""Temporary table of a sync: the documents that it wrote again, as they were before."""

NEVER_NULL: Final = frozenset(
    {"name", "sis_id", "school_number", "roles.student.sis_id", "roles.teacher.sis_id", "roles.staff.staff_id"}
)
"""Members that are an empty string when there is no value; so is every member of an inner object. Others are null."""
WRITTEN: Final = union_all(
    select(TOUCHED.c.numbering, TOUCHED.c.ordinal),
    select(RELINKED.c.numbering, RELINKED.c.ordinal).where(RELINKED.c.numbering == "people"),
).subquery("written")
"""The records whose documents a sync writes: of a section nothing that it refers to is stored."""
DERIVED: Final = (Kind.COURSES, Kind.TERMS)

Json = ColumnElement[str]
"""An expression that gives JSON as text."""
EMPTY_MIDDLE: Final = literal('"middle":""', Text)
"""Staff and contacts have no middle name."""


async def rewrite(session: AsyncSession, district_id: UUID) -> None:
    """Write the documents that changed by `touched` and `relinked`, and delete those of the `left_records`.

    Afterwards `replaced` holds the documents that were written again, as they were.
    """
    # Deleted and inserted, not updated: a conflict check on every row of a first sync would double its time.
    await session.execute(delete_listed(district_id, LEFT))
    await session.execute(text("drop table if exists pg_temp.replaced"))
    await session.execute(text("create temp table replaced (like documents) on commit drop"))
    replaced = await session.execute(move_written(district_id))
    for kind in Kind:
        await session.execute(insert_written(district_id, kind))
    assert isinstance(replaced, CursorResult)  # noqa: S101 - a statement that writes has a row count
    if replaced.rowcount:
        await staging.analyse(session, "replaced")
        await staging.plan_for_bulk(session, bulk=False)
        await modified.keep(session, district_id)


def move_written(district_id: UUID) -> Insert:
    """The statement that moves the documents which are written again to `replaced`."""
    moved = delete_listed(district_id, WRITTEN).returning(*documents.c).cte("moved_documents")
    return insert(REPLACED).from_select(list(documents.c.keys()), select(moved))


def delete_listed(district_id: UUID, listed: FromClause) -> Delete:
    """The statement that deletes the documents of listed records."""
    return delete(documents).where(
        documents.c.district_id == district_id,
        documents.c.numbering == listed.c.numbering,
        documents.c.ordinal == listed.c.ordinal,
    )


def insert_written(district_id: UUID, kind: Kind) -> Insert:
    """The statement that writes the documents of one kind."""
    record = RECORDS[kind]
    values: dict[str, ColumnElement[Any]] = {
        "district_id": literal(district_id),
        "numbering": literal(numbering_of(kind), EXACT),
        "ordinal": record.c.ordinal,
        "id": record.c.id,
        "kind": literal(kind.value, EXACT),
        **fragments(kind, district_id),
    }
    source = join(record, WRITTEN, WRITTEN.c.ordinal == record.c.ordinal)
    if kind in PEOPLE:
        referring = references.of_listed(kind, district_id, WRITTEN)
        source = source.outerjoin(referring, referring.c.person == record.c.ordinal)
        values["schools"] = func.coalesce(referring.c.schools, references.NO_SCHOOLS)
        values["referring"] = func.coalesce(referring.c.referring, "")
    rows = (
        select(*values.values())
        .select_from(source)
        .where(record.c.district_id == district_id, WRITTEN.c.numbering == numbering_of(kind))
    )
    return insert(documents).from_select(list(values), rows)


def fragments(kind: Kind, district_id: UUID) -> dict[str, Json]:
    """The text of every fragment that this kind has, without outer braces, as expressions over its table.

    Those that may be left out begin with a comma, so that a document is its fragments one after the other.
    """
    record = RECORDS[kind]
    members: dict[str, list[Json]] = defaultdict(list)
    members["head"] += [
        _member("id", _quoted(cast(record.c.id, Text))),
        _member("district", literal(f'"{district_id}"', Text)),
    ]
    for name, fields in _by_fragment(kind).items():
        members[name] += _members(kind, record, fields)
    if kind not in DERIVED:
        members["head"] += [
            _member("created", _time(record.c.created_at)),
            _member("last_modified", _time(record.c.modified_at)),
        ]
    if kind in EXTENSIBLE:
        members["ext"].append(_member("ext", cast(record.c.ext, Text)))
    return {name: _fragment(name, members[name]) for name in FRAGMENTS if members[name]}


@cache
def stored_fragments(kind: Kind) -> tuple[str, ...]:
    """The names of the fragments that every document of this kind has; none of them is empty."""
    return tuple(fragments(kind, UUID(int=0)))


def _by_fragment(kind: Kind) -> dict[str, list[Field]]:
    fields: dict[str, list[Field]] = defaultdict(list)
    for field in FIELDS[kind]:
        if field.path:
            fields[_fragment_of(kind, field)].append(field)
    return fields


def _fragment_of(kind: Kind, field: Field) -> str:
    if kind in PEOPLE and field.path.startswith("roles."):
        # A contact is in an answer only if contacts are granted: it has no finer groups.
        return Group.IDENTITY if field.group is Group.CONTACTS else field.group
    return "email" if field.group is Group.EMAIL else "head"


def _members(kind: Kind, record: Table, fields: Sequence[Field]) -> Iterator[Json]:
    objects: dict[str, list[Json]] = defaultdict(list)
    for field in fields:
        value = record.c[field.name]
        *outer, name = field.path.removeprefix(f"roles.{_role(kind)}.").split(".")
        if outer:
            objects[outer[0]].append(_member(name, _string(value)))
        elif kind is Kind.CONTACTS and name == "name":
            yield _member("name", _contact_name(value))
        elif field.path == "roles.staff.roles":
            yield _member(name, func.coalesce("[" + _string(func.nullif(value, "")) + "]", "[]"))
        else:
            filled = field.path in NEVER_NULL and kind not in DERIVED
            yield _member(name, _string(value) if filled else _string_or_null(value))
    if kind is Kind.STAFF and "name" in objects:
        objects["name"].append(EMPTY_MIDDLE)
    for name, inner in objects.items():
        yield _member(name, "{" + _joined(inner) + "}")


def _contact_name(value: ColumnElement[str]) -> Json:
    """A contact's name comes in one piece: the last word is taken for the last name, a single word for the first."""
    first = func.coalesce(func.substring(value, r"^(.*\S)\s+\S+$"), value)
    last = func.coalesce(func.substring(value, r"\s(\S+)$"), "")
    return "{" + _joined([_member("first", _string(first)), EMPTY_MIDDLE, _member("last", _string(last))]) + "}"


def _role(kind: Kind) -> str:
    return kind.value if kind is Kind.STAFF else kind.value.removesuffix("s")


def _member(name: str, value: Json) -> Json:
    return literal(f'"{name}":', Text) + value


def _fragment(name: str, members: Sequence[Json]) -> Json:
    return _joined(members) if name in UNGROUPED else literal(",", Text) + _joined(members)


def _joined(members: Sequence[Json]) -> Json:
    first, *others = members
    joined = first
    for other in others:
        joined = joined + literal(",", Text) + other
    return joined


def _quoted(value: ColumnElement[str]) -> Json:
    return '"' + value + '"'


def _string(value: ColumnElement[str]) -> Json:
    return cast(func.to_json(value), Text)


def _string_or_null(value: ColumnElement[str]) -> Json:
    return func.coalesce(_string(func.nullif(value, "")), "null")


def _time(value: ColumnElement[Any]) -> Json:
    return _quoted(func.to_char(func.timezone("UTC", value), modified.FORMAT))
