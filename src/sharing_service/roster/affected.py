"""Of an upload of which only some rows were read: the published records and links that may differ from what is wanted.

The temporary table `affected` lists them by kind. What is not listed stays as it is; without this list a merge would
remove it, because no row of it was read.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.catalogue import Kind

LISTED: Final = "(select ordinal from affected where kind = '{}')"
PEOPLE: Final = "(select ordinal from affected where kind in ('students', 'teachers', 'staff'))"
AT_SCHOOLS: Final = "school_people"
"""Stands as a kind for the people whose schools may differ."""
_SECTIONS: Final = LISTED.format("sections")
_AT_SCHOOLS: Final = LISTED.format(AT_SCHOOLS)

READ: Final = "insert into affected (kind, ordinal) select '{kind}', ordinal from wanted_{kind}"
GONE: Final = "insert into affected (kind, ordinal) select :kind, unnest(cast(:ordinals as int[]))"
CONTACTS: Final = f"""
insert into affected (kind, ordinal)
select 'contacts', contact from contact_students
where district_id = :district_id and student in {LISTED.format("students")}
union
select 'contacts', ordinal from wanted_contacts
"""  # noqa: S608 - made of this page's own text
# A course that any other section has stays, whether or not a section that was read has it.
DERIVED: Final = f"""
insert into affected (kind, ordinal)
select distinct '{{kind}}', s.{{column}} from sections s
where s.district_id = :district_id and s.ordinal in {_SECTIONS} and s.{{column}} is not null
  and not exists (
      select from sections o
      where o.district_id = :district_id and o.{{column}} = s.{{column}} and o.ordinal not in {_SECTIONS}
  )
"""  # noqa: S608 - made of this page's own text
PEOPLE_AT_SCHOOLS: Final = f"""
insert into affected (kind, ordinal)
select '{AT_SCHOOLS}', ordinal from affected where kind in ('students', 'teachers', 'staff')
union
select '{AT_SCHOOLS}', teacher from section_teachers where district_id = :district_id and section in {_SECTIONS}
union
select '{AT_SCHOOLS}', unnest(cast(:students as int[]))
"""  # noqa: S608 - made of this page's own text
OWN_SCHOOLS: Final = f"""
insert into wanted_school_people (person, school, kind, position)
select person, school, kind, position from school_people
where district_id = :district_id and position is not null and person in {_AT_SCHOOLS} and person not in {PEOPLE}
"""  # noqa: S608 - made of this page's own text
TAUGHT_AT: Final = f"""
select l.teacher, s.school
from section_teachers l join sections s on s.district_id = l.district_id and s.ordinal = l.section
where l.district_id = :district_id and l.teacher in {_AT_SCHOOLS} and l.section not in {_SECTIONS}
"""  # noqa: S608 - made of this page's own text
"""Teachers and schools of the sections that stay as they are."""


def only_listed(column: str, kind: str, *, whole: bool) -> str:
    """The further condition, in SQL, on rows `t` that a sync may remove or link otherwise: only those it read."""
    return "" if whole else f"and t.{column} in {LISTED.format(kind)}"


async def note_records(session: AsyncSession, district_id: UUID, gone: Mapping[Kind, Sequence[int]]) -> None:
    """List the records that were read or are gone, and those that came from them."""
    here = {"district_id": district_id}
    for kind in (Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF, Kind.SECTIONS):
        await session.execute(text(READ.format(kind=kind)))
        await session.execute(text(GONE), {"kind": kind.value, "ordinals": list(gone[kind])})
    await staging.analyse(session, "affected")
    await session.execute(text(CONTACTS), here)
    for kind, column in ((Kind.COURSES, "course"), (Kind.TERMS, "term")):
        await session.execute(text(DERIVED.format(kind=kind, column=column)), here)


async def note_people(session: AsyncSession, district_id: UUID, students: Sequence[int]) -> Sequence[int]:
    """List whose schools may differ, these students among them, with the own schools of those that were not read."""
    here = {"district_id": district_id}
    await session.execute(text(PEOPLE_AT_SCHOOLS), {**here, "students": list(students)})
    await staging.analyse(session, "affected")
    await session.execute(text(OWN_SCHOOLS), here)
    return (await session.scalars(text(_AT_SCHOOLS))).all()
