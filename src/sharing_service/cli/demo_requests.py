"""Requests to try on the demo, each one line for a shell."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from sharing_service.cli.demo_choices import BUSES, LEARNING, LIBRARY, MATH, MESSAGES, Roster, math_rules


@dataclass(frozen=True)
class Keys:
    """The tokens that were issued for this run."""

    operator: str
    admin: str
    school_lead: str
    applications: dict[str, str]
    """By name of the application."""
    client: str
    """`CLIENT_ID:CLIENT_SECRET` of the library."""


@dataclass(frozen=True)
class Place:
    """What the requests are about."""

    district: str
    applications: dict[str, str]
    """Ids by name."""
    modes: dict[str, str | None]
    """Sharing modes by name of the application."""
    roster: Roster


class Request(NamedTuple):
    """One request to try."""

    token: str
    path: str
    body: dict[str, Any] | None = None
    """If there is one, it is posted as JSON."""


def printed(keys: Keys, place: Place, *, url: str) -> Iterator[str]:
    """The lines that the demo prints before it serves at an address."""
    yield "Tokens"
    named = {"operator": keys.operator, "district admin": keys.admin, "school lead": keys.school_lead}
    named |= {f"{name} ({place.modes[name] or 'nothing set'})": token for name, token in keys.applications.items()}
    width = max(map(len, named))
    yield from (f"  {name.ljust(width)}  {token}" for name, token in named.items())
    sections = {
        "The operator manages districts and applications": _of_operator,
        "The district looks and decides": _of_district,
        "A school lead sees what the school selected": _of_school,
        "Each application reads what is shared with it": _of_applications,
    }
    for heading, requests in sections.items():
        yield ""
        yield heading
        yield from (_curl(token, url + path, body) for token, path, body in requests(keys, place))
    yield ""
    yield f"{LIBRARY} obtains tokens by its client secret"
    yield shlex.join(["curl", "-s", "-u", keys.client, "-d", "grant_type=client_credentials", f"{url}/oauth/token"])
    yield shlex.join(["curl", "-s", "-u", keys.client, f"{url}/oauth/tokens?owner_type=district"])


def _of_operator(keys: Keys, place: Place) -> Iterator[Request]:
    yield Request(keys.operator, "/v1/districts")
    yield Request(keys.operator, "/v1/applications?limit=2")


def _of_district(keys: Keys, place: Place) -> Iterator[Request]:
    district = f"/v1/districts/{place.district}"
    math = f"{district}/applications/{place.applications[MATH]}"
    library = f"{district}/applications/{place.applications[LIBRARY]}"
    yield Request(keys.admin, f"{district}/syncs")
    yield Request(keys.admin, f"{district}/students?limit=2")
    yield Request(keys.admin, f"{district}/teachers?q={quote(place.roster.teachers[0]['last_name'])}")
    yield Request(keys.admin, f"{district}/applications")
    yield Request(keys.admin, f"{math}/sharing")
    yield Request(keys.admin, f"{math}/sharing/preview", body=math_rules(place.roster, grades=["3", "4", "5"]))
    yield Request(keys.admin, f"{math}/sharing/history")
    yield Request(keys.admin, f"{math}/shared")
    yield Request(keys.admin, f"{math}/shared/sections?limit=2")
    yield Request(keys.admin, f"{library}/shared/staff.csv")
    yield Request(keys.admin, f"{district}/audit?limit=3")


def _of_school(keys: Keys, place: Place) -> Iterator[Request]:
    learning = place.applications[LEARNING]
    yield Request(keys.school_lead, f"/v1/districts/{place.district}/applications/{learning}/sites")


def _of_applications(keys: Keys, place: Place) -> Iterator[Request]:
    paths = {
        LIBRARY: "users?role=staff&limit=2",
        BUSES: "schools",
        MATH: "sections?limit=2&count=true",
        LEARNING: "users?role=teacher&limit=2",
        MESSAGES: "users?role=contact&limit=2",
    }
    for name, token in keys.applications.items():
        yield Request(token, f"/v3.1/{paths.get(name, 'users?limit=2')}")


def _curl(token: str, url: str, body: dict[str, Any] | None) -> str:
    words = ["curl", "-s", "-H", f"Authorization: Bearer {token}"]
    if body is not None:
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return shlex.join([*words, url])
