"""Validators of partner answers (RFC 9110, section 13): whoever has the present answer is told so, unread."""

import re
from typing import Final

from fastapi import Request, Response

from sharing_service.access.callers import ApplicationCaller
from sharing_service.api import clever_answers as answers
from sharing_service.api.clever_parameters import self_link
from sharing_service.api.dependencies import tokens_of
from sharing_service.delivery.views import View

REPRESENTATION: Final = "1"
"""Moves when the service writes the same records in another way."""
TAG: Final = re.compile(r'"[^"]*"')


def tag_of(request: Request, caller: ApplicationCaller, view: View, *, district: bool) -> str:
    """The ETag of a successful answer, `district` if it tells the district; weak, since compressed it is the same.

    It is a keyed hash, so that it tells nothing of a revision and is no other application's. An application that was
    answered 200 with it at this revision sees what it saw then: only such an answer ever carries it.
    """
    seen = (
        "validator",
        REPRESENTATION,
        str(caller.district_id),
        str(caller.application_id),
        view.connected_at.isoformat(),
        str(view.revision),
        str(view.ledger.id),
        view.fields.named,
        *((view.district_name, str(view.published_at)) if district else ()),
    )
    # What is asked for comes last: it may hold any character, also those between the parts.
    _, asked = self_link(request.url)
    return f'W/"{tokens_of(request).derived_secret(*seen, asked)}"'


def headers(request: Request, caller: ApplicationCaller, view: View, *, district: bool) -> dict[str, str]:
    """Those of a successful answer."""
    tag = tag_of(request, caller, view, district=district)
    return {**answers.headers(request.state), "ETag": tag, "Vary": "Accept-Encoding"}


def unchanged(request: Request, caller: ApplicationCaller, view: View, *, district: bool) -> Response | None:
    """The answer to a client that has the present one already."""
    known = TAG.findall(",".join(request.headers.getlist("If-None-Match")))
    if not known:
        return None
    present = headers(request, caller, view, district=district)
    return Response(status_code=304, headers=present) if present["ETag"].removeprefix("W/") in known else None
