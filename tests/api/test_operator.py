"""What the operator manages, over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from sharing_service.access.models import IdempotencyKey, Token
from sharing_service.actions.erase_district import erase_batch
from sharing_service.audit.models import AuditEntry
from sharing_service.database import SERVICE, Base, enter_district
from sharing_service.delivery.models import TokenVolume
from sharing_service.roster.models import District as DistrictRow
from sharing_service.roster.models import Revision
from sharing_service.roster.sync_models import RowDigests
from sharing_service.sharing.models import Grant
from tests.factories.service import District, Json, Service, answered, bearer, everything
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

IDENTITY_ONLY: Json = {
    kind: {"required": [], "optional": []} for kind in ("schools", "sections", "students", "teachers", "staff")
}

EMPTY = {"upload_files", "upload_chunks"}
"""Tables that hold rows only while a sync is not final."""


async def trail(service: Service, district_id: UUID) -> list[AuditEntry]:
    """The lines of a district's trail, oldest first."""
    async with service.by_hand.read() as session:
        await enter_district(session, district_id)
        lines = select(AuditEntry).where(AuditEntry.district_id == district_id).order_by(AuditEntry.id)
        return list(await session.scalars(lines))


async def connect(service: Service, district_id: str, application_id: str) -> None:
    """Write a grant straight into its table."""
    async with service.by_hand.write() as session:
        await enter_district(session, UUID(district_id))
        session.add(
            Grant(district_id=UUID(district_id), application_id=UUID(application_id), revision=0, decided_revision=0)
        )


async def post(service: Service, path: str, body: Any, status: int = 201) -> Any:
    """What a write of the operator is answered."""
    return answered(await service.client.post(f"/v1/{path}", json=body, headers=service.operator), status)


async def listed(service: Service, path: str, headers: dict[str, str] | None = None, **parameters: Any) -> Json:
    """A page of a list."""
    response = await service.client.get(f"/v1/{path}", params=parameters, headers=headers or service.operator)
    page: Json = answered(response)
    return page


async def test_districts(service: Service) -> None:
    """A new district has no revision yet, is shown as it was answered, and stands in its own trail."""
    made = await post(service, "districts", {"name": "Riverbend Unified"})
    shown = answered(await service.client.get(f"/v1/districts/{made['id']}", headers=service.operator))

    assert made == shown
    assert {"name": "Riverbend Unified", "revision": 0}.items() <= made.items()
    [line] = await trail(service, UUID(made["id"]))
    assert (line.action, line.caller) == ("create_district", {"role": "operator"})


@pytest.mark.parametrize(
    ("path", "body"), [("districts", {"name": "A"}), ("applications", {"name": "A"}), ("tokens", {"role": "operator"})]
)
async def test_lists_come_in_pages(service: Service, path: str, body: Json) -> None:
    """Following `next` shows every record once, in a stable order, and `total` counts them all."""
    made = {(await post(service, path, body))["id"] for _ in range(3)}
    ids: list[str] = []
    page = await listed(service, path, limit=2)
    while True:
        ids += [shown["id"] for shown in page["data"]]
        if page["next"] is None:
            break
        page = await listed(service, path, limit=2, after=page["next"])

    assert made <= set(ids)
    assert ids == sorted(set(ids))
    assert page["total"] == len(ids)


async def test_an_application_shows_its_secret_once(service: Service) -> None:
    """Without fields an application gets identity only; its secret is in the first answer and nowhere else."""
    made = await post(service, "applications", {"name": "Algebra Tutor"})
    shown = answered(await service.client.get(f"/v1/applications/{made['id']}", headers=service.operator))

    assert made.pop("client_secret").startswith("sharing_client_")
    assert made == shown
    assert made["fields"] == IDENTITY_ONLY
    [line] = [entry for entry in await trail(service, SERVICE) if entry.subject["id"] == made["id"]]
    assert line.action == "create_application"


