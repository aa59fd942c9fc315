"""Links between records in memory: pairs of ordinals, indexed from both sides."""

from array import array
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap, FrozenBitMap

from sharing_service.roster.enrolling import Pairs, ascending, firsts, turned

WORTH: Final = 10_000
"""Records of the smallest set around which looking again costs more than remembering."""
REMEMBERED: Final = 32
"""Sets that one side of some links remembers: of a million students each takes up to 125 kB."""

Ordinals = NDArray[np.integer[Any]]


def bitmap(ordinals: Ordinals) -> BitMap:
    """The set of some ordinals: through an array of Python's own, which costs a sixth of handing over NumPy's."""
    return BitMap(array("I", ordinals.astype(np.uint32, copy=False).tobytes()))


@dataclass(frozen=True, slots=True)
class _Direction:
    """For each ordinal of one side, the ordinals of the other, one after the other."""

    begins: NDArray[np.int32]
    others: Ordinals
    highest: int
    known: dict[FrozenBitMap, BitMap] | None = None
    """What was found around large sets, if it is remembered."""

    @classmethod
    def of(cls, pairs: Pairs) -> "_Direction":
        ends = int(firsts(pairs[-1:]).max(initial=-1)) + 2
        begins = np.searchsorted(pairs, np.arange(ends, dtype=np.int64) << 32).astype(np.int32)
        others = pairs.astype(np.uint32)
        return cls(begins, others, int(others.max(initial=0)))

    def around(self, chosen: BitMap) -> BitMap:
        if self.known is None or len(chosen) < WORTH:
            return self._around(chosen)
        asked = FrozenBitMap(chosen)
        if asked not in self.known:
            if len(self.known) == REMEMBERED:
                del self.known[next(iter(self.known))]
            self.known[asked] = self._around(chosen)
        return self.known[asked].copy()

    def _around(self, chosen: BitMap) -> BitMap:
        _, _, others = self._linked(chosen)
        found = np.zeros(self.highest + 1, np.bool_)
        found[others] = True
        return bitmap(np.flatnonzero(found))

    def pairs(self, chosen: BitMap) -> tuple[Ordinals, Ordinals]:
        """Each link of the chosen: two columns, the chosen in the first."""
        picked, counts, others = self._linked(chosen)
        return np.repeat(picked, counts), others

    def _linked(self, chosen: BitMap) -> tuple[Ordinals, Ordinals, Ordinals]:
        """The chosen, how many links each has, and the other sides of these."""
        picked: Ordinals = np.asarray(chosen.to_array())
        picked = picked[picked < len(self.begins) - 1]
        begins = self.begins[picked]
        counts = self.begins[picked + 1] - begins
        ends = np.cumsum(counts, dtype=np.int32)
        places = np.repeat(begins - ends + counts, counts)
        places += np.arange(len(places), dtype=np.int32)
        return picked, counts, self.others[places]

    @property
    def bytes(self) -> int:
        return self.begins.nbytes + self.others.nbytes


@dataclass(frozen=True, slots=True)
class Links:
    """Which records of a left kind and of a right one belong together, found from either side."""

    _rightward: _Direction
    _leftward: _Direction

    @classmethod
    def of(cls, left: Ordinals, right: Ordinals) -> "Links":
        """Index pairs of ordinals."""
        return cls.of_pairs(ascending(left, right))

    @classmethod
    def of_pairs(cls, pairs: Pairs) -> "Links":
        """Index ascending pairs."""
        return cls(_Direction.of(pairs), _Direction.of(turned(pairs)))

    def rights(self, *lefts: BitMap) -> BitMap:
        """What belongs to any of these from the left; of several sets each is followed by itself, and remembered so."""
        return reduce(or_, map(self._rightward.around, lefts))

    def lefts(self, rights: BitMap) -> BitMap:
        """What any of these from the right belongs to."""
        return self._leftward.around(rights)

    def pairs_of_rights(self, rights: BitMap) -> tuple[Ordinals, Ordinals]:
        """The links of these from the right: lefts and rights."""
        ones, others = self._leftward.pairs(rights)
        return others, ones

    def pairs_of_lefts(self, lefts: BitMap) -> tuple[Ordinals, Ordinals]:
        """The links of these from the left: lefts and rights."""
        return self._rightward.pairs(lefts)

    def remembering(self) -> "Links":
        """The same links, which remember the large sets that they were asked about last."""
        return Links(replace(self._rightward, known={}), replace(self._leftward, known={}))

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return self._rightward.bytes + self._leftward.bytes
