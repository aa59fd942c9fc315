"""What each mode shares, read naively: loops over plain values. Where the service differs, one of the two is wrong.

Permissions and site selections are the JSON that callers send; `ids` gives the public id of a kind and sis_id.
"""

from collections.abc import Mapping, Sequence, Set

from tests.oracle_answers import Shared, seen
from tests.oracle_rules import matched
from tests.world import Ids, Json, Key, World


def share(
    world: World,
    sharing: Json | None,
    *,
    ids: Ids,
    sites: Mapping[str, Json] | None = None,
    blocks: Set[Key] = frozenset(),
) -> Shared:
    """What an application sees; `sites` is by sis_id of the school, a block is a kind and a sis_id."""
    return seen(world, by_mode(world, sharing, ids, sites or {}) - blocks, ids)


def by_mode(world: World, sharing: Json | None, ids: Ids, sites: Mapping[str, Json]) -> set[Key]:
    """The table of the modes."""
    match sharing:
        case None:
            return set()
        case {"mode": "district"}:
            kinds = ("schools", "sections", "students", "teachers", *with_staff(sharing))
            return {(kind, sis_id) for kind in kinds for sis_id in world.of(kind)}
        case {"mode": "schools"}:
            return around_schools(world, named(world, "schools", sharing["school_ids"], ids), sharing)
        case {"mode": "sections"}:
            found = with_people(world, named(world, "sections", sharing["section_ids"], ids))
            return found | schools_of_sections(world, found)
        case {"mode": "rules"}:
            hits, found = by_rules(world, sharing, ids, set(world.schools))
            homes = {("schools", world.of(k)[who].schools[0]) for k, who in hits if k in ("students", "teachers")}
            staffed = {("schools", school) for k, who in hits if k == "staff" for school in world.staff[who].schools}
            return found | schools_of_sections(world, found) | homes | staffed
        case {"mode": "school_site"}:
            chosen = [by_site(world, s, sites.get(s, {"share": "nothing"}), ids) for s in world.schools]
            return set().union(*chosen)
        case _:
            raise ValueError(sharing)


def by_site(world: World, school: str, selection: Json, ids: Ids) -> set[Key]:
    """What one school selected, within that school."""
    match selection["share"]:
        case "nothing":
            return set()
        case "everyone":
            return around_schools(world, {school}, selection)
        case "sections":
            frozen = named(world, "sections", selection["section_ids"], ids)
            found = with_people(world, {section for section in frozen if world.sections[section].school == school})
        case "rules":
            _, found = by_rules(world, selection, ids, {school})
        case _:
            raise ValueError(selection)
    return found | {("schools", school)} if found else set()


def by_rules(world: World, permission: Json, ids: Ids, within: Set[str]) -> tuple[set[Key], set[Key]]:
    """What the rules match at these schools, and that with all that comes along; exceptions are left out of both."""
    left_out = set[Key]().union(*(matched(world, rule, ids) for rule in permission.get("except", ())))
    hits, found = set[Key](), set[Key]()
    for rule in permission["rules"]:
        mine = {(kind, sis_id) for kind, sis_id in matched(world, rule, ids) if world.at(kind, sis_id) & within}
        hits |= mine - left_out
        for kind, sis_id in mine - left_out if brings_along(rule) else ():
            sections = {s for s in world.sections_of(kind, sis_id) if world.sections[s].school in within}
            for section in {s for s in sections if ("sections", s) not in left_out}:
                students, teachers = world.students_in(section), world.teachers_in(section)
                along = {"sections": students | teachers, "students": teachers, "teachers": students}[kind]
                found |= {("sections", section)} | along
    return hits, hits | (found - left_out)


def brings_along(rule: Json) -> bool:
    """Sections always have their people; students bring sections unless told not to, teachers only when told to."""
    defaults = {"sections": True, "students": True, "teachers": False, "staff": False}
    return bool(rule.get("companions", defaults[rule["match"]]))


def named(world: World, kind: str, wanted: Sequence[str], ids: Ids) -> set[str]:
    """Those of the ids whose record still exists."""
    return {sis_id for sis_id in world.of(kind) if ids[kind, sis_id] in wanted}


def with_staff(sharing: Json) -> tuple[str, ...]:
    """The kind staff if it was asked for."""
    return ("staff",) if sharing.get("include_staff", False) else ()


def around_schools(world: World, schools: Set[str], sharing: Json) -> set[Key]:
    """The schools and everything at them."""
    kinds = ("sections", "students", "teachers", *with_staff(sharing))
    everything = {(kind, sis_id) for kind in kinds for sis_id in world.of(kind) if world.at(kind, sis_id) & schools}
    return everything | {("schools", school) for school in schools}


def with_people(world: World, sections: Set[str]) -> set[Key]:
    """Sections with their people."""
    return {("sections", s) for s in sections}.union(*(world.students_in(s) | world.teachers_in(s) for s in sections))


def schools_of_sections(world: World, found: Set[Key]) -> set[Key]:
    """The schools of the sections found."""
    return {("schools", world.sections[sis_id].school) for kind, sis_id in found if kind == "sections"}
