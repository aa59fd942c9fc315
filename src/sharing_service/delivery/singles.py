"""One record by one statement, which is its own snapshot: token, grant, place and document together.

Which fragments and schools a grant has is known only after the token is found. So the statement takes what this process
saw last, and its answer counts only if the same row says that this is what the grant has now.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Integer, Text, cast, func, literal_column, select, true

from sharing_service.database import Prepared, inside
from sharing_service.delivery import ledger, pages, views
from sharing_service.delivery.fragments import granted_fragments
from sharing_service.delivery.joining import Fragments, Joined, joined, related_students, with_ordinals
from sharing_service.delivery.pages import Page
from sharing_service.delivery.references import DISTRICT
from sharing_service.delivery.views import Places, View
from sharing_service.roster.catalogue import PEOPLE, Kind


class Seen(NamedTuple):
    """What a grant had when its token came last."""

    fields: str
    ledger_id: UUID | None


class Single(NamedTuple):
    """The row of the token, what it sees, and the record."""

    entered: Mapping[str, Any]
    view: View
    page: Page


SEEN_AT_MOST: Final = 1024
_seen: OrderedDict[bytes, Seen] = OrderedDict()
"""By the digest of the token; a guess, never an answer."""


def remember(digest: bytes, entered: Mapping[str, Any]) -> None:
    """Keep what a token sees now, to be guessed next time."""
    _seen[digest] = Seen(entered["fields"], entered["ledger_id"])
    _seen.move_to_end(digest)
    if len(_seen) > SEEN_AT_MOST:
        _seen.popitem(last=False)


async def read(driver: asyncpg.Connection, district_id: UUID, digest: bytes, places: Places) -> Single | None:
    """The record of `places`, if this token sees it; None where that has to be found out step by step."""
    guess = _seen.get(digest)
    shared = guess and ledger.decoded(district_id, guess.ledger_id)
    if guess is None or shared is None or places.record is None or places.record[0] == "sections":
        return None
    numbering, _ = places.record
    kinds = PEOPLE if numbering == "people" else (Kind(numbering),)
    fields = views.fields_of(guess.fields)
    granted = tuple((kind, granted_fragments(fields, kind)) for kind in kinds)
    row: Any = await _statement(numbering, granted).fetchrow(
        driver, **views.entering(district_id, digest, places), schools=shared.school_mask, hidden=()
    )
    if row is None or row["revision"] is None or Seen(row["fields"], row["ledger_id"]) != guess:
        return None
    view = views.view_of(row, places, shared)
    if view.record is None or view.record not in view.of(numbering):
        return None
    page, related = pages.page_of(row, view, numbering)
    if not page.parts or related - view.of_kind(Kind.STUDENTS):
        return None
    page.kinds = frozenset(kind for kind in kinds if view.record in view.of_kind(kind))
    return Single(row, view, page)


@lru_cache(maxsize=256)
def _statement(numbering: Joined, granted: Fragments) -> Prepared:
    # The token waits for the settings, and the record for the token.
    digest = func.encode(views.DIGEST, literal_column("'hex'"))
    entered = inside(views.ENTERING, district_id=cast(DISTRICT, Text), token_digest=digest).cte("entered")
    only = cast(select(func.array_agg(entered.c.record)).scalar_subquery(), ARRAY(Integer))
    page = joined(numbering, granted, enveloped=False)
    if numbering == "people":
        page = page.add_columns(related_students().label("related"))
    record = with_ordinals(page, only).subquery("record")
    return Prepared(select(entered, record).select_from(entered.outerjoin(record, true())))
