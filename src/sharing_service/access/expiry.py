"""When a token or a secret stops working by itself."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from sharing_service.errors import Invalid

DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written(moment: Any) -> Any:
    """A number would be taken for seconds or milliseconds since 1970, whichever fits."""
    if not isinstance(moment, datetime) and DATE.match(str(moment)) is None:
        raise ValueError("should be a date and time as RFC 3339 writes them")
    return moment


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999") from None


ExpiresAt = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]


def check_future(expires_at: datetime | None) -> None:
    """Refuse an end that has passed, by the name that requests give it."""
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Invalid(problems=[{"where": ["body", "expires_at"], "message": "must lie in the future"}])
