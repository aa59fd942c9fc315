"""Answers of the partner API as a whole: they are closed, as documented, cheap, and on record."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pyroaring import BitMap
from sqlalchemy import select, text

from sharing_service.api.clever_answers import PATHS
from sharing_service.api.clever_models import LISTS, ONES, DistrictResponse, DistrictsResponse, MeResponse
from sharing_service.database import Database, enter_district
from sharing_service.delivery.disclosures import Disclosures
from sharing_service.delivery.models import Disclosure
from sharing_service.delivery.relations import RELATIONS
from sharing_service.roster.catalogue import Kind
from tests.factories.partner import Partner, Readers, Riverbend
from tests.factories.roster import Sets
from tests.factories.service import EVERY_FIELD

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def everything_told(reader: Partner) -> AsyncIterator[tuple[str, Any]]:
    """Every path that there is for this reader, with its answer."""
    for numbering, collection in PATHS.items():
        yield f"/{collection}", (listed := await reader.get(f"/{collection}"))
        for item in listed["data"]:
            yield item["uri"], (one := await reader.get(item["uri"]))
            assert one["data"] == item["data"]
            names = [relation.name for relation in RELATIONS if relation.parent == numbering]
            for name in (*names, "district"):
                answer = await reader.ask(f"{item['uri']}/{name}")
                if answer.status_code == 200:
                    yield f"{item['uri']}/{name}", answer.json()


def some(riverbend: Riverbend) -> dict[str, Sets]:
    """Shared sets with holes where references point."""
    all_ = riverbend.roster.everything()
    return {
        "everything": all_,
        "no schools": all_ | {Kind.SCHOOLS: []},
        "no students": all_ | {Kind.STUDENTS: [], Kind.CONTACTS: []},
        "one student": all_ | {Kind.STUDENTS: [riverbend.cal]},
        "no courses": all_ | {Kind.COURSES: [], Kind.TERMS: []},
        "one teacher": all_ | {Kind.TEACHERS: [riverbend.una], Kind.SECTIONS: [riverbend.art]},
    }


@pytest.mark.parametrize(
    "which", ["everything", "no schools", "no students", "one student", "no courses", "one teacher"]
)
async def test_every_id_in_an_answer_can_be_fetched(readers: Readers, riverbend: Riverbend, which: str) -> None:
    """Each id in each answer belongs to a record that the same token can fetch.

    Catches any reference, nested path or link that skips the ledger.
    """
    reader = await readers.connect(some(riverbend)[which], EVERY_FIELD)
    known = {str(riverbend.roster.district_id)}
    for collection in PATHS.values():
        for record_id in await reader.ids(f"/{collection}"):
            await reader.get(f"/{collection}/{record_id}")
            known.add(record_id)
    async for path, answer in everything_told(reader):
        assert set(ID.findall(str(answer))) <= known, path


@pytest.mark.parametrize("fields", [None, EVERY_FIELD])
async def test_answers_have_the_documented_shape(readers: Readers, riverbend: Riverbend, fields: Any) -> None:
    """Every answer is exactly what the OpenAPI document shows, with and without the optional groups."""
    reader = await readers.connect(riverbend.roster.everything(), fields)
    children = {(PATHS[relation.parent], relation.name): relation for relation in RELATIONS}
    numberings = {path: numbering for numbering, path in PATHS.items()}
    async for path, answer in everything_told(reader):
        match path.removeprefix("/v3.1").strip("/").split("/"):
            case [collection]:
                model = LISTS[numberings[collection]]
            case [collection, _]:
                model = ONES[numberings[collection]]
            case [_, _, "district"]:
                model = DistrictResponse
            case [collection, _, name]:
                relation = children[collection, name]
                model = (ONES if relation.single else LISTS)[relation.child]
            case _:
                pytest.fail(path)
        model.model_validate(answer)
    DistrictsResponse.model_validate(await reader.get("/districts?count=true"))
    MeResponse.model_validate(await reader.get("/me"))


async def disclosed(readers: Readers) -> list[Disclosure]:
    """The disclosure records of the district, oldest first."""
    async with readers.by_hand.read() as session:
        await enter_district(session, readers.district.roster.district_id)
        found = select(Disclosure).where(Disclosure.district_id == readers.district.roster.district_id)
        return list((await session.scalars(found.order_by(Disclosure.id))).all())


@pytest.mark.asvs("V16.2.1")
async def test_an_answer_with_persons_is_on_record(readers: Readers, riverbend: Riverbend) -> None:
    """Users, sections with people in them and contacts' students are recorded; answers without persons are not."""
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    await reader.get("/schools")
    await reader.get("/users?limit=2")
    await reader.get(f"/sections/{riverbend.id('sections', riverbend.algebra)}")
    await reader.get(f"/users/{riverbend.id('people', riverbend.bea)}")
    users, section, contact = await disclosed(readers)
    assert BitMap.deserialize(users.persons) == BitMap([riverbend.ann, riverbend.ben])
    assert (users.route, users.revision, len(users.field_groups)) == ("/v3.1/users", 7, 9)
    assert BitMap.deserialize(section.persons) == BitMap([riverbend.ann, riverbend.ben, riverbend.tom, riverbend.una])
    assert (section.route, section.field_groups) == ("/v3.1/sections/{id}", ["identity"])
    assert BitMap.deserialize(contact.persons) == BitMap([riverbend.bea, riverbend.ann, riverbend.cal])


async def test_a_record_that_is_read_again_is_on_record_again(readers: Readers, riverbend: Riverbend) -> None:
    """The second reading, by one statement, is recorded as the first: the same persons, groups and revision.

    Catches a short way around the disclosure.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    for person in (riverbend.ann, riverbend.tom, riverbend.bea):
        for _ in range(2):
            await reader.get(f"/users/{riverbend.id('people', person)}")
    told = [(row.route, row.revision, row.field_groups, row.persons) for row in await disclosed(readers)]
    assert len(told) == 6
    assert told[::2] == told[1::2]


@asynccontextmanager
async def refusing_disclosures(by_hand: Database, district_id: Any) -> AsyncIterator[None]:
    """The table of disclosures takes none of this district."""
    async with by_hand.write() as session:
        await session.execute(
            text(f"alter table disclosures add constraint closed check (district_id <> '{district_id}')")
        )
    yield
    async with by_hand.write() as session:
        await session.execute(text("alter table disclosures drop constraint closed"))


@pytest.mark.asvs("V16.5.3")
async def test_no_record_no_answer(readers: Readers, riverbend: Riverbend) -> None:
    """When a disclosure cannot be recorded, nothing of the persons is sent.

    Catches an answer that begins before its disclosure is committed.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    async with refusing_disclosures(readers.by_hand, riverbend.roster.district_id):
        answer = await reader.ask("/users")
        assert (await reader.ask("/schools")).status_code == 200
    assert answer.status_code >= 400
    assert list(answer.json()) == ["message"]
    assert "ann@x.org" not in answer.text


async def test_requests_do_not_starve_each_other(readers: Readers, riverbend: Riverbend, database_url: str) -> None:
    """More readers than connections are served one after the other.

    Catches a request that holds its snapshot's connection while it waits for one to record the disclosure.
    """
    reader = await readers.connect(riverbend.roster.everything())
    narrow = Database(database_url, pool_size=1)
    readers.app.state.database, readers.app.state.disclosures = narrow, Disclosures(narrow)
    try:
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*(reader.ask("/users") for _ in range(12)))
    finally:
        await narrow.close()
    assert {answer.status_code for answer in answers} == {200}
