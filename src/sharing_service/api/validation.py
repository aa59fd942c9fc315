"""What is wrong with a request, in words that never repeat what was sent."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

MAX_PROBLEMS: Final = 100

# pydantic's words for these hold only the bounds, never the input.
PLAIN: Final = frozenset(
    {
        "missing", "string_type", "string_too_short", "string_too_long", "int_type", "int_parsing", "int_from_float",
        "bool_type", "bool_parsing", "float_type", "float_parsing", "tuple_type", "list_type", "dict_type", "too_short",
        "too_long", "greater_than_equal", "less_than_equal", "greater_than", "less_than", "none_required",
        "model_type", "model_attributes_type", "enum", "literal_error", "uuid_type", "datetime_type", "timezone_aware",
        "datetime_future", "union_tag_not_found", "string_pattern_mismatch", "value_error",
    }
)  # fmt: skip
OWN: Final = {
    "extra_forbidden": "A member is not known here.",
    "uuid_parsing": "Input should be a valid UUID",
    "string_unicode": "Input should be valid Unicode",
    "datetime_parsing": "Input should be a date and time as RFC 3339 writes them",
    "datetime_from_date_parsing": "Input should be a date and time as RFC 3339 writes them",
}
DISCRIMINATORS: Final = ("mode", "share", "match", "role")
"""The members by which our unions are told apart."""
UNKNOWN: Final = "Input is not valid"


def problems_of(errors: Sequence[Any], body: Any) -> tuple[list[dict[str, Any]], int]:
    """The first problems, each with its place and reason, and how many there are."""
    return [{"where": _where(error, body), "message": _message(error)} for error in errors[:MAX_PROBLEMS]], len(errors)


def _where(error: dict[str, Any], body: Any) -> list[str | int]:
    """The place in the body as it was sent; the name of an unknown member is the client's own word and left out."""
    place = list(error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"])
    return [*place[:1], *_members(place[1:], body)] if place[0] == "body" else place


def _members(place: Sequence[str | int], value: Any) -> Iterator[str | int]:
    """A place without the tags that pydantic adds to it for the chosen member of a union."""
    chosen = False
    for step in place:
        if isinstance(value, dict) and not chosen and step in [value.get(tag) for tag in DISCRIMINATORS]:
            chosen = True
            continue
        yield step
        value = _member(value, step)
        chosen = False


def _member(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (LookupError, TypeError):
        return None


def _message(error: dict[str, Any]) -> str:
    kind = error["type"]
    if kind == "union_tag_invalid":
        return f"{error['ctx']['discriminator']} should be one of: {error['ctx']['expected_tags']}"
    if kind in PLAIN:
        return str(error["msg"])
    return OWN.get(kind, UNKNOWN)
