"""Make the roster equal to what is wanted, touching only rows that differ."""

import asyncio
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import affected, linking, staging
from sharing_service.roster.beside import Beside
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, PEOPLE, Kind, numbering_of
from sharing_service.roster.checking import Checked
from sharing_service.roster.enrolling import Pairs
from sharing_service.roster.outcome import Changes, Outcome

CHANGE: Final = """
with changed as (
    update {kind} t set ({columns}, modified_at) = row({new}, now())
    from (select w.ordinal, {values} from {source}) n
    where t.district_id = :district_id and t.ordinal = n.ordinal and ({old}) is distinct from ({new})
    returning t.ordinal
)
insert into touched (numbering, ordinal) select :numbering, ordinal from changed
"""
REMOVE: Final = """
with gone as (
    delete from {kind} t
    where t.district_id = :district_id and not exists (select from wanted_{kind} w where w.ordinal = t.ordinal)
      {listed}
    returning t.ordinal
)
insert into left_records (numbering, ordinal) select :numbering, ordinal from gone
"""
ADD: Final = """
with added as (
    insert into {kind} (district_id, ordinal, id, {columns})
    select :district_id, w.ordinal, w.id, {values} from {source}
    where not exists (select from {kind} t where t.district_id = :district_id and t.ordinal = w.ordinal)
    order by w.ordinal
    returning ordinal
)
insert into touched (numbering, ordinal) select :numbering, ordinal from added
"""
WRITE: Final = """
insert into {kind} (district_id, ordinal, id, {columns})
select :district_id, w.ordinal, w.id, {values} from {source} order by w.ordinal
"""

# A record whose own links moved has changed, though no column of it has.
RESTAMPED: Final = """
insert into restamped (numbering, ordinal)
select numbering, ordinal from moved where own except select numbering, ordinal from touched
"""
STAMP: Final = """
with changed as (
    update {kind} t set modified_at = now()
    where t.district_id = :district_id
      and t.ordinal in (select ordinal from restamped where numbering = :numbering)
    returning t.ordinal
)
insert into touched (numbering, ordinal) select :numbering, ordinal from changed
"""
RELINKED: Final = """
insert into relinked (numbering, ordinal)
select numbering, ordinal from moved
except select numbering, ordinal from touched
except select numbering, ordinal from left_records
"""


async def merge(session: AsyncSession, district_id: UUID, checked: Checked) -> Outcome:
    """Bring the roster of a district to what `check` left, and tell how many records of each kind that moved.

    Afterwards `touched` lists the records whose documents are to be written, `relinked` those of which only references
    to others moved, `left_records` those that left; no record stands in two of them.
    """
    outcome: Outcome = {}
    for kind in Kind:
        outcome[kind.value] = await _merge_records(session, district_id, kind, whole=checked.whole)
    await linking.merge_links(session, district_id, whole=checked.whole)
    outcome["enrollments"] = await linking.merge_enrollments(session, district_id, checked.enrolled, checked.moves)
    await staging.plan_for_bulk(session, bulk=checked.whole)
    if any(changes.before for changes in outcome.values()):  # else all records are new, and so touched
        await _follow_links(session, district_id, outcome)
    await staging.analyse(session, "touched", "relinked", "left_records")
    return outcome


async def write_records(
    session: AsyncSession, district_id: UUID, beside: Beside, enrolled: "asyncio.Task[Pairs]"
) -> Outcome:
    """Write the records of a new district.

    Beside them the contacts, the links that do not follow enrollments and, as soon as they are known, the enrollments.
    """
    await linking.write_links(session, beside)
    contacts = await _write_contacts(session, beside)
    linking.write_enrollments(beside, enrolled)
    outcome = {}
    for kind in Kind:
        if kind is Kind.CONTACTS:
            outcome[kind.value] = contacts
        else:
            written = await _write(session, district_id, WRITE.format_map(_shape(kind)), kind)
            outcome[kind.value] = Changes(added=written)
    return outcome


