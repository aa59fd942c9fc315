"""The roster of a district as a graph in memory: which records there are, and which belongs to which.

A closure over 7,000,000 enrollments takes the database seconds and arrays of numbers some milliseconds.
"""

import asyncio
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import or_
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap, FrozenBitMap
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import memory
from sharing_service.database import driver_of
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.enrolling import Pairs, firsts, paired, seconds
from sharing_service.roster.grouped import published
from sharing_service.roster.pairs import columns
from sharing_service.sharing.rules import Rule

RESOLVED: Final = (Kind.SCHOOLS, Kind.SECTIONS, Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF)

_RECORDS: Final = "select ordinal from {} where district_id = $1"
_PAIRS: Final = {
    "taught": "select section, teacher from section_teachers where district_id = $1",
    "placed": "select ordinal, school from sections where district_id = $1",
    "courses": "select ordinal, course from sections where district_id = $1 and course is not null",
    "terms": "select ordinal, term from sections where district_id = $1 and term is not null",
    "contacts": "select student, contact from contact_students where district_id = $1",
}

_AT_SCHOOLS: Final = "select person, school, coalesce(position::int, -1) from school_people where district_id = $1"
_NOT_OWN: Final = 2**32 - 1
"""How a position that is missing is read."""

LINKED: Final = ("enrolled", *_PAIRS, "present", "own", "home")
"""The names of the links of a graph."""

WORTH: Final = 10_000
"""Records of the smallest set around which looking again costs more than remembering."""
REMEMBERED: Final = 32
"""Sets that one side of some links remembers: of a million students each takes up to 125 kB."""

Ordinals = NDArray[np.integer[Any]]
Matched = tuple[Kind, tuple[Rule, ...], FrozenBitMap | None]
"""A kind, rules on it, and the schools to look at if it is not the whole district."""


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
    def of(cls, ones: Ordinals, others: Ordinals) -> "_Direction":
        pairs = paired(ones, others)
        pairs.sort()
        counts = np.bincount(ones)
        begins = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
        return cls(begins, pairs.astype(np.uint32), int(others.max(initial=0)))

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
        return cls(_Direction.of(left, right), _Direction.of(right, left))

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


@dataclass(frozen=True, slots=True)
class Graph:
    """The records of the kinds that are resolved, and links named by what the right side is to the left one."""

    records: Mapping[Kind, BitMap]
    enrolled: Links
    """Sections and their students."""
    taught: Links
    """Sections and their teachers."""
    placed: Links
    """Sections and their schools."""
    courses: Links
    terms: Links
    present: Links
    """Persons and the schools where they are, by a row of their own or through a section there."""
    own: Links
    """Persons and the schools of their own rows."""
    home: Links
    """Persons and the schools of their first rows."""
    contacts: Links
    """Students and their contacts."""
    matched: dict[Matched, BitMap] | None = None
    """What rules matched on this roster, if many grants are evaluated on it."""

    def remembering(self) -> "Graph":
        """The same graph for the evaluation of many grants, many of which have the same rules."""
        return replace(self, matched={}, **{name: getattr(self, name).remembering() for name in LINKED})

    @property
    def bytes(self) -> int:
        """The memory that the links take, next to which the records are little."""
        return sum(getattr(self, name).bytes for name in LINKED)


class Coming:
    """The graph of a roster that a transaction has just written, for whatever is evaluated before it is published."""

    def __init__(self, session: AsyncSession, district_id: UUID, enrolled: Pairs) -> None:
        """Read nothing yet: a district may have no grants, as before its first roster. `enrolled` are all pairs."""
        self._begin = partial(_begin, session, district_id, enrolled)
        self._indexing: _Indexing | None = None
        self._graph: Graph | None = None

    async def read_ahead(self) -> None:
        """Read the roster; threads index it while the transaction goes on."""
        self._indexing = await self._begin()

    async def get(self) -> Graph:
        """The graph, which remembers what is asked of it."""
        if self._graph is None:
            self._graph = (await (self._indexing or await self._begin()).finish()).remembering()
        return self._graph


async def read(session: AsyncSession, district_id: UUID) -> Graph:
    """The graph of the roster as the transaction sees it."""
    return await (await _begin(session, district_id, None)).finish()


@dataclass(frozen=True, slots=True)
class _Indexing:
    """A roster that has been read, and is being indexed in threads."""

    records: Mapping[Kind, BitMap]
    links: dict[str, asyncio.Task[Links]]

    def begin(self, name: str, left: Ordinals, right: Ordinals) -> None:
        self.links[name] = asyncio.create_task(asyncio.to_thread(Links.of, left, right))

    async def finish(self) -> Graph:
        links = {name: await task for name, task in self.links.items()}
        await asyncio.to_thread(memory.give_back)
        return Graph(self.records, matched=None, **links)


async def _begin(session: AsyncSession, district_id: UUID, enrolled: Pairs | None) -> _Indexing:
    """Read a roster, whose enrollments may be known; some of it is indexed while PostgreSQL sends the rest."""
    driver = await driver_of(await session.connection())
    records = {}
    for kind in RESOLVED:
        [ordinals] = await columns(driver, _RECORDS.format(kind), district_id, count=1)
        records[kind] = bitmap(ordinals)
    indexing = _Indexing(records, {})
    if enrolled is None:
        enrolled = await published(driver, district_id)
    indexing.begin("enrolled", firsts(enrolled).view(np.uint32), seconds(enrolled).view(np.uint32))
    for name, statement in _PAIRS.items():
        indexing.begin(name, *await columns(driver, statement, district_id, count=2))
    person, school, position = await columns(driver, _AT_SCHOOLS, district_id, count=3)
    indexing.begin("present", person, school)
    for name, chosen in {"own": position != _NOT_OWN, "home": position == 0}.items():
        indexing.begin(name, person[chosen], school[chosen])
    return indexing
