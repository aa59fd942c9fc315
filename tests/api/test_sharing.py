"""Sharing permissions over HTTP: saving, unsharing, restoring, and who wins when two save at once."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from sharing_service.sharing.selects import MANY
from tests.factories.service import Connected, District, Service, answered
from tests.factories.small_district import SMALL_DISTRICT, by_rules, rule
from tests.factories.upload import render

WHOLE = {"mode": "district", "include_staff": False}
NOTHING = {"mode": "schools", "school_ids": [], "include_staff": False}
SMALL_COUNTS = {"schools": 3, "sections": 3, "students": 4, "teachers": 3, "staff": 0}
NO_CHANGES = {kind: {"added": 0, "removed": 0} for kind in SMALL_COUNTS}


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application connected with the small district."""
    await district.publish(render(SMALL_DISTRICT))
    return await district.connect()


async def put(tutor: Connected, permission: Any, **headers: str) -> Any:
    """The answer to a save, headers and all."""
    district = tutor.district
    return await district.service.client.put(
        f"{district.path}{tutor.path}/sharing", json=permission, headers=district.admin | headers
    )


async def test_a_save_says_what_it_changed(tutor: Connected) -> None:
    """A save answers the permission, its version and revision, how much is shared and what that changed."""
    ids = await tutor.district.ids()
    permission = {"mode": "sections", "section_ids": [ids["sections", "algebra"]]}
    first = await tutor.share(permission)
    second = await tutor.share({"mode": "sections", "section_ids": [ids["sections", "art"]]})

    assert first["sharing"] == permission
    assert (first["version"], second["version"]) == (1, 2)
    assert second["revision"] == first["revision"] + 1
    assert first["counts"] == {"schools": 1, "sections": 1, "students": 2, "teachers": 2, "staff": 0}
    assert first["changes"]["students"] == {"added": 2, "removed": 0}
    assert second["changes"] == {
        "schools": {"added": 1, "removed": 1},
        "sections": {"added": 1, "removed": 1},
        "students": {"added": 1, "removed": 1},
        "teachers": {"added": 0, "removed": 1},
        "staff": {"added": 0, "removed": 0},
    }


async def test_many_ids(tutor: Connected) -> None:
    """So many ids that they get a plan of their own share what one does, and an unknown one among them is refused.

    Catches a look-up of many ids that loses some, or takes them unlooked.
    """
    ids, never = await tutor.district.ids(), str(uuid4())
    many = [ids["sections", "algebra"]] * (MANY + 1)
    saved = await tutor.share({"mode": "sections", "section_ids": many})
    refused = answered(await put(tutor, {"mode": "sections", "section_ids": [*many, never]}), 422)

    assert saved["counts"] == {"schools": 1, "sections": 1, "students": 2, "teachers": 2, "staff": 0}
    assert refused["unknown_ids"] == [never]
    assert [problem["where"] for problem in refused["problems"]] == [["body", "section_ids", MANY + 1]]


async def test_what_is_saved_is_read(tutor: Connected) -> None:
    """Reading gives the permission as it was saved, with the version as ETag; before any save it is 404 not_shared."""
    problem = await tutor.district.get(f"{tutor.path}/sharing", 404)
    permission = by_rules(rule("students", grade="3"), exceptions=(rule("students", sis_id="ann"),))
    saved = await put(tutor, permission)
    read = await tutor.district.service.client.get(
        f"{tutor.district.path}{tutor.path}/sharing", headers=tutor.district.admin
    )

    assert problem["code"] == "not_shared"
    assert saved.headers["ETag"] == read.headers["ETag"] == '"1"'
    shown = {name: read.json()[name] for name in ("sharing", "version", "revision", "counts")}
    assert shown == {name: saved.json()[name] for name in shown}
    assert read.json()["missing"] == []
    assert [condition["values"] for one in read.json()["sharing"]["except"] for condition in one["where"]] == [["ann"]]


async def test_the_same_again_changes_nothing(tutor: Connected) -> None:
    """Saving the very permission that is set makes no version and no revision, and the trail has no line of it."""
    first = await tutor.share(WHOLE)
    lines = (await tutor.district.get("/audit"))["total"]
    again = await tutor.share({"mode": "district"})

    assert again == first | {"changes": NO_CHANGES}
    assert (await tutor.district.get("/audit"))["total"] == lines


@pytest.mark.parametrize("matching", ['"1"', "*", '"7", "1"', ' "0" , "1"'])
async def test_if_match_lets_through(tutor: Connected, matching: str) -> None:
    """A save whose If-Match names the present version, or any, goes through."""
    await tutor.share(WHOLE)

    answered(await put(tutor, NOTHING, **{"If-Match": matching}))


