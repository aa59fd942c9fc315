"""What school site sharing and blocks mean, pinned by hand."""

from typing import Any

from tests.factories.small_district import by_rules, rule, shared_of, told
from tests.oracle_answers import Shared

NOTHING = ("", "", "", "", "")
Selection = dict[str, Any]


def chosen(blocks: set[tuple[str, str]] | None = None, **sites: Selection) -> Shared:
    """What the small district shares by school site."""
    return shared_of({"mode": "school_site"}, sites=sites, blocks=blocks or set())


def site_rules(*rules: Selection, exceptions: tuple[Selection, ...] = ()) -> Selection:
    """A selection by rules."""
    return {"share": "rules", "rules": [*rules], "except": [*exceptions]}


def test_schools_that_did_not_choose() -> None:
    """A school shares nothing by default, or on purpose, or with empty lists."""
    assert told(chosen()) == NOTHING
    assert told(chosen(N={"share": "nothing"})) == NOTHING
    assert told(chosen(N={"share": "sections", "section_ids": []}, S=site_rules())) == NOTHING


def test_everyone() -> None:
    """`everyone` shares the school, its sections and everybody at it, by a row or through a section."""
    assert told(chosen(N={"share": "everyone"})) == ("N", "algebra lab", "ann ben cal", "tom una vic", "")


def test_everyone_with_staff() -> None:
    """Staff are at their own schools, and shared if asked for."""
    assert told(chosen(N={"share": "everyone", "include_staff": True}))[4] == "yan"


def test_frozen_sections() -> None:
    """`sections` shares the sections, their people and the school."""
    assert told(chosen(S={"share": "sections", "section_ids": ["art"]})) == ("S", "art", "ben cal", "una", "")


def test_a_frozen_section_that_moved() -> None:
    """A frozen section that is now at another school, or at none, is not shared."""
    assert told(chosen(N={"share": "sections", "section_ids": ["art", "gone"]})) == NOTHING
    assert told(chosen(N={"share": "sections", "section_ids": ["art", "lab"]})) == ("N", "lab", "", "", "")


def test_selections_unite() -> None:
    """What any school selected is shared."""
    both = chosen(W={"share": "everyone"}, S={"share": "sections", "section_ids": ["art"]})
    assert told(both) == ("S W", "art", "ben cal dee", "una vic", "")


def test_sections_of_other_schools_do_not_match() -> None:
    """A section rule matches sections of this school only."""
    assert told(chosen(N=site_rules(rule("sections", period="2")))) == ("N", "algebra", "ann cal", "tom una", "")


def test_students_at_the_school() -> None:
    """A student rule matches whoever is at the school; companions are sections of this school with their teachers."""
    assert told(chosen(N=site_rules(rule("students", sis_id="cal dee")))) == ("N", "algebra", "cal", "tom una", "")


def test_teachers_at_the_school() -> None:
    """A teacher rule matches whoever is at the school; companions are sections of this school."""
    with_companions = rule("teachers", sis_id="una") | {"companions": True}
    assert told(chosen(N=site_rules(with_companions))) == ("N", "algebra", "ann cal", "una", "")


def test_staff_at_the_school() -> None:
    """A staff rule matches staff with a row at the school, and brings no other school of theirs."""
    assert told(chosen(N=site_rules(rule("staff", sis_id="yan zoe")))) == ("N", "", "", "", "yan")


def test_rules_see_the_whole_record() -> None:
    """A condition on schools looks at all schools of a person, also where one school selects."""
    assert told(chosen(N=site_rules(rule("students", school="S")))) == ("N", "algebra", "ben cal", "tom una", "")


def test_a_school_through_its_own_selection_only() -> None:
    """A person's other schools do not come along, not even the home school."""
    assert told(chosen(S=site_rules(rule("students", sis_id="ben"))))[0] == "S"
    assert told(chosen(N={"share": "everyone"}, S={"share": "nothing"}))[0] == "N"
    assert told(chosen(N={"share": "everyone"}, S=site_rules(rule("students", sis_id="ann"))))[0] == "N"


def test_everyone_at_a_school_without_anybody() -> None:
    """A school that shares everyone is shared even if all it has is blocked."""
    assert told(chosen(W={"share": "everyone"}, blocks={("students", "dee"), ("teachers", "vic")}))[0] == "W"


def test_exceptions_act_in_their_own_school() -> None:
    """An exception of one school does not take from what another selected."""
    without_cal = site_rules(rule("sections", period="2"), exceptions=(rule("students", sis_id="cal"),))
    assert told(chosen(N=without_cal))[2] == "ann"
    assert told(chosen(N=without_cal, S={"share": "everyone"}))[2] == "ann ben cal"


def test_a_selection_whose_exceptions_leave_nothing() -> None:
    """Exceptions come before the question whether a selection shares a record, and so whether the school is shared."""
    assert (
        told(chosen(W=site_rules(rule("students", sis_id="dee"), exceptions=(rule("students", grade="3"),)))) == NOTHING
    )


def test_a_student_at_a_school_through_an_excepted_section() -> None:
    """Who is enrolled in an excepted section is still at the school, and matches."""
    selection = site_rules(rule("students", sis_id="cal"), exceptions=(rule("sections", sis_id="algebra"),))
    assert told(chosen(N=selection)) == ("N", "", "cal", "", "")


def test_a_selection_whose_only_person_is_blocked() -> None:
    """Blocks come after the question whether a selection shares a record: the school stays."""
    assert told(chosen(W=site_rules(rule("students", sis_id="dee")), blocks={("students", "dee")}))[:3] == ("W", "", "")


def test_selections_sleep_in_other_modes() -> None:
    """Selections matter in the mode `school_site` only."""
    assert told(shared_of(by_rules(), sites={"N": {"share": "everyone"}})) == NOTHING


def test_blocks_override_every_mode() -> None:
    """A blocked student, teacher or staff member is not shared, whatever the mode."""
    blocks = {("students", "cal"), ("teachers", "una"), ("staff", "yan")}
    sites = {school: {"share": "everyone", "include_staff": True} for school in "NSW"}
    for sharing in (
        {"mode": "district", "include_staff": True},
        {"mode": "schools", "school_ids": ["N", "S", "W"], "include_staff": True},
        {"mode": "school_site"},
    ):
        everything_else = ("N S W", "algebra art lab", "ann ben dee", "tom vic", "zoe")
        assert told(shared_of(sharing, sites=sites, blocks=blocks)) == everything_else
    assert told(shared_of({"mode": "sections", "section_ids": ["art"]}, blocks=blocks)) == ("S", "art", "ben", "", "")


def test_what_came_along_with_a_blocked_person() -> None:
    """Sections, teachers and schools that came along with a blocked student stay."""
    sharing = by_rules(rule("students", sis_id="cal"))
    assert told(shared_of(sharing, blocks={("students", "cal")})) == ("N S", "algebra art", "", "tom una", "")


def test_blocks_name_a_kind() -> None:
    """A block of a teacher leaves a student with the same sis_id alone."""
    assert told(shared_of({"mode": "district"}, blocks={("teachers", "ann")}))[2] == "ann ben cal dee"


def test_contacts_of_a_blocked_student() -> None:
    """Contacts of blocked students only leave; a guardian of another shared student stays, for that one."""
    blocks = {("students", "ann"), ("students", "cal")}
    assert shared_of({"mode": "district"}, blocks=blocks).contacts == {("mum",): {"ben"}}
