"""The requests of the matrix, and in what their answers differ from what is expected."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Any, Final
from urllib.parse import quote

from httpx2 import AsyncClient, Response

from tests.api.test_syncs import zipped
from tests.factories.service import Json
from tests.factories.upload import render
from tests.matrix.callers import CALLERS, KNOWN, Callers
from tests.matrix.expected import DISTRICT, OBJECTS, Line
from tests.matrix.world import Objects, Pair, roster

UUIDS: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MISSPELT: Final = ("spelled otherwise", "wildcard")
"""Spellings of an own id that are not the id, nor any other."""
OF_THE_MOMENT: Final = ("date", "x-request-id", "traceparent", "ratelimit", "ratelimit-policy")
"""Headers that no two answers share."""
NAMED: Final = {f"{one}_id": f"{one}s" for one in ("school", "section", "student", "teacher")} | {"staff_id": "staff"}
NEWEST: Final = "/v3.1/"
"""The version that is asked for HEAD, and by misspelt ids: both versions are made by the same lines of code."""
A_FEW: Final = ("admin", "stranger", "lead", "app")
UNKNOWN_KIND: Final = "parents"
ITS_SCHOOL: Final = "school of district_id"
"""A school of the district that varies."""


@dataclass(frozen=True)
class Matrix:
    """Who asks for what."""

    pair: Pair
    callers: Callers
    objects: Mapping[str, Objects]


@dataclass(frozen=True)
class Asked:
    """One request, and the text in it that varies."""

    method: str
    path: str
    varied: str | None
    content: Mapping[str, Any] = field(default_factory=dict)


def asked(matrix: Matrix, line: Line, which: str) -> Asked:
    """The request of a line about its own, sibling, foreign or absent object, or about an own one that is misspelt."""

    def value(parameter: str) -> str:
        found = matrix.objects[_key(line, parameter)]
        if parameter != line.varied and (parameter, line.varied) != (ITS_SCHOOL, "district_id"):
            return found.own
        return _misspelt(found.own, which) if which in MISSPELT else str(getattr(found, which))

    named = {name: value(name) for name in re.findall(r"{(\w+)}", line.path) if name != "kind"}
    path = line.path.format(**{name: quote(text) for name, text in named.items()}, kind=line.kind or UNKNOWN_KIND)
    make = CONTENT.get((line.method, line.path.replace(DISTRICT, "D")))
    return Asked(line.method, path, line.varied and value(line.varied), make(line, value) if make else {})


def _misspelt(own: str, which: str) -> str:
    if which == "wildcard":
        return "%"
    if own.isdigit():
        return f"0{own}"
    return own.upper() if own.upper() != own else own.replace("-", "")


def _key(line: Line, parameter: str) -> str:
    """Which of the objects a parameter of this line names."""
    of_operator = line.path.startswith("/v1/applications")
    match parameter:
        case "id" if line.path.endswith("/districts/{id}"):
            return "connected district_id"
        case "id":
            collection = line.path.split("/")[2]
            return line.variant or "students" if collection == "users" else collection
        case "record_id":
            return line.kind or "students"
        case "district_id" if line.path.startswith("/oauth/"):
            return "connected district_id"
        case "token_id" if line.variant:
            return f"{line.variant} token_id"
        case "application_id" if of_operator:
            return "free application_id" if line.variant == "free" else "known application_id"
        case "sync_id" if line.method == "POST":
            return "held sync_id"
        case _:
            return NAMED.get(parameter, parameter)


Value = Callable[[str], str]


def _token(line: Line, value: Value) -> Json:
    wanted: Json = {"role": line.variant}
    if line.variant != "operator":
        wanted["district_id"] = value("district_id")
    if line.variant == "school_lead":
        wanted["school_ids"] = [value("school_id" if line.varied == "school_id" else ITS_SCHOOL)]
    if line.variant == "application":
        wanted["application_id"] = value("application_id")
    return {"json": wanted}


def _sharing(line: Line, value: Value) -> Json:
    match line.variant:
        case "schools":
            return {"json": {"mode": "schools", "school_ids": [value("school_id")]}}
        case "sections":
            return {"json": {"mode": "sections", "section_ids": [value("section_id")]}}
        case _:
            return {"json": {"mode": "district"}}


def _site(line: Line, value: Value) -> Json:
    if line.variant == "sections":
        return {"json": {"share": "sections", "section_ids": [value("section_id")]}}
    return {"json": {"share": "everyone", "include_staff": False}}


def _block(line: Line, value: Value) -> Json:
    kind = line.variant or "students"
    return {"json": {"kind": kind, "record_id": value(line.varied or ""), "reason": "asked for"}}


def _client(_line: Line, value: Value) -> Json:
    return {"data": {"grant_type": "client_credentials", "district_id": value("district_id")}}


@cache
def _archive() -> bytes:
    return zipped(render(roster()))


def _upload(_line: Line, _value: Value) -> Json:
    return {"content": _archive(), "headers": {"Content-Type": "application/zip"}}


CONTENT: Final[Mapping[tuple[str, str], Callable[[Line, Value], Json]]] = {
    ("POST", "/oauth/token"): _client,
    ("POST", "/v1/districts"): lambda _line, _value: {"json": {"name": "New"}},
    ("POST", "/v1/applications"): lambda _line, _value: {"json": {"name": "New"}},
    ("PATCH", "/v1/applications/{application_id}"): lambda _line, _value: {"json": {"name": "Other"}},
    ("POST", "/v1/tokens"): _token,
    ("POST", "/v1/leaked-tokens"): lambda _line, _value: {"json": [{"token": "none of ours"}]},
    ("POST", "D/syncs"): _upload,
    ("PUT", "D/applications/{application_id}/fields"): lambda _line, _value: {"json": {"declined": ["students.email"]}},
    ("PUT", "D/applications/{application_id}/sharing"): _sharing,
    ("POST", "D/applications/{application_id}/sharing/preview"): _sharing,
    ("PUT", "D/applications/{application_id}/sites/{school_id}"): _site,
    ("POST", "D/blocks"): _block,
}
"""What each operation sends; that of the others is their path."""


@dataclass(frozen=True)
class Told:
    """An answer but for what differs from moment to moment and for the words of the request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def by(cls, response: Response, varied: str | None) -> "Told":
        """What a response tells."""
        own = ((name.lower(), value) for name, value in response.headers.items())
        headers = sorted((name, value) for name, value in own if name not in OF_THE_MOMENT)
        is_id = varied is not None and len(varied) > len("wildcard")  # a version's number may stand in any answer
        body = response.content.replace(varied.encode(), b"{asked}") if varied and is_id else response.content
        return cls(response.status_code, tuple(headers), body)


