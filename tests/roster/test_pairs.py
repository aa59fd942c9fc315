"""Pairs of ordinals in arrays and on their way to PostgreSQL and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import pairs, staging
from sharing_service.roster.enrolling import Pairs, firsts, missing, paired, seconds

LARGEST = 2**31 - 1


def array(*rows: tuple[int, int]) -> Pairs:
    """Pairs in an array."""
    columns = np.array(rows, np.int32).reshape(-1, 2)
    return paired(columns[:, 0], columns[:, 1])


ORDINALS = st.integers(0, 3) | st.integers(0, LARGEST)


@given(st.sets(st.tuples(ORDINALS, ORDINALS)), st.sets(st.tuples(ORDINALS, ORDINALS)))
def test_missing_is_a_difference_of_sets(some: set[tuple[int, int]], other: set[tuple[int, int]]) -> None:
    """What one array has and another has not is the difference of both as sets, and in order."""
    found = missing(array(*sorted(some)), array(*sorted(other)))
    assert list(zip(firsts(found), seconds(found), strict=True)) == sorted(some - other)


@pytest.mark.parametrize("count", [0, 1, 3, 2 * pairs.BATCH + 1])
async def test_what_is_sent_comes_back(session: AsyncSession, count: int) -> None:
    """Pairs arrive as they were, however many there are, and are fetched in order."""
    sent = np.sort(np.random.default_rng(1).integers(0, 2**63 - 1, count) & 0x7FFFFFFF_7FFFFFFF)
    await staging.create(session)
    await pairs.send(session, "enrolled_at", sent)
    found = await pairs.fetch(session, "select person, school from enrolled_at order by school desc, person")
    assert np.array_equal(found, sent)


async def test_a_query_with_parameters(session: AsyncSession) -> None:
    """A query takes its parameters by number."""
    found = await pairs.fetch(session, "select $1::int, $2::int", LARGEST, 0)
    assert np.array_equal(found, array((LARGEST, 0)))
