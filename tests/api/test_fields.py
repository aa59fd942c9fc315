"""Field groups: what an application asks for, what districts accept, and what answers therefore hold."""

from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from sharing_service.access.callers import DistrictAdmin, Operator
from sharing_service.actions.change_application import change_application
from sharing_service.actions.connect_application import connect_application
from sharing_service.database import enter_district
from sharing_service.delivery.models import Disclosure
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


async def choose(
    tutor: Connected, *declined: str, status: int = 200, accept: bool = True, expected: str | None = None
) -> Json:
    """Let the district decline these groups, if all is as expected."""
    body: Json = {"declined": list(declined)} | ({} if accept else {"accept": False})
    headers = {} if expected is None else {"If-Match": expected}
    answer: Json = await tutor.district.call("PUT", f"{tutor.path}/fields", body, status, **headers)
    return answer


async def lists_of(tutor: Connected, *names: str) -> list[list[str]]:
    """Some lists of what the district sees of the application's field groups."""
    fields = await tutor.district.get(f"{tutor.path}/fields")
    assert (await tutor.district.get(tutor.path))["fields"] == fields
    return [fields[name] for name in names]


async def test_declining(tutor: Connected) -> None:
    """A declined group is gone from the next answer; the district sees it, and it stands in the trail.

    Catches: a refusal that is kept without being followed."""
    before = await revision_of(tutor)
    shown = await choose(tutor, "students.contacts", "numbers")

    assert await groups_told(tutor) == {"email"}
    assert await tutor.records("/users", role="contact") == []
    assert await revision_of(tutor) == shown["revision"] == before + 1
    assert shown == {
        "required": ["students.email"],
        "optional": ["students.contacts", "students.numbers"],
        "accepted": ["students.email"],
        "pending": [],
        "declined": ["students.contacts", "students.numbers", "teachers.numbers"],
        "revision": before + 1,
    }
    assert await lists_of(tutor, *shown) == [*shown.values()]
    [line, *_] = (await tutor.district.get("/audit"))["data"]
    assert (line["action"], line["revision"], line["after"]) == (
        "choose_fields",
        before + 1,
        {"fields": shown["accepted"], "declined": shown["declined"]},
    )


async def test_disclosures_record_what_was_received(tutor: Connected) -> None:
    """A disclosure names the groups that the answer held, not those that the application asks for.

    Catches: a record that is made from the request."""
    await ask(tutor, MORE)
    await choose(tutor, "numbers", accept=False)
    await tutor.records("/users", role="student")
    async with tutor.district.service.by_hand.read() as session:
        await enter_district(session, UUID(tutor.district.id))
        of_district = Disclosure.district_id == UUID(tutor.district.id)
        last = await session.scalar(select(Disclosure).where(of_district).order_by(Disclosure.id.desc()).limit(1))

    assert last is not None
    assert last.field_groups == ["contacts", "email", "identity"]


async def test_choosing_the_same_again(tutor: Connected) -> None:
    """What the district sees as declined can be sent as it is; the same choice takes no revision."""
    first = await choose(tutor, "numbers")

    assert await choose(tutor, *first["declined"]) == first
    assert await choose(tutor, "teachers.numbers", "students.numbers", "numbers") == first


async def test_accepting_what_is_pending(tutor: Connected) -> None:
    """What is asked for in addition is pending until the district accepts it with its next choice."""
    await ask(tutor, MORE)
    assert await lists_of(tutor, "accepted", "pending") == [
        ["students.contacts", "students.email", "students.numbers"],
        ["students.status"],
    ]
    await choose(tutor, "numbers")

    assert await groups_told(tutor) == {"email", "contacts", "status"}
    assert await lists_of(tutor, "pending") == [[]]