async def send(client: AsyncClient, matrix: Matrix, request: Asked, caller: str, method: str | None = None) -> Response:
    """Ask as somebody."""
    headers = matrix.callers.calling(caller, request.path) | request.content.get("headers", {})
    content = {name: value for name, value in request.content.items() if name != "headers"}
    return await client.request(method or request.method, request.path, headers=headers, **content)


def expected(line: Line, caller: str, which: str) -> int:
    """The status for a caller and an object; no misspelt id is that of anything, for whom it matters what is asked."""
    cells = line.cells["unknown" if caller not in KNOWN else caller]
    if which not in MISSPELT:
        return cells[which]
    return cells["absent"] if len({*cells.values()}) == 1 else 404


def objects_of(line: Line, caller: str) -> tuple[str, ...]:
    """About what a caller asks; ids are misspelt in paths only, by callers who have a role, in one version."""
    if line.varied is None:
        return OBJECTS[:1]
    misspelt = f"{{{line.varied}}}" in line.path and caller in KNOWN and not line.path.startswith("/v3.0/")
    return OBJECTS + (MISSPELT if misspelt else ())


def asking(line: Line, callers: Iterable[str]) -> Iterator[str]:
    """Who asks: of kinds that share a route a few for each, and everybody for one."""
    return (caller for caller in callers if line.kind in ("", "students") or caller in A_FEW)


async def refusals(
    client: AsyncClient, matrix: Matrix, line: Line, callers: Iterable[str] = CALLERS
) -> AsyncIterator[str]:
    """What is wrong with the answers that should refuse: their status, or that one tells more than another."""
    for caller in asking(line, callers):
        told: dict[str, Told] = {}
        for which in objects_of(line, caller):
            status = expected(line, caller, which)
            if status < 400:
                continue
            request = asked(matrix, line, which)
            response = await send(client, matrix, request, caller)
            told[which] = Told.by(response, request.varied)
            # A misspelt id may be found out before the caller's reach is.
            if response.status_code not in ((status, 404) if which in MISSPELT else (status,)):
                yield f"{line}: {caller} is answered {response.status_code} about {which}, not {status}"
            if line.path.startswith(NEWEST) and which == "own":
                head = await send(client, matrix, request, caller, "HEAD")
                if (head.status_code, head.content) != (status, b""):
                    yield f"HEAD {line}: {caller} is answered {head.status_code} about {which}, not {status}"
        for one, another in combinations(told, 2):
            if _must_be_alike(told[one], told[another], {one, another}) and told[one] != told[another]:
                yield f"{line}: {caller} is answered otherwise about {one} than about {another}"


def _must_be_alike(one: Told, another: Told, objects: set[str]) -> bool:
    """What is not found is not found alike, and a foreign object is refused as an absent one."""
    return one.status == another.status and (one.status == 404 or objects == {"foreign", "absent"})


async def admissions(
    client: AsyncClient, matrix: Matrix, line: Line, callers: Iterable[str] = CALLERS
) -> AsyncIterator[str]:
    """What is wrong with the answers that should be given: their status, or that they hold an id of somebody else's."""
    for caller in asking(line, callers):
        for which in objects_of(line, caller):
            status = expected(line, caller, which)
            if status >= 400:
                continue
            request = asked(matrix, line, which)
            response = await send(client, matrix, request, caller)
            if response.status_code != status:
                yield f"{line}: {caller} is answered {response.status_code} about {which}, not {status}"
            others = matrix.callers.hidden[caller] & {*UUIDS.findall(response.text)}
            if others and not line.path.startswith("/oauth/"):  # a client is told of all its districts
                yield f"{line}: {caller} is told of {len(others)} records that are hidden from it"
            if line.path.startswith(NEWEST):
                head = await send(client, matrix, request, caller, "HEAD")
                if (head.status_code, head.content) != (status, b""):
                    yield f"HEAD {line}: {caller} is answered {head.status_code} about {which}, not {status}"