async def write_schools(session: AsyncSession, district_id: UUID, beside: Beside) -> None:
    """Write the last links of a new district, whose enrollments may still be being written beside when this ends."""
    await linking.write_schools(session, district_id)
    await beside.finish("contact_students", "section_teachers", "contacts")


async def _write_contacts(session: AsyncSession, beside: Beside) -> Changes:
    # Those who write the documents know the time of this transaction: they need not be told it for each.
    columns = {**dict(_columns(Kind.CONTACTS)), "created_at": "now()", "modified_at": "now()"}
    values = ", ".join(columns.values())
    rows = f"select w.ordinal, w.id, {values} from {_source(Kind.CONTACTS)} order by w.ordinal"  # noqa: S608 - names
    await beside.take(session, rows, table="contacts", columns=", ".join(("ordinal", "id", *columns)))
    return Changes(added=(await session.scalar(text("select count(*) from wanted_contacts"))) or 0)


async def _follow_links(session: AsyncSession, district_id: UUID, outcome: Outcome) -> None:
    """Find the records that changed because of their links alone, and those of which only references moved."""
    await staging.analyse(session, "moved", "touched")
    for kind in (Kind.SECTIONS, *PEOPLE) if await _any_restamped(session) else ():
        outcome[kind.value].changed += await _write(session, district_id, STAMP.format(kind=kind), kind)
    await session.execute(text(RELINKED))


async def _any_restamped(session: AsyncSession) -> bool:
    await session.execute(text(RESTAMPED))
    await staging.analyse(session, "restamped")
    return bool(await session.scalar(text("select exists (select from restamped)")))


async def _write(session: AsyncSession, district_id: UUID, statement: str, kind: Kind) -> int:
    return await staging.write(session, district_id, statement, numbering_of(kind))


async def _merge_records(session: AsyncSession, district_id: UUID, kind: Kind, *, whole: bool) -> Changes:
    columns = [column for column, _ in _columns(kind)]
    shape = _shape(kind) | {
        "old": ", ".join(f"t.{column}" for column in columns),
        "new": ", ".join(f"n.{column}" for column in columns),
        "listed": affected.only_listed("ordinal", kind, whole=whole),
    }
    changed, removed, added = [
        await _write(session, district_id, statement.format_map(shape), kind) for statement in (CHANGE, REMOVE, ADD)
    ]
    query = f"select count(*) from {kind} where district_id = :district_id"  # noqa: S608 - a kind's name
    now: int = (await session.execute(text(query), {"district_id": district_id})).scalar_one()
    return Changes(before=now - added + removed, added=added, changed=changed, removed=removed)


def _shape(kind: Kind) -> dict[str, str]:
    columns = dict(_columns(kind))
    return {
        "kind": kind.value,
        "columns": ", ".join(columns),
        "values": ", ".join(f"{value} as {column}" for column, value in columns.items()),
        "source": _source(kind),
    }


def _columns(kind: Kind) -> Iterator[tuple[str, str]]:
    """Each column of a record that a sync may change, and where its value stands in `_source`."""
    for field in FIELDS[kind]:
        if kind is Kind.CONTACTS:
            yield field.name, f"r.contact_{field.name}"
        else:
            yield field.name, "f.name" if kind is Kind.SECTIONS and field.name == "name" else f"r.{field.name}"
    if kind in EXTENSIBLE:
        yield "ext", "r.ext"
    if kind is Kind.SECTIONS:
        yield from ((name, f"f.{name}") for name in ("school", "course", "term"))


def _source(kind: Kind) -> str:
    staged = "students" if kind is Kind.CONTACTS else kind.value
    formed = " join formed_sections f on f.section = w.ordinal" if kind is Kind.SECTIONS else ""
    return f"wanted_{kind} w join staged_{staged} r on r.line = w.line{formed}"
