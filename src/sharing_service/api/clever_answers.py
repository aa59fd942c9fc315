"""Answers of the partner API as bytes: envelopes, links, headers and errors in Clever's form."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from typing import Final

from starlette.datastructures import State

from sharing_service.delivery.pages import Page
from sharing_service.delivery.views import View
from sharing_service.roster.catalogue import Kind, Numbering

Links = Iterable[tuple[str, str]]
PATHS: Final[dict[Numbering, str]] = {
    "schools": "schools",
    "terms": "terms",
    "courses": "courses",
    "sections": "sections",
    "people": "users",
}
"""The path under which the records of a numbering stand."""
NESTED: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.SCHOOLS: ("courses", "sections", "terms", "users"),
    Kind.COURSES: ("schools", "sections"),
    Kind.TERMS: ("schools", "sections"),
    Kind.SECTIONS: ("school", "term", "course", "users"),
    Kind.STUDENTS: ("schools", "sections", "myTeachers", "myContacts"),
    Kind.TEACHERS: ("schools", "sections", "myStudents"),
    Kind.STAFF: ("schools", "sections"),
    Kind.CONTACTS: ("myStudents",),
}
"""The rels of one record besides self and district; in lower case they are the ends of its nested paths."""


def one(page: Page, numbering: Numbering, version: str) -> bytes:
    """The answer with the one record of a page and the links to its nested paths."""
    path = f"/{version}/{PATHS[numbering]}/{page.first}"
    nested = [(rel, f"{path}/{rel.lower()}") for kind in page.kinds for rel in NESTED[kind]]
    return enveloped(b"".join(page.parts), [("self", path), ("district", f"{path}/district"), *nested])


def several(page: Page, *, links: Links, count: int | None) -> list[bytes]:
    """The answer with the records of a page, in parts, since every copy of a large one takes long."""
    first, *others = page.parts or [b""]
    parts = [b'{"data":[' + first, *(b"," + part for part in others)]
    parts[-1] += b"]" + _end(links, count=count)
    return parts


async def streamed(
    parts: AsyncIterator[bytes], links: Callable[[], Links], *, count: int | None
) -> AsyncGenerator[bytes]:
    """What `several` gives of parts that are still to be read; the links are asked for behind the last one."""
    yield b'{"data":['
    separator = b""
    async for part in parts:
        yield separator + part
        separator = b","
    yield b"]" + _end(links(), count=count)


def enveloped(data: bytes, links: Links, **members: object) -> bytes:
    """Data, links, and the other members that have a value."""
    return b'{"data":' + data + _end(links, **members)


def _end(links: Links, **members: object) -> bytes:
    shown = compact([{"rel": rel, "uri": uri} for rel, uri in links])
    others = "".join(f',"{name}":{compact(value)}' for name, value in members.items() if value is not None)
    return f',"links":{shown}{others}}}'.encode()


def compact(value: object) -> str:
    """JSON without spaces, as the stored documents have it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def district(view: View) -> str:
    """The district of a token as Clever shows one."""
    district_id = str(view.district_id)
    synced = view.published_at
    return compact(
        {
            "id": district_id,
            "name": view.district_name,
            "nces_id": None,
            "state": "running",
            "last_sync": synced and synced.strftime("%Y-%m-%dT%H:%M:%S.") + f"{synced.microsecond // 1000:03}Z",
            "launch_date": view.connected_at.date().isoformat(),
            "sis_type": "sftp",  # Clever's word for rosters that come as files
            "login_methods": [],
            "district_contact": {
                "district": district_id,
                "name": {"first": "", "last": "", "middle": ""},
                "email": None,
                "title": "",
            },
        }
    )


def remember(state: State, view: View) -> None:
    """Keep the revision of a request's view for the headers of its answer, whatever becomes of it."""
    state.sharing_revision = view.revision


def headers(state: State) -> dict[str, str]:
    """Headers of every answer; the revision is missing only where no view was opened."""
    revision = getattr(state, "sharing_revision", None)
    shown = {} if revision is None else {"X-Sharing-Revision": str(revision)}
    return {"Cache-Control": "private, no-store", **shown}
