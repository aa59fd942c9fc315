"""From staged rows to what the roster should become: references, duplicates, identities.

Every kind follows the ones it refers to, so that a reference to a row that was rejected is itself rejected.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import affected, attending, derived, spelling, staging
from sharing_service.roster.beside import Beside
from sharing_service.roster.catalogue import SECTION_TEACHER_COLUMNS, UPLOADED, Kind
from sharing_service.roster.differing import Differing, ReadWhole
from sharing_service.roster.enrolling import (
    Moves,
    Pairs,
    missing,
)
from sharing_service.roster.enrollment_rows import Frames
from sharing_service.roster.ordinals import number
from sharing_service.roster.problems import ProblemLog
from sharing_service.roster.reporting import report

SCHOOL_KEYS: Final = "select min(line) as line, sis_id as key from staged_schools group by sis_id"
REPEATED_SCHOOLS: Final = """
select r.line, 'School_id' as "column", 'duplicate_row' as code
from staged_schools r join wanted_schools w on w.key = r.sis_id where r.line > w.line
"""

# `nth` counts the rows of one key at one school, `contact_nth` those that bring the same contact: the first is kept.
PLACE: Final = """
insert into placed_{kind} (line, key, school, nth, contact, contact_nth)
select line, sis_id, school, row_number() over (partition by sis_id, school order by line),
       contact, row_number() over (partition by sis_id, school is null, contact order by line)
from (
    select r.line, r.sis_id, s.ordinal as school, {contact} as contact
    from staged_{kind} r left join wanted_schools s on s.key = r.school
) found
"""
PLACE_SECTIONS: Final = """
insert into placed_sections (line, key, school, nth)
select r.line, r.sis_id, s.ordinal, row_number() over (partition by r.sis_id, s.ordinal is null order by r.line)
from staged_sections r left join wanted_schools s on s.key = r.school
"""
PLACED_KEYS: Final = "select min(line) as line, key from placed_{kind} where school is not null group by key"
PLACED_PROBLEMS: Final = """
select line, 'School_id' as "column", 'unknown_school' as code from placed_{kind} where school is null
union all
select line, '{key}', 'duplicate_row' from placed_{kind}
where school is not null and nth > 1 and (contact is null or contact_nth > 1)
"""
OWN_SCHOOLS: Final = """
insert into wanted_school_people (person, school, kind, position)
select w.ordinal, p.school, '{kind}', row_number() over (partition by w.ordinal order by p.line) - 1
from placed_{kind} p join wanted_{kind} w on w.key = p.key
where p.school is not null and p.nth = 1
"""

_NAMED_TEACHERS: Final = """
select w.ordinal as section, s.line, generate_series(0, 9) as position,
       unnest(array[{columns}]) as key
from wanted_sections w join staged_sections s on s.line = w.line
""".format(columns=", ".join(f"s.teacher_{n}" for n in range(1, 11)))
SECTION_TEACHERS: Final = f"""
insert into wanted_section_teachers (section, teacher, position)
select section, teacher, row_number() over (partition by section order by position) - 1
from (
    select n.section, t.ordinal as teacher, min(n.position) as position
    from ({_NAMED_TEACHERS}) n join wanted_teachers t on t.key = n.key
    group by n.section, t.ordinal
) known
"""  # noqa: S608 - made of this page's own text
UNKNOWN_TEACHERS: Final = """
select n.line, (array[{columns}])[n.position + 1] as "column", 'unknown_teacher' as code
from ({named}) n left join wanted_teachers t on t.key = n.key
where n.key <> '' and t.key is null
""".format(named=_NAMED_TEACHERS, columns=", ".join(f"'{column}'" for column in SECTION_TEACHER_COLUMNS))

KNOWN_RECORDS: Final = "select key, ordinal from wanted_{kind}"
KNOWN_SECTIONS: Final = (
    "select w.key, w.ordinal, f.school from wanted_sections w join formed_sections f on f.section = w.ordinal"
)


Meanwhile = Callable[["asyncio.Task[Pairs]"], Awaitable[None]]
"""What the session does while enrollments are joined; it is given the task that does this."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wanted, as far as the temporary tables do not hold it."""

    enrolled: Pairs
    """All enrollments, sections first."""
    moves: Moves
    records: Mapping[Kind, pl.DataFrame]
    """The accepted records of each file: key, ordinal and, of sections, school."""
    whole: bool
    """Whether all rows were read: else `affected` lists what may differ from the published roster."""
    clean: bool
    """Whether no row of a record had to be rejected, left out or renamed."""


