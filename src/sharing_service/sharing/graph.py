"""The roster of a district as a graph in memory: which records there are, and which belongs to which.

A closure over 7,000,000 enrollments takes the database seconds and arrays of numbers some milliseconds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

from pyroaring import BitMap, FrozenBitMap
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service import memory
from sharing_service.database import driver_of
from sharing_service.roster import grouped
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.enrolling import Pairs
from sharing_service.roster.pairs import columns
from sharing_service.sharing.links import Links, Ordinals, bitmap
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

Matched = tuple[Kind, tuple[Rule, ...], FrozenBitMap | None]
"""A kind, rules on it, and the schools to look at if it is not the whole district."""


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

    def begin_pairs(self, name: str, pairs: Pairs) -> None:
        self.links[name] = asyncio.create_task(asyncio.to_thread(Links.of_pairs, pairs))

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
        indexing.begin("enrolled", *await grouped.columns(driver, district_id))
    else:
        indexing.begin_pairs("enrolled", enrolled)
    for name, statement in _PAIRS.items():
        indexing.begin(name, *await columns(driver, statement, district_id, count=2))
    person, school, position = await columns(driver, _AT_SCHOOLS, district_id, count=3)
    indexing.begin("present", person, school)
    for name, chosen in {"own": position != _NOT_OWN, "home": position == 0}.items():
        indexing.begin(name, person[chosen], school[chosen])
    return indexing
