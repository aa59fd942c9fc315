"""What schemathesis is told about the partner API beyond its OpenAPI document."""

from typing import Any

import schemathesis
from schemathesis import Case, HookContext

from sharing_service.api.clever_parameters import CURSORS, canonical_id


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Send one cursor of two right ones: both are refused, and OpenAPI cannot say that one excludes the other."""
    if all(canonical_id(str(case.query.get(name))) for name in CURSORS):
        del case.query[CURSORS[1]]