@pytest.mark.parametrize("stale", ['"0"', 'W/"1"', "1", '"2"', '"01"', '""', "", '"1,"', '"99999999999999999999"'])
async def test_if_match_refuses(tutor: Connected, stale: str) -> None:
    """A save whose If-Match names another version, a weak tag or none of ours answers 412 and changes nothing.

    Catches: comparing the header as a number, or tags weakly."""
    saved = await tutor.share(WHOLE)
    problem = answered(await put(tutor, NOTHING, **{"If-Match": stale}), 412)
    headers = {"If-Match": stale}
    unshare = await tutor.district.call("DELETE", f"{tutor.path}/sharing", status=412, **headers)

    assert {problem["code"], unshare["code"]} == {"version_changed"}
    assert (await tutor.district.get(f"{tutor.path}/sharing"))["revision"] == saved["revision"]


async def test_if_match_before_anything_is_set(tutor: Connected) -> None:
    """Without a permission `*` fits nothing, and the version that a preview told fits."""
    preview = await tutor.district.call("POST", f"{tutor.path}/sharing/preview", WHOLE)
    answered(await put(tutor, WHOLE, **{"If-Match": "*"}), 412)

    answered(await put(tutor, WHOLE, **{"If-Match": f'"{preview["version"]}"'}))


@pytest.mark.asvs("V2.3.4")
async def test_of_two_saves_at_once_one_wins(tutor: Connected) -> None:
    """Of saves that expect the same version exactly one goes through.

    Catches: a version that is compared before the grant is locked."""
    await tutor.share(WHOLE)
    wanted: list[Any] = [{"mode": "schools", "school_ids": [], "include_staff": staff} for staff in (True, False)] * 3
    answers = await asyncio.gather(*(put(tutor, permission, **{"If-Match": '"1"'}) for permission in wanted))

    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]
    assert (await tutor.district.get(f"{tutor.path}/sharing"))["version"] == 2


async def test_unknown_ids_are_listed(tutor: Connected) -> None:
    """Ids that the district never had, or had as another kind, are refused one by one, and nothing changes."""
    ids = await tutor.district.ids()
    never, student, north = str(uuid4()), ids["students", "ann"], ids["schools", "N"]
    permission = {"mode": "schools", "school_ids": [never, north, student, never]}
    problem = answered(await put(tutor, permission), 422)
    preview = await tutor.district.call("POST", f"{tutor.path}/sharing/preview", permission, 422)

    assert problem["unknown_ids"] == preview["unknown_ids"] == [never, student]
    assert [one["where"] for one in problem["problems"]] == [["body", "school_ids", n] for n in (0, 2, 3)]
    assert (await tutor.district.get(f"{tutor.path}/sharing", 404))["code"] == "not_shared"


@pytest.mark.asvs("V8.4.1")
async def test_ids_of_another_district_are_unknown(tutor: Connected, service: Service) -> None:
    """A school of another district is as unknown as one that never was.

    Catches: ids that are looked up without the district."""
    other = await service.district()
    await other.publish(render(SMALL_DISTRICT))
    foreign = (await other.ids())["schools", "N"]

    assert answered(await put(tutor, {"mode": "schools", "school_ids": [foreign]}), 422)["unknown_ids"] == [foreign]


async def test_ids_of_records_that_left(tutor: Connected) -> None:
    """A section that has left may still be named; it is listed as missing and comes back with its id."""
    district, ids = tutor.district, await tutor.district.ids()
    files = render(SMALL_DISTRICT)
    lines = files["sections.csv"].splitlines(keepends=True)
    without_lab = files | {"sections.csv": "".join(line for line in lines if ",lab," not in line)}
    await district.publish(without_lab)
    permission = {"mode": "sections", "section_ids": [ids["sections", "lab"], ids["sections", "art"]]}
    saved = await tutor.share(permission)
    gone = await district.get(f"{tutor.path}/sharing")
    await district.publish(files)
    back = await district.get(f"{tutor.path}/sharing")

    assert (saved["counts"]["sections"], gone["missing"]) == (1, [ids["sections", "lab"]])
    assert (back["counts"]["sections"], back["missing"], back["version"]) == (2, [], 1)


@pytest.mark.parametrize(
    ("permission", "where"),
    [
        ({}, ["body"]),
        ({"mode": "everything"}, ["body"]),
        ({"mode": "district", "include_teachers": True}, ["body"]),
        ({"mode": "schools", "school_ids": ["N"]}, ["body", "school_ids", 0]),
        ({"mode": "rules", "rules": [{"match": "students", "where": []}]}, ["body", "rules", 0, "where"]),
    ],
)
@pytest.mark.asvs("V2.1.2")
async def test_wrong_permissions(tutor: Connected, permission: Any, where: list[str | int]) -> None:
    """A body that is no permission is refused with the place of what is wrong."""
    problem = answered(await put(tutor, permission), 422)

    assert problem["code"] == "invalid"
    assert [one["where"][: len(where)] for one in problem["problems"]] == [where]


