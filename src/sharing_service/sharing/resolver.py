"""Who is shared: a sharing permission becomes selects of ordinals, one per kind.

The only place that answers this question. Statements are built here and run elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from sqlalchemy import ARRAY, CTE, Integer, Select, Uuid, and_, func, literal, not_, or_, select, tuple_, union

from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import RECORDS, Identity, schools, sections
from sharing_service.sharing.matching import Predicate, matches_any
from sharing_service.sharing.permissions import (
    SelectByRules,
    SelectEveryone,
    SelectNothing,
    SelectSections,
    ShareByRules,
    ShareBySchoolSite,
    ShareDistrict,
    ShareSchools,
    ShareSections,
    SharingPermission,
    SiteSelection,
)
from sharing_service.sharing.rules import Rule, StudentRule, TeacherRule
from sharing_service.sharing.selects import (
    Ordinals,
    at_school,
    contacts_of,
    enrolled_in,
    linked_to,
    nothing,
    ordinals_of,
    own_schools,
    people_at,
    records,
    schools_of,
    sections_of_students,
    sections_of_teachers,
    teaching,
)

Sites = Mapping[int, SiteSelection]
"""What each school, by its ordinal, selected for one application."""


@dataclass(frozen=True, slots=True)
class SharedRoster:
    """One set of ordinals per kind, as statements; what a permission shares is the union of its parts."""

    schools: Ordinals
    sections: Ordinals
    students: Ordinals
    teachers: Ordinals
    staff: Ordinals


def resolve(district_id: UUID, sharing: SharingPermission, sites: Sites) -> Sequence[SharedRoster]:
    """The parts of a roster that a permission shares, before blocks; `sites` matters to school-site sharing only."""
    match sharing:
        case ShareDistrict(include_staff=include_staff):
            return [whole_district(district_id, include_staff=include_staff)]
        case ShareSchools(school_ids=ids, include_staff=include_staff):
            known = ordinals_of(district_id, Kind.SCHOOLS, ids)
            return [around_schools(district_id, known, staff_of=known if include_staff else nothing())]
        case ShareSections(section_ids=ids):
            return [around_sections(district_id, sections.c.ordinal.in_(ordinals_of(district_id, Kind.SECTIONS, ids)))]
        case ShareByRules(rules=rules, exceptions=exceptions):
            return [matching(district_id, rules, exceptions)]
        case ShareBySchoolSite():
            return list(chosen_by_schools(district_id, sites))
        case unhandled:
            assert_never(unhandled)


def with_companions(district_id: UUID, part: SharedRoster, blocked: Sequence[int]) -> Mapping[Kind, Ordinals]:
    """A part less the blocked persons, with the courses and terms of its sections and the contacts of its students.

    A block takes away the person only: sections, teachers and schools that came along stay.
    """
    shared_sections = part.sections.cte("part_sections")
    students = _unblocked(part.students, blocked).cte("part_students")
    return {
        Kind.SCHOOLS: part.schools,
        Kind.TERMS: linked_to(district_id, sections.c.term, shared_sections),
        Kind.COURSES: linked_to(district_id, sections.c.course, shared_sections),
        Kind.SECTIONS: select(shared_sections.c.ordinal),
        Kind.STUDENTS: select(students.c.ordinal),
        Kind.TEACHERS: _unblocked(part.teachers, blocked),
        Kind.STAFF: _unblocked(part.staff, blocked),
        Kind.CONTACTS: contacts_of(district_id, students),
    }


def _unblocked(found: Ordinals, blocked: Sequence[int]) -> Ordinals:
    if not blocked:
        return found
    persons = found.subquery()
    return select(persons.c.ordinal).where(persons.c.ordinal.not_in(_listed(blocked)))


def whole_district(district_id: UUID, *, include_staff: bool) -> SharedRoster:
    """Every record of the district; staff only if wanted."""
    return SharedRoster(
        schools=records(district_id, Kind.SCHOOLS),
        sections=records(district_id, Kind.SECTIONS),
        students=records(district_id, Kind.STUDENTS),
        teachers=records(district_id, Kind.TEACHERS),
        staff=records(district_id, Kind.STAFF) if include_staff else nothing(),
    )


def around_schools(district_id: UUID, chosen: Ordinals, *, staff_of: Ordinals) -> SharedRoster:
    """The chosen schools, their sections and everybody at them; staff of `staff_of` only."""
    return SharedRoster(
        schools=records(district_id, Kind.SCHOOLS, schools.c.ordinal.in_(chosen)),
        sections=records(district_id, Kind.SECTIONS, sections.c.school.in_(chosen)),
        students=people_at(district_id, Kind.STUDENTS, chosen),
        teachers=people_at(district_id, Kind.TEACHERS, chosen),
        staff=people_at(district_id, Kind.STAFF, staff_of),
    )


def around_sections(district_id: UUID, picked: Predicate) -> SharedRoster:
    """The picked sections, their people and their schools."""
    shared = records(district_id, Kind.SECTIONS, picked).cte("picked_sections")
    return SharedRoster(
        schools=schools_of(district_id, shared),
        sections=select(shared.c.ordinal),
        students=enrolled_in(district_id, shared).distinct(),
        teachers=teaching(district_id, shared).distinct(),
        staff=nothing(),
    )


def matching(
    district_id: UUID, rules: Sequence[Rule], exceptions: Sequence[Rule], *, within: int | None = None
) -> SharedRoster:
    """What rules match and bring along, less the exceptions; `within` is the ordinal of the one school to look at."""

    def kept(kind: Kind, *conditions: Predicate) -> Select[int]:
        return records(district_id, kind, not_(matches_any(district_id, kind, exceptions)), *conditions)

    def here(kind: Kind, found: Predicate, name: str) -> CTE:
        return kept(kind, at_school(district_id, kind, within), found).cte(name)

    def matched(kind: Kind, chosen: Sequence[Rule] = rules, name: str = "matched") -> CTE:
        return here(kind, matches_any(district_id, kind, chosen), f"{name}_{kind}")

    companioned = [rule for rule in rules if isinstance(rule, StudentRule | TeacherRule) and rule.companions]
    leading_students = matched(Kind.STUDENTS, companioned, "leading")
    leading_teachers = matched(Kind.TEACHERS, companioned, "leading")
    of_students = sections.c.ordinal.in_(sections_of_students(district_id, leading_students))
    of_teachers = sections.c.ordinal.in_(sections_of_teachers(district_id, leading_teachers))
    direct = matched(Kind.SECTIONS)
    attended = here(Kind.SECTIONS, of_students, "attended_sections")
    taught = here(Kind.SECTIONS, of_teachers, "taught_sections")
    shared = union(*(select(part.c.ordinal) for part in (direct, attended, taught))).cte("shared_sections")
    # A section that came with a student shows only its teachers, one that came with a teacher only its students.
    classmates = union(enrolled_in(district_id, direct), enrolled_in(district_id, taught))
    instructors = union(teaching(district_id, direct), teaching(district_id, attended))
    found = _Found(shared, matched(Kind.STUDENTS), matched(Kind.TEACHERS), matched(Kind.STAFF))
    return SharedRoster(
        schools=found.schools(district_id) if within is None else found.only_school(district_id, within),
        sections=select(shared.c.ordinal),
        students=union(select(found.students.c.ordinal), kept(Kind.STUDENTS, _among(Kind.STUDENTS, classmates))),
        teachers=union(select(found.teachers.c.ordinal), kept(Kind.TEACHERS, _among(Kind.TEACHERS, instructors))),
        staff=select(found.staff.c.ordinal),
    )


def _among(kind: Kind, found: Ordinals) -> Predicate:
    return RECORDS[kind].c.ordinal.in_(found)


@dataclass(frozen=True, slots=True)
class _Found:
    """The sections shared and the persons matched by rules of their own kind: what decides which schools come along."""

    sections: CTE
    students: CTE
    teachers: CTE
    staff: CTE

    def schools(self, district_id: UUID) -> Ordinals:
        """Schools of the sections, home schools of students and teachers, all schools of staff."""
        return union(
            schools_of(district_id, self.sections),
            own_schools(district_id, self.students, home_only=True),
            own_schools(district_id, self.teachers, home_only=True),
            own_schools(district_id, self.staff, home_only=False),
        )

    def only_school(self, district_id: UUID, school: int) -> Ordinals:
        """The one school, if anything at it is shared."""
        parts = (self.sections, self.students, self.teachers, self.staff)
        anything = or_(*(select(part.c.ordinal).exists() for part in parts))
        return records(district_id, Kind.SCHOOLS, schools.c.ordinal == school, anything)


def chosen_by_schools(district_id: UUID, sites: Sites) -> Iterator[SharedRoster]:
    """What each school selected, evaluated within that school: one part for all whole schools, one for all frozen
    sections, one for each school with rules."""
    whole: list[int] = []
    with_staff: list[int] = []
    frozen: list[tuple[int, UUID]] = []
    for school, selection in sites.items():
        match selection:
            case SelectNothing():
                pass
            case SelectEveryone(include_staff=include_staff):
                whole.append(school)
                with_staff += [school] if include_staff else []
            case SelectSections(section_ids=ids):
                frozen += [(school, section_id) for section_id in ids]
            case SelectByRules(rules=rules, exceptions=exceptions):
                yield matching(district_id, rules, exceptions, within=school)
            case unhandled:
                assert_never(unhandled)
    if whole:
        yield around_schools(district_id, _listed(whole), staff_of=_listed(with_staff))
    if frozen:
        yield around_sections(district_id, _frozen_sections(district_id, frozen))


def _listed(ordinals: Sequence[int]) -> Select[int]:
    return select(func.unnest(literal(list(ordinals), ARRAY(Integer))).label("ordinal"))


def _frozen_sections(district_id: UUID, picks: Sequence[tuple[int, UUID]]) -> Predicate:
    """Picked sections that are still at the school which picked them."""
    picked = (
        func.unnest(
            literal([school for school, _ in picks], ARRAY(Integer)), literal([pick for _, pick in picks], ARRAY(Uuid))
        )
        .table_valued("school", "id")
        .render_derived()
    )
    pairs = select(picked.c.school, Identity.ordinal).join(
        Identity,
        and_(Identity.district_id == district_id, Identity.numbering == "sections", Identity.id == picked.c.id),
    )
    return tuple_(sections.c.school, sections.c.ordinal).in_(pairs)
