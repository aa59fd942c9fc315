"""What schemathesis is told about the partner API beyond its OpenAPI document."""

from typing import Any

import schemathesis
from schemathesis import Case, HookContext

from sharing_service.api.clever_parameters import CURSORS, LEAST, canonical_id


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Send one cursor of two right ones, and to the feed only those that it has: its first, or `last`.

    OpenAPI cannot say that one parameter excludes another, nor which ids are those of events: others are refused.
    """
    feed = case.path.endswith("/events")
    cursors = {name: str(case.query.get(name)) for name in CURSORS}
    right = [name for name, text in cursors.items() if canonical_id(text) or (feed and text == "last")]
    if len(right) > 1:
        del case.query[right.pop()]
    for name in right:
        if feed and cursors[name] != "last":
            case.query[name] = LEAST
