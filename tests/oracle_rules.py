"""Which records one rule matches, read naively."""

from itertools import product

from tests.world import Ids, Json, Key, World


def matched(world: World, rule: Json, ids: Ids) -> set[Key]:
    """The records on which all conditions hold."""
    kind = rule["match"]
    return {
        (kind, sis_id)
        for sis_id in world.of(kind)
        if all(holds(condition, values_of(world, kind, sis_id, condition["field"], ids)) for condition in rule["where"])
    }


def values_of(world: World, kind: str, sis_id: str, field: str, ids: Ids) -> list[str]:
    """All values of a field of a record; no value at all counts as the empty string."""
    record = world.of(kind)[sis_id]
    match field:
        case "school":
            values = [ids["schools", school] for school in record.schools]
        case "school_name":
            values = [world.schools[school].values.get("name", "") for school in record.schools]
        case "school_number":
            values = [world.schools[school].values.get("school_number", "") for school in record.schools]
        case "teacher_sis_id":
            values = list(record.teachers)
        case "teacher_email":
            values = [world.teachers[teacher].values.get("email", "") for teacher in record.teachers]
        case "student_grade":
            values = [world.students[s].values.get("grade", "") for _, s in world.students_in(sis_id)]
        case "sis_id":
            values = [sis_id]
        case "name":
            values = [section_name(world, sis_id)]
        case _:
            values = [record.values.get(field, "")]
    return values or [""]


def section_name(world: World, sis_id: str) -> str:
    """`Course - Teacher last name - Period` without the parts that are empty; without a course the source's name."""
    section = world.sections[sis_id]
    course, period = section.values.get("course_name", ""), section.values.get("period", "")
    if not course:
        return section.values.get("source_name", "")
    last_name = world.teachers[section.teachers[0]].values.get("last_name", "") if section.teachers else ""
    return " - ".join(part for part in (course, last_name, period) if part)


def holds(condition: Json, values: list[str]) -> bool:
    """A negative operator holds exactly when its positive one does not."""
    exact = condition.get("case_sensitive", True)
    have = values if exact else [lower(value) for value in values]
    listed = condition.get("values", ())
    pairs = list(product(have, listed if exact else [lower(value) for value in listed]))
    match condition["operator"]:
        case "is":
            return any(value == one for value, one in pairs)
        case "is_not":
            return not any(value == one for value, one in pairs)
        case "contains":
            return any(one in value for value, one in pairs)
        case "does_not_contain":
            return not any(one in value for value, one in pairs)
        case "starts_with":
            return any(value.startswith(one) for value, one in pairs)
        case "is_empty":
            return all(value == "" for value in values)
        case "is_not_empty":
            return any(value != "" for value in values)
        case _:
            raise ValueError(condition)


def lower(text: str) -> str:
    """Lower case one character for one, as PostgreSQL has it: ß stays, a final sigma is like any other."""
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)
