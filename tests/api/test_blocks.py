"""Blocks: a person whom an application must not see, whatever is shared."""

from typing import Any
from uuid import uuid4

import pytest

from tests.factories.reading import seen_by
from tests.factories.service import Connected, District, answered
from tests.factories.small_district import SMALL_DISTRICT, by_rules, rule
from tests.factories.upload import render
from tests.oracle import share

FILES = render(SMALL_DISTRICT)
WHOLE = {"mode": "district", "include_staff": True}


@pytest.fixture
async def riverbend(district: District) -> District:
    """The small district, published."""
    await district.publish(FILES)
    return district


async def block(district: District, sis_id: str, kind: str = "students", status: int = 201, **more: Any) -> Any:
    """Block a person."""
    body = {"kind": kind, "record_id": (await district.ids())[kind, sis_id], "reason": "Custody order"} | more
    return await district.call("POST", "/blocks", body, status)


async def seen(tutor: Connected, kind: str = "students") -> list[str]:
    """Who is shared."""
    return [row["sis_id"] for row in (await tutor.district.get(f"{tutor.path}/shared/{kind}"))["data"]]


def without(text: str, word: str) -> str:
    """The lines that do not hold a word."""
    return "".join(line for line in text.splitlines(True) if word not in line)


async def modes(district: District) -> list[dict[str, Any]]:
    """A permission of every mode, each sharing Ann in its own way."""
    ids = await district.ids()
    return [
        WHOLE,
        {"mode": "schools", "school_ids": [ids["schools", "N"]]},
        {"mode": "sections", "section_ids": [ids["sections", "algebra"]]},
        by_rules(rule("students", sis_id="ann")),
        {"mode": "school_site"},
    ]


async def test_a_block_overrides_every_mode(riverbend: District) -> None:
    """Whatever the mode, a blocked student is gone at once, sections and teachers stay, and unblocking brings back.

    Catches: a mode whose ledger is not rebuilt, or forgets blocks."""
    tutor = await riverbend.connect()
    north = (await riverbend.ids())["schools", "N"]
    await riverbend.call("PUT", f"{tutor.path}/sites/{north}", {"share": "everyone"})
    for permission in await modes(riverbend):
        before = await tutor.share(permission)
        blocked = await block(riverbend, "ann")
        during = await riverbend.get(f"{tutor.path}/sharing")
        assert "ann" not in await seen(tutor)
        received = [user["roles"]["student"]["sis_id"] for user in await tutor.records("/users", role="student")]
        assert received == await seen(tutor)
        assert during["counts"] == before["counts"] | {"students": before["counts"]["students"] - 1}
        assert (during["version"], during["revision"]) == (before["version"], before["revision"] + 1)
        await riverbend.call("DELETE", f"/blocks/{blocked['id']}", status=204)
        assert "ann" in await seen(tutor)


async def test_everybody_is_blocked_one_after_the_other(riverbend: District) -> None:
    """Each block takes away that person alone, and with the last of its students a contact.

    Catches a block that leaves the contact of a student who is gone, or takes that of a student who stays.
    """
    application = await riverbend.connect()
    await application.share(WHOLE)
    ids = await riverbend.ids()
    blocked: set[tuple[str, str]] = set()
    for kind in ("students", "teachers", "staff"):
        for sis_id in SMALL_DISTRICT.of(kind):
            await block(riverbend, sis_id, kind)
            blocked.add((kind, sis_id))
            assert await seen_by(application) == share(SMALL_DISTRICT, WHOLE, ids=ids, blocks=blocked)


async def test_a_block_comes_first(riverbend: District) -> None:
    """Who is blocked before anything is shared is left out of the first save and of its preview."""
    await block(riverbend, "ann")
    await block(riverbend, "tom", "teachers")
    await block(riverbend, "zoe", "staff")
    tutor = await riverbend.connect()
    preview = await riverbend.call("POST", f"{tutor.path}/sharing/preview", WHOLE)
    saved = await tutor.share(WHOLE)

    assert preview["counts"] == saved["counts"]
    assert await seen(tutor) == ["ben", "cal", "dee"]
    assert (await seen(tutor, "teachers"), await seen(tutor, "staff")) == (["una", "vic"], ["yan"])


