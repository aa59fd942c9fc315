"""What can go wrong as a business fact, each with its HTTP status and a stable code.

SharingServiceError
├── BadParameter             400 bad_parameter     the partner API's word for a query that cannot be read
├── OAuthRefusal             400 invalid_request   or another code of RFC 6749, section 5.2
│   └── InvalidClient        401 invalid_client
├── Unauthenticated          401 unauthenticated
├── Forbidden                403 forbidden
├── NotFound                 404 not_found
│   └── NotShared            404 not_shared        nothing is set for this application yet
├── Conflict                 409 conflict
│   └── AlreadyIssued        409 already_issued    a secret is shown once only
├── CursorExpired            410 cursor_expired
├── VersionChanged           412 version_changed
├── TooLarge                 413 too_large
├── UnsupportedContent       415 unsupported_content
├── Invalid                  422 invalid           carries a list of problems, each with its place
│   ├── InvalidJson          422 invalid_json
│   └── TooDeep              422 too_deep
├── GrantPaused              423 paused
├── TooManyRequests          429 too_many_requests
├── NothingPublished         503 nothing_published
└── Unavailable              503 unavailable       the same request may succeed later
    ├── Busy                 503 busy              too much of its kind is at work
    └── TookTooLong          503 took_too_long     the database did not answer in time

Messages say what to do and never repeat a submitted value, because values may be personal data.
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class SharingServiceError(Exception):
    """A business fact that ends a request."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "The service failed."

    def __init__(self, message: str | None = None, *, code: str | None = None, **members: Any) -> None:
        """Describe the fact: `message` is shown to the caller, `members` join the problem document."""
        super().__init__(message or self.title)
        self.message = message or self.title
        self.problem_code = code or self.code
        self.members = members


class BadParameter(SharingServiceError):
    """A query parameter that Clever's data API would refuse."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_parameter"
    title: ClassVar[str] = "A query parameter is not valid."


class OAuthRefusal(SharingServiceError):
    """A request for a token that RFC 6749, section 5.2 refuses; the code is one of that section's."""

    status, code, title = 400, "invalid_request", "The request for a token is not valid."


class InvalidClient(OAuthRefusal):
    """No client, or one whose secret does not work."""

    status, code, title = 401, "invalid_client", "Send the client's id and a secret of it that works."


class Unauthenticated(SharingServiceError):
    """No token, or one that does not work."""

    status, code, title = 401, "unauthenticated", "Send a valid token as `Authorization: Bearer TOKEN`."


class Forbidden(SharingServiceError):
    """The caller is known and may not do this."""

    status, code, title = 403, "forbidden", "This token may not do that."


class NotFound(SharingServiceError):
    """Absent, another district's or not shared: the three answer alike."""

    status, code, title = 404, "not_found", "Not found."


class NotShared(NotFound):
    """The district has not chosen a sharing permission for this application."""

    code, title = "not_shared", "No sharing is set for this application."


class Conflict(SharingServiceError):
    """The request does not fit the present state."""

    status, code, title = 409, "conflict", "The request does not fit the present state."


class AlreadyIssued(Conflict):
    """A repeated request for a secret that was shown once."""

    code, title = "already_issued", "This was issued before; its secret is shown only once."


class CursorExpired(SharingServiceError):
    """Events after this cursor are gone."""

    status, code, title = (
        410,
        "cursor_expired",
        "Events after this cursor are gone. Take a new cursor (ending_before=last&limit=1), read the full lists again, "
        "and follow the events after that cursor.",
    )


class VersionChanged(SharingServiceError):
    """`If-Match` names another version than the present one."""

    status, code, title = 412, "version_changed", "It was changed meanwhile; read it again and repeat the change."


class TooLarge(SharingServiceError):
    """More bytes or records than one request may carry."""

    status, code, title = 413, "too_large", "The request is too large."


class UnsupportedContent(SharingServiceError):
    """A body in a form that this route does not read."""

    status, code, title = 415, "unsupported_content", "Send the body in one of the documented content types."


class Invalid(SharingServiceError):
    """The request is readable and wrong; `problems` says where and why, without the values."""

    status, code, title = 422, "invalid", "The request is not valid."

    def __init__(self, message: str | None = None, *, problems: Sequence[dict[str, Any]] = (), **members: Any) -> None:
        """List each problem as {"where", "message"} and whatever else helps."""
        super().__init__(message, problems=list(problems), **members)


class InvalidJson(Invalid):
    """A body that is not JSON."""

    code, title = "invalid_json", "The body is not valid JSON."


class TooDeep(Invalid):
    """A body of more lists and objects, within each other or in all, than any request needs."""

    code, title = "too_deep", "Send at most 32 lists and objects within each other, and 100,000 in all."


class GrantPaused(SharingServiceError):
    """The district paused this application; an empty answer would delete rosters."""

    status, code, title = 423, "paused", "The district has paused sharing with this application. Keep what you have."


class TooManyRequests(SharingServiceError):
    """A token or a client calls too often."""

    status, code, title = 429, "too_many_requests", "This caller calls too often. Wait, then go on more slowly."


class NothingPublished(SharingServiceError):
    """The district has no roster yet; an empty answer would delete rosters."""

    status, code, title = 503, "nothing_published", "This district has not published a roster yet. Try again later."


class Unavailable(SharingServiceError):
    """The database does not answer, or two writes stood in each other's way; the same request may succeed later."""

    status, code, title = 503, "unavailable", "The service cannot answer now. Try again."


class Busy(Unavailable):
    """As much is written, exported, uploaded or read in large pages as may be at once, for this district or for all."""

    code, title = "busy", "Too much of this kind is at work, for this district or for all. Try again."


class TookTooLong(Unavailable):
    """A statement was ended because it took longer than requests of its kind may."""

    code, title = "took_too_long", "The answer took too long to find. Try again, later or for less."
