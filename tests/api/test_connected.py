"""Connecting applications, pausing them and taking the connection back."""

from uuid import uuid4

import pytest

from tests.factories.service import Connected, District, Service, answered, bearer
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

WHOLE = {"mode": "district", "include_staff": False}


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application that sees the small district but its staff."""
    await district.publish(render(SMALL_DISTRICT))
    tutor = await district.connect()
    await tutor.share(WHOLE)
    return tutor


async def test_connecting(district: District, service: Service) -> None:
    """The first time answers 201, again 200 with the same; only the first is in the trail."""
    application_id = await service.application("Algebra Tutor")
    first = await district.call("PUT", f"/applications/{application_id}", status=201)
    again = await district.call("PUT", f"/applications/{application_id}")
    trail = [line["action"] for line in (await district.get("/audit"))["data"]]

    assert first == again == await district.get(f"/applications/{application_id}")
    assert (first["name"], first["mode"], first["version"], first["paused"]) == ("Algebra Tutor", None, 0, False)
    assert trail.count("connect_application") == 1


async def test_only_applications_there_are(district: District, service: Service) -> None:
    """An application that never was, or is deleted, cannot be connected."""
    deleted = await service.application()
    answered(await service.client.delete(f"/v1/applications/{deleted}", headers=service.operator), 204)

    for absent in (deleted, str(uuid4()), deleted.upper(), "x"):
        await district.call("PUT", f"/applications/{absent}", status=404)


async def test_the_list_of_applications(tutor: Connected, service: Service) -> None:
    """The list tells mode, counts, whether paused and the last change, in pages by id."""
    other = await tutor.district.connect()
    first = await tutor.district.get("/applications", limit=1)
    second = await tutor.district.get("/applications", limit=1, after=first["next"])
    shown = {one["id"]: one for page in (first, second) for one in page["data"]}

    assert list(shown) == sorted((tutor.id, other.id))
    assert (first["total"], second["next"]) == (2, None)
    assert (shown[tutor.id]["mode"], shown[tutor.id]["counts"]["students"]) == ("district", 4)
    assert (shown[other.id]["mode"], shown[other.id]["counts"]["students"]) == (None, 0)
    assert shown[tutor.id]["changed_at"] > shown[tutor.id]["connected_at"]


@pytest.mark.asvs("V7.4.2")
async def test_disconnecting(tutor: Connected) -> None:
    """Its tokens die, nothing is readable, and the history stays."""
    district = tutor.district
    await district.call("DELETE", tutor.path, status=204)

    assert (await tutor.fetch("/users")).status_code == 401
    for path in ("", "/sharing", "/shared", "/shared/students", "/shared/students.csv", "/sites", "/sharing/history"):
        await district.get(f"{tutor.path}{path}", 404)
    await district.call("DELETE", tutor.path, status=404)
    assert (await district.get("/applications"))["total"] == 0


async def test_connecting_again(tutor: Connected) -> None:
    """An application that is connected again starts with nothing shared, and its versions go on.

    Catches: versions that begin anew, so that an old ETag fits another permission."""
    district, ids = tutor.district, await tutor.district.ids()
    await district.call("PUT", f"{tutor.path}/sites/{ids['schools', 'N']}", {"share": "everyone"})
    await district.call("DELETE", tutor.path, status=204)
    again = await district.connect(tutor.id)
    history = await district.get(f"{tutor.path}/sharing/history")
    sites = await district.get(f"{tutor.path}/sites")

    assert (await district.get(tutor.path))["mode"] is None
    assert [(one["version"], one["after"]) for one in history["data"]] == [(2, None), (1, WHOLE)]
    assert {site["selection"]["share"] for site in sites["data"]} == {"nothing"}
    await district.call("PUT", f"{tutor.path}/sharing", WHOLE, 412, **{"If-Match": '"1"'})
    assert (await again.share(WHOLE))["version"] == 3


async def test_pausing(tutor: Connected) -> None:
    """A paused application is answered 423 and nothing of its own changes; the district looks on; both are repeatable.

    Catches: a pause that answers with an empty list, on which partners delete their rosters."""
    district = tutor.district
    before = await district.get(f"{tutor.path}/shared")
    paused = await district.call("POST", f"{tutor.path}/pause")
    again = await district.call("POST", f"{tutor.path}/pause")
    during = await district.get(f"{tutor.path}/shared")
    refused = await tutor.fetch("/users")
    resumed = await district.call("POST", f"{tutor.path}/resume")
    trail = [line["action"] for line in (await district.get("/audit"))["data"]]

    assert (paused["paused"], resumed["paused"]) == (True, False)
    assert again == paused
    assert (refused.status_code, during["counts"]) == (423, before["counts"])
    assert paused["revision"] == before["revision"] + 1 == resumed["revision"] - 1
    assert (await tutor.fetch("/users")).status_code == 200
    assert (trail.count("pause_grant"), trail.count("resume_grant")) == (1, 1)


@pytest.mark.asvs("V8.2.1")
async def test_who_is_let_in(tutor: Connected, service: Service) -> None:
    """Strangers get 401, the operator and applications 403, school leads 403 where admins decide."""
    district, ids = tutor.district, await tutor.district.ids()
    lead = bearer(await service.token(role="school_lead", district_id=district.id, school_ids=[ids["schools", "N"]]))
    paths = ("/applications", f"{tutor.path}/sharing", "/students", "/syncs", "/blocks", "/audit")
    for path in paths:
        for headers, status in (({}, 401), (service.operator, 403), (tutor.headers, 403), (lead, 403)):
            answer = await service.client.get(f"{district.path}{path}", headers=headers)

            assert answer.status_code == status, (path, headers)


@pytest.mark.asvs("V8.2.2", "V8.4.1")
async def test_another_district_is_as_absent(tutor: Connected, service: Service) -> None:
    """Another district's routes answer as those of a district that never was, byte for byte.

    Catches: a look-up that forgets the district, or an answer that tells the two apart."""
    stranger = await service.district()
    ids = await tutor.district.ids()
    student = ids["students", "ann"]
    for path in ("/students", f"/students/{student}", tutor.path, f"{tutor.path}/sharing", f"{tutor.path}/shared"):
        foreign, absent = [
            await service.client.get(f"/v1/districts/{place}{path}", headers=stranger.admin)
            for place in (tutor.district.id, str(uuid4()))
        ]
        own = await service.client.get(f"{stranger.path}{path}", headers=stranger.admin)
        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content) == (404, absent.content)
        assert own.status_code == (200 if path == "/students" else 404)
