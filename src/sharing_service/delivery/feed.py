"""The feed of a grant: what each revision changed for its application, written with the revision itself.

The id of a feed event is made of its place in the feed, so that ids ascend as events do and a cursor is compared, never
looked up: revision, kind, ordinal and operation in the free bits of a UUID of version 8 (RFC 9562, section 5.8).
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from pyroaring import AbstractBitMap, BitMap
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery.differences import Difference, Differences
from sharing_service.delivery.models import FeedEntry
from sharing_service.roster.catalogue import Kind

ORDER: Final = (
    Kind.SCHOOLS,
    Kind.TERMS,
    Kind.COURSES,
    Kind.STUDENTS,
    Kind.TEACHERS,
    Kind.STAFF,
    Kind.CONTACTS,
    Kind.SECTIONS,
)
"""The kinds as they come within a revision: people before the sections that list them."""
DAYS: Final = 30
"""How long an event is kept."""
EXPIRED: Final = f"""
f.at < now() - interval '{DAYS} days'
and f.revision < (select max(n.revision) from feed n
                  where n.district_id = f.district_id and n.application_id = f.application_id)
"""  # noqa: S608 - made of this page's own text
"""Whether an entry is too old, in SQL. The newest revision stays: its last event is the cursor of who begins now."""
EXPIRED_AT_ONCE: Final = 1000
"""Entries that leave when new ones are written; a busy month leaves by and by."""

_VERSION: Final = 8 << 76 | 2 << 62
_REVISION_DIGITS: Final = 13
"""Of the text of an id, a hyphen among them."""


class Operation(IntEnum):
    """What happened to a record, from the application's point of view."""

    CREATED = 0
    UPDATED = 1
    DELETED = 2


class EventPlace(NamedTuple):
    """Where an event stands in the feed of its grant; places compare as their ids do."""

    revision: int
    place: int
    """Of the kind in ORDER."""
    ordinal: int
    operation: int

    @property
    def id(self) -> UUID:
        """The id of the event."""
        return UUID(int=self.revision << 80 | _VERSION | self.place << 64 | self.ordinal << 2 | self.operation)


BEGINNING: Final = EventPlace(0, 0, -1, 0)
END: Final = EventPlace(2**48, 0, 0, 0)
_ENDS: Final = {UUID(int=0): BEGINNING, UUID(int=2**128 - 1): END}


def place_of(event_id: UUID) -> EventPlace | None:
    """Where an id stands: any id of this form, and the least and the greatest of all; None for others."""
    number = event_id.int
    place = EventPlace(number >> 80, number >> 64 & 0xFFF, number >> 2 & 0xFFFFFFFF, number & 3)
    return place if place.id == event_id else _ENDS.get(event_id)


def revision_of_ids(revision: int) -> str:
    """How the text of every id of a revision begins."""
    return str(EventPlace(revision, 0, 0, 0).id)[:_REVISION_DIGITS]


async def write(
    session: AsyncSession, district_id: UUID, application_id: UUID, differences: Differences, *, revision: int
) -> None:
    """Write what a revision changed for a grant, in its transaction, and let go what is too old of its feed."""
    if rows := entries(application_id, differences, revision=revision):
        told = {"district_id": district_id, "revision": revision}
        await session.execute(insert(FeedEntry), [told | row for row in rows])
        await expire(session, district_id, [application_id])


def entries(application_id: UUID, differences: Differences, *, revision: int) -> list[dict[str, Any]]:
    """The entries of a grant for one revision: whose they are and what they tell, but the district and the revision."""
    return [
        _entry(application_id, place, differences[kind], revision=revision)
        for place, kind in enumerate(ORDER)
        if differences[kind]
    ]


def _entry(application_id: UUID, place: int, changed: Difference, *, revision: int) -> dict[str, Any]:
    last = max((ordinals.max(), operation) for ordinals, operation in zip(changed, Operation, strict=True) if ordinals)
    return {
        "application_id": application_id,
        "place": place,
        "last_id": EventPlace(revision, place, *last).id,
        **{name: serialized(ordinals) for name, ordinals in changed._asdict().items()},
    }


_EXPIRE: Final = f"""
with gone as (
    delete from feed where ctid = any(array(
        select f.ctid from feed f
        where f.district_id = :district_id and f.application_id = any(:applications) and {EXPIRED}
        order by f.revision, f.place limit {EXPIRED_AT_ONCE}
    ))
    returning application_id, last_id
)
update grants g set expired_event = last.id
from (select distinct on (application_id) application_id, last_id as id from gone order by application_id, last_id desc) last
where g.district_id = :district_id and g.application_id = last.application_id
"""  # noqa: E501, S608 - made of this page's own text


async def expire(session: AsyncSession, district_id: UUID, applications: Iterable[UUID]) -> None:
    """Delete the oldest entries that are too old, and keep in mind which event was the last of them."""
    await session.execute(text(_EXPIRE), {"district_id": district_id, "applications": list(applications)})


def serialized(ordinals: AbstractBitMap) -> bytes:
    """A bitmap as it is stored: neighbours as runs."""
    compact = BitMap(ordinals)
    compact.run_optimize()
    return compact.serialize()
