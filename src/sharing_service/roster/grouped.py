"""Enrollments on their way between NumPy and the tables that hold one side of them in arrays, as COPY sends these."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.enrolling import Pairs, ascending, firsts, seconds
from sharing_service.roster.pairs import BATCH, END, HEADER, receive

# An array is sent as its number of dimensions, whether it holds nulls, the type of its elements, and of its dimension
# the length and where that begins; then each element with its size.
_GROUP: Final = np.dtype(
    [
        ("columns", ">i2"),
        ("owner_size", ">i4"),
        ("owner", ">i4"),
        ("size", ">i4"),
        ("dimensions", ">i4"),
        ("nulls", ">i4"),
        ("type", ">i4"),
        ("count", ">i4"),
        ("begin", ">i4"),
    ]
)
_ELEMENT: Final = np.dtype([("size", ">i4"), ("value", ">i4")])
_INTEGER: Final = 23
"""What PostgreSQL calls the type of 32-bit integers."""
_COUNT: Final = struct.Struct(">i")
_COUNT_AT: Final = 26
"""Where the length of its array stands in a group."""
MALFORMED: Final = "An array of enrollments is empty, or not one of integers alone."
_WORD: Final = 2
"""Bytes: the length of whatever is sent of a group is a multiple of it."""


async def published(driver: asyncpg.Connection, district_id: UUID) -> Pairs:
    """The enrollments that there are, sections first, ascending."""
    return await asyncio.to_thread(ascending, *await columns(driver, district_id))


async def columns(driver: asyncpg.Connection, district_id: UUID) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The enrollments that there are: the section of each, and the student."""
    pieces: list[tuple[NDArray[np.uint32], NDArray[np.uint32]]] = []

    def decode(received: bytearray) -> None:
        begins, end = [], 0
        while (ends := end + _GROUP.itemsize) <= len(received):
            [count] = _COUNT.unpack_from(received, end + _COUNT_AT)
            if count < 1:
                raise ValueError(MALFORMED)
            ends += count * _ELEMENT.itemsize
            if ends > len(received):
                break
            begins.append(end)
            end = ends
        words = np.frombuffer(bytes(received[:end]), np.uint16)
        del received[:end]
        heads = _places_of_heads(np.array(begins, np.int64) // _WORD, len(words))
        groups, elements = words[heads].view(_GROUP), words[~heads].view(_ELEMENT)
        if np.any(groups["size"] != _size_of(groups["count"])):
            raise ValueError(MALFORMED)
        sections = np.repeat(groups["owner"].astype(np.uint32), groups["count"])
        pieces.append((sections, elements["value"].astype(np.uint32)))

    query = "select section, students from section_students where district_id = $1"
    if await receive(driver, query, district_id, decode=decode) != END:
        raise ValueError(MALFORMED)
    sections, students = [await asyncio.to_thread(np.concatenate, column) for column in zip(*pieces, strict=True)]
    return sections, students


async def send(session: AsyncSession, table: str, pairs: Pairs) -> None:
    """Copy ascending pairs into a temporary table of the first of them and an array of the second ones."""
    await (await staging.driver(session)).copy_to_table(table, source=rows(pairs), format="binary")


async def rows(pairs: Pairs) -> AsyncIterator[bytes]:
    """Ascending pairs in the binary format of COPY: a row for each first of them, with an array of the second ones."""
    yield HEADER
    start = 0
    while start < len(pairs):
        last = pairs[min(start + BATCH, len(pairs)) - 1] | 0xFFFFFFFF  # of all that have its first
        end = int(np.searchsorted(pairs, last, side="right"))
        yield await asyncio.to_thread(_encoded, pairs[start:end])
        start = end
    yield END


def _encoded(pairs: Pairs) -> bytes:
    owners = firsts(pairs)
    begins = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    groups = np.empty(len(begins), _GROUP)
    counts = np.diff(begins, append=len(pairs))
    groups["columns"], groups["owner_size"], groups["owner"] = 2, 4, owners[begins]
    groups["size"] = _size_of(counts)
    groups["dimensions"], groups["nulls"], groups["type"], groups["count"], groups["begin"] = 1, 0, _INTEGER, counts, 1
    elements = np.empty(len(pairs), _ELEMENT)
    elements["size"], elements["value"] = 4, seconds(pairs)
    words = np.empty((groups.nbytes + elements.nbytes) // _WORD, np.uint16)
    in_front = np.arange(len(begins)) * _GROUP.itemsize + begins * _ELEMENT.itemsize
    heads = _places_of_heads(in_front // _WORD, len(words))
    words[heads], words[~heads] = groups.view(np.uint16), elements.view(np.uint16)
    return words.tobytes()


def _size_of(counts: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """The bytes of arrays of so many integers."""
    return counts * _ELEMENT.itemsize + 20


def _places_of_heads(begins: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Which words of some groups, that begin there, are not of their elements."""
    heads = np.zeros(length, np.bool_)
    heads[begins[:, None] + np.arange(_GROUP.itemsize // _WORD)] = True
    return heads
