"""Field groups: what an application asks for, what districts accept, and what answers therefore hold."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sharing_service.access.callers import DistrictAdmin, Operator
from sharing_service.actions.change_application import change_application
from sharing_service.actions.connect_application import connect_application
from sharing_service.database import enter_district
from tests.factories.service import Connected, District, Json, answered
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

FILES = render(SMALL_DISTRICT)
WHOLE = {"mode": "district", "include_staff": True}
STUDENTS: Json = {"students": {"required": ["email"], "optional": ["numbers", "contacts"]}}
LESS: Json = {"students": {"required": ["email"]}}
MORE: Json = {"students": {"required": ["email", "status"], "optional": ["numbers", "contacts"]}}


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application that asks for some groups of the students and sees the small district."""
    await district.publish(FILES)
    tutor = await district.connect(await district.service.application(fields=STUDENTS))
    await tutor.share(WHOLE)
    return tutor


async def ask(tutor: Connected, fields: Json) -> None:
    """Let the operator change what the application asks for."""
    service = tutor.district.service
    answered(
        await service.client.patch(f"/v1/applications/{tutor.id}", json={"fields": fields}, headers=service.operator)
    )


async def groups_told(tutor: Connected) -> set[str]:
    """Which of some groups the students have in the answers that the application gets now."""
    users = await tutor.records("/users")
    members = {name for user in users for name in (*user, *user["roles"].get("student", ()))}
    members |= {"contacts" for user in users if "contact" in user["roles"]}
    named = {"email": "email", "student_number": "numbers", "contacts": "contacts", "ell_status": "status"}
    return {named[member] for member in members & {*named}}


async def revision_of(tutor: Connected) -> int:
    """The revision that the application's answers carry."""
    return int((await tutor.fetch("/users")).headers["X-Sharing-Revision"])


async def test_connecting_accepts_what_is_asked(tutor: Connected) -> None:
    """An application receives what it asked for when it was connected."""
    assert await groups_told(tutor) == {"email", "numbers", "contacts"}


async def test_asking_for_less(tutor: Connected) -> None:
    """What an application no longer asks for ends at once in every district, under a new revision of each.

    Catches: a grant that keeps what it once accepted, and a change that forgets the districts beyond the first."""
    other = await tutor.district.service.district("Lakeside")
    await other.publish(FILES)
    also = await other.connect(tutor.id)
    await also.share(WHOLE)
    before = [await revision_of(one) for one in (tutor, also)]
    await ask(tutor, LESS)

    for one, revision in zip((tutor, also), before, strict=True):
        assert await groups_told(one) == {"email"}
        assert await revision_of(one) == revision + 1
        [line, *_] = (await one.district.get("/audit"))["data"]
        assert (line["action"], line["revision"]) == ("change_application", revision + 1)


async def test_asking_for_more(tutor: Connected) -> None:
    """What an application asks for in addition reaches no district that has not accepted it; a new one accepts it.

    Catches: answers that are made by the application's fields instead of the grant's."""
    before = await revision_of(tutor)
    await ask(tutor, MORE)
    other = await tutor.district.service.district("Lakeside")
    await other.publish(FILES)
    new = await other.connect(tutor.id)
    await new.share(WHOLE)

    assert await groups_told(tutor) == {"email", "numbers", "contacts"}
    assert await groups_told(new) == {"email", "numbers", "contacts", "status"}
    assert await revision_of(tutor) == before
    [line, *_] = (await tutor.district.get("/audit"))["data"]
    assert (line["action"], line["revision"]) == ("change_application", before + 1)


async def test_asking_again(tutor: Connected) -> None:
    """What an application gave up and asks for again waits like any other addition.

    Catches: an acceptance that outlives the request that it answered."""
    await ask(tutor, LESS)
    await ask(tutor, STUDENTS)

    assert await groups_told(tutor) == {"email"}


async def test_connecting_waits_for_a_change(tutor: Connected) -> None:
    """Nobody connects an application while its request is being changed.

    Catches: a district that accepts the old request after the change went through the districts that it knew."""
    service = tutor.district.service
    other = await service.district("Lakeside")
    admin = DistrictAdmin(token_id=None, district_id=UUID(other.id))
    async with service.database.write() as session:
        await change_application(session, Operator(token_id=None), UUID(tutor.id), {"fields": LESS})
        async with service.database.write() as connecting:
            await enter_district(connecting, admin.district_id)
            await connecting.execute(text("set local lock_timeout = '100ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await connect_application(connecting, admin, UUID(tutor.id))
            await connecting.rollback()
