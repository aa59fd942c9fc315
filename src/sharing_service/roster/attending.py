"""Who is in which section by the rows of enrollments, and through that at which school."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import numpy as np
import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import memory
from sharing_service.roster import affected, pairs, staging
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.differing import Differing
from sharing_service.roster.enrolling import (
    REJECTIONS,
    Known,
    Moves,
    Pairs,
    at_schools,
    enrol,
    firsts,
    missing,
    seconds,
)
from sharing_service.roster.enrollment_rows import Frames
from sharing_service.roster.problems import KEPT, ProblemLog
from sharing_service.roster.reporting import Finding, note

ENROLLED_STUDENTS: Final = """
insert into wanted_school_people (person, school, kind) select person, school, 'students' from enrolled_at
"""
TAUGHT_AT: Final = """
select l.teacher, f.school from wanted_section_teachers l join formed_sections f on f.section = l.section
"""
SCHOOLS_OF_TEACHERS: Final = """
insert into wanted_school_people (person, school, kind, position)
select distinct l.teacher, l.school, 'teachers', null::smallint
from ({taught_at}) l
where not exists (select from wanted_school_people own where own.person = l.teacher and own.school = l.school)
"""


async def join(log: ProblemLog, frames: Frames, records: Mapping[Kind, pl.DataFrame]) -> Pairs:
    """Find the records that each row names, and log what had to be rejected or left out."""
    known = Known(records[Kind.SCHOOLS], records[Kind.SECTIONS], records[Kind.STUDENTS])
    enrolled = await asyncio.to_thread(enrol, frames, known)
    await asyncio.to_thread(memory.give_back)
    for lines, column, code in (
        (enrolled.repeated, "Student_id", "duplicate_row"),
        (enrolled.elsewhere, "School_id", "school_mismatch"),
    ):
        note(log, "enrollments", {code: len(lines)}, [Finding(int(line), column, code) for line in lines[:KEPT]])
    codes = Counter(code for reason in enrolled.reasons.tolist() for _, code in [REJECTIONS[reason]])
    first = zip(enrolled.rejected[:KEPT].tolist(), enrolled.reasons[:KEPT].tolist(), strict=True)
    note(log, "enrollments", codes, [Finding(line, *REJECTIONS[reason]) for line, reason in first])
    return enrolled.pairs


async def note_schools(
    session: AsyncSession,
    district_id: UUID,
    enrolled: Pairs,
    moves: Moves,
    sections: pl.DataFrame,
    differing: Differing | None,
) -> None:
    """Say who is at a school through a section there."""
    taught_at = TAUGHT_AT
    if differing is not None:
        elsewhere = sections.join(differing.before, on=("ordinal", "school"), how="anti")["ordinal"].to_numpy()
        of_these = enrolled[np.isin(firsts(enrolled), elsewhere)]
        students = np.unique(seconds(np.concatenate([moves.added, moves.removed, of_these])))
        people = await affected.note_people(session, district_id, students.tolist())
        enrolled = enrolled[np.isin(seconds(enrolled), people)]
        taught_at = f"{TAUGHT_AT} union all {affected.TAUGHT_AT}"
    own, found = await asyncio.gather(
        pairs.fetch(session, "select person, school from wanted_school_people"),
        asyncio.to_thread(at_schools, enrolled, sections),
    )
    await pairs.send(session, "enrolled_at", missing(found, own))
    await session.execute(text(ENROLLED_STUDENTS))
    statement = text(SCHOOLS_OF_TEACHERS.format(taught_at=taught_at))
    await session.execute(statement, {"district_id": district_id} if differing is not None else {})
    await staging.analyse(session, "wanted_school_people")
