"""The two ways to write a fragment: put together where no value needs an escape, escaped value by value elsewhere."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import false, select
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.delivery.fragments import fragments, records
from sharing_service.roster.catalogue import FIELDS, Kind
from tests.factories.roster import Roster

REFERENCES: dict[Kind, dict[str, Any]] = {Kind.SECTIONS: {"school": 0, "course": None, "term": None}}
NAMES = ["Bea", "Bea Ng", "Bea  van  der Ng", "Éa 山田", "Bea\u00a0Ng", "", " ", " Bea", "Bea ", "Bea Ng ", " Bea Ng"]
ESCAPED = ['a"b', "a\\b", "a\tb", "a\x01b", "\n"]


async def told(session: AsyncSession, roster: Roster, kind: Kind, *, escape: bool) -> list[tuple[Any, ...]]:
    """Every fragment of the records of a kind; with `escape` as if each value needed it."""
    found = records(kind, roster.district_id, None)
    if escape:
        columns = [column for column in found.c if column.name != "plain"]
        found = select(*columns, false().label("plain")).subquery()
    texts = fragments(kind, roster.district_id, found)
    return [tuple(row) for row in await session.execute(select(*texts.values()).order_by(found.c.ordinal))]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.asvs("V1.2.3")
async def test_both_ways_write_the_same(session: AsyncSession, kind: Kind) -> None:
    """A record without quotes, backslashes and control characters is told in the very bytes that escaping gives."""
    roster = Roster()
    for value in (*NAMES, "{}[],:'%s $1/\x7f\U0001f600", "x" * 300):
        roster.record(kind, **{field.name: value for field in FIELDS[kind]}, **REFERENCES.get(kind, {}))
    await roster.publish(session)
    assert await told(session, roster, kind, escape=False) == await told(session, roster, kind, escape=True)


@pytest.mark.parametrize("kind", list(Kind))
async def test_one_value_is_enough_to_escape(session: AsyncSession, kind: Kind) -> None:
    """A record is plain only if none of the values that its document tells needs an escape.

    Catches a look at some of the values, by which a quote would end a JSON string early.
    """
    roster = Roster()
    names = [field.name for field in FIELDS[kind] if field.path]
    for number, (name, value) in enumerate([("", ""), *product(names, ESCAPED)]):
        values = dict.fromkeys(names, f"Ab {number}") | ({name: f"{value}{number}"} if name else {})
        roster.record(kind, **values, **REFERENCES.get(kind, {}))
    await roster.publish(session)
    found = records(kind, roster.district_id, None)
    assert list(await session.scalars(select(found.c.ordinal).where(found.c.plain))) == [0]
