"""Identities: which id and ordinal a key has, and new ones for the keys that never had any."""

from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.catalogue import Kind, numbering_of

COUNTER: Final = """
insert into ordinal_counters (district_id, numbering) values (:district_id, :numbering) on conflict do nothing
"""

# An id is a UUID of version 7 (RFC 9562 section 6.2, method 1): milliseconds, then the ordinal as the counter in the
# next 32 free bits, then 42 random bits. So the ids of one numbering ascend with ordinals, whatever the clock does. The
# bits are of a digest with a random seed: to ask the system for some, row by row, costs as much as all else here.
NUMBER: Final = """
with counter as materialized (
    select next_ordinal, greatest(last_id_time, :id_time) as id_time,
           uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) as seed
    from ordinal_counters where district_id = :district_id and numbering = :numbering
),
known as (
    select k.line, k.key, i.ordinal, i.id
    from ({keys}) k
    left join identities i on i.district_id = :district_id and i.kind = :kind and i.key = k.key
),
fresh as (
    select line, key, (select next_ordinal from counter) + row_number() over (order by line)::int - 1 as ordinal,
           (select id_time from counter) as id_time
    from known where ordinal is null
),
drawn as materialized (
    select line, key, ordinal, id_time, sha256((select seed from counter) || int4send(ordinal)) as noise from fresh
),
named as (
    select line, key, ordinal, cast(
        lpad(to_hex(id_time), 12, '0') || '7' || lpad(to_hex(ordinal >> 20), 3, '0')
        || to_hex((2097152 | (ordinal & 1048575)) << 2 | (get_byte(noise, 0) & 3))
        || right(encode(noise, 'hex'), 10) as uuid) as id
    from drawn
),
kept as (
    insert into identities (district_id, kind, key, numbering, ordinal, id)
    select :district_id, :kind, key, :numbering, ordinal, id from named
)
insert into wanted_{kind} (line, key, ordinal, id)
select line, key, ordinal, id from known where ordinal is not null
union all
select line, key, ordinal, id from named
"""

ADVANCE: Final = """
update ordinal_counters
set next_ordinal = newest.ordinal + 1, last_id_time = greatest(last_id_time, :id_time)
from (select max(ordinal) as ordinal from wanted_{kind}) newest
where district_id = :district_id and numbering = :numbering and next_ordinal <= newest.ordinal
"""


async def number(session: AsyncSession, district_id: UUID, kind: Kind, *, keys: str, id_time: int) -> None:
    """Fill `wanted_KIND` from `keys`, a select of (line, key) with distinct keys.

    New ordinals are dense and follow the lines; `id_time` is in milliseconds since 1970.
    """
    place = {"district_id": district_id, "numbering": numbering_of(kind)}
    await session.execute(text(COUNTER), place)
    await session.execute(text(NUMBER.format(keys=keys, kind=kind)), {**place, "kind": kind.value, "id_time": id_time})
    await session.execute(text(ADVANCE.format(kind=kind)), {**place, "id_time": id_time})
    await staging.analyse(session, f"wanted_{kind}")
