"""Ordinals on their way between NumPy and PostgreSQL, in the binary format of COPY."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.enrolling import Pairs, ascending, firsts, seconds

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
    return ascending(first, second)


async def columns(driver: asyncpg.Connection, query: str, *parameters: object, count: int) -> list[NDArray[np.uint32]]:
    """The columns of a select of `count` columns of 32-bit integers that are never null, as unsigned ones."""
    fields = [field for n in range(count) for field in ((f"size{n}", ">i4"), (str(n), ">u4"))]
    row = np.dtype([("columns", ">i2"), *fields])
    pieces: list[list[NDArray[np.uint32]]] = []

    def decode(received: bytearray) -> None:
        end = len(received) // row.itemsize * row.itemsize
        rows = np.frombuffer(bytes(received[:end]), row)
        del received[:end]
        pieces.append([rows[str(n)].astype(np.uint32) for n in range(count)])

    await receive(driver, query, *parameters, decode=decode)
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


async def receive(
    driver: asyncpg.Connection, query: str, *parameters: object, decode: Callable[[bytearray], None]
) -> bytearray:
    """Have the rows of a select decoded in pieces; what is left behind the last one, which is `END` as it should be.

    Of what it is given `decode` takes the whole rows out, and leaves the rest of the last one, or the mark of the end.
    """
    received = bytearray()
    header = len(HEADER)

    def decode_rows() -> None:
        nonlocal header
        del received[:header]
        header = 0
        decode(received)

    async def take(block: bytes) -> None:
        received.extend(block)
        if len(received) > PIECE:
            decode_rows()

    await driver.copy_from_query(query, *parameters, output=take, format="binary")
    decode_rows()
    return received


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
