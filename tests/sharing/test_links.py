"""Links in memory: closures from either side."""

import numpy as np
from pyroaring import BitMap

from sharing_service.sharing.links import REMEMBERED, WORTH, Links

PAIRS = ((1, 7), (1, 9), (4, 7), (0, 2))


def links(*pairs: tuple[int, int]) -> Links:
    """Links of some pairs."""
    left, right = zip(*pairs, strict=True) if pairs else ((), ())
    return Links.of(np.array(left, np.uint32), np.array(right, np.uint32))


def test_links_are_found_from_either_side() -> None:
    """What belongs to some records is united, and nothing else comes.

    Catches an index that is off by one, and one that takes the neighbours of a record without links.
    """
    found = links(*PAIRS)
    assert found.rights(BitMap([0, 1])) == BitMap([2, 7, 9])
    assert found.rights(BitMap([4])) == BitMap([7])
    assert found.lefts(BitMap([7])) == BitMap([1, 4])
    assert found.rights(BitMap([2, 3])) == BitMap()


def test_records_without_links_lead_nowhere() -> None:
    """Ordinals beyond those linked, no ordinals at all, and no links at all give nothing.

    Catches an index that ends at the last linked ordinal and is asked beyond it.
    """
    assert links(*PAIRS).rights(BitMap([5, 100])) == BitMap()
    assert links(*PAIRS).lefts(BitMap()) == BitMap()
    assert links().rights(BitMap([0, 1])) == BitMap()


def test_links_remember_what_they_were_asked() -> None:
    """Large sets are found again as they were, however many there are, and what a caller does with a set stays its own.

    Catches an answer that is taken for that of another set, and one that the next caller gets as the last one left it.
    """
    count = WORTH + REMEMBERED + 2
    found = links(*((number, number % 7) for number in range(count)), *((number, 9) for number in range(3)))
    remembering = found.remembering()
    asked = [BitMap(range(start, start + WORTH)) for start in range(REMEMBERED + 2)]
    for chosen in (*asked, *asked):
        around = remembering.rights(chosen)
        assert around == found.rights(chosen)
        around.add(100)
    assert remembering.lefts(BitMap([9])) == BitMap([0, 1, 2])
    assert remembering.rights(BitMap([0]), asked[5]) == found.rights(BitMap([0]) | asked[5])
