"""School-site sharing: schools choose for themselves, and only for themselves."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.factories.service import Connected, District, Headers, answered, bearer
from tests.factories.small_district import SMALL_DISTRICT, rule
from tests.factories.upload import render
from tests.world import Section

FILES = render(SMALL_DISTRICT)
EVERYONE = {"share": "everyone", "include_staff": False}
BY_SITE = {"mode": "school_site"}
WHOLE = {"mode": "district"}


@pytest.fixture
async def tutor(district: District) -> Connected:
    """An application that the schools of the small district choose for."""
    await district.publish(FILES)
    tutor = await district.connect()
    await tutor.share(BY_SITE)
    return tutor


async def lead_of(tutor: Connected, *schools: str) -> Headers:
    """A lead of some schools."""
    ids = await tutor.district.ids()
    school_ids = [ids["schools", school] for school in schools]
    return bearer(
        await tutor.district.service.token(role="school_lead", district_id=tutor.district.id, school_ids=school_ids)
    )


async def choose(tutor: Connected, school: str, selection: Any, status: int = 200, who: Headers | None = None) -> Any:
    """The answer to a school's choice."""
    school_id = (await tutor.district.ids()).get(("schools", school), school)
    response = await tutor.district.service.client.put(
        f"{tutor.district.path}{tutor.path}/sites/{school_id}", json=selection, headers=who or tutor.district.admin
    )
    return answered(response, status)


async def students(tutor: Connected) -> list[str]:
    """The students that are shared."""
    return [row["sis_id"] for row in (await tutor.district.get(f"{tutor.path}/shared/students"))["data"]]


async def test_schools_choose(tutor: Connected) -> None:
    """A selection shares at once, within the school, and changes no version; nothing else is shared."""
    lead = await lead_of(tutor, "S")
    before = await tutor.district.get(f"{tutor.path}/sharing")
    chosen = await choose(tutor, "S", {"share": "everyone"}, who=lead)
    after = await tutor.district.get(f"{tutor.path}/sharing")

    assert chosen["selection"] == EVERYONE
    assert chosen["counts"] == {"schools": 1, "sections": 1, "students": 2, "teachers": 1, "staff": 0}
    assert chosen["changes"]["students"] == {"added": 2, "removed": 0}
    assert chosen["revision"] == before["revision"] + 1 == after["revision"]
    assert (after["version"], after["counts"]) == (before["version"], chosen["counts"])
    assert await students(tutor) == ["ben", "cal"]


async def test_the_list_of_sites(tutor: Connected) -> None:
    """Every school is listed with its selection, when and by whom; a lead sees the own schools only."""
    lead = await lead_of(tutor, "S", "W")
    await choose(tutor, "S", EVERYONE, who=lead)
    listed = await tutor.district.get(f"{tutor.path}/sites")
    own = answered(
        await tutor.district.service.client.get(f"{tutor.district.path}{tutor.path}/sites?limit=1", headers=lead)
    )
    shown = {site["name"]: site for site in listed["data"]}

    assert {name: site["selection"]["share"] for name, site in shown.items()} == {
        "North": "nothing",
        "South": "everyone",
        "West": "nothing",
    }
    assert (shown["South"]["changed_by"]["role"], shown["North"]["changed_by"]) == ("school_lead", None)
    assert shown["South"]["changed_at"] is not None
    assert (own["total"], len(own["data"]), own["next"] is None) == (2, 1, False)


@pytest.mark.asvs("V8.2.2")
async def test_a_lead_decides_for_own_schools(tutor: Connected) -> None:
    """A lead may not choose for another school, nor for one that never was.

    Catches: a route that asks for any lead of the district."""
    lead = await lead_of(tutor, "S")

    await choose(tutor, "N", EVERYONE, 403, lead)
    await choose(tutor, str(uuid4()), EVERYONE, 403, lead)
    assert await students(tutor) == []


