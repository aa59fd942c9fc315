"""Pairs of ordinals on their way between NumPy and PostgreSQL, in the binary format of COPY."""

import io
from collections.abc import AsyncIterator
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.enrolling import Pairs, firsts, paired, seconds

BATCH: Final = 500_000
"""Pairs that are sent at once."""

# The documentation of COPY gives the format: a header, a count and sizes with each row, and a mark of the end.
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_ROW: Final = np.dtype(
    [("columns", ">i2"), ("first_size", ">i4"), ("first", ">i4"), ("second_size", ">i4"), ("second", ">i4")]
)


async def fetch(session: AsyncSession, query: str, *parameters: object) -> Pairs:
    """The pairs of a select of two columns of integers that are never null, ascending."""
    data = io.BytesIO()
    await (await staging.driver(session)).copy_from_query(query, *parameters, output=data, format="binary")
    rows = np.frombuffer(
        data.getbuffer(), _ROW, offset=len(_HEADER), count=(data.tell() - len(_HEADER)) // _ROW.itemsize
    )
    pairs = paired(rows["first"].astype(np.int32), rows["second"].astype(np.int32))
    pairs.sort()
    return pairs


async def send(session: AsyncSession, table: str, pairs: Pairs) -> None:
    """Copy pairs into a temporary table of two columns, in their order, and analyse it."""
    await (await staging.driver(session)).copy_to_table(table, source=_encoded(pairs), format="binary")
    await staging.analyse(session, table)


async def _encoded(pairs: Pairs) -> AsyncIterator[bytes]:
    yield _HEADER
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        rows = np.empty(len(some), _ROW)
        rows["columns"], rows["first_size"], rows["second_size"] = 2, 4, 4
        rows["first"], rows["second"] = firsts(some), seconds(some)
        yield rows.tobytes()
    yield _END
