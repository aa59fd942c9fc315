"""Answers of the partner API as bytes: envelopes, links, headers and errors in Clever's form."""

import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import State

from sharing_service.api import problems
from sharing_service.delivery.pages import Document
from sharing_service.delivery.views import View
from sharing_service.errors import NotFound, SharingServiceError
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


def one(document: Document, numbering: Numbering, version: str) -> bytes:
    """The answer with one record and the links to its nested paths."""
    path = f"/{version}/{PATHS[numbering]}/{document.id}"
    nested = [(rel, f"{path}/{rel.lower()}") for rel in NESTED[document.kind]]
    return enveloped(document.text, [("self", path), ("district", f"{path}/district"), *nested])


def several(
    documents: Sequence[Document], numbering: Numbering, *, version: str, links: Links, count: int | None
) -> bytes:
    """The answer with a page of records."""
    path = f"/{version}/{PATHS[numbering]}"
    data = ",".join(f'{{"data":{document.text},"uri":"{path}/{document.id}"}}' for document in documents)
    return enveloped(f"[{data}]", links, count=count)


def enveloped(data: str, links: Links, **members: object) -> bytes:
    """Data, links, and the other members that have a value."""
    shown = compact([{"rel": rel, "uri": uri} for rel, uri in links])
    others = "".join(f',"{name}":{compact(value)}' for name, value in members.items() if value is not None)
    return f'{{"data":{data},"links":{shown}{others}}}'.encode()


def compact(value: object) -> str:
    """JSON without spaces, as the stored documents have it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def district(view: View) -> str:
    """The district of a token as Clever shows one."""
    district_id = str(view.district.id)
    synced = view.district.published_at
    return compact(
        {
            "id": district_id,
            "name": view.district.name,
            "nces_id": None,
            "state": "running",
            "last_sync": synced and synced.strftime("%Y-%m-%dT%H:%M:%S.") + f"{synced.microsecond // 1000:03}Z",
            "launch_date": view.grant.connected_at.date().isoformat(),
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
    state.sharing_revision = view.grant.revision


def headers(state: State) -> dict[str, str]:
    """Headers of every answer; the revision is missing only where no view was opened."""
    revision = getattr(state, "sharing_revision", None)
    shown = {} if revision is None else {"X-Sharing-Revision": str(revision)}
    return {"Cache-Control": "private, no-store", **shown}


class PartnerRoute(APIRoute):
    """A route whose refusals carry the headers of every answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler, its dependencies included."""
        handler = super().get_route_handler()

        async def answering(request: Request) -> Response:
            try:
                return await handler(request)
            except SharingServiceError as error:
                # Absent, foreign and unshared records answer byte for byte the same.
                shown = NotFound("Resource not found") if isinstance(error, NotFound) else error
                refusal = problems.answer(request, shown)
                refusal.headers.update(headers(request.state))
                return refusal

        return answering
