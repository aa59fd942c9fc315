"""The story of a district that decides: every verb once, what each changes, and the trail that they leave."""

from itertools import pairwise

import pytest

from tests.factories.service import Connected, District, Json
from tests.factories.small_district import SMALL_DISTRICT, by_rules, rule
from tests.factories.upload import render

FILES = render(SMALL_DISTRICT)
STUDENTS = "School_id,Student_id,Last_name,First_name\n"
NOBODY = FILES | {"enrollments.csv": "School_id,Section_id,Student_id\n"}


def with_students(number: int) -> dict[str, str]:
    """The small district with this many students instead of its own."""
    return NOBODY | {"students.csv": STUDENTS + "".join(f"N,s{n},Last,First\n" for n in range(number))}


async def received(tutor: Connected) -> list[str]:
    """The students that the application itself reads."""
    return [user["roles"]["student"]["sis_id"] for user in await tutor.records("/users", role="student")]


async def save_and_undo(tutor: Connected) -> None:
    """Share by rules, share nothing any more, and restore the first version."""
    ids = await tutor.district.ids()
    await tutor.share(by_rules(rule("sections", subject="math")))
    assert await received(tutor) == ["ann", "cal"]
    blocked = await tutor.district.call(
        "POST", "/blocks", {"kind": "students", "record_id": ids["students", "ann"], "reason": "Asked for it"}, 201
    )
    assert await received(tutor) == ["cal"]
    await tutor.district.call("DELETE", f"/blocks/{blocked['id']}", status=204)
    await tutor.district.call("DELETE", f"{tutor.path}/sharing")
    assert await received(tutor) == []
    await tutor.district.call("POST", f"{tutor.path}/sharing/history/1/restore")
    assert await received(tutor) == ["ann", "cal"]
    await tutor.district.call("POST", f"{tutor.path}/pause")
    await tutor.read("/users", 423)
    await tutor.district.call("POST", f"{tutor.path}/resume")
    await tutor.share({"mode": "school_site"})
    await tutor.district.call("PUT", f"{tutor.path}/sites/{ids['schools', 'W']}", {"share": "everyone"})
    assert await received(tutor) == ["dee"]
    await tutor.district.call("PUT", f"{tutor.path}/fields", {"declined": ["email"]})
    assert not [user for user in await tutor.records("/users") if "email" in user]


async def sync_with_doubts(district: District) -> None:
    """Two syncs that remove too much: one is discarded, the other released."""
    await district.publish(with_students(100))
    for verb, status in (("discard", 200), ("release", 202)):
        sync = await district.upload(with_students(50))
        assert sync["status"] == "held"
        await district.call("POST", f"/syncs/{sync['id']}/{verb}", status=status)
    await district.run_sync()
    assert (await district.get("/students"))["total"] == 50


VERBS = [
    *("create_district", "issue_token"),
    *("request_sync", "sync_roster", "connect_application", "issue_token"),
    *("set_sharing", "block_person", "unblock_person", "unshare", "restore_sharing", "pause_grant", "resume_grant"),
    *("set_sharing", "choose_site", "choose_fields", "disconnect_application"),
    *("request_sync", "sync_roster"),
    *("request_sync", "sync_roster", "discard_sync"),
    *("request_sync", "sync_roster", "release_sync", "sync_roster"),
]
WITHOUT_REVISION = {"create_district", "issue_token", "request_sync", "release_sync", "discard_sync"}


@pytest.mark.asvs("V2.3.3", "V16.2.1")
async def test_every_verb_leaves_its_line(district: District) -> None:
    """Every verb leaves one line in the trail, and what changes what anybody sees takes one revision, without gaps.

    Catches: a verb that forgets its line, or takes a revision twice."""
    await district.publish(FILES)
    tutor = await district.connect(await district.service.application(fields={"students": {"optional": ["email"]}}))
    await save_and_undo(tutor)
    await district.call("DELETE", tutor.path, status=204)
    await sync_with_doubts(district)
    lines: list[Json] = (await district.get("/audit", limit=1000))["data"][::-1]
    numbered = [line for line in lines if line["revision"] is not None]

    assert [line["action"] for line in lines] == VERBS
    assert {line["action"] for line in numbered}.isdisjoint(WITHOUT_REVISION)
    assert all(after["revision"] == before["revision"] + 1 for before, after in pairwise(numbered))
    assert {line["caller"]["role"] for line in lines} == {"operator", "district_admin"}
    assert "ann" not in str(lines)
