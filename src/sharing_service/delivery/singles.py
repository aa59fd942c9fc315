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
from sharing_service.delivery.joining import Joined, joined, related_students, with_ordinals
from sharing_service.delivery.ledger import Ledger
from sharing_service.delivery.pages import Page
from sharing_service.delivery.references import DISTRICT
from sharing_service.delivery.views import Places, View
from sharing_service.roster.catalogue import PEOPLE, Kind
from sharing_service.roster.ordinals import ordinal_in


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
    numbering, record_id = places.record
    kind = _kind_of(record_id, shared) if numbering == "people" else Kind(numbering)
    if kind is None:
        return None
    fields = views.fields_of(guess.fields)
    row: Any = await _statement(numbering, kind, granted_fragments(fields, kind)).fetchrow(
        driver, **views.entering(district_id, digest, places), schools=shared.school_mask, hidden=()
    )
    if row is None or row["revision"] is None or Seen(row["fields"], row["ledger_id"]) != guess:
        return None
    view = views.view_of(row, places, shared)
    # Of another kind it would have been told in the wrong form.
    if view.record is None or view.record not in view.of_kind(kind):
        return None
    page, related = pages.page_of(row, view, numbering)
    if not page.parts or related - view.of_kind(Kind.STUDENTS):
        return None
    page.kinds = frozenset({kind})
    return Single(row, view, page)


def _kind_of(person: UUID, shared: Ledger) -> Kind | None:
    """The kind of whoever an id seems to name: a statement for all kinds takes twice as long to begin."""
    ordinal = ordinal_in(person)
    return next((kind for kind in PEOPLE if ordinal in shared.of(kind)), None)


@lru_cache(maxsize=1024)
def _statement(numbering: Joined, kind: Kind, fragments: tuple[str, ...]) -> Prepared:
    # The token waits for the settings, and the record for the token.
    digest = func.encode(views.DIGEST, literal_column("'hex'"))
    entered = inside(views.ENTERING, district_id=cast(DISTRICT, Text), token_digest=digest).cte("entered")
    only = cast(select(func.array_agg(entered.c.record)).scalar_subquery(), ARRAY(Integer))
    page = joined(numbering, ((kind, fragments),), enveloped=False)
    if kind is Kind.CONTACTS:
        page = page.add_columns(related_students().label("related"))
    record = with_ordinals(page, only).subquery("record")
    return Prepared(select(entered, record).select_from(entered.outerjoin(record, true())))