@pytest.mark.parametrize(
    ("recommended", "status"),
    [
        ({"mode": "district"}, 201),
        ({"mode": "school_site"}, 201),
        ({"mode": "rules", "rules": [{"match": "staff", "where": [{"field": "role", "operator": "is_empty"}]}]}, 201),
        ({"mode": "schools", "school_ids": []}, 422),
        ({"mode": "sections", "section_ids": []}, 422),
    ],
)
async def test_recommended_sharing(service: Service, recommended: Json, status: int) -> None:
    """A recommendation fits every district: modes that name ids are refused."""
    answer = await post(service, "applications", {"name": "A", "recommended_sharing": recommended}, status)

    assert status == 422 or answer["recommended_sharing"]["mode"] == recommended["mode"]


async def test_changing_an_application(service: Service) -> None:
    """Members that are given change, the others stay; null takes the recommendation away."""
    made = await post(service, "applications", {"name": "A", "recommended_sharing": {"mode": "district"}})
    path = f"/v1/applications/{made['id']}"
    renamed = answered(await service.client.patch(path, json={"name": "B"}, headers=service.operator))
    bare = answered(await service.client.patch(path, json={"recommended_sharing": None}, headers=service.operator))

    assert renamed == {**renamed, "name": "B", "recommended_sharing": made["recommended_sharing"]}
    assert bare == {**renamed, "recommended_sharing": None}
    assert answered(await service.client.patch(path, json={}, headers=service.operator)) == bare


async def test_other_fields_move_every_connected_district(service: Service, district: District) -> None:
    """Other fields are each connected district's business: it gets a revision and a line of its trail."""
    application = await service.application()
    await connect(service, district.id, application)
    fields = {"students": {"required": ["email"]}}
    answered(
        await service.client.patch(f"/v1/applications/{application}", json={"fields": fields}, headers=service.operator)
    )

    async with service.by_hand.read() as session:
        grant = await session.get_one(Grant, (UUID(district.id), UUID(application)))
        revision = await session.get_one(Revision, (UUID(district.id), 1))
    assert (grant.fields_revision, revision.cause) == (1, "change_application")
    line = (await trail(service, UUID(district.id)))[-1]
    assert (line.action, line.revision) == ("change_application", 1)
    assert line.before is not None
    assert line.after is not None
    assert line.before["fields"]["students"]["required"] == []
    assert line.after["fields"]["students"]["required"] == ["email"]


async def test_deleting_an_application(service: Service, district: District) -> None:
    """An application that districts have connected stays; one that none has is gone from everywhere."""
    application = await service.application()
    path = f"/v1/applications/{application}"
    await connect(service, district.id, application)
    refused = answered(await service.client.delete(path, headers=service.operator), 409)
    async with service.by_hand.write() as session:
        await session.delete(await session.get_one(Grant, (UUID(district.id), UUID(application))))
    answered(await service.client.delete(path, headers=service.operator), 204)

    assert {"code": "connected", "districts": 1}.items() <= refused.items()
    for method in ("GET", "DELETE"):
        answered(await service.client.request(method, path, headers=service.operator), 404)
    applications = await everything(service.client, "/v1/applications", service.operator)
    assert application not in [shown["id"] for shown in applications]


async def test_the_operator_manages_alone(service: Service, district: District) -> None:
    """A district admin reaches neither districts nor applications, its own district included."""
    for method, path in [
        ("GET", "districts"),
        ("POST", "districts"),
        ("GET", f"districts/{district.id}"),
        ("DELETE", f"districts/{district.id}"),
        ("POST", "applications"),
        ("GET", f"applications/{uuid4()}"),
    ]:
        problem = answered(await service.client.request(method, f"/v1/{path}", headers=district.admin), 403)
        assert problem["code"] == "forbidden"


