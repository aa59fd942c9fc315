"""When a token or a secret stops working by itself."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from sharing_service.errors import Invalid


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999") from None


ExpiresAt = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def check_future(expires_at: datetime | None) -> None:
    """Refuse an end that has passed, by the name that requests give it."""
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Invalid(problems=[{"where": ["body", "expires_at"], "message": "must lie in the future"}])