@pytest.mark.asvs("V2.3.1", "V8.2.1")
async def test_leads_decide_while_the_district_lets_them(tutor: Connected) -> None:
    """In another mode leads get 409; an admin may prepare selections, which share nothing until the mode is back.

    Catches: a selection that shares under another mode."""
    lead = await lead_of(tutor, "S")
    await tutor.share({"mode": "schools", "school_ids": []})
    problem = await choose(tutor, "S", EVERYONE, 409, lead)
    prepared = await choose(tutor, "S", EVERYONE)
    waiting = await students(tutor)
    await tutor.share(BY_SITE)

    assert problem["code"] == "not_school_site"
    assert (prepared["counts"]["students"], waiting) == (0, [])
    assert await students(tutor) == ["ben", "cal"]


async def test_selections_survive_other_modes(tutor: Connected) -> None:
    """What schools chose is there again after the district shared in another mode meanwhile."""
    await choose(tutor, "S", EVERYONE)
    await tutor.share(WHOLE)
    await tutor.share(BY_SITE)

    assert await students(tutor) == ["ben", "cal"]


async def test_sections_of_other_schools(tutor: Connected) -> None:
    """Sections of other schools and unknown ones are refused one by one, and nothing changes.

    Catches: a selection that reaches beyond its school."""
    ids, never = await tutor.district.ids(), str(uuid4())
    algebra, art = ids["sections", "algebra"], ids["sections", "art"]
    foreign = await choose(tutor, "S", {"share": "sections", "section_ids": [art, algebra]}, 422)
    unknown = await choose(tutor, "S", {"share": "sections", "section_ids": [never, art]}, 422)
    wrong_kind = await choose(tutor, "S", {"share": "sections", "section_ids": [ids["students", "ann"]]}, 422)

    assert (foreign["foreign_ids"], unknown["unknown_ids"]) == ([algebra], [never])
    assert foreign["problems"][0]["where"] == ["body", "section_ids", 1]
    assert wrong_kind["unknown_ids"] == [ids["students", "ann"]]
    assert await students(tutor) == []


async def test_a_section_that_moves_away(tutor: Connected) -> None:
    """A chosen section that moves to another school is no longer shared."""
    ids = await tutor.district.ids()
    await choose(tutor, "S", {"share": "sections", "section_ids": [ids["sections", "art"]]})
    before = await students(tutor)
    art = SMALL_DISTRICT.sections["art"]
    moved = replace(SMALL_DISTRICT, sections={**SMALL_DISTRICT.sections, "art": Section("art", "N", art.teachers)})
    await tutor.district.publish(render(moved))

    assert (before, await students(tutor)) == (["ben", "cal"], [])


async def test_a_school_that_left(tutor: Connected) -> None:
    """A school that has left may still choose and is listed without a name; one that never was is not found."""
    files = {name: "".join(line for line in text.splitlines(True) if "W" not in line) for name, text in FILES.items()}
    west = (await tutor.district.ids())["schools", "W"]
    await tutor.district.publish(files)
    chosen = await choose(tutor, west, EVERYONE)
    listed = (await tutor.district.get(f"{tutor.path}/sites"))["data"]
    await choose(tutor, str(uuid4()), EVERYONE, 404)
    await tutor.district.publish(FILES)

    assert chosen["counts"]["students"] == 0
    assert [site["name"] for site in listed if site["school_id"] == west] == [None]
    assert await students(tutor) == ["dee"]


async def test_the_same_choice_again(tutor: Connected) -> None:
    """Choosing what is chosen takes no revision; nor does choosing nothing where nothing was chosen."""
    nothing = await choose(tutor, "S", {"share": "nothing"})
    first = await choose(tutor, "S", EVERYONE)
    again = await choose(tutor, "S", EVERYONE)

    assert first["revision"] == nothing["revision"] + 1 == again["revision"]
    assert again["changes"]["students"] == {"added": 0, "removed": 0}


async def test_rules_of_a_school(tutor: Connected) -> None:
    """Rules act within their school, and wrong ones are refused with their place."""
    chosen = await choose(tutor, "N", {"share": "rules", "rules": [rule("students", grade="3 4")]})
    wrong = await choose(tutor, "N", {"share": "rules", "rules": [rule("pupils", grade="3")]}, 422)

    assert chosen["counts"]["students"] == 2
    assert await students(tutor) == ["ann", "ben"]
    assert wrong["problems"][0]["where"][:3] == ["body", "rules", 0]
