"""Ids and ordinals of records."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster import staging
from sharing_service.roster.catalogue import Kind
from sharing_service.roster.ordinals import number, ordinal_in
from tests.roster.syncing import ID_TIME, Syncing, enrolled, new_district, section, student, teacher, upload


@pytest.fixture
async def district(session: AsyncSession) -> Syncing:
    """A district without a roster."""
    return await new_district(session)


async def _number_many(district: Syncing, first: int, last: int, *, id_time: int) -> None:
    rows = f"generate_series({first}, {last}) n"
    keys = f"select n as line, 'P' || n as key from {rows}"
    await staging.create(district.session)
    await number(district.session, district.district_id, Kind.STUDENTS, keys=keys, rows=rows, id_time=id_time)


async def test_ids_ascend_with_ordinals_whatever_the_clock_does(district: Syncing) -> None:
    """60,000 ids, given while the clock goes back and ahead, are distinct, of version 7 and sorted as their ordinals.

    Catches ids that carry the time alone: random below one millisecond, and out of order when a clock is set back.
    """
    for batch, shift in enumerate((0, -86_400_000, 1)):
        await _number_many(district, batch * 20_000, batch * 20_000 + 19_999, id_time=ID_TIME + shift)
    found = await district.rows("select id, ordinal from identities where district_id = :district_id order by ordinal")
    ids: list[UUID] = [row[0] for row in found]
    assert [row[1] for row in found] == [ordinal_in(one) for one in ids] == list(range(60_000))
    assert len(set(ids)) == 60_000
    assert ids == sorted(ids)
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert {one.int >> 80 for one in ids[:40_000]} == {ID_TIME}
    assert {one.int >> 80 for one in ids[40_000:]} == {ID_TIME + 1}


async def test_ids_ascend_across_the_parts_of_the_counter(district: Syncing) -> None:
    """The ordinal stands in two places of an id; ids ascend where the lower one overflows.

    Catches a shift or mask that is a bit off, which no small district would show.
    """
    await _number_many(district, 0, 0, id_time=ID_TIME)
    for start in [(1 << bit) - 2 for bit in range(18, 23)] + [(1 << 31) - 10]:
        await district.session.execute(
            text("update ordinal_counters set next_ordinal = :start where district_id = :district_id"),
            {"start": start, "district_id": district.district_id},
        )
        await _number_many(district, start, start + 3, id_time=ID_TIME)
    found = await district.rows("select id, ordinal from identities where district_id = :district_id order by ordinal")
    ids = [row[0] for row in found]
    assert [row[1] for row in found] == [ordinal_in(one) for one in ids]
    assert len(ids) == 1 + 4 * 6
    assert ids == sorted(ids)
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}


async def test_ordinals_follow_the_file_and_people_share_one_sequence(district: Syncing) -> None:
    """New ordinals are dense, in the order of the rows; students come first, then teachers, staff and contacts."""
    await district.sync(
        upload(
            students=[student("Z", contact_name="Zoe"), student("A"), student("M")],
            teachers=[teacher("T2"), teacher("T1")],
            staff=[teacher("X", email="x@oak.example")],
        )
    )
    numbered = await district.rows(
        "select ordinal, kind, case when kind = 'contacts' then '' else key end from identities "
        "where district_id = :district_id and numbering = 'people' order by ordinal"
    )
    assert numbered == [
        (0, "students", "Z"),
        (1, "students", "A"),
        (2, "students", "M"),
        (3, "teachers", "T2"),
        (4, "teachers", "T1"),
        (5, "staff", "X"),
        (6, "contacts", ""),
    ]


async def test_a_returning_record_gets_its_old_id(district: Syncing) -> None:
    """A record that left and comes back has the id and ordinal it had, and the ordinal was given to nobody meanwhile.

    Catches identities that leave with their records.
    """
    sections = [section("A", teacher_1="T1", course_name="Math")]
    full = upload(
        students=[student("P1"), student("P2")],
        teachers=[teacher("T1")],
        sections=sections,
        enrollments=[enrolled("A", "P1")],
    )
    await district.sync(full)
    before = {kind: await district.values(kind, "ordinal", "id") for kind in Kind}
    await district.sync(upload(students=[student("P2"), student("P3")]))
    assert await district.values("students", "ordinal", "sis_id") == [(1, "P2"), (3, "P3")]
    await district.sync(full)
    assert {kind: await district.values(kind, "ordinal", "id") for kind in Kind} == before


async def test_districts_number_apart(district: Syncing) -> None:
    """The same key in two districts is two records, each the first of its district.

    Catches a lookup of identities that forgets the district.
    """
    other = await new_district(district.session)
    files = upload(students=[student("P1")])
    await other.sync(files)
    await district.sync(files)
    mine, theirs = [await one.values("students", "ordinal", "id") for one in (district, other)]
    assert mine[0][0] == theirs[0][0] == 0
    assert mine[0][1] != theirs[0][1]