async def check(
    session: AsyncSession,
    district_id: UUID,
    log: ProblemLog,
    reading: Callable[[], Awaitable[Frames]],
    *,
    published: Pairs,
    id_time: int,
    differing: Differing | None = None,
    beside: Beside | None = None,
    meanwhile: Meanwhile | None = None,
) -> Checked:
    """Make the wanted roster of what was loaded, and log what had to be rejected or left out.

    Enrollments come in frames, which may still be being read, go as pairs of section and student, and are compared with
    those `published`; raises `UploadUnreadable` if they cannot be read. Ids that are new carry `id_time`, in
    milliseconds since 1970. With `differing` only its lines were loaded: `ReadWhole` if that does not do. Identities of
    a new district may be written `beside`. What is done `meanwhile`, once all records are known, has the session for
    itself while enrollments are joined.
    """
    told = log.count
    renamed = differing is None and await spelling.keep_spellings(session, district_id)
    schools = {"keys": SCHOOL_KEYS, "rows": "staged_schools"}
    await number(session, district_id, Kind.SCHOOLS, **schools, id_time=id_time, beside=beside)
    await report(session, log, Kind.SCHOOLS, REPEATED_SCHOOLS)
    for kind in (Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF):
        await _people(session, district_id, log, kind=kind, id_time=id_time, beside=beside)
    await derived.contacts(session, district_id, id_time=id_time, beside=beside)
    await _sections(session, district_id, log, id_time=id_time, beside=beside)
    clean = log.count == told and not renamed
    if differing is not None:
        if not clean:
            raise ReadWhole
        await affected.note_records(session, district_id, differing.gone)
    records = await _records(session, differing)
    # Before anything but identities may be written beside: they may turn out to be unreadable.
    frames = await reading()
    enrolled = await _joined(log, frames, records, meanwhile)
    moves = Moves(len(published), added=missing(enrolled, published), removed=missing(published, enrolled))
    await attending.note_schools(session, district_id, enrolled, moves, records[Kind.SECTIONS], differing)
    return Checked(enrolled, moves, records, whole=differing is None, clean=clean)


async def _joined(
    log: ProblemLog, frames: Frames, records: Mapping[Kind, pl.DataFrame], meanwhile: Meanwhile | None
) -> Pairs:
    joining = asyncio.create_task(attending.join(log, frames, records))
    try:
        if meanwhile is not None:
            await meanwhile(joining)
        return await joining
    finally:
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)


async def _people(
    session: AsyncSession, district_id: UUID, log: ProblemLog, *, kind: Kind, id_time: int, beside: Beside | None
) -> None:
    contact = derived.CONTACT_KEY if kind is Kind.STUDENTS else "null"
    await session.execute(text(PLACE.format(kind=kind, contact=contact)))
    await staging.analyse(session, f"placed_{kind}")
    await _number_placed(session, district_id, kind, id_time=id_time, beside=beside)
    await session.execute(text(OWN_SCHOOLS.format(kind=kind)))
    key = {Kind.STUDENTS: "Student_id", Kind.TEACHERS: "Teacher_id"}.get(kind, "Staff_id")
    await report(session, log, kind, PLACED_PROBLEMS.format(kind=kind, key=key))


async def _number_placed(
    session: AsyncSession, district_id: UUID, kind: Kind, *, id_time: int, beside: Beside | None
) -> None:
    keys, rows = PLACED_KEYS.format(kind=kind), f"placed_{kind}"
    await number(session, district_id, kind, keys=keys, rows=rows, id_time=id_time, beside=beside)


async def _sections(
    session: AsyncSession, district_id: UUID, log: ProblemLog, *, id_time: int, beside: Beside | None
) -> None:
    await session.execute(text(PLACE_SECTIONS))
    await staging.analyse(session, "placed_sections")
    await _number_placed(session, district_id, Kind.SECTIONS, id_time=id_time, beside=beside)
    await session.execute(text(SECTION_TEACHERS))
    await staging.analyse(session, "wanted_section_teachers")
    await derived.courses_and_terms(session, district_id, id_time=id_time, beside=beside)
    await session.execute(text(derived.FORM_SECTIONS))
    await staging.analyse(session, "formed_sections")
    await report(session, log, Kind.SECTIONS, UNKNOWN_TEACHERS)
    await report(session, log, Kind.SECTIONS, PLACED_PROBLEMS.format(kind="sections", key="Section_id"))


async def _records(session: AsyncSession, differing: Differing | None) -> Mapping[Kind, pl.DataFrame]:
    """The accepted records of each file, those that were not read among them."""
    found = {}
    for kind in UPLOADED:
        sections = kind is Kind.SECTIONS
        query, ordinals = (KNOWN_SECTIONS, ("ordinal", "school")) if sections else (KNOWN_RECORDS, ("ordinal",))
        read = await _fetched(session, query.format(kind=kind), *ordinals)
        found[kind] = read if differing is None else pl.concat([differing.same[kind], read])
    return found


async def _fetched(session: AsyncSession, query: str, *ordinals: str) -> pl.DataFrame:
    """The keys of a query and their ordinals."""
    data = io.BytesIO()
    await (await staging.driver(session)).copy_from_query(query, output=data, format="csv", force_quote=["key"])
    schema = {"key": pl.String(), **dict.fromkeys(ordinals, pl.Int32())}
    return pl.read_csv(data.getvalue(), has_header=False, schema=schema) if data.tell() else pl.DataFrame(schema=schema)