async def test_erasing_a_district(service: Service, district: District) -> None:
    """From the answer on nobody reaches the district; the job leaves its trail and nothing else, piece by piece.

    Catches: a table of district data that erasure forgets."""
    other = await service.district("Lakeside")
    await fill(district)
    filled = await rows_of(service, district.id)
    answered(await service.client.delete(f"/v1/districts/{district.id}", headers=service.operator), 202)

    answered(await service.client.get("/v1/tokens", headers=district.admin), 401)
    for method in ("GET", "DELETE"):
        answered(await service.client.request(method, f"/v1/districts/{district.id}", headers=service.operator), 404)
    districts = await everything(service.client, "/v1/districts", service.operator)
    assert district.id not in [shown["id"] for shown in districts]

    rounds = 1
    while not await erase_some(service, district.id):
        rounds += 1
    assert rounds > 2
    async with service.by_hand.read() as session:
        tombstone = await session.get_one(DistrictRow, UUID(district.id))
        keys = set(await session.scalars(select(IdempotencyKey.key)))
    assert {name for name, count in filled.items() if not count} <= EMPTY
    assert {name for name, count in (await rows_of(service, district.id)).items() if count} == {"audit_entries"}
    assert tombstone.name == ""
    assert district.id not in keys
    assert [line.action for line in await trail(service, UUID(district.id))][-1] == "erase_district"
    answered(await service.client.get("/v1/tokens", headers=other.admin))


async def fill(district: District) -> None:
    """Let a district use everything that leaves rows."""
    await district.publish(render(SMALL_DISTRICT))
    tutor = await district.connect()
    await tutor.share({"mode": "school_site"})
    school = next(iter(await district.everything("schools")))["id"]
    await district.call("PUT", f"{tutor.path}/sites/{school}", {"share": "everyone"})
    await tutor.records("/users")
    student = (await district.everything("students"))[0]["id"]
    block = {"kind": "students", "record_id": student, "application_id": None, "reason": "asked for"}
    await district.call("POST", "/blocks", block, 201, **{"Idempotency-Key": district.id})
    # Files with records that have no name, as here, leave no digests of their own.
    digests = {"fingerprint": b"f", "reading": b"r", "name": "students", "number": 0, "data": b"d"}
    async with district.service.by_hand.write() as session:
        await enter_district(session, UUID(district.id))
        session.add(RowDigests(district_id=UUID(district.id), **digests))
        # What an application received is written by each process every minute.
        session.add(TokenVolume(district_id=UUID(district.id), token_id=uuid4(), hour=datetime.now(UTC), persons=9))


async def rows_of(service: Service, district_id: str) -> dict[str, int]:
    """How many rows each table has of a district."""
    tables = [table for table in Base.metadata.sorted_tables if "district_id" in table.columns]
    async with service.by_hand.read() as session:
        await enter_district(session, UUID(district_id))
        return {
            table.name: await session.scalar(
                select(func.count()).select_from(table).where(table.c.district_id == UUID(district_id))
            )
            or 0
            for table in tables
        }


async def erase_some(service: Service, district_id: str) -> bool:
    """One round of the job."""
    async with service.jobs.write() as session:
        return await erase_batch(session, UUID(district_id), 20)


async def test_only_an_erased_district_loses_rows(service: Service, district: District) -> None:
    """The job refuses a district that nobody erased."""
    with pytest.raises(ValueError, match="being erased"):
        await erase_some(service, district.id)


async def test_a_secret_is_kept_as_a_hash(service: Service, district: District) -> None:
    """Nowhere in the tables of tokens and of the trail does the text of a token stand."""
    text = await service.token(role="district_admin", district_id=district.id)
    async with service.by_hand.read() as session:
        rows = str([row.__dict__ for row in await session.scalars(select(Token))])
    lines = str([line.__dict__ for line in await trail(service, UUID(district.id))])

    assert text not in rows + lines
    assert text.split("_")[-1] not in rows + lines
    assert answered(await service.client.get("/v1/tokens", headers=bearer(text)))
