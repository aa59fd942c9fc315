"""All ledgers of a district: evaluated on a roster not published yet, then swapped in under one revision."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery import feed_drafts, ledger
from sharing_service.delivery.differences import Moved, Sight, difference
from sharing_service.delivery.ledger import EMPTY, Ledger
from sharing_service.roster import revisions
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.models import District
from sharing_service.sharing import grants, kept, nearby
from sharing_service.sharing.fields import GrantedFields
from sharing_service.sharing.graph import Coming
from sharing_service.sharing.models import Grant

DRAFTED_AHEAD: Final = 4
"""How often grants are drafted before the lock. A hundred take ten seconds, those decided about meanwhile little: then
nothing is left to be drafted while all decisions wait, unless somebody decides all the time."""
HELD_PERCENT: Final = 25
HELD_NUMBER: Final = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """What a grant would share on the coming roster, and the decision that this was computed for."""

    grant: Grant
    decided_revision: int
    before: Ledger
    after: Ledger
    """Stored already unless it is empty or the same as before, so that little is left to do under the lock."""
    fields: GrantedFields
    """Those for which the entries of its feed are drafted."""
    shares_too_much: bool
    """Whether so many students would be newly shared that a person must look first."""

    def is_for(self, grant: Grant) -> bool:
        """Whether nobody has decided about the grant since."""
        return self.decided_revision == grant.decided_revision and self.fields == grants.fields_of(grant)

    @property
    def stored(self) -> bool:
        """Whether drafting has stored a ledger."""
        return self.after.id not in (EMPTY.id, self.before.id)


Drafts = dict[UUID, Draft]
"""By application."""


async def draft_and_lock(
    session: AsyncSession,
    district_id: UUID,
    coming: Coming,
    moved: Moved,
    drafted: Callable[[Drafts], Awaitable[None]],
) -> Drafts:
    """Draft every grant of the district, and lock that with all drafts valid.

    Tells each time what is `drafted` before the lock; what is returned may have been drafted under it.
    """
    await feed_drafts.begin(session)
    drafts: Drafts = {}
    for _ in range(DRAFTED_AHEAD):
        drafts = await _draft(session, district_id, coming, moved, drafts)
        await drafted(drafts)
        if await revisions.lock_if(session, district_id, partial(_are_valid, session, drafts)):
            return drafts
    await revisions.lock(session, district_id)
    return await _draft(session, district_id, coming, moved, drafts)


async def _draft(session: AsyncSession, district_id: UUID, coming: Coming, moved: Moved, known: Drafts) -> Drafts:
    """Evaluate every grant of the district on the coming roster, except those that `known` has for the same decision.

    While the district is not locked, a grant that somebody decides about just now may be left out.
    """
    present, drafts = await _valid(session, district_id, known)
    if outdated := known.keys() - drafts.keys():
        await feed_drafts.drop(session, outdated)
        stored = [known[application_id].after.id for application_id in outdated if known[application_id].stored]
        await ledger.drop(session, district_id, stored)
    for grant in present:
        drafted = drafts.get(grant.application_id) or await _drafted(session, district_id, grant, coming, moved)
        if drafted is not None:
            drafts[grant.application_id] = drafted
    return drafts


async def _are_valid(session: AsyncSession, drafts: Drafts, district: District) -> bool:
    """Whether nobody has decided about a grant since it was drafted."""
    present, valid = await _valid(session, district.id, drafts)
    return len(present) == len(valid) == len(drafts)


async def _valid(session: AsyncSession, district_id: UUID, drafts: Drafts) -> tuple[Sequence[Grant], Drafts]:
    """All grants of the district, and of the drafts those for what is decided about them now."""
    present = await grants.all_of(session, district_id)
    of_present = [(grant, drafts.get(grant.application_id)) for grant in present]
    return present, {
        grant.application_id: drafted for grant, drafted in of_present if drafted and drafted.is_for(grant)
    }


async def _drafted(
    session: AsyncSession, district_id: UUID, grant: Grant, coming: Coming, moved: Moved
) -> Draft | None:
    try:
        before = await ledger.current(session, district_id, grant)
    except NoResultFound:
        # A decision made since the grant was read has replaced its ledger; under the lock it is drafted anyway.
        return None
    sharing = grants.permission_of(grant)
    after, graph = EMPTY, None
    if sharing is not None:
        graph = await coming.get()
        after = await ledger.evaluate(session, district_id, grant, sharing, graph)
    changes = after.changes_from(before)
    if not ledger.moves(changes):
        after = before
    added = len(changes[Kind.STUDENTS].added)
    too_much = added > HELD_NUMBER and 100 * added > HELD_PERCENT * len(before.of(Kind.STUDENTS))
    fields = grants.fields_of(grant)
    differences = difference(Sight(before.sets, fields), Sight(after.sets, fields), graph, moved)
    drafted = Draft(grant, grant.decided_revision, before, after, fields, shares_too_much=too_much)
    if drafted.stored:
        await ledger.store(session, district_id, grant.application_id, after)
    await feed_drafts.draft(session, grant.application_id, differences)
    return drafted


async def publish(session: AsyncSession, district_id: UUID, drafts: Drafts, *, revision: int) -> None:
    """Point every grant to its drafted ledger; the district is locked, so no decision moves any more.

    The ledgers before are left for `ledger.drop_left`: to delete a hundred would keep all others waiting.
    """
    for drafted in drafts.values():
        drafted.grant.revision = revision
        if drafted.stored:
            drafted.grant.ledger_id = drafted.after.id
    await session.flush()
    await feed_drafts.publish(session, district_id, revision=revision)


async def take_out(
    session: AsyncSession, district_id: UUID, touched: Iterable[Grant], person: int, *, revision: int
) -> None:
    """Repoint the grants that a new block concerns: not evaluated, since they may be a hundred, under the lock.

    No graph of the roster is needed, which a process may have to read first: nobody waits for it to be blocked.
    """
    graph = await nearby.of_person(session, district_id, person)
    for grant in touched:
        grant.decided_revision = revision
        before = await ledger.current(session, district_id, grant)
        after = ledger.without(before, graph, person)
        await ledger.point_to(session, district_id, grant, graph, before=before, after=after, revision=revision)


async def rebuild_all(session: AsyncSession, district_id: UUID, touched: Iterable[Grant], *, revision: int) -> None:
    """Evaluate and repoint the grants that a person's decision concerns, such as the end of a block for all."""
    graph = (await kept.published(session, district_id)).remembering()
    for grant in touched:
        grant.decided_revision = revision
        sharing = grants.permission_of(grant)
        await ledger.rebuild(session, district_id, grant, sharing, revision=revision, graph=graph)
