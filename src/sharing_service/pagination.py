"""Opaque cursors and pages of the management lists."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from sharing_service.errors import Invalid

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list: `next` is the cursor of the following page, or null on the last."""

    data: Sequence[Item]
    next: str | None = Field(description="Send it as `after` to read on; null on the last page.")
    total: int = Field(description="Number of records on all pages together.")


def encode_cursor(position: str | int) -> str:
    """An opaque cursor that names the last record of a page."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str | int:
    """The position that a cursor names; anything else than a cursor of ours is refused."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        position = None
    if not isinstance(position, str | int) or isinstance(position, bool):
        raise Invalid("`after` is not a cursor of this service; send the `next` of the page before.")
    return position


def page_of(rows: Sequence[Item], *, limit: int, total: int, position: Callable[[Item], str | int]) -> Page[Item]:
    """A page from up to `limit` + 1 rows; the row beyond the limit only tells that there are more."""
    shown = rows[:limit]
    return Page(data=shown, next=encode_cursor(position(shown[-1])) if len(rows) > limit else None, total=total)
