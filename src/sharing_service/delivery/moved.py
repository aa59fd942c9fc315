"""Finds what a sync moved in documents and in the links between records, while both rosters can still be told."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from pyroaring import BitMap
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import modified
from sharing_service.delivery.differences import (
    COURSE,
    RELATED,
    SCHOOL,
    SCHOOLS,
    STUDENTS,
    TEACHERS,
    TERM,
    Moved,
    Moves,
    Pairs,
    Reordered,
)
from sharing_service.delivery.models import FRAGMENTS
from sharing_service.roster import affected, pairs, staging
from sharing_service.roster.catalogue import Kind, Numbering
from sharing_service.roster.enrolling import firsts, seconds

_SECTIONS: Final = """
select t.ordinal, t.school, t.course, t.term,
       array(select l.teacher from section_teachers l
             where l.district_id = t.district_id and l.section = t.ordinal order by l.position, l.teacher) as teachers
from sections t where t.district_id = :district_id
"""
MAKE: Final = (
    "drop table if exists pg_temp.sections_before",
    "create temp table sections_before (ordinal int, school int, course int, term int, teachers int[]) on commit drop",
)
REMEMBER: Final = f"insert into sections_before {_SECTIONS} {{listed}}"
OTHER_SECTIONS: Final = f"""
select b.ordinal, array[b.school], array[n.school], array[b.course], array[n.course], array[b.term], array[n.term],
       b.teachers, n.teachers
from sections_before b join ({_SECTIONS}) n on n.ordinal = b.ordinal
where (b.school, b.course, b.term, b.teachers) is distinct from (n.school, n.course, n.term, n.teachers)
"""  # noqa: S608 - made of this page's own text
OTHER_FRAGMENTS: Final = """
select d.numbering, {columns}
from replaced r join documents d on d.district_id = :district_id and d.numbering = r.numbering and d.ordinal = r.ordinal
group by d.numbering
""".format(
    columns=", ".join(
        f"array_agg(d.ordinal) filter (where {modified.told('r', name)} <> {modified.told('d', name)}) as {name}"
        for name in FRAGMENTS
    )
)
OTHER_PERSONS: Final = """
select d.ordinal, r.schools as schools_before, d.schools as schools_now, r.referring as before, d.referring as now,
       d.kind = 'contacts' as is_contact
from replaced r join documents d on d.district_id = :district_id and d.numbering = r.numbering and d.ordinal = r.ordinal
where d.numbering = 'people' and d.referring <> r.referring
"""
ORDINALS: Final = """
select id, ordinal from identities where district_id = :district_id and numbering = 'people' and id = any(:ids)
"""

Lists = Iterable[tuple[int, Sequence[Any], Sequence[Any]]]
"""A record, what it was linked to before, and now, in order."""


async def remember(session: AsyncSession, district_id: UUID, *, whole: bool) -> None:
    """Keep what sections are linked to before a sync merges anything; persons' documents keep it themselves.

    Unless the `whole` upload was read, only sections that `affected` lists can be linked otherwise afterwards.
    """
    for statement in MAKE:
        await session.execute(text(statement))
    listed = affected.only_listed("ordinal", Kind.SECTIONS, whole=whole)
    await session.execute(text(REMEMBER.format(listed=listed)), {"district_id": district_id})
    await staging.analyse(session, "sections_before")


async def find(session: AsyncSession, district_id: UUID) -> Moved:
    """What a sync moved since `remember`, once it has merged the roster and written its documents."""
    fragments: dict[Numbering, dict[str, BitMap]] = {}
    for numbering, *changed in await session.execute(text(OTHER_FRAGMENTS), {"district_id": district_id}):
        fragments[numbering] = {name: BitMap(ones or ()) for name, ones in zip(FRAGMENTS, changed, strict=True)}
    sections = (await session.execute(text(OTHER_SECTIONS), {"district_id": district_id})).all()
    persons = (await session.execute(text(OTHER_PERSONS), {"district_id": district_id})).all()
    schools = [(row.ordinal, row.schools_before, row.schools_now) for row in persons if not row.is_contact]
    added, removed = [
        await pairs.fetch(session, f"select section, student from {table}")  # noqa: S608 - our own tables
        for table in ("wanted_enrollments", "left_enrollments")
    ]
    return Moved(
        fragments,
        {
            SCHOOL: _moves([(row[0], row[1], row[2]) for row in sections]),
            COURSE: _moves([(row[0], row[3], row[4]) for row in sections]),
            TERM: _moves([(row[0], row[5], row[6]) for row in sections]),
            TEACHERS: _moves([(row[0], row[7], row[8]) for row in sections]),
            STUDENTS: Moves(Pairs(firsts(added), seconds(added)), Pairs(firsts(removed), seconds(removed))),
            SCHOOLS: _moves(schools),
            RELATED: _moves(await _relationships(session, district_id, [row for row in persons if row.is_contact])),
        },
    )


async def _relationships(session: AsyncSession, district_id: UUID, contacts: Sequence[Any]) -> Lists:
    """The relationships of contacts, each with its student, relationship and type."""
    told = [(row.ordinal, json.loads(f"[{row.before}]"), json.loads(f"[{row.now}]")) for row in contacts]
    ids = {UUID(each["student"]) for _, before, now in told for each in (*before, *now)}
    found = await session.execute(text(ORDINALS), {"district_id": district_id, "ids": list(ids)})
    ordinals = {str(record_id): ordinal for record_id, ordinal in found}

    def links(of_contact: Sequence[dict[str, str]]) -> list[tuple[int, str, str]]:
        return [(ordinals[each["student"]], each["relationship"], each["type"]) for each in of_contact]

    return [(ordinal, links(before), links(now)) for ordinal, before, now in told]


def _moves(lists: Lists) -> Moves:
    """The links that only one of two lists has, and the lists that have others in another order."""
    added: list[tuple[int, int]] = []
    removed: list[tuple[int, int]] = []
    reordered = []
    for owner, before, now in lists:
        added += [(owner, _ordinal(each)) for each in now if each is not None and each not in before]
        removed += [(owner, _ordinal(each)) for each in before if each is not None and each not in now]
        if [each for each in before if each in now] != [each for each in now if each in before]:
            reordered.append(Reordered(owner, before, now))
    return Moves(_pairs(added), _pairs(removed), reordered)


def _ordinal(link: Any) -> int:
    """The other side of a link, which may have values."""
    ordinal: int = link[0] if isinstance(link, tuple) else link
    return ordinal


def _pairs(found: list[tuple[int, int]]) -> Pairs:
    columns = np.array(found, np.int64).reshape(-1, 2)
    return Pairs(columns[:, 0], columns[:, 1])
