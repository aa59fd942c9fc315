"""Ledgers: what each grant shares now, one Roaring bitmap of ordinals per kind. One truth, many readers."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from pyroaring import BitMap, FrozenBitMap
from sqlalchemy import ARRAY, CompoundSelect, Integer, delete, func, insert, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.delivery.models import StoredLedger
from sharing_service.roster.catalogue import PEOPLE, Kind
from sharing_service.sharing import grants
from sharing_service.sharing.models import Grant
from sharing_service.sharing.permissions import SharingPermission
from sharing_service.sharing.resolver import resolve, with_companions
from sharing_service.sharing.selects import Ordinals

COUNTED: Final = (Kind.SCHOOLS, Kind.SECTIONS, Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF)
"""The kinds that counts and changes show; the others come along with them."""

Counts = dict[str, int]


class Change(NamedTuple):
    """The ordinals of one kind that a new ledger adds and removes."""

    added: BitMap
    removed: BitMap


Changes = dict[Kind, Change]


@dataclass(frozen=True, slots=True)
class Ledger:
    """An immutable set of ordinals per kind; contacts of shared students are always in it, whoever may read them."""

    id: UUID
    sets: Mapping[Kind, FrozenBitMap]

    def of(self, kind: Kind) -> FrozenBitMap:
        """The ordinals of one kind."""
        return self.sets[kind]

    def users(self, *, contacts: bool) -> BitMap:
        """All persons: students, teachers, staff, and contacts if the application asked for them."""
        return BitMap.union(*(BitMap(self.sets[kind]) for kind in PEOPLE if contacts or kind is not Kind.CONTACTS))

    def counts(self) -> Counts:
        """How many records of each counted kind are shared."""
        return {kind.value: len(self.sets[kind]) for kind in COUNTED}

    def changes_from(self, before: "Ledger") -> Changes:
        """What this ledger adds and removes, kind by kind."""
        return {
            kind: Change(BitMap(self.sets[kind] - before.sets[kind]), BitMap(before.sets[kind] - self.sets[kind]))
            for kind in Kind
        }


EMPTY: Final = Ledger(UUID(int=0), {kind: FrozenBitMap() for kind in Kind})


_DECODED_AT_MOST: Final = 256
_decoded: OrderedDict[tuple[UUID, UUID], Ledger] = OrderedDict()
"""Ledgers by district and id. They never change, so nothing here grows stale; the oldest used goes first."""


async def current(session: AsyncSession, district_id: UUID, grant: Grant) -> Ledger:
    """What a grant shares now; nothing while the district has not chosen."""
    return await of_id(session, district_id, grant.ledger_id)


async def of_id(session: AsyncSession, district_id: UUID, ledger_id: UUID | None) -> Ledger:
    """The ledger with this id, decoded once in a process; None is the empty one."""
    if ledger_id is None:
        return EMPTY
    key = (district_id, ledger_id)
    ledger = _decoded.pop(key, None)
    if ledger is None:
        stored = await session.get_one(StoredLedger, key)
        ledger = Ledger(stored.id, {kind: FrozenBitMap.deserialize(getattr(stored, kind.value)) for kind in Kind})
    _decoded[key] = ledger
    while len(_decoded) > _DECODED_AT_MOST:
        _decoded.popitem(last=False)
    return ledger


async def evaluate(session: AsyncSession, district_id: UUID, grant: Grant, sharing: SharingPermission) -> Ledger:
    """What a grant would share under a permission, given the roster, selections and blocks of now. Stores nothing."""
    sites = await grants.sites_of(session, district_id, grant, sharing)
    blocked = await grants.blocked_persons(session, district_id, grant.application_id)
    found = {kind: BitMap() for kind in Kind}
    for part in resolve(district_id, sharing, sites):
        rows = await session.execute(_collected(with_companions(district_id, part, blocked)))
        for kind, ordinals in rows:
            found[Kind(kind)] |= BitMap(ordinals or ())
    return Ledger(uuid7(), {kind: FrozenBitMap(ordinals) for kind, ordinals in found.items()})


def _collected(part: Mapping[Kind, Ordinals]) -> CompoundSelect[str, list[int] | None]:
    """One statement that gives one array of ordinals per kind, so that all kinds see the same matched sets."""
    subqueries = {kind: found.subquery() for kind, found in part.items()}
    return union_all(
        *(
            select(literal(kind.value), func.array_agg(found.c.ordinal, type_=ARRAY(Integer)))
            for kind, found in subqueries.items()
        )
    )


async def rebuild(session: AsyncSession, district_id: UUID, grant: Grant, *, revision: int) -> Changes:
    """Evaluate a grant anew and point it to the result, under the revision of whatever changed it.

    The old ledger is kept when nothing moved. Returns what the application gains and loses, kind by kind.
    """
    with session.no_autoflush:  # the new permission and its ledger are written together, as the table demands
        before = await current(session, district_id, grant)
        sharing = grants.permission_of(grant)
        after = EMPTY if sharing is None else await evaluate(session, district_id, grant, sharing)
        return await point_to(session, district_id, grant, before=before, after=after, revision=revision)


async def point_to(
    session: AsyncSession, district_id: UUID, grant: Grant, *, before: Ledger, after: Ledger, revision: int
) -> Changes:
    """Store an evaluated ledger and make it the one that the grant shares."""
    changes = after.changes_from(before)
    unchanged = not any(change.added or change.removed for change in changes.values())
    if after is EMPTY:
        grant.ledger_id = None
    elif grant.ledger_id is None or not unchanged:
        await session.execute(insert(StoredLedger).values(_row(district_id, grant, after)))
        grant.ledger_id = after.id
    grant.revision = revision
    await session.flush()
    if before.id not in (EMPTY.id, grant.ledger_id):
        await session.execute(
            delete(StoredLedger).where(StoredLedger.district_id == district_id, StoredLedger.id == before.id)
        )
    return changes


def _row(district_id: UUID, grant: Grant, ledger: Ledger) -> dict[str, object]:
    bitmaps = {kind.value: _serialized(ledger.of(kind)) for kind in Kind}
    return {"district_id": district_id, "id": ledger.id, "application_id": grant.application_id, **bitmaps}


def _serialized(ordinals: FrozenBitMap) -> bytes:
    compact = BitMap(ordinals)
    compact.run_optimize()
    return compact.serialize()
