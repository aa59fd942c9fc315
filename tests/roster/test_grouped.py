"""Enrollments on their way into arrays of PostgreSQL and back."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import grouped, pairs, staging
from sharing_service.roster.enrolling import Pairs, paired, turned
from sharing_service.roster.models import section_students
from tests.roster.syncing import new_district
from tests.roster.test_pairs import LARGEST, array

KEEP = "insert into section_students select :district_id, section, students from wanted_section_students"
ONE_BY_ONE = "select section, unnest(students) from section_students where district_id = $1"


def drawn(count: int, *, sections: int) -> Pairs:
    """Pairs at random, ascending and distinct, among them the largest ordinals that there may be."""
    chance = np.random.default_rng(count)
    owners = LARGEST - chance.integers(0, sections, count, dtype=np.int32)
    return np.unique(paired(owners, chance.integers(0, LARGEST, count, dtype=np.int32, endpoint=True)))


async def stored(session: AsyncSession, sent: Pairs) -> UUID:
    """A district with these enrollments, sent as a sync does."""
    district_id = (await new_district(session)).district_id
    await staging.create(session)
    await grouped.send(session, "wanted_section_students", sent)
    await session.execute(text(KEEP), {"district_id": district_id})
    return district_id


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(array(), id="none"),
        pytest.param(array((0, 0)), id="one"),
        pytest.param(array((1, 2), (1, 3), (LARGEST, 0), (LARGEST, LARGEST)), id="two groups"),
        pytest.param(drawn(2_000, sections=700), id="small groups"),
        pytest.param(drawn(pairs.BATCH + 1, sections=30_000), id="two batches"),
        pytest.param(drawn(2 * pairs.BATCH, sections=3), id="groups of several pieces"),
    ],
)
async def test_what_is_sent_comes_back(session: AsyncSession, sent: Pairs) -> None:
    """Every array holds what it was given, and the pairs are read again as they were.

    Catches a group that is cut where a batch ends or a piece does, and a student in the next section.
    """
    district_id = await stored(session, sent)
    assert np.array_equal(await pairs.fetch(session, ONE_BY_ONE, district_id), sent)
    assert np.array_equal(await grouped.published(await staging.driver(session), district_id), sent)


@pytest.mark.parametrize("behind", [[], [[6, 7]], [[6, None]]])
@pytest.mark.parametrize("students", [[], [1, None], [[1, 2], [3, 4]]])
async def test_other_arrays_are_refused(session: AsyncSession, students: list[Any], behind: list[Any]) -> None:
    """An array that no sync writes is an error.

    Catches one whose bytes are taken for those of other sections, and one behind which nothing more is read.
    """
    district_id = await stored(session, array((1, 2), (3, 4)))
    for section, these in enumerate([students, *behind], start=5):
        values = {"district_id": district_id, "section": section, "students": these}
        await session.execute(insert(section_students).values(values))
    with pytest.raises(ValueError, match="array of enrollments"):
        await grouped.published(await staging.driver(session), district_id)


def test_turned_pairs_are_the_same_links() -> None:
    """Turned twice, pairs are what they were."""
    some = array((1, 9), (1, LARGEST), (2, 0))
    assert np.array_equal(turned(some), array((0, 2), (9, 1), (LARGEST, 1)))
    assert np.array_equal(turned(turned(some)), some)
