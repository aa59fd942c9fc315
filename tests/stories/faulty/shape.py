"""A faulty request as plain data, with exactly what the service answers to it.

`$D` is the district's path, `$A` the path of the application `tutor` in it; other names that begin with a dollar stand
for ids of the story. `ZEBRA` stands in whatever is submitted: no answer may ever repeat it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

ZEBRA = "zebra-7731"
UNKNOWN = "00000000-0000-7000-8000-000000007731"
"""An id that nobody has."""
JSON = {"Content-Type": "application/json"}
NOTHING = object()
DISTRICT, EVERYONE = {"mode": "district"}, {"share": "everyone"}
BLOCK = {"kind": "students", "record_id": "$cal", "reason": ZEBRA}
NUL, SURROGATE = f"{ZEBRA}\x00", f"{ZEBRA}\ud800"


@dataclass(frozen=True, kw_only=True)
class FaultyRequest:
    """A request that is refused."""

    name: str
    status: int
    code: str
    """Of the problem document; in the partner API the message."""
    method: str
    path: str
    caller: str = "admin"
    body: Any = NOTHING
    """Sent as JSON."""
    content: bytes | None = None
    """Sent as it is."""
    headers: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    """The place of the first problem; None where no place is told."""
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Members of the answer that list ids, which are no personal data."""


def request(name: str, status: int, code: str, route: str, **more: Any) -> FaultyRequest:
    """A faulty request; `route` is a method and a path."""
    method, _, path = route.partition(" ")
    return FaultyRequest(name=name, status=status, code=code, method=method, path=path, **more)


def invalid(name: str, where: str | None, route: str, body: Any = NOTHING, **more: Any) -> FaultyRequest:
    """A request of which one value is wrong, and the place of that value."""
    return request(name, 422, "invalid", route, body=body, where=where, **more)


def condition(**members: Any) -> Json:
    """A condition that is right but for these members; None leaves a member out."""
    whole = {"field": "grade", "operator": "is", "values": [ZEBRA], **members}
    return {name: value for name, value in whole.items() if value is not None}


def rule(*conditions: Json, match: str = "students", **members: Any) -> Json:
    """A rule with these conditions."""
    return {"match": match, "where": list(conditions or [condition()]), **members}


def by_rules(*rules: Any, **members: Any) -> Json:
    """A permission by these rules."""
    return {"mode": "rules", "rules": list(rules), **members}


def with_condition(**members: Any) -> Json:
    """A permission by one rule with one condition that is right but for these members."""
    return by_rules(rule(condition(**members)))
