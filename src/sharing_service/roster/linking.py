"""Makes the links between records equal to what is wanted, touching only pairs that differ."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import affected, pairs, staging
from sharing_service.roster.affected import AT_SCHOOLS
from sharing_service.roster.beside import Beside
from sharing_service.roster.enrolling import Moves
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


async def merge_enrollments(session: AsyncSession, district_id: UUID, moves: Moves) -> Changes:
    """Bring the enrollments of a district to what `check` left, and note the sections whose students moved."""
    await pairs.send(session, "wanted_enrollments", moves.added)
    await pairs.send(session, "left_enrollments", moves.removed)
    await staging.plan_for_bulk(session, bulk=False)
    await session.execute(text(DISENROLL), {"district_id": district_id})
    await session.execute(text(ENROLL), {"district_id": district_id})
    await session.execute(text(ENROLLMENTS_MOVED), {"numbering": "sections"})
    return Changes(before=moves.before, added=len(moves.added), removed=len(moves.removed))


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