async def test_declining_without_accepting(tutor: Connected) -> None:
    """A district can decline without accepting what is pending, and take a refusal back without accepting either.

    Catches: a district that can narrow only by widening."""
    await ask(tutor, MORE)
    declined = await choose(tutor, "numbers", accept=False)
    taken_back = await choose(tutor, accept=False)

    assert (declined["accepted"], declined["pending"]) == (["students.contacts", "students.email"], ["students.status"])
    assert (taken_back["accepted"], taken_back["declined"]) == (declined["accepted"], [])
    assert taken_back["pending"] == ["students.numbers", "students.status"]
    assert await groups_told(tutor) == {"email", "contacts"}


async def test_a_request_that_changed_meanwhile(tutor: Connected) -> None:
    """With If-Match a district accepts only the request that it has seen, and only its own last choice.

    Catches: an acceptance of what was added between reading and accepting; a tag of the permission's version."""
    read = await tutor.district.service.client.get(
        f"{tutor.district.path}{tutor.path}/fields", headers=tutor.district.admin
    )
    seen = read.headers["ETag"]
    await ask(tutor, MORE)
    await choose(tutor, status=412, expected=seen)
    assert await groups_told(tutor) == {"email", "numbers", "contacts"}
    now = f'"{(await tutor.district.get(f"{tutor.path}/fields"))["revision"]}"'
    await choose(tutor, "numbers", expected=now)
    await choose(tutor, status=412, expected=now)
    await choose(tutor, "contacts", expected="*")

    assert await groups_told(tutor) == {"email", "numbers", "status"}


@pytest.mark.parametrize("name", ["email", "students.email"])
async def test_required_groups(tutor: Connected, name: str) -> None:
    """A required group cannot be declined, alone or with others, and the refusal names it."""
    refused = await choose(tutor, "numbers", name, status=422)

    assert refused["problems"] == [
        {"where": ["body", "declined"], "message": "The application requires students.email: it cannot be declined."}
    ]
    assert await groups_told(tutor) == {"email", "numbers", "contacts"}


@pytest.mark.parametrize("name", ["identity", "students.identity", "schools.email", "shoes", "students", ""])
async def test_what_cannot_be_declined(tutor: Connected, name: str) -> None:
    """Identity, a group that the kind does not have and unknown names are refused, whatever else is declined."""
    [problem] = (await choose(tutor, "numbers", name, status=422))["problems"]

    assert problem["where"] == ["body", "declined", 1]
    assert ("identity" in problem["message"]) == (name == "identity")
    assert await lists_of(tutor, "declined") == [[]]


async def test_required_after_it_was_declined(tutor: Connected) -> None:
    """A declined group that becomes required stays declined until the district takes its refusal back, for good.

    Catches: an operator who gets a group by calling it required."""
    await choose(tutor, "numbers", "contacts")
    await ask(tutor, {"students": {"required": ["email", "numbers"], "optional": ["contacts"]}})
    assert await groups_told(tutor) == {"email"}
    assert await lists_of(tutor, "required", "pending") == [["students.email", "students.numbers"], []]
    await choose(tutor, "numbers")
    assert await groups_told(tutor) == {"email", "contacts"}
    await choose(tutor)
    await choose(tutor, "numbers", status=422)

    assert await groups_told(tutor) == {"email", "contacts", "numbers"}


async def test_declining_in_advance(tutor: Connected) -> None:
    """What a district declines before it is asked for is not even pending when it is."""
    await choose(tutor, "status")
    await ask(tutor, MORE)

    assert await groups_told(tutor) == {"email", "numbers", "contacts"}
    assert await lists_of(tutor, "pending", "declined") == [[], ["students.status"]]


async def test_groups_that_a_kind_does_not_have(district: District) -> None:
    """An application may ask for a group that the kind does not have; it stands for nothing."""
    fields = {
        "schools": {"required": ["email", "identity"]},
        "teachers": {"optional": ["contacts"], "required": ["ext"]},
    }
    tutor = await district.connect(await district.service.application(fields=fields))

    assert await lists_of(tutor, "required", "optional", "accepted") == [["teachers.ext"], [], ["teachers.ext"]]
