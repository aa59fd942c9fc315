"""What schemathesis is told about the API beyond its OpenAPI document."""

import json
import os
from typing import Any, Final
from zlib import crc32

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import AllowHeaderMismatch

from sharing_service.api.clever_parameters import CURSORS, LEAST, canonical_id

IDS: Final[dict[str, list[str]]] = json.loads(os.environ["FUZZING_IDS"])
"""Ids that there are, by the name of what they stand for; after a method those of paths that end with them."""
KEPT: Final[list[str]] = json.loads(os.environ["FUZZING_KEPT"])
"""Ids of what must not end, such as the token by which all is asked."""
BLOCK: Final = "/v1/districts/{district_id}/blocks/{block_id}"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Send ids that there are, and cursors that fit together."""
    _name_what_there_is(case)
    if case.path.startswith("/v3."):
        _send_one_cursor(case)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Waive that the methods of a block's address have a GET: `{kind}/{record_id}` has the same form.

    Which kinds there are is told only to who has a token, and the list of methods is made without one. The GET is
    answered 404.
    """
    return not (isinstance(failure, AllowHeaderMismatch) and case.path == BLOCK)


def _name_what_there_is(case: Case[Any]) -> None:
    """Put ids that there are, own and foreign ones, in place of made-up ones: those would all be not found."""
    path = case.path_parameters or {}
    for name, sent in path.items():
        alone = case.path.endswith(f"{{{name}}}")
        path[name] = _known(sent, (alone and IDS.get(f"{case.method} {name}")) or IDS.get(name))
        if path[name] in KEPT and (case.method == "DELETE" or case.path.endswith("/rotate")):
            path[name] = LEAST
    body = case.body if isinstance(case.body, dict) else {}
    for name, sent in body.items():
        known = IDS.get(f"body {name}") or IDS.get(name)
        body[name] = [_known(one, known) for one in sent] if isinstance(sent, list) else _known(sent, known)


def _known(sent: Any, known: list[str] | None) -> Any:
    """One of the known ids, always the same in place of the same; what is no id stays."""
    if known and isinstance(sent, str) and canonical_id(sent):
        return known[crc32(sent.encode()) % len(known)]
    return sent


def _send_one_cursor(case: Case[Any]) -> None:
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
