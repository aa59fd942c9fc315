"""Query parameters of the partner API, as Clever's data API has them, and the window of a list that they ask for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from pyroaring import AbstractBitMap
from starlette.datastructures import URL, QueryParams

from sharing_service.delivery.feed import place_of
from sharing_service.delivery.views import View
from sharing_service.errors import BadParameter, TooLarge
from sharing_service.roster.catalogue import PEOPLE, Kind

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
PAGING: Final = ("limit", "starting_after", "ending_before", "count")
FEED: Final = ("limit", "feed_after", "feed_before", "count", "school", "record_type")
CURSORS: Final = ("starting_after", "ending_before")
FLAGS: Final = ("true", "false", "undefined", "")
"""What `count` and `primary` may be; only the first asks for something."""
LEAST: Final = str(UUID(int=0))
GREATEST: Final = str(UUID(int=2**128 - 1))
ROLES: Final[dict[str, Kind | None]] = {
    "student": Kind.STUDENTS,
    "teacher": Kind.TEACHERS,
    "staff": Kind.STAFF,
    "contact": Kind.CONTACTS,
    "district_admin": None,
}
"""What `role` selects; a roster here has no district admins."""

RECORD_TYPES: Final[dict[str, tuple[Kind, ...]]] = {
    "users": PEOPLE,
    "schools": (Kind.SCHOOLS,),
    "sections": (Kind.SECTIONS,),
    "courses": (Kind.COURSES,),
    "terms": (Kind.TERMS,),
    "districts": (),
}
"""What `record_type` selects; of the district itself nothing changes that an event would tell."""
ONE_CURSOR: Final = "Send either `starting_after` or `ending_before`."


@dataclass(frozen=True, slots=True)
class ListParameters:
    """How much of a list is asked for, and where it begins or ends."""

    limit: int
    starting_after: UUID | None
    ending_before: UUID | None
    count: bool
    role: str | None
    primary: bool
    last: bool = False
    """The newest page: `ending_before=last`."""
    school: UUID | None = None
    record_types: frozenset[str] = frozenset()


class Window(NamedTuple):
    """The ordinals of one page, and whether others precede and follow."""

    ordinals: AbstractBitMap
    total: int
    preceded: bool
    followed: bool


def parse(query: QueryParams, *, roles: bool = False, primary: bool = False) -> ListParameters:
    """Read the parameters of a list, `role` and `primary` if it has them; BadParameter or TooLarge if one is wrong."""
    after, before = (_cursor(query, name) for name in CURSORS)
    if after and before:
        raise BadParameter(ONE_CURSOR)
    role = query.get("role") if roles else None
    if role is not None and role not in ROLES:
        raise BadParameter(f"`role` is one of {', '.join(ROLES)}.")
    return ListParameters(
        limit=_limit(query.get("limit")),
        starting_after=after,
        ending_before=before,
        count=flag(query, "count"),
        role=role,
        primary=primary and flag(query, "primary"),
    )


def flag(query: QueryParams, name: str) -> bool:
    """Whether `count` or `primary` is true; BadParameter if it is nothing that it may be."""
    text = query.get(name, "")
    if text not in FLAGS:
        raise BadParameter(f"`{name}` is true or false.")
    return text == "true"


def parse_feed(query: QueryParams) -> ListParameters:
    """Read the parameters of the feed; BadParameter or TooLarge if one is malformed."""
    last = query.get("ending_before") == "last"
    if last and "starting_after" in query:
        raise BadParameter(ONE_CURSOR)
    others = [(name, value) for name, value in query.multi_items() if not last or name != "ending_before"]
    parameters = parse(QueryParams(others))
    for cursor in (parameters.starting_after, parameters.ending_before):
        if cursor is not None and place_of(cursor) is None:
            raise BadParameter("A cursor of the feed is the id of an event.")
    school = query.get("school")
    school_id = None if school is None else canonical_id(school)
    if school is not None and school_id is None:
        raise BadParameter("`school` is the id of a school.")
    types = frozenset(name for text in query.getlist("record_type") for name in text.split(","))
    if not types <= RECORD_TYPES.keys():
        raise BadParameter(f"`record_type` is one or more of {', '.join(RECORD_TYPES)}.")
    return replace(parameters, last=last, school=school_id, record_types=types)


def canonical_id(text: str) -> UUID | None:
    """The id that a text spells; an id has one spelling, so that a record has one address."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def window_of(found: AbstractBitMap, parameters: ListParameters, view: View) -> Window:
    """The page of a list that the parameters ask for."""
    total = len(found)
    if view.before is not None:
        end = found.rank(view.before - 1) if view.before > 0 else 0
        start = max(0, end - parameters.limit)
    else:
        start = found.rank(view.after) if view.after is not None and view.after >= 0 else 0
        end = min(total, start + parameters.limit)
    return Window(found[start:end], total, preceded=start > 0, followed=end < total)