async def test_unsharing(tutor: Connected) -> None:
    """Unsharing removes everything at once; afterwards nothing is set, and there is nothing to unshare."""
    await tutor.share(WHOLE)
    gone = await tutor.district.call("DELETE", f"{tutor.path}/sharing")
    again = await tutor.district.call("DELETE", f"{tutor.path}/sharing", status=404)

    assert (gone["version"], gone["counts"]) == (2, dict.fromkeys(SMALL_COUNTS, 0))
    assert gone["changes"]["students"] == {"added": 0, "removed": 4}
    assert again["code"] == "not_shared"
    assert (await tutor.district.get(f"{tutor.path}/sharing", 404))["code"] == "not_shared"


async def test_history_and_restore(tutor: Connected) -> None:
    """Every save is kept with before, after and counts; an earlier one is restored as a new version."""
    path = f"{tutor.path}/sharing/history"
    await tutor.share(WHOLE)
    await tutor.district.call("DELETE", f"{tutor.path}/sharing")
    restored = await tutor.district.call("POST", f"{path}/1/restore")
    history = await tutor.district.get(path)
    unshared = await tutor.district.call("POST", f"{path}/2/restore")

    assert (restored["version"], restored["sharing"], restored["counts"]) == (3, WHOLE, SMALL_COUNTS)
    assert [one["version"] for one in history["data"]] == [3, 2, 1]
    assert [(one["before"], one["after"]) for one in history["data"]] == [(None, WHOLE), (WHOLE, None), (None, WHOLE)]
    assert [one["counts"]["students"] for one in history["data"]] == [4, 0, 4]
    assert (unshared["version"], unshared["sharing"], unshared["changes"]["students"]["removed"]) == (4, None, 4)
    for absent in ("5", "0", "-1", "x", "99999999999"):
        await tutor.district.call("POST", f"{path}/{absent}/restore", status=404)


@pytest.mark.asvs("V1.4.2")
async def test_history_in_pages(tutor: Connected) -> None:
    """The history is read in pages; a cursor of another list is refused."""
    for staff in (True, False, True):
        await tutor.share({"mode": "district", "include_staff": staff})
    path = f"{tutor.path}/sharing/history"
    first = await tutor.district.get(path, limit=2)
    second = await tutor.district.get(path, limit=2, after=first["next"])
    other = await tutor.district.get("/students", limit=1)

    assert [one["version"] for page in (first, second) for one in page["data"]] == [3, 2, 1]
    assert (first["total"], second["next"]) == (3, None)
    await tutor.district.get(path, 422, after=other["next"])


async def test_restoring_expects_a_version_too(tutor: Connected) -> None:
    """A restore honours If-Match like a save."""
    await tutor.share(WHOLE)
    await tutor.share(NOTHING)
    path = f"{tutor.path}/sharing/history/1/restore"

    await tutor.district.call("POST", path, status=412, **{"If-Match": '"1"'})
    await tutor.district.call("POST", path, status=200, **{"If-Match": '"2"'})


PREVIEWED = [
    (NOTHING, WHOLE),
    (WHOLE, NOTHING),
    (WHOLE, by_rules(rule("students", grade="3"))),
    (by_rules(rule("teachers", sis_id="una")), by_rules(rule("sections", subject="math"), rule("staff", role="Nurse"))),
    (by_rules(rule("students", grade="3")), {"mode": "school_site"}),
]


@pytest.mark.parametrize(("before", "after"), PREVIEWED)
async def test_a_preview_tells_what_the_save_does(tutor: Connected, before: Any, after: Any) -> None:
    """A preview has the counts and changes of the save that follows, samples of who changes, and saves nothing.

    Catches: a preview that is computed in another way than the save."""
    saved = await tutor.share(before)
    preview = await tutor.district.call("POST", f"{tutor.path}/sharing/preview", after)
    present = await tutor.district.get(f"{tutor.path}/sharing")
    done = await tutor.share(after)

    assert (present["sharing"], present["revision"], preview["version"]) == (saved["sharing"], saved["revision"], 1)
    assert (preview["counts"], preview["changes"]) == (done["counts"], done["changes"])
    sizes = {kind: {way: len(samples[way]) for way in samples} for kind, samples in preview["samples"].items()}
    assert sizes == done["changes"]


async def test_samples_name_at_most_ten(tutor: Connected) -> None:
    """Samples have id, sis_id and name, at most ten of a kind and direction, in the order of ids."""
    files = render(SMALL_DISTRICT)
    rows = "".join(f"N,s{n:02},Last {n},First\n" for n in range(25))
    header = "School_id,Student_id,Last_name,First_name\n"
    await tutor.district.publish(files | {"students.csv": header + rows, "enrollments.csv": ENROLLMENTS})
    preview = await tutor.district.call("POST", f"{tutor.path}/sharing/preview", WHOLE)
    ids = await tutor.district.ids()

    assert preview["changes"]["students"]["added"] == 25
    assert preview["samples"]["students"]["added"] == [
        {"id": ids["students", f"s{n:02}"], "sis_id": f"s{n:02}", "name": f"First Last {n}"} for n in range(10)
    ]


ENROLLMENTS = "School_id,Section_id,Student_id\n"
