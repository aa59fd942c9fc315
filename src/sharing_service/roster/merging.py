"""Make the roster equal to what is wanted, touching only rows that differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import pairs, staging
from sharing_service.roster.affected import AT_SCHOOLS, LISTED
from sharing_service.roster.catalogue import EXTENSIBLE, FIELDS, PEOPLE, Kind, numbering_of
from sharing_service.roster.checking import Checked
from sharing_service.roster.enrolling import Moves
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

UNLINK: Final = """
with gone as (
    delete from {table} t
    where t.district_id = :district_id
      and not exists (select from wanted_{table} w where w.{owner} = t.{owner} and w.{other} = t.{other})
      {listed}
    returning t.{owner} as ordinal, {own} as own
)
insert into moved (numbering, ordinal, own) select :numbering, ordinal, own from gone
"""
RELINK: Final = """
with changed as (
    update {table} t set ({values}) = row({new}) from wanted_{table} w
    where t.district_id = :district_id and t.{owner} = w.{owner} and t.{other} = w.{other}
      and ({old}) is distinct from ({new})
    returning t.{owner} as ordinal
)
insert into moved (numbering, ordinal, own) select :numbering, ordinal, true from changed
"""
LINK: Final = """
with added as (
    insert into {table} (district_id, {columns})
    select :district_id, {columns} from wanted_{table} w
    where not exists (
        select from {table} t where t.district_id = :district_id and t.{owner} = w.{owner} and t.{other} = w.{other}
    )
    order by {owner}, {other}
    returning {owner} as ordinal, {own} as own
)
insert into moved (numbering, ordinal, own) select :numbering, ordinal, own from added
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


@dataclass(frozen=True, slots=True)
class Link:
    """A table of pairs: whose record it belongs to, what it points to, and what it says about the pair."""

    table: str
    numbering: str
    owner: str
    other: str
    values: tuple[str, ...]
    listed: str
    """The kind under which `affected` lists the owners."""
    own: str = "true"
    """Whether a pair counts as a value of its owner, in SQL."""


LINKS: Final = (
    Link("section_teachers", "sections", "section", "teacher", ("position",), listed="sections"),
    Link("contact_students", "people", "contact", "student", ("relationship", "type"), listed="contacts"),
    # A school that a person is at only through a section follows the enrollments; it is no value of the person.
    Link(
        "school_people",
        "people",
        "person",
        "school",
        ("kind", "position"),
        listed=AT_SCHOOLS,
        own="position is not null",
    ),
)
DISENROLL: Final = """
delete from enrollments t using left_enrollments w
where t.district_id = :district_id and t.section = w.section and t.student = w.student
"""
ENROLL: Final = """
insert into enrollments (district_id, section, student) select :district_id, section, student from wanted_enrollments
"""
ENROLLMENTS_MOVED: Final = """
insert into moved (numbering, ordinal, own)
select :numbering, section, false
from (select section from wanted_enrollments union select section from left_enrollments) differing
"""


async def merge(session: AsyncSession, district_id: UUID, checked: Checked) -> Outcome:
    """Bring the roster of a district to what `check` left, and tell how many records of each kind that moved.

    Afterwards `touched` lists the records whose documents are to be written, `relinked` those of which only references
    to others moved, `left_records` those that left; no record stands in two of them.
    """
    outcome: Outcome = {}
    for kind in Kind:
        outcome[kind.value] = await _merge_records(session, district_id, kind, whole=checked.whole)
    for link in LINKS:
        await _merge_links(session, district_id, link, whole=checked.whole)
    outcome["enrollments"] = await _merge_enrollments(session, district_id, checked.moves)
    await staging.plan_for_bulk(session, bulk=checked.whole)
    if any(changes.before for changes in outcome.values()):  # else all records are new, and so touched
        await _follow_links(session, district_id, outcome)
    await staging.analyse(session, "touched", "relinked", "left_records")
    return outcome


async def _follow_links(session: AsyncSession, district_id: UUID, outcome: Outcome) -> None:
    """Find the records that changed because of their links alone, and those of which only references moved."""
    await staging.analyse(session, "moved", "touched")
    for kind in (Kind.SECTIONS, *PEOPLE) if await _any_restamped(session) else ():
        outcome[kind.value].changed += await _count(session, STAMP.format(kind=kind), district_id, numbering_of(kind))
    await session.execute(text(RELINKED))


async def _any_restamped(session: AsyncSession) -> bool:
    await session.execute(text(RESTAMPED))
    await staging.analyse(session, "restamped")
    return bool(await session.scalar(text("select exists (select from restamped)")))


def _listed(owner: str, kind: str, *, whole: bool) -> str:
    """The further condition on what is removed, in SQL: nothing of which no row was read."""
    return "" if whole else f"and t.{owner} in {LISTED.format(kind)}"


async def _merge_records(session: AsyncSession, district_id: UUID, kind: Kind, *, whole: bool) -> Changes:
    columns = dict(_columns(kind))
    shape = {
        "kind": kind.value,
        "columns": ", ".join(columns),
        "values": ", ".join(f"{value} as {column}" for column, value in columns.items()),
        "old": ", ".join(f"t.{column}" for column in columns),
        "new": ", ".join(f"n.{column}" for column in columns),
        "source": _source(kind),
        "listed": _listed("ordinal", kind, whole=whole),
    }
    changed, removed, added = [
        await _count(session, statement.format_map(shape), district_id, numbering_of(kind))
        for statement in (CHANGE, REMOVE, ADD)
    ]
    query = f"select count(*) from {kind} where district_id = :district_id"  # noqa: S608 - a kind's name
    now: int = (await session.execute(text(query), {"district_id": district_id})).scalar_one()
    return Changes(before=now - added + removed, added=added, changed=changed, removed=removed)


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


async def _merge_enrollments(session: AsyncSession, district_id: UUID, moves: Moves) -> Changes:
    await pairs.send(session, "wanted_enrollments", moves.added)
    await pairs.send(session, "left_enrollments", moves.removed)
    await staging.plan_for_bulk(session, bulk=False)
    await session.execute(text(DISENROLL), {"district_id": district_id})
    await session.execute(text(ENROLL), {"district_id": district_id})
    await session.execute(text(ENROLLMENTS_MOVED), {"numbering": "sections"})
    return Changes(before=moves.before, added=len(moves.added), removed=len(moves.removed))


async def _merge_links(session: AsyncSession, district_id: UUID, link: Link, *, whole: bool) -> None:
    shape = {
        "table": link.table,
        "owner": link.owner,
        "other": link.other,
        "own": link.own,
        "listed": _listed(link.owner, link.listed, whole=whole),
        "columns": ", ".join((link.owner, link.other, *link.values)),
        "values": ", ".join(link.values),
        "old": ", ".join(f"t.{column}" for column in link.values),
        "new": ", ".join(f"w.{column}" for column in link.values),
    }
    await _count(session, UNLINK.format_map(shape), district_id, link.numbering)
    await _count(session, RELINK.format_map(shape), district_id, link.numbering)
    await _count(session, LINK.format_map(shape), district_id, link.numbering)


async def _count(session: AsyncSession, statement: str, district_id: UUID, numbering: str) -> int:
    result = await session.execute(text(statement), {"district_id": district_id, "numbering": numbering})
    assert isinstance(result, CursorResult)  # noqa: S101 - a statement that writes has a row count
    return result.rowcount
