"""Reads pages of a feed: its entries are expanded from the roster as the application sees it now.

So an event tells nothing that may no longer be told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from pyroaring import BitMap
from sqlalchemy import ARRAY, Integer, Text, bindparam, cast, func, select, tuple_

from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery import feed_entries, pages
from sharing_service.delivery.feed import BEGINNING, END, ORDER, EventPlace, Operation
from sharing_service.delivery.feed_entries import ONWARDS, Event, Wanted, check_cursor, take, take_back
from sharing_service.delivery.pages import Page
from sharing_service.delivery.references import DISTRICT
from sharing_service.delivery.views import View
from sharing_service.errors import NotFound
from sharing_service.roster.catalogue import PEOPLE, Numbering, numbering_of
from sharing_service.roster.models import Identity


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events with their records, oldest first, and whether others precede and follow."""

    page: Page
    preceded: bool
    followed: bool


_IDS: Final = Prepared(
    select(Identity.numbering, Identity.ordinal, cast(Identity.id, Text).label("id")).where(
        Identity.district_id == DISTRICT,
        tuple_(Identity.numbering, Identity.ordinal).in_(
            select(
                func.unnest(bindparam("numberings", type_=ARRAY(Text))),
                func.unnest(bindparam("ordinals", type_=ARRAY(Integer))),
            )
        ),
    )
)


async def onwards(
    snapshot: Snapshot, view: View, wanted: Wanted, after: EventPlace | None, *, limit: int, uri: str
) -> EventPage:
    """Up to `limit` events after a cursor, or from the oldest that is kept; CursorExpired if some of them are gone."""
    if after is not None:
        check_cursor(view, after)
    found = await take(snapshot, view, wanted, after or BEGINNING, limit=limit + 1, complete=after is not None)
    events, followed = found[:limit], len(found) > limit
    preceded = False
    if after is not None:
        first = events[0].place if events else after._replace(ordinal=after.ordinal + 1)
        preceded = bool(await take_back(snapshot, view, wanted, first, limit=1))
    return EventPage(await _expanded(snapshot, view, events, uri=uri), preceded, followed)


async def backwards(
    snapshot: Snapshot, view: View, wanted: Wanted, before: EventPlace, *, limit: int, uri: str
) -> EventPage:
    """The last `limit` events before a cursor; CursorExpired if some after it are gone."""
    check_cursor(view, before)
    found = await take_back(snapshot, view, wanted, before, limit=limit + 1)
    events, preceded = found[:limit][::-1], len(found) > limit
    last = events[-1].place if events else before._replace(ordinal=before.ordinal - 1)
    followed = before != END and bool(await take(snapshot, view, wanted, last, limit=1, complete=True))
    return EventPage(await _expanded(snapshot, view, events, uri=uri), preceded, followed)


async def single(snapshot: Snapshot, view: View, place: EventPlace | None) -> Page:
    """The event at a place, without an address; NotFound if it is none of this grant or not told any more."""
    if place is None or place.place >= len(ORDER):
        raise NotFound
    wanted = Wanted(kinds=[ORDER[place.place]])
    async for entry in feed_entries.entries(snapshot, view, wanted, place, ONWARDS):
        known = (entry.revision, entry.place) == place[:2] and not entry.expired
        if not known or place.ordinal not in wanted.told(entry, view) or entry.event(place.ordinal).place != place:
            break
        return await _expanded(snapshot, view, [entry.event(place.ordinal)], uri=None)
    raise NotFound


async def _expanded(snapshot: Snapshot, view: View, events: Sequence[Event], *, uri: str | None) -> Page:
    """Events with their records as a page, and everybody who is in it."""
    if not events:
        return Page()
    whole = Page(first=str(events[0].place.id), last=str(events[-1].place.id))
    objects: dict[tuple[Numbering, int], bytes] = {}
    gone: set[tuple[Numbering, int]] = set()
    present: dict[Numbering, BitMap] = {}
    for event in events:
        numbering = numbering_of(event.kind)
        if event.place.operation == Operation.DELETED:
            gone.add((numbering, event.place.ordinal))
        else:
            present.setdefault(numbering, BitMap()).add(event.place.ordinal)
    for numbering, ordinals in present.items():
        # JSON never holds a line end: in a string it is escaped.
        page = await pages.read(snapshot, view, numbering, ordinals)
        texts = b"\n".join(page.parts).split(b"\n")
        objects |= zip(((numbering, ordinal) for ordinal in ordinals), texts, strict=True)
        whole.persons |= page.persons
        whole.kinds |= page.kinds
    whole.persons |= BitMap(ordinal for numbering, ordinal in gone if numbering == "people")
    whole.kinds |= {event.kind for event in events if event.kind in PEOPLE}
    ids = await _ids(snapshot, view, gone)
    whole.parts.append(b",".join(_json(event, objects, ids, uri) for event in events))
    return whole


def _json(event: Event, objects: Mapping[Any, bytes], ids: Mapping[Any, str], uri: str | None) -> bytes:
    key = numbering_of(event.kind), event.place.ordinal
    told = f'{{"id":"{ids[key]}"}}'.encode() if event.place.operation == Operation.DELETED else objects[key]
    at = event.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    begin = f'{{"id":"{event.place.id}","type":"{event.type}","created":"{at}","data":{{"object":'
    text = begin.encode() + told + b"}}"
    return text if uri is None else b'{"data":' + text + f',"uri":"{uri}{event.place.id}"}}'.encode()


async def _ids(
    snapshot: Snapshot, view: View, wanted: Collection[tuple[Numbering, int]]
) -> dict[tuple[Numbering, int], str]:
    """The ids of records that may have left; an id outlives its record."""
    if not wanted:
        return {}
    rows = await _IDS.fetch(
        snapshot.driver,
        district_id=view.district_id,
        numberings=[numbering for numbering, _ in wanted],
        ordinals=[ordinal for _, ordinal in wanted],
    )
    return {(row["numbering"], row["ordinal"]): row["id"] for row in rows}
