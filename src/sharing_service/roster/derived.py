"""Records that no file lists: courses and terms from sections, contacts from students; and the names of sections."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.beside import Beside
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.ordinals import number

# Identities outlive an erasure, so a contact without a key of its own is known by a digest. A prefix keeps both apart.
CONTACT_KEY: Final = """
case when r.contact_sis_id <> '' then 'sis:' || r.contact_sis_id
     when r.contact_name <> '' or r.contact_phone <> '' or r.contact_email <> '' then 'row:' || encode(sha256(
         convert_to(json_build_array(r.sis_id, r.contact_name, r.contact_relationship)::text, 'UTF8')), 'hex')
end
"""
CONTACT_KEYS: Final = """
select min(line) as line, contact as key from placed_students
where school is not null and contact is not null group by contact
"""
CONTACT_STUDENTS: Final = """
insert into wanted_contact_students (contact, student, relationship, type)
select c.ordinal, s.ordinal, r.contact_relationship, r.contact_type
from placed_students p
join wanted_contacts c on c.key = p.contact
join wanted_students s on s.key = p.key
join staged_students r on r.line = p.line
where p.school is not null and p.contact_nth = 1
"""

STAGE_COURSES: Final = """
insert into staged_courses (line, number, name)
select min(s.line), s.course_number, s.course_name
from wanted_sections w join staged_sections s on s.line = w.line
where s.course_number <> '' or s.course_name <> ''
group by s.course_number, s.course_name
"""
STAGE_TERMS: Final = """
insert into staged_terms (line, name, start_date, end_date)
select min(s.line), s.term_name, s.term_start, s.term_end
from wanted_sections w join staged_sections s on s.line = w.line
where s.term_name <> '' or s.term_start <> '' or s.term_end <> ''
group by s.term_name, s.term_start, s.term_end
"""
# A digest, because an index refuses a key as long as a course's name may be.
DERIVED_KEYS: Final = """
select line, encode(sha256(convert_to(json_build_array({parts})::text, 'UTF8')), 'hex') as key from staged_{kind}
"""

FORM_SECTIONS: Final = """
insert into formed_sections (section, school, course, term, name)
select w.ordinal, p.school, cw.ordinal, tw.ordinal,
       case when s.course_name = '' then s.source_name
            else concat_ws(' - ', s.course_name, nullif(r.last_name, ''), nullif(s.period, '')) end
from wanted_sections w
join placed_sections p on p.line = w.line
join staged_sections s on s.line = w.line
left join staged_courses c on c.number = s.course_number and c.name = s.course_name
left join wanted_courses cw on cw.line = c.line
left join staged_terms t on t.name = s.term_name and t.start_date = s.term_start and t.end_date = s.term_end
left join wanted_terms tw on tw.line = t.line
left join wanted_section_teachers l on l.section = w.ordinal and l.position = 0
left join wanted_teachers lw on lw.ordinal = l.teacher
left join staged_teachers r on r.line = lw.line
"""


async def contacts(session: AsyncSession, district_id: UUID, *, id_time: int, beside: Beside | None) -> None:
    """Make the contacts of the accepted rows of students."""
    placed = {"keys": CONTACT_KEYS, "rows": "placed_students"}
    await number(session, district_id, Kind.CONTACTS, **placed, id_time=id_time, beside=beside)
    await session.execute(text(CONTACT_STUDENTS))
    await staging.analyse(session, "wanted_contact_students")


async def courses_and_terms(session: AsyncSession, district_id: UUID, *, id_time: int, beside: Beside | None) -> None:
    """Make the courses and terms of the accepted sections."""
    for stage, kind, parts in (
        (STAGE_COURSES, Kind.COURSES, "number, name"),
        (STAGE_TERMS, Kind.TERMS, "name, start_date, end_date"),
    ):
        await session.execute(text(stage))
        await staging.analyse(session, f"staged_{kind}")
        keys, rows = DERIVED_KEYS.format(parts=parts, kind=kind), f"staged_{kind}"
        await number(session, district_id, kind, keys=keys, rows=rows, id_time=id_time, beside=beside)
