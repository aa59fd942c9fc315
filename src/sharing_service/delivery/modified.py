"""When a record was last modified, as far as an application may know: other field groups than its own do not count.

The head of a document ends with the latest time of all fragments. Where fragments changed at different times, `times`
holds one for each, and an answer without some of them shows the latest of those that it has.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, func, literal_column, text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery.models import FRAGMENTS, documents

WIDTH: Final = len("2026-11-24T07:30:00.000Z")
TAIL: Final = WIDTH + len('"')
"""How a head ends: the time, and the quote that closes it."""

FORMAT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'


def told(table: str, fragment: str) -> str:
    """What a document says in one fragment, in SQL."""
    return f"left({table}.head, -{TAIL})" if fragment == "head" else f"{table}.{fragment}"


def _time(place: int, fragment: str) -> str:
    """When a fragment of a document that was written again last changed, in SQL."""
    before = f"case r.times when '' then left(right(r.head, {TAIL}), {WIDTH}) else {_slice('r.times', place)} end"
    since = f"case when {told('r', fragment)} = {told('d', fragment)} then {before} else n.now end"
    return f'({since}) collate "C" as t{place}'


def _slice(times: str, place: int) -> str:
    return f"substr({times}, {WIDTH * place + 1}, {WIDTH})"


_PLACES: Final = [f"t{place}" for place, _ in enumerate(FRAGMENTS)]
KEEP: Final = f"""
update documents d set head = left(d.head, -{TAIL}) || k.newest || '"', times = k.times
from (
    select c.numbering, c.ordinal, greatest({", ".join(_PLACES)}) as newest,
           case greatest({", ".join(_PLACES)}) when least({", ".join(_PLACES)}) then ''
                else {" || ".join(_PLACES)} end as times
    from (
        select d.numbering, d.ordinal, {", ".join(_time(place, name) for place, name in enumerate(FRAGMENTS))}
        from replaced r
        join documents d on d.district_id = :district_id and d.numbering = r.numbering and d.ordinal = r.ordinal
        cross join (select to_char(now() at time zone 'UTC', '{FORMAT}') as now) n
        where d.numbering not in ('courses', 'terms')
    ) c
) k
where d.district_id = :district_id and d.numbering = k.numbering and d.ordinal = k.ordinal
  and (right(d.head, {TAIL}), d.times) is distinct from (k.newest || '"', k.times)
"""  # noqa: S608 - made of this page's own text


async def keep(session: AsyncSession, district_id: UUID) -> None:
    """Give documents that were written again the times of the fragments that are as they were in `replaced`."""
    await session.execute(text(KEEP), {"district_id": district_id})


def head_as_told(names: Sequence[str], *, whole: bool) -> ColumnElement[str]:
    """The head of a document for an application that gets these fragments: all that there are, or not."""
    head, times = documents.c.head, documents.c.times
    if whole:
        return head
    places = (FRAGMENTS.index(name) for name in names)
    newest = func.greatest(*(literal_column(_slice("documents.times", place), Text) for place in places))
    begin = func.left(head, literal_column(f"-{TAIL}"))
    return case((times == literal_column("''"), head), else_=begin.op("||")(newest).op("||")(literal_column("'\"'")))
