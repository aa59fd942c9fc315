"""Answers of the partner API for the OpenAPI document; what is sent is joined from stored text."""

from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import MISSING, BaseModel, Field

from sharing_service.api.clever_users import Location, Name, Nullable, Shape, User
from sharing_service.roster.catalogue import Numbering


class Principal(Shape):
    """Who leads a school."""

    name: str
    email: str


class DistrictContact(Shape):
    """Whom to ask in a district."""

    district: str
    name: Name
    email: Nullable
    title: str


class District(Shape):
    """The district of the token."""

    id: str
    name: str
    nces_id: Nullable
    state: Literal["running", "pending", "error", "paused", "success"]
    last_sync: Nullable
    launch_date: str
    sis_type: str
    login_methods: list[str]
    district_contact: DistrictContact


class School(Shape):
    """A school."""

    id: str
    district: str
    name: str
    sis_id: str
    school_number: str
    state_id: Nullable
    nces_id: Nullable
    low_grade: Nullable
    high_grade: Nullable
    phone: Nullable
    location: Location
    principal: Principal
    created: str
    last_modified: str
    ext: dict[str, str] | MISSING = MISSING


class Course(Shape):
    """A course, derived from the sections that have it."""

    id: str
    district: str
    name: Nullable
    number: Nullable


class Term(Shape):
    """A term, derived from the sections that have it."""

    id: str
    district: str
    name: Nullable
    start_date: Nullable
    end_date: Nullable


class Section(Shape):
    """A section with the people in it that the application sees."""

    id: str
    district: str
    school: str
    course: Nullable
    term_id: Nullable
    name: str
    sis_id: str
    section_number: Nullable
    period: Nullable
    subject: Nullable
    grade: Nullable
    students: list[str]
    teacher: Nullable = Field(description="The primary teacher, or else the first one, that the application sees.")
    teachers: list[str]
    created: str
    last_modified: str
    ext: dict[str, str] | MISSING = MISSING


class Link(Shape):
    """A path relative to the host."""

    rel: str
    uri: str


Record = TypeVar("Record", bound=Shape)


class Response(Shape, Generic[Record]):
    """One record."""

    data: Record
    links: list[Link]


class Item(Shape, Generic[Record]):
    """A record in a list, and where it stands."""

    data: Record
    uri: str


class ListResponse(Shape, Generic[Record]):
    """One page of records, ascending by id."""

    data: list[Item[Record]]
    links: list[Link]
    count: int | MISSING = Field(MISSING, description="The number of records on all pages, if `count=true` asked.")


class Gone(Shape):
    """A record that the application does not see any more."""

    id: str


class EventData(Shape):
    """What an event is about."""

    object: User | Section | School | Course | Term | District | Gone = Field(
        description="The record as the application sees it now; of one that is deleted for it only the id."
    )


class Event(Shape):
    """A record that came, changed, or went, from the application's point of view: by whatever cause."""

    id: str = Field(description="Ascends with the order of events; a cursor of the feed.")
    type: Literal[
        "users.created", "users.updated", "users.deleted",
        "schools.created", "schools.updated", "schools.deleted",
        "sections.created", "sections.updated", "sections.deleted",
        "courses.created", "courses.updated", "courses.deleted",
        "terms.created", "terms.updated", "terms.deleted",
        "districts.created", "districts.updated", "districts.deleted",
    ]  # fmt: skip
    created: str
    data: EventData


class EventItem(Shape):
    """An event in a list, and where it stands."""

    data: Event
    uri: str


class EventResponse(Shape):
    """One event."""

    data: Event
    links: list[Link]


class EventsResponse(Shape):
    """One page of events, oldest first."""

    data: list[EventItem]
    links: list[Link]
    count: int | MISSING = Field(MISSING, description="The number of events on all pages, if `count=true` asked.")


class Me(Shape):
    """Whose token it is."""

    id: str
    district: str
    type: Literal["district"]
    authorized_by: Literal["district"]


class MeResponse(Shape):
    """The owner of a token."""

    type: Literal["district"]
    data: Me
    links: list[Link]


ONES: Final[dict[Numbering, type[BaseModel]]] = {
    "schools": Response[School],
    "terms": Response[Term],
    "courses": Response[Course],
    "sections": Response[Section],
    "people": Response[User],
}
LISTS: Final[dict[Numbering, type[BaseModel]]] = {
    "schools": ListResponse[School],
    "terms": ListResponse[Term],
    "courses": ListResponse[Course],
    "sections": ListResponse[Section],
    "people": ListResponse[User],
}
DistrictResponse = Response[District]
DistrictsResponse = ListResponse[District]
Responses = dict[int | str, dict[str, Any]]
REFUSALS: Final[Responses] = {
    401: {"description": "No token, or one that does not work."},
    404: {"description": "No such record among those that the application sees."},
    423: {"description": "The district has paused the application, which keeps what it has."},
    503: {"description": "The district has not published a roster yet, or the service cannot answer now."},
}
UNCHANGED: Final[Responses] = {304: {"description": "The answer is the one that `If-None-Match` names."}}
MALFORMED: Final[Responses] = {400: {"description": "A parameter is malformed."}}
TOO_MANY: Final[Responses] = {413: {"description": "More records asked for than a page holds."}}
GONE: Final[Responses] = {410: {"description": "Events after the cursor are gone; the message says how to go on."}}


def others(*, given: bool, listed: bool, feed: bool) -> Responses:
    """All but the answer of a route, by whether it takes parameters, and answers a page of a list or of the feed."""
    return {
        **UNCHANGED,
        **REFUSALS,
        **(MALFORMED if given else {}),
        **(TOO_MANY if listed or feed else {}),
        **(GONE if feed else {}),
    }
