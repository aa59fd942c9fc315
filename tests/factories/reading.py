"""What an application sees through the partner API, in the form in which the oracle says what it should see."""

from collections.abc import Mapping
from typing import Any

from tests.factories.service import Connected
from tests.oracle_answers import SeenPerson, SeenSection, Shared

Json = dict[str, Any]
Names = Mapping[str, Any]
"""What identifies a record in a world, by public id."""

TERM = ("name", "start_date", "end_date")
KEYED = ("students", "teachers", "staff")
ROLES = {"students": "student", "teachers": "teacher", "staff": "staff", "contacts": "contact"}


async def seen_by(application: Connected) -> Shared:
    """Every list of the partner API; a reference to a record that is in no list fails here."""
    schools = {school["id"]: school["sis_id"] for school in await application.records("/schools")}
    courses = {c["id"]: (c["number"] or "", c["name"] or "") for c in await application.records("/courses")}
    terms = {
        t["id"]: tuple(t[n] or "" for n in ("name", "start_date", "end_date"))
        for t in await application.records("/terms")
    }
    users = await application.records("/users")
    people = {kind: [user for user in users if role in user["roles"]] for kind, role in ROLES.items()}
    assert sum(map(len, people.values())) == len(users), "every user has one role"
    keys = {
        kind: {user["id"]: sis_id_of(kind, user) for user in people[kind]} for kind in ("students", "teachers", "staff")
    }
    sections = await application.records("/sections")
    return Shared(
        schools=set(schools.values()),
        sections={section["sis_id"]: seen_section(section, schools, courses, terms, keys) for section in sections},
        students=seen_people("students", people, schools),
        teachers=seen_people("teachers", people, schools),
        staff=seen_people("staff", people, schools),
        courses=set(courses.values()),
        terms=set(terms.values()),
        contacts={contact_key(user, keys["students"]): related(user, keys["students"]) for user in people["contacts"]},
    )


def sis_id_of(kind: str, user: Json) -> str:
    """The district's own key of a person."""
    return str(user["roles"][ROLES[kind]]["staff_id" if kind == "staff" else "sis_id"])


def seen_section(
    section: Json, schools: Names, courses: Names, terms: Names, people: Mapping[str, Names]
) -> SeenSection:
    """A section with its references followed."""
    assert len(section["students"]) == len({*section["students"]}), "no student twice"
    return SeenSection(
        name=section["name"],
        school=schools[section["school"]],
        course=courses[section["course"]] if section["course"] else None,
        term=terms[section["term_id"]] if section["term_id"] else None,
        students={people["students"][student] for student in section["students"]},
        teachers=[people["teachers"][teacher] for teacher in section["teachers"]],
        teacher=people["teachers"][section["teacher"]] if section["teacher"] else None,
    )


def seen_people(kind: str, people: Mapping[str, list[Json]], schools: Names) -> dict[str, SeenPerson]:
    """Persons of one kind with their schools."""
    found: dict[str, SeenPerson] = {}
    for user in people[kind]:
        role = user["roles"][ROLES[kind]]
        seen = SeenPerson([schools[school] for school in role["schools"]])
        if kind != "staff":
            assert (schools[role["school"]] if role["school"] else None) == seen.school
        found[sis_id_of(kind, user)] = seen
    assert len(found) == len(people[kind]), "nobody twice"
    return found


def contact_key(user: Json, students: Names) -> tuple[str, ...]:
    """What identifies a contact: its sis_id, or else its student, name and relationship."""
    role = user["roles"]["contact"]
    if role["sis_id"]:
        return (role["sis_id"],)
    [relation] = role["student_relationships"]
    name = " ".join(part for part in user["name"].values() if part)
    return (students[relation["student"]], name, relation["relationship"])


def related(user: Json, students: Names) -> set[str]:
    """The students of a contact."""
    return {students[relation["student"]] for relation in user["roles"]["contact"]["student_relationships"]}
