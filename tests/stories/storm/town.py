"""Three districts in which every value bears the name of its district, and everybody who asks about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sharing_service.api.clever_exchange import READ_AT_ONCE
from tests.factories.service import Connected, District, Headers, Json, Service, bearer
from tests.factories.small_district import by_rules, rule
from tests.factories.upload import render
from tests.world import Ids, Person, School, Section, World

PLACES: Final = ("amber", "birch", "cedar")
SIDES: Final = ("north", "south")
STUDENTS: Final = READ_AT_ONCE + 20
"""So many that a page of all users is sent while it is read."""
SECTIONS: Final = 30
TEACHERS: Final = 10
STAFF: Final = 4
FIELDS: Final[Json] = {"students": {"required": ["email"]}, "teachers": {"required": ["email"]}}
WIDE: Final[Json] = {"mode": "district"}
CHANGED: Final = ("torn", "followed")
"""The applications that receive everything and only one school by turns."""


def roster(place: str) -> World:
    """Two schools, of whose sections every third is of mathematics."""
    sides = [f"{place}-{side}" for side in SIDES]
    students = people(place, "student", STUDENTS)
    sections = {
        f"{place}-section-{n}": Section(
            f"{place}-section-{n}",
            sides[n % 2],
            (f"{place}-teacher-{n % TEACHERS}",),
            {"source_name": f"{place} {n}", "subject": "other" if n % 3 else "math", "course_name": f"{place} {n % 5}"},
        )
        for n in range(SECTIONS)
    }
    return World(
        schools={side: School(side, {"name": side}) for side in sides},
        sections=sections,
        students=students,
        teachers=people(place, "teacher", TEACHERS),
        staff=people(place, "staff", STAFF),
        enrollments={(f"{place}-section-{n % SECTIONS}", student) for n, student in enumerate(students)},
    )


def people(place: str, kind: str, number: int) -> dict[str, Person]:
    """So many of a kind, by turns at the one and the other school."""
    return {
        f"{place}-{kind}-{n}": Person(
            f"{place}-{kind}-{n}",
            [f"{place}-{SIDES[n % 2]}"],
            {"first_name": place, "last_name": f"{place} {n}", "email": f"{kind}{n}@{place}.test"},
        )
        for n in range(number)
    }


@dataclass(frozen=True)
class Place:
    """A district, and who asks about it."""

    name: str
    district: District
    ids: Ids
    applications: Mapping[str, Connected]
    """By how it is shared with them."""
    lead: Headers

    @property
    def narrow(self) -> Json:
        """What is shared instead of everything."""
        return {"mode": "schools", "school_ids": [self.ids["schools", f"{self.name}-south"]]}


async def settle(service: Service, name: str) -> Place:
    """Publish a district and let it share."""
    district = await service.district(name)
    await district.publish(render(roster(name)))
    ids = await district.ids()
    north = ids["schools", f"{name}-north"]
    sections = [ids["sections", f"{name}-section-{n}"] for n in range(4)]
    sharings: dict[str, Json] = {
        "whole": {"mode": "district", "include_staff": True},
        "schools": {"mode": "schools", "school_ids": [north], "include_staff": True},
        "sections": {"mode": "sections", "section_ids": sections},
        "rules": by_rules(rule("sections", subject="math")),
        "school_site": {"mode": "school_site"},
        "torn": WIDE,
        "followed": WIDE,
    }
    applications = {}
    for way, sharing in sharings.items():
        applications[way] = await district.connect(await service.application(name=f"{name} {way}", fields=FIELDS))
        await district.call("PUT", f"{applications[way].path}/sites/{north}", {"share": "everyone"})
        await applications[way].share(sharing)
    lead = await service.token(role="school_lead", district_id=district.id, school_ids=[north])
    return Place(name, district, ids, applications, bearer(lead))
