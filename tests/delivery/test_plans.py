"""What PostgreSQL reads for a partner in a large district: rows found by keys, as many as the answer has."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import pytest
from pyroaring import BitMap
from sqlalchemy import text

from sharing_service.access.tokens import Tokens
from sharing_service.database import Database, Snapshot, driver_of, enter_district
from sharing_service.delivery import pages, singles, views
from sharing_service.delivery.views import Places, View
from sharing_service.roster.catalogue import Kind
from tests.factories.roster import Roster
from tests.factories.service import EVERY_FIELD

STUDENTS = 50_000
SCHOOLS = 100
LARGE = ("contact_students", "documents", "identities", "school_people", "tokens")

PERSON_ID = "('0000000200007000' || to_hex((n::bigint << 42) | (1::bigint << 63)))::uuid"
"""As real ids do, it carries the ordinal where a version 7 has its counter."""
SCHOOL_ID = "('00000001-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
FILL = f"""
insert into identities (district_id, kind, key, numbering, ordinal, id)
select :district, 'schools', n, 'schools', n, {SCHOOL_ID} from generate_series(0, {SCHOOLS - 1}) n;
insert into identities (district_id, kind, key, numbering, ordinal, id)
select :district, case when n < {STUDENTS} then 'students' else 'contacts' end, n, 'people', n, {PERSON_ID}
from generate_series(0, {2 * STUDENTS - 1}) n;
insert into school_people (district_id, person, school, kind, position)
select :district, n, n % {SCHOOLS}, 'students', 0 from generate_series(0, {STUDENTS - 1}) n;
insert into contact_students (district_id, contact, student)
select :district, n, n - {STUDENTS} from generate_series({STUDENTS}, {2 * STUDENTS - 1}) n;
insert into documents (district_id, numbering, ordinal, id, kind, head, identity, numbers, address, schools, referring)
select :district, 'people', n, {PERSON_ID}, case when n < {STUDENTS} then 'students' else 'contacts' end,
       '"id":"' || {PERSON_ID} || '"', '"sis_id":"' || n || '"', ',"state_id":null', repeat(' ', 300),
       case when n < {STUDENTS} then array[n % {SCHOOLS}] else '{{}}' end, ''
from generate_series(0, {2 * STUDENTS - 1}) n;
insert into tokens (id, key_id, digest, role, district_id, application_id, created_by)
select gen_random_uuid(), 'k', sha256((:district || n)::bytea), 'application', :district,
       gen_random_uuid(), '{{}}'
from generate_series(1, 20000) n;
analyze {", ".join(LARGE)}
"""


@dataclass(frozen=True)
class Large:
    """A district of many, and the digest of a token that sees all of it."""

    database: Database
    district_id: UUID
    digest: bytes

    async def visit(self, snapshot: Snapshot, places: Places) -> View:
        """What a request does first."""
        entered = await views.enter(snapshot, self.district_id, self.digest, places)
        assert entered is not None
        return await views.visit(snapshot, entered, places)


@pytest.fixture(scope="module")
async def large(database: Database, by_hand: Database) -> AsyncIterator[Large]:
    """Loaded in bulk, analysed, and gone afterwards: whoever counts tokens next counts its own."""
    roster, tokens = Roster(), Tokens(b"a key for tests that is long enough")
    people = {Kind.STUDENTS: range(STUDENTS), Kind.CONTACTS: range(STUDENTS, 2 * STUDENTS)}
    async with by_hand.write() as session:
        await roster.publish(session)
        driver = await driver_of(await session.connection())
        await driver.execute(FILL.replace(":district", f"'{roster.district_id}'"))
        sets = {**people, Kind.SCHOOLS: range(SCHOOLS)}
        token = await roster.grant(session, tokens, sets=sets, fields=EVERY_FIELD)
    yield Large(database, roster.district_id, tokens.digest(token))
    async with by_hand.write() as session:
        await enter_district(session, roster.district_id)
        for table in (*LARGE, "grants", "ledgers"):
            where = {"district": roster.district_id}
            await session.execute(text(f"delete from {table} where district_id = :district"), where)


def person_id(ordinal: int) -> UUID:
    """The id of a person of the large district."""
    return UUID(int=0x0000_0002_0000_7000 << 64 | 1 << 63 | ordinal << 42)


class Read(NamedTuple):
    """Rows of the large tables that a connection has read in turn, and those that it found by an index."""

    one_by_one: int
    by_index: int


async def rows_read(snapshot: Snapshot) -> Read:
    """What this connection has read since it last told the server."""
    counted = await snapshot.driver.fetchrow(
        "select sum(seq_tup_read)::int, sum(idx_tup_fetch)::int from pg_stat_xact_user_tables where relname = any($1)",
        list(LARGE),
    )
    return Read(*counted)


@pytest.mark.parametrize("first", [20_000, STUDENTS - 500, STUDENTS + 20_000])
@pytest.mark.parametrize("size", [1, 1000, 10_000])
@pytest.mark.asvs("V15.2.2")
async def test_a_page_reads_as_many_rows_as_it_has(large: Large, first: int, size: int) -> None:
    """Token, place and page are found by keys, be it a page of students, of contacts or of both.

    Catches a page that is planned for its values: without `plan_cache_mode` one of 10,000 reads all documents. Catches
    a token that is sought by the text of its digest.
    """
    ordinals = BitMap(range(first, first + size))
    cursor = person_id(first - 1)
    async with large.database.snapshot(large.district_id, large.digest) as snapshot:
        before = await rows_read(snapshot)
        view = await large.visit(snapshot, Places(after=("people", cursor)))
        assert view.after == first - 1
        page = await pages.read(snapshot, view, "people", ordinals, uri="/v3.1/users/")
        after = await rows_read(snapshot)
    assert b",".join(page.parts).count(b'"uri"') == size
    assert after.one_by_one == before.one_by_one
    assert after.by_index - before.by_index <= 3 * size + 20


async def test_a_record_reads_a_few_rows(large: Large) -> None:
    """A single record is found by its id.

    Catches an id that is sought by its text, which no index has.
    """
    record_id = person_id(31_415)
    async with large.database.snapshot(large.district_id, large.digest) as snapshot:
        before = await rows_read(snapshot)
        view = await large.visit(snapshot, Places(record=("people", record_id)))
        assert view.record == 31_415
        page = await pages.read(snapshot, view, "people", BitMap([view.record]))
        after = await rows_read(snapshot)
    assert page.first == str(record_id)
    assert after.one_by_one == before.one_by_one
    assert after.by_index - before.by_index <= 10


@pytest.mark.parametrize("ordinal", [31_415, STUDENTS + 31_415])
async def test_a_record_by_one_statement_reads_a_few_rows(large: Large, ordinal: int) -> None:
    """A student and a contact are found by their ids and their tokens by the digest, when all of it is one statement.

    Catches a document that is joined with the token before its ordinal is known.
    """
    record_id = person_id(ordinal)
    places = Places(record=("people", record_id))
    async with large.database.snapshot(large.district_id, large.digest) as snapshot:
        entered = await views.enter(snapshot, large.district_id, large.digest, places)
        assert entered is not None
        await views.visit(snapshot, entered, places)
        singles.remember(large.digest, entered)
        before = await rows_read(snapshot)
        single = await singles.read(snapshot.driver, large.district_id, large.digest, places)
        after = await rows_read(snapshot)
    assert single is not None
    assert single.page.first == str(record_id)
    assert after.one_by_one == before.one_by_one
    assert after.by_index - before.by_index <= 10
