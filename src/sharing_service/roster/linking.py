"""Makes the links between records equal to what is wanted, touching only rows that differ."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import affected, grouped, pairs, staging
from sharing_service.roster.affected import AT_SCHOOLS
from sharing_service.roster.beside import Beside
from sharing_service.roster.enrolling import Moves, Pairs, firsts, seconds, turned
from sharing_service.roster.outcome import Changes

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
DISENROLL: Final = """
delete from {table} t using (select {owner} from wanted_enrollments union select {owner} from left_enrollments) m
where t.district_id = :district_id and t.{owner} = m.{owner}
"""
ENROLL: Final = """
insert into {table} (district_id, {owner}, {others}) select :district_id, {owner}, {others} from wanted_{table}
"""
GROUPED: Final = (
    {"table": "section_students", "owner": "section", "others": "students"},
    {"table": "student_sections", "owner": "student", "others": "sections"},
)
"""The tables of enrollments, which say the same from both sides."""
ENROLLMENTS_MOVED: Final = """
insert into moved (numbering, ordinal, own)
select :numbering, section, false
from (select section from wanted_enrollments union select section from left_enrollments) differing
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

    @property
    def columns(self) -> tuple[str, ...]:
        """All but the district."""
        return (self.owner, self.other, *self.values)


# A school that a person is at only through a section follows the enrollments; it is no value of the person.
SCHOOL_PEOPLE: Final = Link(
    "school_people",
    "people",
    "person",
    "school",
    ("kind", "position"),
    listed=AT_SCHOOLS,
    own="position is not null",
)
LINKS: Final = (
    Link("section_teachers", "sections", "section", "teacher", ("position",), listed="sections"),
    Link("contact_students", "people", "contact", "student", ("relationship", "type"), listed="contacts"),
    SCHOOL_PEOPLE,
)


async def merge_links(session: AsyncSession, district_id: UUID, *, whole: bool) -> None:
    """Bring all links but enrollments to what is wanted, and list in `moved` whose did."""
    for link in LINKS:
        await _merge(session, district_id, link, whole=whole)


async def write_links(session: AsyncSession, beside: Beside) -> None:
    """Write the links of a new district `beside`, where none stand yet, but those that follow enrollments."""
    for link in LINKS:
        if link is not SCHOOL_PEOPLE:
            await beside.take(session, _wanted(link), table=link.table, columns=", ".join(link.columns))


async def write_schools(session: AsyncSession, district_id: UUID) -> None:
    """Write at which schools the people of a new district are, once it is known who is in which section."""
    columns = ", ".join(SCHOOL_PEOPLE.columns)
    rows = f"select :district_id, w.* from ({_wanted(SCHOOL_PEOPLE)}) w"  # noqa: S608 - names of ours, as below
    insert = f"insert into {SCHOOL_PEOPLE.table} (district_id, {columns}) {rows}"
    await session.execute(text(insert), {"district_id": district_id})


def _wanted(link: Link) -> str:
    columns = ", ".join(link.columns)
    return f"select {columns} from wanted_{link.table} order by {link.owner}, {link.other}"  # noqa: S608


async def merge_enrollments(session: AsyncSession, district_id: UUID, enrolled: Pairs, moves: Moves) -> Changes:
    """Bring the enrollments of a district to what `check` left, and note the sections whose students moved."""
    await pairs.send(session, "wanted_enrollments", moves.added)
    await pairs.send(session, "left_enrollments", moves.removed)
    await staging.plan_for_bulk(session, bulk=False)
    for shape, groups in zip(GROUPED, await asyncio.to_thread(_groups_to_write, enrolled, moves), strict=True):
        await session.execute(text(DISENROLL.format_map(shape)), {"district_id": district_id})
        await grouped.send(session, f"wanted_{shape['table']}", groups)
        await session.execute(text(ENROLL.format_map(shape)), {"district_id": district_id})
    await session.execute(text(ENROLLMENTS_MOVED), {"numbering": "sections"})
    return Changes(before=moves.before, added=len(moves.added), removed=len(moves.removed))


def write_enrollments(beside: Beside, enrolled: "asyncio.Task[Pairs]") -> None:
    """Write the enrollments of a new district `beside`, as soon as they are known."""

    async def of_sections() -> AsyncIterator[bytes]:
        async for block in grouped.rows(await enrolled):
            yield block

    async def of_students() -> AsyncIterator[bytes]:
        async for block in grouped.rows(await asyncio.to_thread(turned, await enrolled)):
            yield block

    for shape, rows in zip(GROUPED, (of_sections(), of_students()), strict=True):
        beside.begin(rows, table=shape["table"], columns=f"{shape['owner']}, {shape['others']}")


def _groups_to_write(enrolled: Pairs, moves: Moves) -> tuple[Pairs, Pairs]:
    """All students of the sections, and all sections of the students, of which an enrollment differs."""
    differing = np.concatenate([moves.added, moves.removed])
    of_sections = enrolled[np.isin(firsts(enrolled), firsts(differing))]
    of_students = enrolled[np.isin(seconds(enrolled), seconds(differing))]
    return of_sections, turned(of_students)


async def _merge(session: AsyncSession, district_id: UUID, link: Link, *, whole: bool) -> None:
    shape = {
        "table": link.table,
        "owner": link.owner,
        "other": link.other,
        "own": link.own,
        "listed": affected.only_listed(link.owner, link.listed, whole=whole),
        "columns": ", ".join(link.columns),
        "values": ", ".join(link.values),
        "old": ", ".join(f"t.{column}" for column in link.values),
        "new": ", ".join(f"w.{column}" for column in link.values),
    }
    await staging.write(session, district_id, UNLINK.format_map(shape), link.numbering)
    await staging.write(session, district_id, RELINK.format_map(shape), link.numbering)
    await staging.write(session, district_id, LINK.format_map(shape), link.numbering)
