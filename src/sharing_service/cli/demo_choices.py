"""What the demo's district decides: one application for each sharing mode, and one that nothing is shared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

LIBRARY: Final = "Shelfmark Library"
BUSES: Final = "Curbside Bus Planner"
LABS: Final = "Molecule Lab"
MATH: Final = "Numberline Math"
LEARNING: Final = "Commonroom LMS"
MESSAGES: Final = "Homeward Messages"
NOT_YET: Final = "Readfast Trial"

MATH_GRADES: Final = ("3", "4", "5", "9")
LAB_SECTIONS: Final = 12


@dataclass(frozen=True)
class Roster:
    """The parts of the published roster that the decisions name."""

    schools: Rows
    sections: Rows
    teachers: Rows


def applications() -> dict[str, Json]:
    """The field groups that each application asks for, by its name."""
    names = {"required": ["identity"]}
    reachable = {"required": ["identity", "email"]}
    return {
        LIBRARY: {
            "schools": names,
            "students": {"required": ["identity", "numbers"], "optional": ["email"]},
            "teachers": reachable,
            "staff": reachable,
        },
        BUSES: {"schools": names, "students": {"required": ["identity", "address", "ext"]}},
        LABS: {"sections": names, "students": reachable, "teachers": reachable},
        MATH: {
            "sections": names,
            "students": {"required": ["identity"], "optional": ["status"]},
            "teachers": reachable,
        },
        LEARNING: {
            "sections": {"required": ["identity"], "optional": ["ext"]},
            "students": {"required": ["identity", "email", "credentials"]},
            "teachers": {"required": ["identity", "email", "credentials"]},
        },
        MESSAGES: {"students": {"required": ["identity", "contacts"], "optional": ["demographics"]}},
        NOT_YET: {},
    }


def sharings(roster: Roster) -> dict[str, Json]:
    """The sharing permission for each application that has one."""
    return {
        LIBRARY: {"mode": "district", "include_staff": True},
        BUSES: {"mode": "schools", "school_ids": [school["id"] for school in roster.schools[:2]]},
        LABS: {"mode": "sections", "section_ids": _ids(_of_subject(roster, "science")[:LAB_SECTIONS])},
        MATH: math_rules(roster),
        LEARNING: {"mode": "school_site"},
        MESSAGES: {"mode": "rules", "rules": [_rule("students", "home_language", "is_not", "English")]},
    }


def declined() -> dict[str, list[str]]:
    """The field groups that the district keeps back though an application asks for them."""
    return {MESSAGES: ["students.demographics"]}


def math_rules(roster: Roster, grades: Sequence[str] = MATH_GRADES) -> Json:
    """Math of some grades, and learners of English with their sections and teachers; but one teacher opted out."""
    sections = _rule("sections", "subject", "is", "math")
    sections["where"].append({"field": "grade", "operator": "is", "values": list(grades)})
    return {
        "mode": "rules",
        "rules": [sections, {**_rule("students", "ell_status", "is", "Y"), "companions": True}],
        "except": [_rule("teachers", "email", "is", _math_teacher(roster)["email"])],
    }


def selections(roster: Roster) -> dict[str, Json]:
    """What some schools selected for the learning platform, by the school's id; the others share nothing."""
    choices: list[Json] = [{"share": "everyone", "include_staff": True}]
    if len(roster.schools) > 1:
        taught = [section for section in roster.sections if section["school"] == roster.schools[1]["id"]]
        choices.append({"share": "sections", "section_ids": _ids(taught[:5])})
    if len(roster.schools) > 2:
        choices.append({"share": "rules", "rules": [_rule("sections", "subject", "is", "english/language arts")]})
    return {school["id"]: choice for school, choice in zip(roster.schools, choices, strict=False)}


def _of_subject(roster: Roster, subject: str) -> list[Mapping[str, Any]]:
    return [section for section in roster.sections if section["subject"] == subject]


def _math_teacher(roster: Roster) -> Mapping[str, Any]:
    """Somebody whom the rules would share."""
    taught = {teacher for section in _of_subject(roster, "math") for teacher in section["teachers"]}
    return next((teacher for teacher in roster.teachers if teacher["id"] in taught), roster.teachers[0])


def _rule(match: str, field: str, operator: str, *values: str) -> Json:
    return {"match": match, "where": [{"field": field, "operator": operator, "values": list(values)}]}


def _ids(rows: Rows) -> list[str]:
    return [row["id"] for row in rows]
