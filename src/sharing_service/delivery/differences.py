"""What changed for one application: which records it newly sees, sees no longer, or sees otherwise than before.

All of it is algebra on bitmaps: what a sync moved is found once for all grants, and each grant's part of it by masks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from pyroaring import AbstractBitMap, BitMap

from sharing_service.delivery.fragments import granted_fragments
from sharing_service.roster.catalogue import Kind, Numbering, numbering_of
from sharing_service.roster.enrolling import Pairs as Keys
from sharing_service.roster.enrolling import firsts, missing, paired
from sharing_service.sharing.fields import GrantedFields
from sharing_service.sharing.graph import Graph
from sharing_service.sharing.links import Links, Ordinals, bitmap

Sets = Mapping[Kind, AbstractBitMap]


@dataclass(frozen=True, slots=True)
class Reference:
    """A list of others in the documents of a numbering, and where the graph has it."""

    owner: Numbering
    others: Kind
    links: str
    owner_is_left: bool = True

    def owners(self, graph: Graph, others: AbstractBitMap) -> BitMap:
        """The records that are linked to any of these."""
        links: Links = getattr(graph, self.links)
        if not others:
            return BitMap()
        return links.lefts(BitMap(others)) if self.owner_is_left else links.rights(BitMap(others))

    def links_with(self, graph: Graph, others: AbstractBitMap) -> Keys:
        """The links with any of these, the owner first."""
        links: Links = getattr(graph, self.links)
        if self.owner_is_left:
            owners, found = links.pairs_of_rights(BitMap(others))
        else:
            found, owners = links.pairs_of_lefts(BitMap(others))
        return paired(owners.astype(np.int32), found.astype(np.int32))


SCHOOL: Final = Reference("sections", Kind.SCHOOLS, "placed")
COURSE: Final = Reference("sections", Kind.COURSES, "courses")
TERM: Final = Reference("sections", Kind.TERMS, "terms")
STUDENTS: Final = Reference("sections", Kind.STUDENTS, "enrolled")
TEACHERS: Final = Reference("sections", Kind.TEACHERS, "taught")
SCHOOLS: Final = Reference("people", Kind.SCHOOLS, "present")
RELATED: Final = Reference("people", Kind.STUDENTS, "contacts", owner_is_left=False)
REFERENCES: Final = (SCHOOL, COURSE, TERM, STUDENTS, TEACHERS, SCHOOLS, RELATED)
"""Everything that a document shows of other records."""


class Pairs:
    """Links that a sync added, or that it removed, found from either side."""

    def __init__(self, owners: Ordinals, others: Ordinals) -> None:
        """Index two columns."""
        self._links = Links.of(owners.astype(np.uint32), others.astype(np.uint32))
        self._others = bitmap(others)
        self.keys: Keys = np.sort(paired(owners.astype(np.int32), others.astype(np.int32)))
        """Each of them, the owner first; ascending."""

    def owners(self, others: AbstractBitMap) -> BitMap:
        """The records whose link with any of these moved."""
        moved = self._others & others
        return self._links.lefts(BitMap(moved)) if moved else BitMap()


class Reordered(NamedTuple):
    """A record that now lists the same others in another order, and both lists."""

    owner: int
    before: Sequence[int]
    after: Sequence[int]


@dataclass(frozen=True, slots=True)
class Moves:
    """What a sync moved of one sort of reference. A link whose values changed was both removed and added."""

    added: Pairs
    removed: Pairs
    reordered: Sequence[Reordered] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """What a sync moved in the roster, found once for all grants."""

    fragments: Mapping[Numbering, Mapping[str, BitMap]] = field(default_factory=dict)
    """The records whose fragment of this name says something else."""
    references: Mapping[Reference, Moves] = field(default_factory=dict)


NOTHING: Final = Moved()


@dataclass(frozen=True, slots=True)
class Sight:
    """What an application sees: sets of ordinals, and the field groups of their documents."""

    sets: Sets
    fields: GrantedFields

    def of(self, kind: Kind) -> AbstractBitMap:
        """The records of one kind; contacts only if the fields have them."""
        hidden = kind is Kind.CONTACTS and not self.fields.wants_contacts
        return BitMap() if hidden else self.sets[kind]


class Difference(NamedTuple):
    """The records of one kind that became visible, show something else, or are visible no longer."""

    created: AbstractBitMap
    updated: AbstractBitMap
    deleted: AbstractBitMap

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.created or self.updated or self.deleted)


Differences = Mapping[Kind, Difference]


def difference(before: Sight, after: Sight, graph: Graph | None, moved: Moved = NOTHING) -> Differences:
    """What an application sees otherwise than before, kind by kind, on the graph of the roster of now.

    The roster of before is not needed: it is that of now without the links that were added, and with those removed.
    Nor is a graph where nobody who stays appears beside others than before.
    """
    kept = {kind: before.of(kind) & after.of(kind) for kind in Kind}
    # Most saves share something for the first time: then nobody has stayed, and no link needs to be followed.
    others = _referring_otherwise(before, after, graph, moved) if graph is not None and any(kept.values()) else {}
    found = {}
    for kind in Kind:
        changed = _told_otherwise(kind, before.fields, after.fields, kept[kind], moved)
        changed |= kept[kind] & others.get(numbering_of(kind), BitMap())
        found[kind] = Difference(after.of(kind) - before.of(kind), changed, before.of(kind) - after.of(kind))
    return found


def _told_otherwise(
    kind: Kind, before: GrantedFields, after: GrantedFields, kept: AbstractBitMap, moved: Moved
) -> BitMap:
    """Records of which the application gets other fragments, or of which one that it gets has changed."""
    granted = granted_fragments(after, kind)
    if granted != granted_fragments(before, kind):
        return BitMap(kept)
    fragments = moved.fragments.get(numbering_of(kind), {})
    return BitMap().union(*(kept & fragments[name] for name in granted if name in fragments))


def _referring_otherwise(before: Sight, after: Sight, graph: Graph, moved: Moved) -> dict[Numbering, BitMap]:
    found: dict[Numbering, BitMap] = {"sections": BitMap(), "people": BitMap()}
    for reference in REFERENCES:
        sights = before.of(reference.others), after.of(reference.others)
        found[reference.owner] |= _listing_otherwise(reference, *sights, graph, moved.references.get(reference))
    return found


def _listing_otherwise(
    reference: Reference, before: AbstractBitMap, after: AbstractBitMap, graph: Graph, moves: Moves | None
) -> BitMap:
    """The records whose list is another one when only these of the others are seen before and after.

    A link that did not move matters if its other side appears or disappears, a removed one if that was seen before,
    an added one if it is seen now.
    """
    appeared, gone = after - before, before - after
    if moves is None:
        return reference.owners(graph, appeared | gone)
    sure = reference.owners(graph, appeared) | moves.removed.owners(before) | moves.added.owners(after)
    # A link that was added to somebody who disappeared for this application shows nowhere.
    if moves.added.owners(gone):
        linked = bitmap(firsts(missing(reference.links_with(graph, gone), moves.added.keys)))
    else:
        linked = reference.owners(graph, gone)
    for owner, old, new in moves.reordered:
        if [other for other in old if other in before] != [other for other in new if other in after]:
            sure.add(owner)
    return sure | linked