def self_link(url: URL) -> tuple[str, str]:
    """Where this very answer stands."""
    return "self", f"{url.path}?{url.query}" if url.query else url.path


def page_links(
    url: URL, query: QueryParams, *, first: str, last: str, preceded: bool, followed: bool
) -> Iterator[tuple[str, str]]:
    """Where this page, the next and the one before stand, given the ids at its ends; the other parameters are kept."""
    yield self_link(url)
    others = [(name, value) for name, value in query.multi_items() if name not in CURSORS]
    # An empty page has no ids to go on from: every id is compared, so the last and first possible ones do.
    if followed:
        yield "next", f"{url.path}?{urlencode([*others, ('starting_after', last or LEAST)])}"
    if preceded:
        yield "prev", f"{url.path}?{urlencode([*others, ('ending_before', first or GREATEST)])}"


def documented(*names: str) -> list[dict[str, Any]]:
    """These query parameters as the OpenAPI document shows them."""
    return [{"name": name, "in": "query", "required": False, **_DOCUMENTED[name]} for name in names]


PATH_ID: Final[dict[str, Any]] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
    "example": "01a20a5a-a42e-7008-91f5-394749df7fc8",
}
IF_NONE_MATCH: Final[dict[str, Any]] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of the answer that the application has; while that is the present one, 304 says so.",
}
_DOCUMENTED: Final[dict[str, dict[str, Any]]] = {
    "limit": {
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "description": "Records on a page.",
    },
    "starting_after": {
        "schema": {"type": "string", "format": "uuid"},
        "description": "Only records whose id is greater.",
    },
    "ending_before": {
        "schema": {"type": "string", "format": "uuid"},
        "description": "The last records whose id is smaller; not together with `starting_after`.",
    },
    "count": {
        "schema": {"type": "string", "enum": list(FLAGS)},
        "description": "`true` adds the number of records on all pages.",
    },
    "role": {"schema": {"type": "string", "enum": list(ROLES)}, "description": "Only users with this role."},
    "feed_after": {
        "name": "starting_after",
        "schema": {"type": "string", "format": "uuid"},
        "description": "Only events after this one. The id of zeros stands before all: a feed without any event "
        "is followed from there.",
    },
    "feed_before": {
        "name": "ending_before",
        "schema": {"anyOf": [{"type": "string", "format": "uuid"}, {"const": "last"}]},
        "description": "The last events before this one, or with `last` the newest of all; not together with "
        "`starting_after`.",
    },
    "school": {
        "schema": {"type": "string", "format": "uuid"},
        "description": "Only events of records that are at this school now, and all that say that a record went.",
    },
    "record_type": {
        "schema": {"type": "array", "items": {"type": "string", "enum": list(RECORD_TYPES)}},
        "description": "Only events of these types, repeated or separated by commas.",
    },
    "primary": {
        "schema": {"type": "string", "enum": list(FLAGS)},
        "description": "`true`: only where a user's `school`, the first shared one, is concerned.",
    },
}


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit()) or not (digits := text.lstrip("0")):
        raise BadParameter("`limit` is a number from 1 to 10000.")
    if len(digits) > len(str(MAX_LIMIT)) or int(digits) > MAX_LIMIT:
        raise TooLarge("`limit` is at most 10000.")
    return int(digits)


def _cursor(query: QueryParams, name: str) -> UUID | None:
    text = query.get(name)
    if text is None:
        return None
    cursor = canonical_id(text)
    if cursor is None:
        raise BadParameter(f"`{name}` is the id of a record.")
    return cursor
