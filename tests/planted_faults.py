"""Faults to plant in the resolver: edits that a tired hand might have typed."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fault:
    """One edit of one module: what a tired hand might have typed."""

    what: str
    module: str
    right: str
    wrong: str


MATCHING, SELECTS, RESOLVER = "matching", "selects", "resolver"
CHAIN: Final = (MATCHING, SELECTS, RESOLVER)
"""In the order in which they import each other."""

FAULTS: Final = (
    Fault("conditions of a rule are united", MATCHING, "*(and_(*(_holds(", "*(or_(*(_holds("),
    Fault("rules must all hold, and no rule matches all", MATCHING, "return or_(false(), *(", "return and_(true(), *("),
    Fault("a denial is read as its opposite", MATCHING, "return not_(fits) if", "return fits if"),
    Fault("emptiness is not a denial", MATCHING, ", Operator.IS_EMPTY})", "})"),
    Fault("case is folded by default", MATCHING, "if condition.case_sensitive:", "if False:"),
    Fault("case is never folded", MATCHING, "if condition.case_sensitive:", "if True:"),
    Fault("a beginning may be anywhere", MATCHING, "func.starts_with(value, wanted)", "func.strpos(value, wanted) > 0"),
    Fault(
        "per cent and underline are wildcards",
        MATCHING,
        "func.strpos(value, wanted) > 0",
        "value.like(func.concat('%', func.replace(wanted, chr(92), ''), '%'))",
    ),
    Fault(
        "a missing extension is unknown",
        MATCHING,
        'func.coalesce(table.c.ext[field.removeprefix(EXT)].astext, "")',
        "table.c.ext[field.removeprefix(EXT)].astext",
    ),
    Fault("a join key is dropped", MATCHING, "target.c.ordinal == reference)", "true())"),
    Fault("schools of sections count as own", MATCHING, ", school_people.c.position.is_not(None))", ")"),
    Fault(
        "a section's own teachers are not looked at", MATCHING, "section_teachers.c.section == table.c.ordinal, ", ""
    ),
    Fault("a site's rules reach all schools", SELECTS, "if school is None:", "if True:"),
    Fault("people at a school are of any kind", SELECTS, "school_people.c.kind == kind.value,", ""),
    Fault(
        "all own schools are home",
        SELECTS,
        "school_people.c.position == 0 if home_only",
        "school_people.c.position >= 0 if home_only",
    ),
    Fault(
        "everybody is enrolled",
        SELECTS,
        "enrollments.c.section.in_(select(chosen.c.ordinal))",
        "enrollments.c.section >= 0",
    ),
    Fault(
        "an empty list of schools means all",
        RESOLVER,
        "case ShareSchools(school_ids=ids, include_staff=include_staff):",
        "case ShareSchools(school_ids=()):\n            return [whole_district(district_id, include_staff=False)]\n        case ShareSchools(school_ids=ids, include_staff=include_staff):",
    ),
    Fault(
        "staff come with schools unasked", RESOLVER, "staff_of=known if include_staff else nothing()", "staff_of=known"
    ),
    Fault(
        "staff come with the district unasked",
        RESOLVER,
        "records(district_id, Kind.STAFF) if include_staff else nothing()",
        "records(district_id, Kind.STAFF)",
    ),
    Fault(
        "exceptions are ignored",
        RESOLVER,
        "not_(matches_any(district_id, kind, exceptions))",
        "not_(matches_any(district_id, kind, ()))",
    ),
    Fault(
        "excepted students come with sections",
        RESOLVER,
        "kept(Kind.STUDENTS, _among(",
        "records(district_id, Kind.STUDENTS, _among(",
    ),
    Fault(
        "excepted teachers come with sections",
        RESOLVER,
        "kept(Kind.TEACHERS, _among(",
        "records(district_id, Kind.TEACHERS, _among(",
    ),
    Fault("companions come unasked", RESOLVER, " and rule.companions]", "]"),
    Fault(
        "students see their classmates",
        RESOLVER,
        "enrolled_in(district_id, taught)",
        "enrolled_in(district_id, attended)",
    ),
    Fault(
        "teachers bring their co-teachers", RESOLVER, "teaching(district_id, attended)", "teaching(district_id, taught)"
    ),
    Fault("blocked students stay", RESOLVER, "_unblocked(part.students, blocked)", "part.students"),
    Fault("blocked teachers stay", RESOLVER, "_unblocked(part.teachers, blocked)", "part.teachers"),
    Fault(
        "a school that shares nothing is shared",
        RESOLVER,
        "schools.c.ordinal == school, anything)",
        "schools.c.ordinal == school)",
    ),
    Fault("home schools stay away", RESOLVER, "own_schools(district_id, self.students, home_only=True),", ""),
    Fault(
        "staff of every whole site come",
        RESOLVER,
        "with_staff += [school] if include_staff else []",
        "with_staff += [school]",
    ),
)
