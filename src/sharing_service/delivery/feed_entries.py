"""Entries of a feed in order, and which of their events an application is told, given what it sees now.

An event whose record is not shared any more is skipped, unless it says just that; its id stays a valid cursor.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import ARRAY, BigInteger, SmallInteger, Uuid, any_, bindparam, literal_column, select, tuple_

from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery.feed import BEGINNING, END, EXPIRED, ORDER, EventPlace, Operation, place_of
from sharing_service.delivery.models import FeedEntry
from sharing_service.delivery.references import DISTRICT
from sharing_service.delivery.views import View
from sharing_service.errors import CursorExpired
from sharing_service.roster.catalogue import Kind, Numbering, numbering_of

AT_ONCE: Final = 100
"""Entries that one statement reads; nearly all have some bytes."""

OBJECTS: Final[Mapping[Numbering, str]] = {
    "schools": "schools",
    "terms": "terms",
    "courses": "courses",
    "sections": "sections",
    "people": "users",
}
"""The first part of an event's type."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events of a feed are asked for."""

    kinds: Collection[Kind] = tuple(Kind)
    at_school: Mapping[Numbering, AbstractBitMap] | None = None
    """The records of one school; where a deleted record was is not told any more, so that it is in every list."""

    def told(self, entry: "Entry", view: View) -> AbstractBitMap:
        """The records of an entry of which an event is shown."""
        shown = (entry.sets[Operation.CREATED] | entry.sets[Operation.UPDATED]) & view.of_kind(entry.kind)
        if self.at_school is not None:
            shown &= self.at_school[numbering_of(entry.kind)]
        return shown | entry.sets[Operation.DELETED]


class Entry(NamedTuple):
    """What one revision changed among the records of one kind."""

    revision: int
    place: int
    at: datetime
    last: EventPlace
    expired: bool
    sets: tuple[BitMap, BitMap, BitMap]
    """By operation."""

    @property
    def kind(self) -> Kind:
        """Whose records they are."""
        return ORDER[self.place]

    def event(self, ordinal: int) -> "Event":
        """The event of one of its records."""
        [operation] = [operation for operation in Operation if ordinal in self.sets[operation]]
        return Event(EventPlace(self.revision, self.place, ordinal, operation), self.at)


class Event(NamedTuple):
    """One event, as far as it is known without its record."""

    place: EventPlace
    at: datetime

    @property
    def kind(self) -> Kind:
        """What its record is."""
        return ORDER[self.place.place]

    @property
    def type(self) -> str:
        """What happened to what."""
        return f"{OBJECTS[numbering_of(self.kind)]}.{Operation(self.place.operation).name.lower()}"


_f: Final = FeedEntry.__table__.alias("f")
_place: Final = tuple_(_f.c.revision, _f.c.place)
_from: Final = tuple_(bindparam("revision", type_=BigInteger), bindparam("place", type_=SmallInteger))
_of_grant: Final = select(
    *(_f.c[name] for name in ("revision", "place", "at", "last_id", "created", "updated", "deleted")),
    literal_column(f"({EXPIRED})").label("expired"),
).where(
    _f.c.district_id == DISTRICT,
    _f.c.application_id == bindparam("application_id", type_=Uuid),
    _f.c.place == any_(bindparam("places", type_=ARRAY(SmallInteger))),
)
ONWARDS: Final = Prepared(_of_grant.where(_place >= _from).order_by(_f.c.revision, _f.c.place).limit(AT_ONCE))
BACKWARDS: Final = Prepared(
    _of_grant.where(_place <= _from).order_by(_f.c.revision.desc(), _f.c.place.desc()).limit(AT_ONCE)
)


def check_cursor(view: View, cursor: EventPlace) -> None:
    """CursorExpired if events after this cursor are gone, or if it belongs to another feed than this connection's."""
    of_another = cursor > BEGINNING and cursor.revision < view.connected_revision
    # Of a database that was since restored: who went on from there would miss what happens again under its revisions.
    of_another |= view.revision < cursor.revision < END.revision
    if of_another or (view.expired_event is not None and cursor < _known(view.expired_event)):
        raise CursorExpired


async def count(snapshot: Snapshot, view: View, wanted: Wanted) -> int:
    """How many events there are."""
    every = entries(snapshot, view, wanted, BEGINNING, ONWARDS)
    return sum([len(wanted.told(entry, view)) async for entry in every if not entry.expired])


async def take(
    snapshot: Snapshot, view: View, wanted: Wanted, after: EventPlace, *, limit: int, complete: bool
) -> list[Event]:
    """Up to `limit` events after a place; with `complete` none may have expired."""
    found: list[Event] = []
    async for entry in entries(snapshot, view, wanted, after, ONWARDS):
        if entry.expired:
            if complete and entry.last > after:
                raise CursorExpired
            continue
        told = wanted.told(entry, view)
        if (entry.revision, entry.place) == after[:2]:
            told = told[told.rank(after.ordinal) if after.ordinal >= 0 else 0 :]
        found += [entry.event(ordinal) for ordinal in told[: limit - len(found)]]
        if len(found) == limit:
            break
    return found


async def take_back(snapshot: Snapshot, view: View, wanted: Wanted, before: EventPlace, *, limit: int) -> list[Event]:
    """Up to `limit` events before a place, the last one first."""
    found: list[Event] = []
    async for entry in entries(snapshot, view, wanted, before, BACKWARDS):
        if entry.expired:
            break
        told = wanted.told(entry, view)
        if (entry.revision, entry.place) == before[:2]:
            told = told[: told.rank(before.ordinal - 1) if before.ordinal > 0 else 0]
        found += [entry.event(ordinal) for ordinal in reversed(told[max(0, len(told) - limit + len(found)) :])]
        if len(found) == limit:
            break
    return found


async def entries(
    snapshot: Snapshot, view: View, wanted: Wanted, start: EventPlace, statement: Prepared
) -> AsyncIterator[Entry]:
    """The entries from a place on, in either direction."""
    places = [place for place, kind in enumerate(ORDER) if kind in wanted.kinds]
    revision, place = start[:2]
    while True:
        rows = await statement.fetch(
            snapshot.driver,
            district_id=view.district_id,
            application_id=view.application_id,
            places=places,
            revision=revision,
            place=place,
        )
        for row in rows:
            yield _entry(row)
        if len(rows) < AT_ONCE:
            return
        revision, place = rows[-1]["revision"], rows[-1]["place"] + (1 if statement is ONWARDS else -1)


def _entry(row: Mapping[str, Any]) -> Entry:
    created, updated, deleted = (BitMap.deserialize(row[name]) for name in ("created", "updated", "deleted"))
    sets = created, updated, deleted
    return Entry(row["revision"], row["place"], row["at"], _known(row["last_id"]), row["expired"], sets)


def _known(event_id: UUID) -> EventPlace:
    """The place of an id that the service has made."""
    place = place_of(event_id)
    assert place is not None  # noqa: S101 - it was made from a place
    return place
