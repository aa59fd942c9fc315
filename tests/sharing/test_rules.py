"""Permissions and rules as values: what is refused before anything is looked up."""

from typing import Any

import pytest
from pydantic import ValidationError

from sharing_service.sharing.permissions import SHARING, as_json

MATH = {"field": "subject", "operator": "is", "values": ["math"]}


def by_rule(match: str = "sections", **changed: Any) -> dict[str, Any]:
    """A permission of one rule with one condition."""
    return {"mode": "rules", "rules": [{"match": match, "where": [MATH | changed]}]}


@pytest.mark.parametrize(
    "permission",
    [
        by_rule(values=[]),
        by_rule(values=[""]),
        by_rule(values=["a\x00b"]),
        by_rule(values=["\ud800"]),
        by_rule(values=["x" * 201]),
        by_rule(values=["x"] * 1001),
        by_rule(operator="is_empty"),
        by_rule(operator="like"),
        by_rule(field="teachers"),
        by_rule(field="ext."),
        by_rule(match="students"),
        by_rule(match="contacts"),
        {"mode": "rules", "rules": [{"match": "sections", "where": []}]},
        {"mode": "rules", "rules": [{"match": "sections", "companions": False, "where": [MATH]}]},
        {"mode": "rules", "rules": by_rule()["rules"] * 51},
        {"mode": "rules", "rules": [{"match": "sections", "where": [MATH] * 21}]},
        {"mode": "schools"},
        {"mode": "schools", "school_ids": ["not an id"]},
        {"mode": "district", "rules": []},
        {"mode": "district", "include_staff": 1},
        {"mode": "district", "include_staff": "yes"},
        {"mode": "everybody"},
        {},
    ],
)
@pytest.mark.asvs("V2.1.2", "V15.3.5")
def test_a_faulty_permission_is_refused(permission: dict[str, Any]) -> None:
    """Bounds, unknown members, fields and operators, and values that no database text can hold."""
    with pytest.raises(ValidationError):
        SHARING.validate_python(permission)


def test_a_permission_is_the_same_as_value_and_as_json() -> None:
    """What is stored is what was asked for, with its defaults written out, and reads back as the same value."""
    asked = by_rule(field="ext.house", values=["Red", "%"]) | {
        "except": [{"match": "staff", "where": [{"field": "role", "operator": "is_empty"}]}]
    }
    value = SHARING.validate_python(asked)
    stored = as_json(value)
    assert stored["except"][0]["where"] == [
        {"field": "role", "operator": "is_empty", "values": [], "case_sensitive": True}
    ]
    assert SHARING.validate_python(stored) == value


def test_companions_default_by_kind() -> None:
    """Students bring their sections and teachers along unless told not to; teachers only when told to."""
    rule = {"where": [{"field": "sis_id", "operator": "is", "values": ["1"]}]}
    value = SHARING.validate_python({"mode": "rules", "rules": [rule | {"match": k} for k in ("students", "teachers")]})
    assert [rule["companions"] for rule in as_json(value)["rules"]] == [True, False]
