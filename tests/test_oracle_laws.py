"""Laws that hold in every district, checked on drawn ones; they also keep the strategies and the upload honest."""

import csv
import io
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.permissions import Decision, blocks, permissions, site_selections, with_public_ids
from tests.factories.upload import render
from tests.factories.worlds import worlds
from tests.oracle import by_mode
from tests.oracle_answers import seen
from tests.world import Key, World

KINDS = ("schools", "sections", "students", "teachers", "staff")
Drawn = tuple[World, dict[Key, str], Decision, dict[str, Decision], set[Key]]


@st.composite
def decided(draw: st.DrawFn) -> Drawn:
    """A world with its ids, a permission, site selections and blocks."""
    world = draw(worlds())
    ids = {(kind, sis_id): f"{kind} {sis_id}" for kind in KINDS for sis_id in world.of(kind)}
    sites = {school: with_public_ids(selection, ids) for school, selection in draw(site_selections(world)).items()}
    return world, ids, with_public_ids(draw(permissions(world)), ids), sites, draw(blocks(world))


@given(decided())
@settings(deadline=None)
def test_whatever_is_seen_is_shared(drawn: Drawn) -> None:
    """No identifier leaks: every reference of a shared record is to a shared record."""
    world, ids, sharing, sites, blocked = drawn
    shared = seen(world, by_mode(world, sharing, ids, sites) - blocked, ids)
    for section in shared.sections.values():
        assert section.school in shared.schools
        assert section.students <= shared.students.keys()
        assert {*section.teachers} <= shared.teachers.keys()
    for person in (*shared.students.values(), *shared.teachers.values(), *shared.staff.values()):
        assert {*person.schools} <= shared.schools
    for students in shared.contacts.values():
        assert students <= shared.students.keys()
    for kind, sis_id in blocked:
        assert sis_id not in getattr(shared, kind)


@given(decided())
@settings(deadline=None)
def test_exceptions_only_narrow(drawn: Drawn) -> None:
    """With exceptions, never more is shared than without."""
    world, ids, sharing, sites, _ = drawn
    without = {school: {**selection, "except": []} for school, selection in sites.items()}
    assert by_mode(world, sharing, ids, sites) <= by_mode(world, {**sharing, "except": []}, ids, without)


@given(decided())
@settings(deadline=None)
def test_no_mode_reaches_beyond_the_district(drawn: Drawn) -> None:
    """Every mode shares part of the whole district."""
    world, ids, sharing, sites, _ = drawn
    whole = by_mode(world, {"mode": "district", "include_staff": True}, ids, {})
    assert by_mode(world, sharing, ids, sites) <= whole


@given(worlds())
@settings(deadline=None)
def test_an_upload_holds_the_world(world: World) -> None:
    """The rendered files hold each row once, each cell as an import keeps it."""
    rows = {name: list(csv.DictReader(io.StringIO(text, newline=""))) for name, text in render(world).items()}
    assert all(cell == cell.strip() for of_file in rows.values() for row in of_file for cell in row.values())
    for kind, key in (("students", "Student_id"), ("teachers", "Teacher_id"), ("staff", "Staff_id")):
        own = {(who, school) for who, person in world.of(kind).items() for school in person.schools}
        assert {(row[key], row["School_id"]) for row in rows[f"{kind}.csv"]} == own
        assert not [same for same in Counter(tuple(row.items()) for row in rows[f"{kind}.csv"]).values() if same > 1]
    taught = {
        row["Section_id"]: [row.get(f"Teacher{n}_id", "") for n in ("", "_2", "_3")] for row in rows["sections.csv"]
    }
    assert {sis_id: [*filter(None, ids)] for sis_id, ids in taught.items()} == {
        sis_id: [*section.teachers] for sis_id, section in world.sections.items()
    }
    assert {(row["Section_id"], row["Student_id"]) for row in rows["enrollments.csv"]} == world.enrollments
