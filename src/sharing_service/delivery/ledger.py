"""Ledgers: what each grant shares now, one Roaring bitmap of ordinals per kind. One truth, many readers."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from pyroaring import BitMap, FrozenBitMap
from sqlalchemy import Uuid, bindparam, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sharing_service.database import Prepared, Snapshot
from sharing_service.delivery import feed
from sharing_service.delivery.differences import Sight, difference
from sharing_service.delivery.models import StoredLedger
from sharing_service.roster.catalogue import PEOPLE, Kind
from sharing_service.sharing import grants, kept
from sharing_service.sharing.graph import Graph
from sharing_service.sharing.models import Grant
from sharing_service.sharing.permissions import SharingPermission
from sharing_service.sharing.resolver import resolve, with_companions

COUNTED: Final = (Kind.SCHOOLS, Kind.SECTIONS, Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF)
"""The kinds that counts and changes show; the others come along with them."""

Counts = dict[str, int]


class Change(NamedTuple):
    """The ordinals of one kind that a new ledger adds and removes."""

    added: BitMap
    removed: BitMap


Changes = dict[Kind, Change]


@dataclass(frozen=True)
class Ledger:
    """An immutable set of ordinals per kind; contacts of shared students are always in it, whoever may read them.

    What is computed from them for each request is kept as well.
    """

    id: UUID
    sets: Mapping[Kind, FrozenBitMap]

    def of(self, kind: Kind) -> FrozenBitMap:
        """The ordinals of one kind."""
        return self.sets[kind]

    def users(self, *, contacts: bool) -> FrozenBitMap:
        """All persons: students, teachers, staff, and contacts if the application asked for them."""
        return self._everybody if contacts else self._without_contacts

    @cached_property
    def _everybody(self) -> FrozenBitMap:
        return FrozenBitMap.union(*(self.sets[kind] for kind in PEOPLE))

    @cached_property
    def _without_contacts(self) -> FrozenBitMap:
        return FrozenBitMap.union(*(self.sets[kind] for kind in PEOPLE if kind is not Kind.CONTACTS))

    @cached_property
    def school_mask(self) -> bytes:
        """One bit for each school, as `get_bit` of the server counts them: looked up at once, however many they are."""
        schools = self.of(Kind.SCHOOLS)
        mask = bytearray(schools.max() // 8 + 1 if schools else 0)
        for school in schools:
            mask[school >> 3] |= 1 << (school & 7)
        return bytes(mask)

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


async def of_id(source: AsyncSession | Snapshot, district_id: UUID, ledger_id: UUID | None) -> Ledger:
    """The ledger with this id, decoded once in a process; None is the empty one."""
    if ledger_id is None:
        return EMPTY
    key = (district_id, ledger_id)
    ledger = _decoded.pop(key, None)
    if ledger is None:
        stored = await _stored(source, district_id, ledger_id)
        ledger = Ledger(ledger_id, {kind: FrozenBitMap.deserialize(stored[kind.value]) for kind in Kind})
    _decoded[key] = ledger
    while len(_decoded) > _DECODED_AT_MOST:
        _decoded.popitem(last=False)
    return ledger


def decoded(district_id: UUID, ledger_id: UUID | None) -> Ledger | None:
    """The ledger with this id, if the process has decoded it and not forgotten it since."""
    return EMPTY if ledger_id is None else _decoded.get((district_id, ledger_id))


_STORED: Final = select(*(StoredLedger.__table__.c[kind.value] for kind in Kind)).where(
    StoredLedger.district_id == bindparam("district_id", type_=Uuid), StoredLedger.id == bindparam("id", type_=Uuid)
)
_PREPARED: Final = Prepared(_STORED)


async def _stored(source: AsyncSession | Snapshot, district_id: UUID, ledger_id: UUID) -> Mapping[str, bytes]:
    if isinstance(source, Snapshot):
        [row] = await _PREPARED.fetch(source.driver, district_id=district_id, id=ledger_id)
    else:
        row = (await source.execute(_STORED, {"district_id": district_id, "id": ledger_id})).mappings().one()
    return dict(row)


async def evaluate(
    session: AsyncSession, district_id: UUID, grant: Grant, sharing: SharingPermission, graph: Graph
) -> Ledger:
    """What a grant would share under a permission, given a roster, and selections and blocks of now. Stores nothing."""
    sites = await grants.sites_of(session, district_id, grant, sharing)
    blocked = BitMap(await grants.blocked_persons(session, district_id, grant.application_id))
    found = {kind: BitMap() for kind in Kind}
    for part in await resolve(session, district_id, graph, sharing, sites):
        for kind, ordinals in with_companions(graph, part, blocked).items():
            found[kind] |= ordinals
    return Ledger(uuid7(), {kind: FrozenBitMap(ordinals) for kind, ordinals in found.items()})


def without(before: Ledger, nearby: Graph, person: int) -> Ledger:
    """What a grant shares when a person is blocked who was not, given the graph around this person.

    Nobody else goes but a student's contacts who are those of no other student that is shared. `before` is what
    `evaluate` would find, so what the mode shares need not be asked again.
    """
    if person not in before.users(contacts=False):
        return before
    theirs = nearby.contacts.rights(BitMap([person]))
    others = nearby.contacts.lefts(theirs) & before.of(Kind.STUDENTS)
    others.discard(person)
    gone = theirs - nearby.contacts.rights(others)
    gone.add(person)
    sets = {kind: FrozenBitMap(before.of(kind) - gone) if kind in PEOPLE else before.of(kind) for kind in Kind}
    return Ledger(uuid7(), sets)


async def rebuild(
    session: AsyncSession,
    district_id: UUID,
    grant: Grant,
    sharing: SharingPermission | None,
    *,
    revision: int,
    graph: Graph | None = None,
) -> Changes:
    """Evaluate a grant by the permission that it has now and point it to the result, under the revision of the change.

    A graph of the published roster may come from whoever rebuilds many. The old ledger is kept when nothing moved.
    Returns what the application gains and loses, kind by kind.
    """
    with session.no_autoflush:  # the new permission and its ledger are written together, as the table demands
        before = await current(session, district_id, grant)
        after = EMPTY
        if sharing is not None:
            graph = graph or await kept.published(session, district_id)
            after = await evaluate(session, district_id, grant, sharing, graph)
        return await point_to(session, district_id, grant, graph, before=before, after=after, revision=revision)


async def point_to(
    session: AsyncSession,
    district_id: UUID,
    grant: Grant,
    graph: Graph | None,
    *,
    before: Ledger,
    after: Ledger,
    revision: int,
) -> Changes:
    """Store an evaluated ledger, point the grant to it, and tell its feed; only the empty one needs no graph."""
    changes = after.changes_from(before)
    if after is EMPTY:
        grant.ledger_id = None
    elif grant.ledger_id is None or moves(changes):
        await store(session, district_id, grant.application_id, after)
        grant.ledger_id = after.id
    grant.revision = revision
    await session.flush()
    if before.id not in (EMPTY.id, grant.ledger_id):
        await drop(session, district_id, [before.id])
    fields = grants.fields_of(grant)
    differences = difference(Sight(before.sets, fields), Sight(after.sets, fields), graph)
    await feed.write(session, district_id, grant.application_id, differences, revision=revision)
    return changes


def moves(changes: Changes) -> bool:
    """Whether anything is added or removed."""
    return any(change.added or change.removed for change in changes.values())


async def store(session: AsyncSession, district_id: UUID, application_id: UUID, ledger: Ledger) -> None:
    """Write a ledger down, which nobody reads until a grant points to it."""
    bitmaps = {kind.value: feed.serialized(ledger.of(kind)) for kind in Kind}
    row = {"district_id": district_id, "id": ledger.id, "application_id": application_id, **bitmaps}
    await session.execute(insert(StoredLedger).values(row))


async def drop(session: AsyncSession, district_id: UUID, ids: Sequence[UUID]) -> None:
    """Delete ledgers that no grant points to."""
    if ids:
        named = (StoredLedger.district_id == district_id, StoredLedger.id.in_(ids))
        await session.execute(delete(StoredLedger).where(*named))


async def drop_left(session: AsyncSession, district_id: UUID) -> None:
    """Delete what publications have left: the ledgers that no grant points to."""
    pointed = exists().where(Grant.district_id == StoredLedger.district_id, Grant.ledger_id == StoredLedger.id)
    await session.execute(delete(StoredLedger).where(StoredLedger.district_id == district_id, ~pointed))
