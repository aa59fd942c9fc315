"""Who is shared: a sharing permission becomes sets of ordinals, one per kind.

The only place that answers this question. What ids and rules name comes from the database, all the rest from the
graph of the roster.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from pyroaring import BitMap, FrozenBitMap
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.catalogue import Kind
from sharing_service.sharing.graph import RESOLVED, Graph
from sharing_service.sharing.matching import matches_any
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
from sharing_service.sharing.selects import at_schools, found, frozen_sections, ordinals_of, records

Sites = Mapping[int, SiteSelection]
"""What each school, by its ordinal, selected for one application."""


@dataclass(frozen=True, slots=True)
class SharedRoster:
    """One set of ordinals per kind; what a permission shares is the union of its parts."""

    schools: BitMap
    sections: BitMap
    students: BitMap
    teachers: BitMap
    staff: BitMap


async def resolve(
    session: AsyncSession, district_id: UUID, graph: Graph, sharing: SharingPermission, sites: Sites
) -> Sequence[SharedRoster]:
    """The parts of a roster that a permission shares, before blocks; `sites` matters to school-site sharing only."""
    match sharing:
        case ShareDistrict(include_staff=include_staff):
            return [whole_district(graph, include_staff=include_staff)]
        case ShareSchools(school_ids=ids, include_staff=include_staff):
            known = await ordinals_of(session, district_id, Kind.SCHOOLS, ids)
            return [around_schools(graph, known, staff_of=known if include_staff else BitMap())]
        case ShareSections(section_ids=ids):
            return [around_sections(graph, await ordinals_of(session, district_id, Kind.SECTIONS, ids))]
        case ShareByRules(rules=rules, exceptions=exceptions):
            choice = RuleChoice(rules, exceptions)
            return [matching(graph, choice, await choice.matches(session, district_id, graph))]
        case ShareBySchoolSite():
            return await chosen_by_schools(session, district_id, graph, sites)
        case unhandled:
            assert_never(unhandled)


def with_companions(graph: Graph, part: SharedRoster, blocked: BitMap) -> Mapping[Kind, BitMap]:
    """A part less the blocked persons, with the courses and terms of its sections and the contacts of its students.

    A block takes away the person only: sections, teachers and schools that came along stay.
    """
    students = part.students - blocked
    return {
        Kind.SCHOOLS: part.schools,
        Kind.TERMS: graph.terms.rights(part.sections),
        Kind.COURSES: graph.courses.rights(part.sections),
        Kind.SECTIONS: part.sections,
        Kind.STUDENTS: students,
        Kind.TEACHERS: part.teachers - blocked,
        Kind.STAFF: part.staff - blocked,
        Kind.CONTACTS: graph.contacts.rights(students),
    }


def whole_district(graph: Graph, *, include_staff: bool) -> SharedRoster:
    """Every record of the district; staff only if wanted."""
    return SharedRoster(
        schools=graph.records[Kind.SCHOOLS],
        sections=graph.records[Kind.SECTIONS],
        students=graph.records[Kind.STUDENTS],
        teachers=graph.records[Kind.TEACHERS],
        staff=graph.records[Kind.STAFF] if include_staff else BitMap(),
    )


def around_schools(graph: Graph, chosen: BitMap, *, staff_of: BitMap) -> SharedRoster:
    """The chosen schools, their sections and everybody at them; staff of `staff_of` only."""

    def people_at(kind: Kind, where: BitMap) -> BitMap:
        return graph.present.lefts(where) & graph.records[kind]

    return SharedRoster(
        schools=chosen & graph.records[Kind.SCHOOLS],
        sections=graph.placed.lefts(chosen),
        students=people_at(Kind.STUDENTS, chosen),
        teachers=people_at(Kind.TEACHERS, chosen),
        staff=people_at(Kind.STAFF, staff_of),
    )


def around_sections(graph: Graph, picked: BitMap) -> SharedRoster:
    """The picked sections, their people and their schools."""
    shared = picked & graph.records[Kind.SECTIONS]
    return SharedRoster(
        schools=graph.placed.rights(shared),
        sections=shared,
        students=graph.enrolled.rights(shared),
        teachers=graph.taught.rights(shared),
        staff=BitMap(),
    )


@dataclass(frozen=True, slots=True)
class Matches:
    """The records that rules match by themselves: with companions, without, and those of the exceptions."""

    leading: Mapping[Kind, BitMap]
    plain: Mapping[Kind, BitMap]
    excepted: Mapping[Kind, BitMap]

    def of(self, kind: Kind) -> BitMap:
        """Everything of a kind that is matched and not excepted."""
        return (self.leading[kind] | self.plain[kind]) - self.excepted[kind]

    def led(self, kind: Kind) -> BitMap:
        """What brings companions."""
        return self.leading[kind] - self.excepted[kind]


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """Rules and exceptions, and the ordinals of the schools to look at, if it is not the whole district."""

    rules: Sequence[Rule]
    exceptions: Sequence[Rule]
    within: BitMap | None = None

    async def matches(self, session: AsyncSession, district_id: UUID, graph: Graph) -> Matches:
        """Ask the database which records the rules match, once for all that is evaluated on a graph that remembers."""
        companioned = [rule for rule in self.rules if isinstance(rule, StudentRule | TeacherRule) and rule.companions]
        alone = [rule for rule in self.rules if rule not in companioned]
        sets: dict[str, Sequence[Rule]] = {"leading": companioned, "plain": alone, "excepted": self.exceptions}
        matched = {
            (name, kind): await self._matched(session, district_id, graph, kind, rules)
            for name, rules in sets.items()
            for kind in RESOLVED
            if any(rule.match == kind.value for rule in rules)
        }
        return Matches(**{name: {kind: matched.get((name, kind), BitMap()) for kind in RESOLVED} for name in sets})

    async def _matched(
        self, session: AsyncSession, district_id: UUID, graph: Graph, kind: Kind, rules: Sequence[Rule]
    ) -> BitMap:
        own = tuple(rule for rule in rules if rule.match == kind.value)
        asked = (kind, own, None if self.within is None else FrozenBitMap(self.within))
        known = {} if graph.matched is None else graph.matched
        if asked not in known:
            known[asked] = await found(session, self._select(district_id, kind, own))
        return known[asked]

    def _select(self, district_id: UUID, kind: Kind, rules: Sequence[Rule]) -> Select[int]:
        here = at_schools(district_id, kind, self.within)
        return records(district_id, kind, here, matches_any(district_id, kind, rules))


def matching(graph: Graph, choice: RuleChoice, matches: Matches) -> SharedRoster:
    """What rules match and bring along, less the exceptions."""
    here = graph.records[Kind.SECTIONS] if choice.within is None else graph.placed.lefts(choice.within)
    sections = here - matches.excepted[Kind.SECTIONS]
    direct = matches.of(Kind.SECTIONS)
    attended = graph.enrolled.lefts(matches.led(Kind.STUDENTS)) & sections
    taught = graph.taught.lefts(matches.led(Kind.TEACHERS)) & sections
    shared = direct | attended | taught
    # A section that came with a student shows only its teachers, one that came with a teacher only its students.
    classmates = graph.enrolled.rights(direct, taught) - matches.excepted[Kind.STUDENTS]
    instructors = graph.taught.rights(direct, attended) - matches.excepted[Kind.TEACHERS]
    return SharedRoster(
        schools=_schools_around(graph, choice, matches, direct, attended, taught),
        sections=shared,
        students=matches.of(Kind.STUDENTS) | classmates,
        teachers=matches.of(Kind.TEACHERS) | instructors,
        staff=matches.of(Kind.STAFF),
    )


def _schools_around(graph: Graph, choice: RuleChoice, matches: Matches, *sections: BitMap) -> BitMap:
    """Schools of the sections, home schools of students and teachers, all schools of staff, if matched by themselves.

    Of schools that chose for themselves, those where anything is shared.
    """
    students, teachers, staff = (matches.of(kind) for kind in (Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF))
    around = graph.placed.rights(*sections)
    if choice.within is not None:
        return around | (graph.present.rights(students | teachers | staff) & choice.within)
    return around | graph.home.rights(students) | graph.home.rights(teachers) | graph.own.rights(staff)


async def chosen_by_schools(
    session: AsyncSession, district_id: UUID, graph: Graph, sites: Sites
) -> Sequence[SharedRoster]:
    """What each school selected, evaluated within that school: one part for all whole schools, one for all frozen
    sections, one for all schools with the same rules."""
    parts = []
    for choice in _by_rules(sites):
        parts.append(matching(graph, choice, await choice.matches(session, district_id, graph)))
    whole, with_staff, frozen = BitMap(), BitMap(), []
    for school, selection in sites.items():
        match selection:
            case SelectNothing() | SelectByRules():
                pass
            case SelectEveryone(include_staff=include_staff):
                whole.add(school)
                with_staff.update([school] if include_staff else [])
            case SelectSections(section_ids=ids):
                frozen += [(school, section_id) for section_id in ids]
            case unhandled:
                assert_never(unhandled)
    if whole:
        parts.append(around_schools(graph, whole, staff_of=with_staff))
    if frozen:
        parts.append(around_sections(graph, await found(session, frozen_sections(district_id, frozen))))
    return parts


def _by_rules(sites: Sites) -> Iterator[RuleChoice]:
    """The rules that schools selected, each with all schools that selected the very same.

    Whoever attends or teaches a section is present at its school, so that nobody leads from one school to another.
    """
    schools: dict[str, tuple[SelectByRules, BitMap]] = {}
    for school, selection in sites.items():
        if isinstance(selection, SelectByRules):
            schools.setdefault(selection.model_dump_json(), (selection, BitMap()))[1].add(school)
    for selection, within in schools.values():
        yield RuleChoice(selection.rules, selection.exceptions, within)
