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


MATCHING, GRAPH, SELECTS, RESOLVER = "matching", "graph", "selects", "resolver"
CHAIN: Final = (MATCHING, GRAPH, SELECTS, RESOLVER)
"""In the order in which they import each other."""

FAULTS: Final = (
    Fault("conditions of a rule are united", MATCHING, "*(and_(*(_holds(", "*(or_(*(_holds("),
    Fault("rules must all hold", MATCHING, "return or_(false(), *(", "return and_(true(), *("),
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
    Fault("a site's rules reach all schools", SELECTS, "if within is None:", "if True:"),
    Fault(
        "people at a school are of any kind",
        RESOLVER,
        "graph.present.lefts(where) & graph.records[kind]",
        "graph.present.lefts(where)",
    ),
    Fault(
        "all own schools are home",
        GRAPH,
        "position == 0",
        "position != _NOT_OWN",
    ),
    Fault(
        "everybody is enrolled",
        RESOLVER,
        "students=graph.enrolled.rights(shared)",
        "students=graph.records[Kind.STUDENTS]",
    ),
    Fault(
        "an empty list of schools means all",
        RESOLVER,
        "case ShareSchools(school_ids=ids, include_staff=include_staff):",
        "case ShareSchools(school_ids=()):\n            return [whole_district(graph, include_staff=False)]\n        case ShareSchools(school_ids=ids, include_staff=include_staff):",
    ),
    Fault(
        "staff come with schools unasked", RESOLVER, "staff_of=known if include_staff else BitMap()", "staff_of=known"
    ),
    Fault(
        "staff come with the district unasked",
        RESOLVER,
        "graph.records[Kind.STAFF] if include_staff else BitMap()",
        "graph.records[Kind.STAFF]",
    ),
    Fault(
        "exceptions are ignored",
        RESOLVER,
        '"excepted": self.exceptions}',
        '"excepted": ()}',
    ),
    Fault(
        "excepted students come with sections",
        RESOLVER,
        "graph.enrolled.rights(direct, taught) - matches.excepted[Kind.STUDENTS]",
        "graph.enrolled.rights(direct, taught)",
    ),
    Fault(
        "excepted teachers come with sections",
        RESOLVER,
        "graph.taught.rights(direct, attended) - matches.excepted[Kind.TEACHERS]",
        "graph.taught.rights(direct, attended)",
    ),
    Fault("companions come unasked", RESOLVER, " and rule.companions]", "]"),
    Fault(
        "students see their classmates",
        RESOLVER,
        "enrolled.rights(direct, taught)",
        "enrolled.rights(direct, attended)",
    ),
    Fault(
        "teachers bring their co-teachers",
        RESOLVER,
        "taught.rights(direct, attended)",
        "taught.rights(direct, taught)",
    ),
    Fault("sections of other schools come with students", RESOLVER, "& sections\n    taught", "\n    taught"),
    Fault("sections of other schools come with teachers", RESOLVER, "& sections\n    shared", "\n    shared"),
    Fault(
        "what leads is not less the exceptions",
        RESOLVER,
        "return self.leading[kind] - self.excepted[kind]",
        "return self.leading[kind]",
    ),
    Fault("people at other schools bring them", RESOLVER, "& choice.within)", ")"),
    Fault("blocked students stay", RESOLVER, "part.students - blocked", "part.students"),
    Fault("contacts of blocked students stay", RESOLVER, "contacts.rights(students)", "contacts.rights(part.students)"),
    Fault("blocked teachers stay", RESOLVER, "part.teachers - blocked", "part.teachers"),
    Fault(
        "a school that shares nothing is shared",
        RESOLVER,
        "return around | (graph.present.rights(students | teachers | staff) & choice.within)",
        "return around | choice.within",
    ),
    Fault("home schools stay away", RESOLVER, " | graph.home.rights(students)", ""),
    Fault(
        "staff of every whole site come",
        RESOLVER,
        "with_staff.update([school] if include_staff else [])",
        "with_staff.add(school)",
    ),
)
