"""Which lists of others changed for one application: the algebra on what a sync moved equals a naive comparison."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from sharing_service.delivery.differences import RELATED, TEACHERS, Moved, Reference, Sight, difference
from sharing_service.delivery.moved import _moves
from sharing_service.roster.catalogue import Kind, numbering_of
from sharing_service.sharing.fields import BY_NAME, GrantedFields, KindGroup
from sharing_service.sharing.graph import LINKED, Graph
from sharing_service.sharing.links import Links

OWNERS: Final = range(4)
OTHERS: Final = range(10, 14)
OWNER_KIND: Final = {TEACHERS: Kind.SECTIONS, RELATED: Kind.CONTACTS}
Lists = Mapping[int, Sequence[int]]

LISTS: Final = st.fixed_dictionaries({owner: st.lists(st.sampled_from(OTHERS), unique=True) for owner in OWNERS})
SOME: Final = st.sets(st.sampled_from(OTHERS))


def graph_of(reference: Reference, lists: Lists) -> Graph:
    """A roster with these links and no others."""
    empty = np.empty(0, np.uint32)
    pairs = [(owner, other) for owner, others in lists.items() for other in others]
    owners, others = (np.array([pair[side] for pair in pairs], np.uint32) for side in (0, 1))
    links = Links.of(owners, others) if reference.owner_is_left else Links.of(others, owners)
    named: dict[str, Any] = {name: Links.of(empty, empty) for name in LINKED}
    return Graph(records={}, **named | {reference.links: links})


def sight(reference: Reference, seen: set[int]) -> Sight:
    """All owners, and these of the others."""
    sets = {kind: BitMap() for kind in Kind} | {OWNER_KIND[reference]: BitMap(OWNERS), reference.others: BitMap(seen)}
    return Sight(sets, GrantedFields(frozenset[KindGroup]().union(*BY_NAME.values())))


@given(reference=st.sampled_from([TEACHERS, RELATED]), before=LISTS, now=LISTS, seen=SOME, sees=SOME)
def test_lists_that_show_others_are_found(
    reference: Reference, before: Lists, now: Lists, seen: set[int], sees: set[int]
) -> None:
    """A record is updated if its list of visible others, in order, is another one than before; and only then.

    Catches an event that is missing, and one that would tell that somebody hidden came or went.
    """
    moves = _moves([(owner, before[owner], now[owner]) for owner in OWNERS])
    found = difference(
        sight(reference, seen), sight(reference, sees), graph_of(reference, now), Moved(references={reference: moves})
    )
    kind = OWNER_KIND[reference]
    expected = {
        owner
        for owner in OWNERS
        if [one for one in before[owner] if one in seen] != [one for one in now[owner] if one in sees]
    }
    assert set(found[kind].updated) == expected
    assert set(found[reference.others].created) == sees - seen
    assert set(found[reference.others].deleted) == seen - sees
    assert numbering_of(kind) == reference.owner
