"""Hypothesis strategies for what a district decides about a world: permissions, site selections and blocks.

They are drawn with sis_ids where public ids belong, as these exist only after a sync; `with_public_ids` puts them in.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from hypothesis import strategies as st

from tests.factories.worlds import EXTENSIONS, VALUES
from tests.oracle_rules import values_of
from tests.world import Ids, Key, World

Decision = dict[str, Any]

SCHOOL_FIELDS: Final = ("school", "school_name", "school_number")
RULE_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "sections": (
        *SCHOOL_FIELDS,
        *("name", "source_name", "subject", "grade", "course_name", "course_number", "section_number", "period"),
        *("term_name", "sis_id", "teacher_sis_id", "teacher_email", "student_grade"),
        *EXTENSIONS,
    ),
    "students": (
        *SCHOOL_FIELDS,
        *("grade", "sis_id", "student_number", "state_id", "email", "graduation_year", "gender"),
        *("ell_status", "iep_status", "frl_status", "home_language"),
        *EXTENSIONS,
    ),
    "teachers": (*SCHOOL_FIELDS, "sis_id", "teacher_number", "email", "title", *EXTENSIONS),
    "staff": (*SCHOOL_FIELDS, "sis_id", "email", "title", "department", "role", *EXTENSIONS, "ext.nobody has it"),
}
WITH_VALUES: Final = ("is", "contains", "starts_with", "is_not", "does_not_contain")
OPERATORS: Final = st.sampled_from(("is", "is", *WITH_VALUES, "is_empty", "is_not_empty"))
MATCH: Final = st.sampled_from(("sections", "students", "teachers", "staff"))
CASE: Final[st.SearchStrategy[Decision]] = st.sampled_from(({}, {"case_sensitive": False}, {"case_sensitive": True}))
COMPANIONS: Final[st.SearchStrategy[Decision]] = st.sampled_from(({}, {"companions": True}, {"companions": False}))
STAFF: Final[st.SearchStrategy[Decision]] = st.sampled_from(({}, {"include_staff": True}, {"include_staff": False}))
MODES: Final = st.sampled_from(
    ("district", "schools", "sections", "rules", "rules", "rules", "school_site", "school_site")
)
SHARES: Final = st.sampled_from(("never chose", "nothing", "everyone", "sections", "rules", "rules"))
STRANGERS: Final = st.sampled_from(
    ("_" * 200, " ", *sorted({value for pools in VALUES.values() for pool in pools.values() for value in pool}))
)
CHANGES: Final = st.sampled_from(
    (
        *(str, str, str, str, str.swapcase, str.upper, str.lower),
        *(lambda text: text[0], lambda text: text[1:], lambda text: text[: len(text) // 2]),
        *(partial(unicodedata.normalize, "NFC"), partial(unicodedata.normalize, "NFD")),
    )
)
RULES: Final = st.sampled_from((1, 1, 2, 2, 3, 0))
EXCEPTIONS: Final = st.sampled_from((0, 0, 1, 1, 2))
CONDITIONS: Final = st.sampled_from((1, 1, 1, 2, 2, 3))
ANY_MORE: Final = st.sampled_from((0, 0, 1, 2))
PADDING: Final = st.sampled_from(([], [], [], [], [f"nobody has {n}" for n in range(200)]))


@st.composite
def conditions(draw: st.DrawFn, world: World, kind: str, target: Mapping[str, list[str]]) -> Decision:
    """A condition that mostly tests what a record has, for its values in whole, in part or spelled otherwise."""
    field = draw(st.sampled_from((*target, *target, *target, *RULE_FIELDS[kind])))
    condition = {"field": field, "operator": draw(OPERATORS)} | draw(CASE)
    if condition["operator"] not in WITH_VALUES:
        return condition
    if field == "school":
        return condition | {"values": draw(st.lists(st.sampled_from(list(world.schools)), min_size=1, max_size=2))}
    aimed = [draw(CHANGES)(value) or value for value in target.get(field, [])[:2]]
    strangers = [draw(STRANGERS) for _ in range(draw(ANY_MORE) if aimed else 1)]
    return condition | {"values": [*aimed, *strangers, *draw(PADDING)]}


@st.composite
def rules(draw: st.DrawFn, world: World) -> Decision:
    """A rule that aims at one record of the world, if there is one of that kind."""
    kind = draw(MATCH)
    records = list(world.of(kind))
    target = target_values(world, kind, draw(st.sampled_from(records))) if records else {}
    where = [draw(conditions(world, kind, target)) for _ in range(draw(CONDITIONS))]
    return {"match": kind, "where": where} | (draw(COMPANIONS) if kind in ("students", "teachers") else {})


def target_values(world: World, kind: str, sis_id: str) -> dict[str, list[str]]:
    """The values of each field of a record that has any."""
    ids = {("schools", school): school for school in world.schools}
    found = {field: sorted({*values_of(world, kind, sis_id, field, ids)} - {""}) for field in RULE_FIELDS[kind]}
    return {field: values for field, values in found.items() if values}


@st.composite
def by_rules(draw: st.DrawFn, world: World) -> Decision:
    """Rules and perhaps exceptions, in which `companions` means nothing."""
    decision = {"rules": [draw(rules(world)) for _ in range(draw(RULES))]}
    exceptions = [draw(rules(world)) for _ in range(draw(EXCEPTIONS))]
    return decision | ({"except": exceptions} if exceptions else {})


def some_of(records: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """Some of the records, each once."""
    return st.lists(st.sampled_from(records), unique=True, max_size=4) if records else st.just([])


def sections_of(world: World, schools: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """Some of the sections of some schools."""
    return some_of([sis_id for sis_id, section in world.sections.items() if section.school in schools])


@st.composite
def permissions(draw: st.DrawFn, world: World) -> Decision:
    """A sharing permission of any mode, more often of the two with rules."""
    mode = draw(MODES)
    match mode:
        case "schools":
            rest = {"school_ids": draw(some_of(list(world.schools)))} | draw(STAFF)
        case "sections":
            rest = {"section_ids": draw(sections_of(world, list(world.schools)))}
        case "rules":
            rest = draw(by_rules(world))
        case "district":
            rest = draw(STAFF)
        case _:
            rest = {}
    return {"mode": mode, **rest}


@st.composite
def site_selections(draw: st.DrawFn, world: World) -> dict[str, Decision]:
    """What each school selected, by its sis_id; some never chose."""
    selections = {}
    for school in world.schools:
        match share := draw(SHARES):
            case "everyone":
                selections[school] = {"share": share, **draw(STAFF)}
            case "sections":
                selections[school] = {"share": share, "section_ids": draw(sections_of(world, [school]))}
            case "rules":
                selections[school] = {"share": share, **draw(by_rules(world))}
            case "nothing":
                selections[school] = {"share": share}
            case _:
                continue
    return selections


def blocks(world: World) -> st.SearchStrategy[set[Key]]:
    """Some people of the world, by kind and sis_id."""
    people = [(kind, sis_id) for kind in ("students", "teachers", "staff") for sis_id in world.of(kind)]
    return st.sets(st.sampled_from(people), max_size=3) if people else st.just(set())


def with_public_ids(decision: Decision, ids: Ids) -> Decision:
    """A permission or site selection as it is sent."""
    sent = dict(decision)
    for member, kind in (("school_ids", "schools"), ("section_ids", "sections")):
        if member in decision:
            sent[member] = [ids[kind, sis_id] for sis_id in decision[member]]
    for member in ("rules", "except"):
        if member in decision:
            sent[member] = [rule | {"where": [_sent(one, ids) for one in rule["where"]]} for rule in decision[member]]
    return sent


def _sent(condition: Decision, ids: Ids) -> Decision:
    if condition["field"] != "school" or "values" not in condition:
        return condition
    return condition | {"values": [ids["schools", sis_id] for sis_id in condition["values"]]}
