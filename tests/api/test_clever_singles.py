"""Single records, whose statement takes for granted what the process saw last: what a district takes back is gone."""

from typing import Any

import pytest
from sqlalchemy import text

from sharing_service.api.clever_answers import PATHS
from sharing_service.database import enter_district
from sharing_service.roster.catalogue import Kind
from tests.factories.partner import Partner, Readers, Riverbend
from tests.factories.roster import Sets
from tests.factories.service import EVERY_FIELD

OF_READER = "(select application_id from tokens where digest = :reader)"
OF_OTHER = "(select application_id from tokens where digest = :other)"
COPY_FIELDS = f"""
update grants set fields = other.fields from grants other
where grants.application_id = {OF_READER} and other.application_id = {OF_OTHER}
"""
# A ledger of its own: that of another application is not seen.
COPY_LEDGER = f"""
with copied as (
    insert into ledgers select (jsonb_populate_record(
        l, jsonb_build_object('id', gen_random_uuid(), 'application_id', {OF_READER})
    )).* from ledgers l where l.application_id = {OF_OTHER}
    returning id
)
update grants set ledger_id = copied.id from copied where grants.application_id = {OF_READER}
"""


async def change(readers: Readers, reader: Partner, statement: str, other: Partner | None = None) -> None:
    """Change the grant or the token of a reader behind the back of the service."""
    named = {"reader": reader, **({"other": other} if other else {})}
    digests = {
        name: readers.app.state.tokens.digest(partner.headers["Authorization"].removeprefix("Bearer "))
        for name, partner in named.items()
    }
    async with readers.by_hand.write() as session:
        await enter_district(session, readers.district.roster.district_id)
        await session.execute(text(statement), digests)


async def paths_of(reader: Partner) -> list[str]:
    """Every record that a reader sees, each read twice, so that the process knows what its token sees."""
    paths = [f"/{path}/{record_id}" for path in PATHS.values() for record_id in await reader.ids(f"/{path}")]
    for path in 2 * paths:
        await reader.get(path)
    return paths


def narrowed(riverbend: Riverbend) -> list[tuple[str, Sets, Any]]:
    """What a grant may have become: fewer students, fewer schools, nothing, fewer fields."""
    everything = riverbend.roster.everything()
    return [
        ("ledger_id", everything | {Kind.STUDENTS: [riverbend.cal]}, EVERY_FIELD),
        ("ledger_id", everything | {Kind.SCHOOLS: [riverbend.south]}, EVERY_FIELD),
        ("ledger_id", {kind: [] for kind in Kind}, EVERY_FIELD),
        ("fields", everything, None),
    ]


@pytest.mark.parametrize("which", range(4))
async def test_a_record_is_as_the_grant_is_now(readers: Readers, riverbend: Riverbend, which: int) -> None:
    """A token that has read a record gets it as a token that comes for the first time, also when the grant changed.

    Catches a single record that is read with the ledger or the fields that the process saw last.
    """
    column, sets, fields = narrowed(riverbend)[which]
    stranger = await readers.connect(sets, fields)
    paths = await paths_of(await readers.connect(riverbend.roster.everything(), EVERY_FIELD))
    for path in paths:
        reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
        assert await reader.get(path) == await reader.get(path)
        await change(readers, reader, COPY_LEDGER if column == "ledger_id" else COPY_FIELDS, stranger)
        answer, expected = await reader.ask(path), await stranger.ask(path)
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content), path


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("update tokens set revoked_at = now() where digest = :reader", 401),
        (f"update grants set paused_at = now() where application_id = {OF_READER}", 423),
        (f"delete from grants where application_id = {OF_READER}", 404),
    ],
)
async def test_what_is_taken_back_is_gone(readers: Readers, riverbend: Riverbend, statement: str, status: int) -> None:
    """A token that was revoked, a grant that was paused and one that ended give no record any more.

    Catches a decision that is kept in the process.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    paths = await paths_of(reader)
    await change(readers, reader, statement)
    for path in paths:
        await reader.get(path, status)
