"""Who may issue, list and revoke which tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from sharing_service.audit import trail
from sharing_service.database import enter_district
from sharing_service.roster.models import Identity
from sharing_service.sharing.models import Grant
from tests.factories.service import District, Headers, Json, Service, answered, bearer, everything


async def school_of(service: Service, district: District) -> str:
    """The id of a school that the district had."""
    school = uuid7()
    async with service.by_hand.write() as session:
        await enter_district(session, UUID(district.id))
        session.add(
            Identity(
                district_id=UUID(district.id),
                kind="schools",
                key=str(school),
                numbering="schools",
                ordinal=0,
                id=school,
            )
        )
    return str(school)


async def connected_application(service: Service, district: District) -> str:
    """The id of an application that the district has connected."""
    application = await service.application()
    async with service.by_hand.write() as session:
        await enter_district(session, UUID(district.id))
        session.add(
            Grant(district_id=UUID(district.id), application_id=UUID(application), revision=0, decided_revision=0)
        )
    return application


async def issue(service: Service, headers: Headers, status: int = 201, **wanted: Any) -> Any:
    """What a request for a token is answered."""
    return answered(await service.client.post("/v1/tokens", json=wanted, headers=headers), status)


async def tokens_seen(service: Service, headers: Headers) -> list[Json]:
    """All tokens on the caller's list."""
    return await everything(service.client, "/v1/tokens", headers)


async def test_the_operator_issues_every_role(service: Service, district: District) -> None:
    """Each role's token is answered once, with what it allows, and works at once."""
    school, application = await school_of(service, district), await connected_application(service, district)
    own = {"district_id": district.id}
    for wanted in (
        {"role": "operator", "label": "night shift"},
        {"role": "district_admin", **own},
        {"role": "school_lead", **own, "school_ids": [school]},
        {"role": "audit_reader", **own},
        {"role": "application", **own, "application_id": application},
    ):
        issued = await issue(service, service.operator, **wanted)
        expected = 200 if wanted["role"] in ("operator", "district_admin") else 403
        response = await service.client.get("/v1/tokens", headers=bearer(issued["token"]))
        assert wanted.items() <= issued.items()
        assert response.status_code == expected


@pytest.mark.asvs("V8.2.1")
async def test_a_district_admin_issues_lesser_roles(service: Service, district: District) -> None:
    """A district admin issues school lead, audit reader and application tokens of the own district, nothing above."""
    school, application = await school_of(service, district), await connected_application(service, district)
    lead: Json = {"role": "school_lead", "district_id": district.id, "school_ids": [school]}
    reader: Json = {"role": "application", "district_id": district.id, "application_id": application}
    issued = await issue(service, district.admin, **lead)
    await issue(service, district.admin, **reader)
    await issue(service, district.admin, role="audit_reader", district_id=district.id)

    await issue(service, district.admin, 403, role="operator")
    await issue(service, district.admin, 403, role="district_admin", district_id=district.id)
    await issue(service, bearer(issued["token"]), 403, **lead)
    assert issued["created_by"]["role"] == "district_admin"


async def test_an_audit_reader_reads_the_trail(service: Service, district: District) -> None:
    """An audit reader reads the trail of the own district as its admin does, from its token's own line on.

    What else it may not do is in the access matrix.
    """
    issued = await issue(service, district.admin, role="audit_reader", district_id=district.id)
    read = await service.client.get(f"{district.path}/audit", headers=bearer(issued["token"]))

    assert answered(read) == await district.get("/audit")
    assert answered(read)["data"][0]["after"]["role"] == "audit_reader"


@pytest.mark.asvs("V8.2.2")
async def test_another_district_is_absent(service: Service, district: District) -> None:
    """A district admin gets byte for byte the same answer for another district as for one that does not exist.

    Catches: an answer that tells which districts there are."""
    other = await service.district("Lakeside")
    school = await school_of(service, other)
    wanted = {"role": "school_lead", "school_ids": [school]}
    answers = {
        (await service.client.post("/v1/tokens", json={**wanted, "district_id": place}, headers=district.admin)).content
        for place in (other.id, str(uuid4()))
    }

    assert len(answers) == 1
    await issue(service, district.admin, 404, **wanted, district_id=other.id)


