"""From staged rows to what the roster should become: references, duplicates, identities.

Every kind follows the ones it refers to, so that a reference to a row that was rejected is itself rejected.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import derived, spelling, staging
from sharing_service.roster.catalogue import SECTION_TEACHER_COLUMNS, Kind
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

_ENROLLED: Final = """
from staged_enrollments e
{join} wanted_schools h on h.key = e.school
{join} (select w.key, f.section, f.school from wanted_sections w join formed_sections f on f.section = w.ordinal) s
    on s.key = e.section
{join} wanted_students p on p.key = e.student
"""
ENROLL: Final = """
insert into wanted_enrollments (section, student, line, rows, elsewhere)
select s.section, p.ordinal, min(e.line), count(*), count(*) filter (where h.ordinal <> s.school)
{enrolled} group by s.section, p.ordinal
""".format(enrolled=_ENROLLED.format(join="join"))
TALLY: Final = """
select (select count(*) from staged_enrollments) - coalesce(sum(rows), 0) as rejected,
       coalesce(sum(rows), 0) - count(*) as repeated, coalesce(sum(elsewhere), 0) as elsewhere
from wanted_enrollments
"""
REJECTED_ENROLLMENTS: Final = """
select e.line,
       case when h.key is null then 'School_id' when s.key is null then 'Section_id' else 'Student_id' end as "column",
       case when h.key is null then 'unknown_school'
            when s.key is null then 'unknown_section' else 'unknown_student' end as code
{enrolled} where h.key is null or s.key is null or p.key is null
""".format(enrolled=_ENROLLED.format(join="left join"))
REPEATED_ENROLLMENTS: Final = """
select e.line, 'Student_id' as "column", 'duplicate_row' as code
{enrolled} join wanted_enrollments w on w.section = s.section and w.student = p.ordinal
where w.rows > 1 and e.line > w.line
""".format(enrolled=_ENROLLED.format(join="join"))
ENROLLMENTS_ELSEWHERE: Final = """
select e.line, 'School_id' as "column", 'school_mismatch' as code {enrolled} where h.ordinal <> s.school
""".format(enrolled=_ENROLLED.format(join="join"))

SCHOOLS_OF_SECTIONS: Final = """
insert into wanted_school_people (person, school, kind, position)
select distinct l.{person}, f.school, '{kind}', null::smallint
from wanted_{links} l join formed_sections f on f.section = l.section
where not exists (select from wanted_school_people own where own.person = l.{person} and own.school = f.school)
"""


async def check(session: AsyncSession, district_id: UUID, log: ProblemLog, *, id_time: int) -> None:
    """Make the wanted roster of what was loaded, and log what had to be rejected or left out.

    Ids that are new carry `id_time`, in milliseconds since 1970.
    """
    await spelling.keep_spellings(session, district_id)
    await number(session, district_id, Kind.SCHOOLS, keys=SCHOOL_KEYS, id_time=id_time)
    await report(session, log, Kind.SCHOOLS, REPEATED_SCHOOLS)
    for kind in (Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF):
        await _people(session, district_id, log, kind=kind, id_time=id_time)
    await derived.contacts(session, district_id, id_time=id_time)
    await _sections(session, district_id, log, id_time=id_time)
    await _enrollments(session, log)
    for people, person, links in (("students", "student", "enrollments"), ("teachers", "teacher", "section_teachers")):
        await session.execute(text(SCHOOLS_OF_SECTIONS.format(kind=people, person=person, links=links)))
    await staging.analyse(session, "wanted_school_people")


async def _people(session: AsyncSession, district_id: UUID, log: ProblemLog, *, kind: Kind, id_time: int) -> None:
    contact = derived.CONTACT_KEY if kind is Kind.STUDENTS else "null"
    await session.execute(text(PLACE.format(kind=kind, contact=contact)))
    await staging.analyse(session, f"placed_{kind}")
    await number(session, district_id, kind, keys=PLACED_KEYS.format(kind=kind), id_time=id_time)
    await session.execute(text(OWN_SCHOOLS.format(kind=kind)))
    key = {Kind.STUDENTS: "Student_id", Kind.TEACHERS: "Teacher_id"}.get(kind, "Staff_id")
    await report(session, log, kind, PLACED_PROBLEMS.format(kind=kind, key=key))


async def _sections(session: AsyncSession, district_id: UUID, log: ProblemLog, *, id_time: int) -> None:
    await session.execute(text(PLACE_SECTIONS))
    await staging.analyse(session, "placed_sections")
    keys = PLACED_KEYS.format(kind=Kind.SECTIONS)
    await number(session, district_id, Kind.SECTIONS, keys=keys, id_time=id_time)
    await session.execute(text(SECTION_TEACHERS))
    await staging.analyse(session, "wanted_section_teachers")
    await derived.courses_and_terms(session, district_id, id_time=id_time)
    await session.execute(text(derived.FORM_SECTIONS))
    await staging.analyse(session, "formed_sections")
    await report(session, log, Kind.SECTIONS, UNKNOWN_TEACHERS)
    await report(session, log, Kind.SECTIONS, PLACED_PROBLEMS.format(kind="sections", key="Section_id"))


async def _enrollments(session: AsyncSession, log: ProblemLog) -> None:
    await session.execute(text(ENROLL))
    await staging.analyse(session, "wanted_enrollments")
    tally = (await session.execute(text(TALLY))).one()
    # Each of these passes over all enrollments, and nearly always would find nothing.
    if tally.repeated:
        await report(session, log, "enrollments", REPEATED_ENROLLMENTS)
    if tally.elsewhere:
        await report(session, log, "enrollments", ENROLLMENTS_ELSEWHERE)
    if tally.rejected:
        await report(session, log, "enrollments", REJECTED_ENROLLMENTS)
