"""The graph of a roster: closures from either side, and which graphs a process keeps."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np
from pyroaring import BitMap

from sharing_service.roster.catalogue import Kind
from sharing_service.sharing import graph
from sharing_service.sharing.graph import Graph, Kept, Links
from tests.factories.service import District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

PAIRS = ((1, 7), (1, 9), (4, 7), (0, 2))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def links(*pairs: tuple[int, int]) -> Links:
    """Links of some pairs."""
    left, right = zip(*pairs, strict=True) if pairs else ((), ())
    return Links.of(np.array(left, np.uint32), np.array(right, np.uint32))


def graph_of(*pairs: tuple[int, int]) -> Graph:
    """A graph whose links are all the same."""
    one = links(*pairs)
    return Graph({}, one, one, one, one, one, one, one, one, one)


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


def test_the_graphs_used_last_are_kept_within_their_limit() -> None:
    """The one that was not used for longest goes first, and one is kept however large it is.

    Catches a process that grows with each district and each sync.
    """
    one = graph_of(*PAIRS)
    keys = [(uuid4(), 1, NOW) for _ in range(3)]
    kept = Kept(limit=2 * one.bytes)
    kept.keep(keys[0], one)
    kept.keep(keys[1], one)
    kept.keep(keys[0], one)
    kept.keep(keys[2], one)
    assert [kept.get(key) is one for key in keys] == [True, False, True]
    small = Kept(limit=1)
    small.keep(keys[0], one)
    assert small.get(keys[0]) is one


async def test_a_published_roster_is_read_once(district: District) -> None:
    """A graph serves until another roster is published; one without a published roster is empty and not kept.

    Catches a graph that outlives its roster.
    """
    assert (await published(district)).records[Kind.STUDENTS] == BitMap()
    await district.publish(render(SMALL_DISTRICT))
    first = await published(district)
    assert len(first.records[Kind.STUDENTS]) == len(SMALL_DISTRICT.students)
    assert await published(district) is first
    files = render(SMALL_DISTRICT)
    await district.publish(files | {"enrollments.csv": files["enrollments.csv"].splitlines(keepends=True)[0]})
    assert (await published(district)).enrolled.lefts(first.records[Kind.STUDENTS]) == BitMap()


async def published(district: District) -> Graph:
    """The graph that a preview would use now."""
    async with district.service.database.read() as session:
        return await graph.published(session, UUID(district.id))