async def test_who_is_issued_nothing(service: Service, district: District) -> None:
    """A token needs a district, schools it had, and for an application a connection; each refusal says which."""
    school, stranger = await school_of(service, district), await service.application()
    own = {"district_id": district.id}
    unknown = await issue(service, service.operator, 422, role="school_lead", **own, school_ids=[school, str(uuid4())])
    apart = await issue(service, service.operator, 409, role="application", **own, application_id=stranger)

    assert [problem["where"] for problem in unknown["problems"]] == [["body", "school_ids", 1]]
    assert apart["code"] == "not_connected"
    await issue(service, service.operator, 422, role="school_lead", **own, school_ids=[])
    await issue(service, service.operator, 404, role="application", **own, application_id=str(uuid4()))
    await issue(service, service.operator, 404, role="district_admin", district_id=str(uuid4()))


@pytest.mark.parametrize(
    "moment",
    [
        *("2020-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00", "2999-01-01T00:00:00", "0001-01-01T00:00:00+10:00"),
        *("soon", "4102444800", 4102444800),
    ],
)
async def test_impossible_ends(service: Service, moment: str | int) -> None:
    """An end in the past, without an offset, as a number or beyond what a database knows is refused with its place."""
    problem = await issue(service, service.operator, 422, role="operator", expires_at=moment)

    assert [entry["where"][-1] for entry in problem["problems"]] == ["expires_at"]
    assert str(moment) not in str(problem)


@pytest.mark.asvs("V16.2.2")
async def test_a_token_ends(service: Service) -> None:
    """The end of a token is shown in UTC."""
    end = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    issued = await issue(service, service.operator, role="operator", expires_at=end.isoformat())

    assert issued["expires_at"] == end.isoformat().replace("+00:00", "Z")


@pytest.mark.asvs("V7.4.1", "V7.4.5", "V10.4.9")
async def test_revocation_is_effective_at_once(service: Service, district: District) -> None:
    """The request after the revocation is refused, and the token is gone from the list.

    Catches: a cached caller."""
    issued = await issue(service, service.operator, role="district_admin", district_id=district.id)
    headers = bearer(issued["token"])
    answered(await service.client.get("/v1/tokens", headers=headers))
    path = f"/v1/tokens/{issued['id']}"
    answered(await service.client.delete(path, headers=district.admin), 204)

    answered(await service.client.get("/v1/tokens", headers=headers), 401)
    answered(await service.client.delete(path, headers=district.admin), 404)
    assert issued["id"] not in [token["id"] for token in await tokens_seen(service, district.admin)]
    async with service.by_hand.read() as session:
        await enter_district(session, UUID(district.id))
        newest = trail.select_entries(UUID(district.id), after=None, limit=1)
        [line] = await session.scalars(newest)
    assert (line.action, line.subject["id"]) == ("revoke_token", issued["id"])


@pytest.mark.asvs("V7.5.2", "V8.4.1")
async def test_a_list_is_of_the_own_district(service: Service, district: District) -> None:
    """A district admin sees and revokes the tokens of the own district, an operator all; no list holds a secret."""
    other = await service.district("Lakeside")
    foreign = await issue(service, service.operator, role="district_admin", district_id=other.id)
    own = await tokens_seen(service, district.admin)

    assert {token["district_id"] for token in own} == {district.id}
    assert not [token for token in own if "token" in token or "digest" in token]
    assert foreign["id"] in [token["id"] for token in await tokens_seen(service, service.operator)]
    answered(await service.client.delete(f"/v1/tokens/{foreign['id']}", headers=district.admin), 404)
    answered(await service.client.get("/v1/tokens", headers=bearer(foreign["token"])))
