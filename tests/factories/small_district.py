"""A district small enough to know by heart, for facts that people have written down.

North (N), South (S), West (W). Algebra is at N, taught by Tom and Una, for Ann and Cal; art is at S, taught by Una, for
Ben and Cal; lab is at N and has nobody. Cal and Una have no row at N; Ben has rows at N and S, Vic at W and N, Yan at S
and N.
"""

from typing import Any, Final

from tests.oracle import share
from tests.oracle_answers import Shared
from tests.world import Contact, Person, School, Section, World

SMALL_DISTRICT: Final = World(
    schools={
        "N": School("N", {"name": "North", "school_number": "1"}),
        "S": School("S", {"name": "South", "school_number": "2"}),
        "W": School("W", {"name": "West"}),
    },
    sections={
        "algebra": Section(
            "algebra",
            "N",
            ("tom", "una"),
            {"course_name": "Algebra I", "course_number": "101", "period": "2", "subject": "math", "term_name": "Fall"},
        ),
        "art": Section("art", "S", ("una",), {"source_name": "Art Club", "subject": "arts and music", "period": "2"}),
        "lab": Section("lab", "N", (), {"course_name": "Lab"}),
    },
    students={
        "ann": Person("ann", ["N"], {"grade": "3"}),
        "ben": Person("ben", ["N", "S"], {"grade": "4", "ext.house": "Red"}),
        "cal": Person("cal", ["S"], {"ell_status": "Y"}),
        "dee": Person("dee", ["W"], {"grade": "3", "ell_status": "N"}),
    },
    teachers={
        "tom": Person("tom", ["N"], {"last_name": "Toms", "email": "tom@n.org"}),
        "una": Person("una", ["S"], {"last_name": "Unwin"}),
        "vic": Person("vic", ["W", "N"]),
    },
    staff={"yan": Person("yan", ["S", "N"], {"role": "Nurse"}), "zoe": Person("zoe", ["W"])},
    enrollments={("algebra", "ann"), ("algebra", "cal"), ("art", "ben"), ("art", "cal")},
    contacts=(
        Contact("mum", {"ann": ("Mother", "Primary"), "ben": ("Mother", "Primary")}, {"name": "Mum"}),
        Contact("", {"cal": ("Father", "")}, {"name": "Dad"}),
    ),
)
IDS: Final = {
    (kind, sis_id): sis_id
    for kind in ("schools", "sections", "students", "teachers", "staff")
    for sis_id in SMALL_DISTRICT.of(kind)
}
"""Public ids as short as sis_ids."""


def shared_of(sharing: dict[str, Any] | None, **more: Any) -> Shared:
    """What the small district shares; `sites` and `blocks` as the oracle takes them."""
    return share(SMALL_DISTRICT, sharing, ids=IDS, **more)


def told(shared: Shared) -> tuple[str, str, str, str, str]:
    """The sis_ids of schools, sections, students, teachers and staff."""
    schools, sections, students, teachers, staff = (
        " ".join(sorted(records))
        for records in (shared.schools, shared.sections, shared.students, shared.teachers, shared.staff)
    )
    return schools, sections, students, teachers, staff


def rule(match: str, **fields: str) -> dict[str, Any]:
    """A rule whose fields are all one of some values, separated by spaces."""
    where = [{"field": field, "operator": "is", "values": values.split()} for field, values in fields.items()]
    return {"match": match, "where": where}


def by_rules(*rules: dict[str, Any], exceptions: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """A permission by rules."""
    return {"mode": "rules", "rules": [*rules], "except": [*exceptions]}
