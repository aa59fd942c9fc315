"""Writes the stored documents: the fragments of each record, as `delivery.fragments` forms them.

The fragments never refer to other records, because references differ from grant to grant; what a person refers to
stands beside them, and `delivery.references` decides who is told of it.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Integer,
    Uuid,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.database import DIALECT
from sharing_service.delivery import modified, references
from sharing_service.delivery.fragments import fragments, records
from sharing_service.delivery.models import documents
from sharing_service.roster import staging
from sharing_service.roster.beside import Beside
from sharing_service.roster.catalogue import PEOPLE, Kind, numbering_of
from sharing_service.roster.models import EXACT

TOUCHED: Final = table("touched", column("numbering", EXACT), column("ordinal", Integer))
"""Temporary table of a sync: the records whose documents are written again."""
RELINKED: Final = table("relinked", column("numbering", EXACT), column("ordinal", Integer))
"""Temporary table of a sync: the records of which only references to others moved."""
LEFT: Final = table("left_records", column("numbering", EXACT), column("ordinal", Integer))
"""Temporary table of a sync: the records whose documents go."""

REPLACED: Final = table("replaced", *(column(each.name, each.type) for each in documents.c))
"""Temporary table of a sync: the documents that it wrote again, as they were before."""

PARTS: Final = 3
"""Of the contacts of a first roster. All students are looked through for each of them."""

WRITTEN: Final = union_all(
    select(TOUCHED.c.numbering, TOUCHED.c.ordinal),
    select(RELINKED.c.numbering, RELINKED.c.ordinal).where(RELINKED.c.numbering == "people"),
).subquery("written")
"""The records whose documents a sync writes: of a section nothing that it refers to is stored."""


async def write_first(session: AsyncSession, district_id: UUID, beside: Beside | None) -> None:
    """Write the documents of all records of a district that has none yet; `replaced` stays empty.

    Those of contacts, which are written where `beside` sees them, are left to whoever is done with all else: to the
    session from the first part on, to `beside` from the last one, still when this ends.
    """
    await _empty_replaced(session)
    parts = deque(await _contacts_in(session, 1 if beside is None else PARTS))
    if beside is not None:
        statements = (_written_out(insert_of(Kind.CONTACTS, district_id, None, within=part)) for part in _last(parts))
        beside.run(statements, table="documents")
    # In the order of the primary key: what goes to the end of an index is put there without a search.
    for kind in sorted(Kind, key=numbering_of):
        if kind is not Kind.CONTACTS:
            await session.execute(insert_of(kind, district_id, None))
    while parts:
        await session.execute(insert_of(Kind.CONTACTS, district_id, None, within=parts.popleft()))


async def _contacts_in(session: AsyncSession, parts: int) -> list[range]:
    """All ordinals of the wanted contacts, in parts that follow each other."""
    first, last = (await session.execute(text("select min(ordinal), max(ordinal) from wanted_contacts"))).one()
    if first is None:
        return []
    size = (last - first) // parts + 1
    return [range(begin, begin + size) for begin in range(first, last + 1, size)]


def _last(parts: deque[range]) -> Iterator[range]:
    """The last part that is left by then, as long as there is one."""
    while parts:
        yield parts.pop()


def _written_out(statement: Insert) -> str:
    return str(statement.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


async def rewrite(session: AsyncSession, district_id: UUID) -> None:
    """Write the documents that changed by `touched` and `relinked`, and delete those of the `left_records`.

    Afterwards `replaced` holds the documents that were written again, as they were.
    """
    # Deleted and inserted, not updated: most syncs add records too, and each row would be checked for a conflict.
    await session.execute(delete_listed(district_id, LEFT))
    await _empty_replaced(session)
    replaced = await staging.written(session, move_written(district_id))
    for kind in Kind:
        await session.execute(insert_of(kind, district_id, WRITTEN))
    if replaced:
        await staging.analyse(session, "replaced")
        await staging.plan_for_bulk(session, bulk=False)
        await modified.keep(session, district_id)


async def _empty_replaced(session: AsyncSession) -> None:
    await session.execute(text("drop table if exists pg_temp.replaced"))
    await session.execute(text("create temp table replaced (like documents) on commit drop"))


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


def insert_of(kind: Kind, district_id: UUID, listed: FromClause | None, *, within: range | None = None) -> Insert:
    """The statement that writes the documents of the listed records of one kind, of those in a range, or of all."""
    record = records(kind, district_id, listed, within)
    values: dict[str, ColumnElement[Any]] = {
        "district_id": literal(district_id, Uuid),
        "numbering": literal(numbering_of(kind), EXACT),
        "ordinal": record.c.ordinal,
        "id": record.c.id,
        "kind": literal(kind.value, EXACT),
        **fragments(kind, district_id, record),
    }
    source: FromClause = record
    if kind in PEOPLE:
        referring = references.of_persons(kind, district_id, listed, within)
        source = record.outerjoin(referring, referring.c.person == record.c.ordinal)
        values["schools"] = func.coalesce(referring.c.schools, references.NO_SCHOOLS)
        values["referring"] = func.coalesce(referring.c.referring, "")
    return insert(documents).from_select(list(values), select(*values.values()).select_from(source))
