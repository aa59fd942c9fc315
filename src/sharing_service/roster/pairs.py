"""Ordinals on their way between NumPy and PostgreSQL, in the binary format of COPY."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.enrolling import Pairs, firsts, paired, seconds

BATCH: Final = 500_000
"""Pairs that are sent at once."""
PIECE: Final = 1024 * 1024
"""Bytes that are received before they become numbers, which take half as many."""

# The documentation of COPY gives the format: a header, a count and sizes with each row, and a mark of the end.
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END: Final = b"\xff\xff"
_ROW: Final = np.dtype(
    [("columns", ">i2"), ("first_size", ">i4"), ("first", ">i4"), ("second_size", ">i4"), ("second", ">i4")]
)


async def fetch(session: AsyncSession, query: str, *parameters: object) -> Pairs:
    """The pairs of a select of two columns of integers that are never null, ascending."""
    first, second = await columns(await staging.driver(session), query, *parameters, count=2)
    pairs = paired(first.view(np.int32), second.view(np.int32))
    pairs.sort()
    return pairs


async def columns(driver: asyncpg.Connection, query: str, *parameters: object, count: int) -> list[NDArray[np.uint32]]:
    """The columns of a select of `count` columns of 32-bit integers that are never null, as unsigned ones."""
    fields = [field for n in range(count) for field in ((f"size{n}", ">i4"), (str(n), ">u4"))]
    row = np.dtype([("columns", ">i2"), *fields])
    received = bytearray()
    pieces: list[list[NDArray[np.uint32]]] = []

    def decode() -> None:
        """Take the whole rows out of what came, and leave the rest of the last one, or the mark of the end."""
        begin = 0 if pieces else len(HEADER)
        end = begin + (len(received) - begin) // row.itemsize * row.itemsize
        rows = np.frombuffer(bytes(received[begin:end]), row)
        del received[:end]
        pieces.append([rows[str(n)].astype(np.uint32) for n in range(count)])

    async def take(block: bytes) -> None:
        received.extend(block)
        if len(received) > PIECE:
            decode()

    await driver.copy_from_query(query, *parameters, output=take, format="binary")
    decode()
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


async def send(session: AsyncSession, table: str, pairs: Pairs) -> None:
    """Copy pairs into a temporary table of two columns, in their order, and analyse it."""
    await (await staging.driver(session)).copy_to_table(table, source=encoded(pairs), format="binary")
    await staging.analyse(session, table)


async def encoded(pairs: Pairs) -> AsyncIterator[bytes]:
    """Pairs in the binary format of COPY, in their order."""
    yield HEADER
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        rows = np.empty(len(some), _ROW)
        rows["columns"], rows["first_size"], rows["second_size"] = 2, 4, 4
        rows["first"], rows["second"] = firsts(some), seconds(some)
        yield rows.tobytes()
    yield END