async def test_a_block_for_one_application(riverbend: District) -> None:
    """A block for one application leaves the others as they are; one for all may stand beside it."""
    tutor, library = await riverbend.connect(), await riverbend.connect()
    for application in (tutor, library):
        await application.share(WHOLE)
    before = await riverbend.get(library.path)
    first = await block(riverbend, "ann", application_id=tutor.id)
    after = await riverbend.get(library.path)
    others = await seen(library)
    await block(riverbend, "ann")
    await riverbend.call("DELETE", f"/blocks/{first['id']}", status=204)

    assert (first["application_id"], before) == (tutor.id, after)
    assert "ann" in others
    assert "ann" not in [*await seen(tutor), *await seen(library)]


async def test_a_block_outlives_a_sync(riverbend: District) -> None:
    """A blocked person who leaves and returns is still blocked.

    Catches: a sync that builds ledgers without blocks."""
    tutor = await riverbend.connect()
    await tutor.share(WHOLE)
    await block(riverbend, "dee")
    without = {
        name: "".join(line for line in text.splitlines(True) if "dee" not in line) for name, text in FILES.items()
    }
    await riverbend.publish(without)
    await riverbend.publish(FILES)

    assert "dee" not in await seen(tutor)
    assert "dee" in [row["sis_id"] for row in await riverbend.everything("students")]


async def test_the_list_of_blocks(riverbend: District) -> None:
    """Blocks are listed newest first, each with its reason; the trail has both verbs and no reason."""
    ids = [(await block(riverbend, sis_id))["id"] for sis_id in ("ann", "ben", "cal")]
    first = await riverbend.get("/blocks", limit=2)
    second = await riverbend.get("/blocks", limit=2, after=first["next"])
    await riverbend.call("DELETE", f"/blocks/{ids[0]}", status=204)
    trail = (await riverbend.get("/audit"))["data"]

    assert [one["id"] for page in (first, second) for one in page["data"]] == ids[::-1]
    assert (first["total"], second["next"]) == (3, None)
    assert {name: second["data"][0][name] for name in ("kind", "reason", "application_id")} == {
        "kind": "students",
        "reason": "Custody order",
        "application_id": None,
    }
    assert second["data"][0]["created_by"]["role"] == "district_admin"
    assert [line["action"] for line in trail[:2]] == ["unblock_person", "block_person"]
    assert [line["revision"] for line in trail[:2]] == [5, 4]
    assert "Custody" not in str(trail)


async def test_what_cannot_be_blocked(riverbend: District) -> None:
    """Unknown persons and applications, other kinds, doubles and texts out of bounds are refused."""
    ids = await riverbend.ids()
    good = {"kind": "students", "record_id": ids["students", "ann"], "reason": "x" * 500}
    wrong: list[dict[str, Any]] = [
        {"record_id": str(uuid4())},
        {"record_id": ids["teachers", "tom"]},
        {"kind": "schools"},
        {"kind": "contacts"},
        {"application_id": str(uuid4())},
        {"reason": ""},
        {"reason": "x" * 501},
        {"reason": "\0"},
        {"until": "tomorrow"},
    ]
    before = (await riverbend.get("/audit"))["total"]
    for change in wrong:
        await riverbend.call("POST", "/blocks", good | change, 422)
    assert (await riverbend.get("/audit"))["total"] == before
    await riverbend.call("POST", "/blocks", good, 201)
    assert (await riverbend.call("POST", "/blocks", good, 409))["code"] == "already_blocked"
    await riverbend.call("DELETE", f"/blocks/{uuid4()}", status=404)


async def test_blocks_of_another_district(riverbend: District) -> None:
    """A block of another district is not found and stays.

    Catches: a look-up by id alone."""
    blocked = await block(riverbend, "ann")
    other = await riverbend.service.district()
    await other.call("DELETE", f"/blocks/{blocked['id']}", status=404)

    assert (await riverbend.get("/blocks"))["total"] == 1
    answered(await riverbend.service.client.get(f"{riverbend.path}/blocks", headers=other.admin), 404)
