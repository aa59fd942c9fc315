"""Identities: which id and ordinal a key has, and new ones for the keys that never had any."""

import os
from typing import Final
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.beside import Beside
from sharing_service.roster.catalogue import Kind, numbering_of

COUNTER: Final = """
insert into ordinal_counters (district_id, numbering) values (:district_id, :numbering) on conflict do nothing
"""

LAST_GIVEN: Final = """
select next_ordinal, last_id_time from ordinal_counters where district_id = :district_id and numbering = :numbering
"""
KNOWN: Final = """
with known as (
    select k.line, k.key, i.ordinal, i.id
    from ({keys}) k
    left join identities i on i.district_id = :district_id and i.kind = :kind and i.key = k.key
),
found as (
    insert into wanted_{kind} (line, key, ordinal, id)
    select line, key, ordinal, id from known where ordinal is not null
)
insert into fresh_{kind} (line, key) select line, key from known where ordinal is null order by line
"""
# The ids come as one value: put together in SQL, row by row, they cost as much as the rest of the import of a record.
NAME: Final = """
with named as (
    select line, key, cast(:first as int) - 1 + nth as ordinal,
           cast(encode(substring(cast(:ids as bytea) from 16 * nth - 15 for 16), 'hex') as uuid) as id
    from (select line, key, row_number() over (order by line)::int as nth from {source} k) f
){kept}
insert into wanted_{kind} (line, key, ordinal, id) select line, key, ordinal, id from named
"""
KEPT: Final = """,
kept as (
    insert into identities (district_id, kind, key, numbering, ordinal, id)
    select :district_id, :kind, key, :numbering, ordinal, id from named
)"""
# All of them are new in a new district.
WANTED: Final = """
select cast('{kind}' as text), key, cast('{numbering}' as text), ordinal, id from wanted_{kind}
"""

ADVANCE: Final = """
update ordinal_counters set next_ordinal = :next_ordinal, last_id_time = :id_time
where district_id = :district_id and numbering = :numbering
"""

_ID: Final = np.dtype([("upper", ">u8"), ("lower", ">u8")])
_RANDOM_BITS: Final = np.uint64((1 << 42) - 1)


async def number(
    session: AsyncSession,
    district_id: UUID,
    kind: Kind,
    *,
    keys: str,
    rows: str,
    id_time: int,
    beside: Beside | None = None,
) -> None:
    """Fill `wanted_KIND` from `keys`, a select of (line, key) with distinct keys from the table `rows`.

    New ordinals are dense and follow the lines; `id_time` is in milliseconds since 1970. The identities of a new
    district may be written `beside`: all of its keys are new.
    """
    place = {"district_id": district_id, "numbering": numbering_of(kind)}
    if beside is None:
        at_most = await staging.written(
            session, text(KNOWN.format(keys=keys, kind=kind)), {**place, "kind": kind.value}
        )
        new, kept, parameters = f"fresh_{kind}", KEPT, {**place, "kind": kind.value}
    else:
        at_most = (await session.execute(text(f"select count(*) from {rows}"))).scalar_one()  # noqa: S608 - of ours
        new, kept, parameters = f"({keys})", "", {}
    if at_most:
        await session.execute(text(COUNTER), place)
        first, last_time = (await session.execute(text(LAST_GIVEN), place)).one()
        time = max(last_time, id_time)
        ids = new_ids(first, at_most, id_time=time)
        naming = NAME.format(kind=kind, source=new, kept=kept)
        named = await staging.written(session, text(naming), {"first": first, "ids": ids, **parameters})
        if beside is not None:
            wanted = WANTED.format(kind=kind, numbering=numbering_of(kind))
            await beside.take(session, wanted, table="identities", columns="kind, key, numbering, ordinal, id")
        await session.execute(text(ADVANCE), {**place, "next_ordinal": first + named, "id_time": time})
    await staging.analyse(session, f"wanted_{kind}")


def new_ids(first: int, count: int, *, id_time: int) -> bytes:
    """The bytes of the ids of some ordinals that follow each other.

    An id is a UUID of version 7 (RFC 9562 section 6.2, method 1): milliseconds, then the ordinal as the counter in the
    next 32 free bits, then 42 random bits. So the ids of one numbering ascend with ordinals, whatever the clock does.
    """
    ordinals = np.arange(first, first + count, dtype=np.uint64)
    random = np.frombuffer(os.urandom(8 * count), np.uint64) & _RANDOM_BITS
    ids = np.empty(count, _ID)
    ids["upper"] = np.uint64(id_time << 16 | 0x7000) | ordinals >> np.uint64(20)
    ids["lower"] = np.uint64(1 << 63) | (ordinals & np.uint64(0xFFFFF)) << np.uint64(42) | random
    return ids.tobytes()


def ordinal_in(id_: UUID) -> int:
    """The ordinal that an id carries; whether anybody has that id is another question."""
    return (id_.int >> 64 & 0xFFF) << 20 | id_.int >> 42 & 0xFFFFF
