"""Every field holds a marker of its own, and no answer holds a marker of a field group that is not granted."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, product
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharing_service.roster.catalogue import FIELDS, Field, Kind
from tests.factories.roster import Roster
from tests.factories.service import Connected, District, Json, Service, answered, bearer

MARKER: Final = re.compile(r"zq\d+zq")
WHOLE: Final[Json] = {"mode": "district", "include_staff": True}
NOBODY: Final[Json] = {"mode": "schools", "school_ids": []}

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "schools": ("ext",),
    "sections": ("ext",),
    "students": ("email", "numbers", "demographics", "status", "address", "contacts", "credentials", "ext"),
    "teachers": ("email", "numbers", "credentials", "ext"),
    "staff": ("email", "credentials", "ext"),
}
"""The groups beside identity that each kind has."""
NAMES: Final = [f"{kind}.{group}" for kind, groups in GROUPS.items() for group in groups]
LISTED: Final = {*NAMES, *(f"{kind}.identity" for kind in GROUPS)} - {"students.contacts"}
"""Groups that the lists of the district have: they know no contacts, courses or terms."""
SEARCHED: Final = (
    *(("students", name) for name in ("email", "state_id", "student_number")),
    *(("teachers", name) for name in ("email", "state_id", "teacher_number")),
    ("staff", "email"),
)
"""Fields beside identity that a search looks into."""
PARTNER: Final = "/v3.1/"
APPLICATION: Final = "/v1/districts/{district_id}/applications/{application_id}/"

ASKED: Final = ("required", "optional", "declined")
DECLINED: Final = ("declined", "declined in advance")
SETTINGS: Final = st.fixed_dictionaries({name: st.sampled_from(("nothing", *ASKED, *DECLINED)) for name in NAMES})
"""For each group whether it is asked for, and how the district meets that."""


@dataclass
class Marked:
    """A district of one record of each kind, and by marker the group that it belongs to."""

    roster: Roster = field(default_factory=Roster)
    groups: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    """The markers that partner documents have a place for."""
    of_field: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = count()
        school = self.roster.record(Kind.SCHOOLS, **self._values(Kind.SCHOOLS))
        course, term = (self.roster.record(kind, **self._values(kind)) for kind in (Kind.COURSES, Kind.TERMS))
        student, teacher, _ = (
            self.roster.person(kind, schools=[school], **self._values(kind))
            for kind in (Kind.STUDENTS, Kind.TEACHERS, Kind.STAFF)
        )
        values = self._values(Kind.SECTIONS)
        self.roster.section(school=school, students=[student], teachers=[teacher], course=course, term=term, **values)
        relationship, type_ = (self._marker("students.contacts", told=True) for _ in range(2))
        self.roster.contact(students=[(student, relationship, type_)], **self._values(Kind.CONTACTS))

    def _values(self, kind: Kind) -> Json:
        values: Json = {one.name: self._marker_of(kind, one) for one in FIELDS[kind]}
        if kind.value in GROUPS:
            values["ext"] = {"note": self._marker(f"{kind}.ext", told=True)}
        return values

    def _marker_of(self, kind: Kind, one: Field) -> str:
        group = "students.contacts" if kind is Kind.CONTACTS else f"{kind}.{one.group}"
        marker = self._marker(group, told=bool(one.path))
        self.of_field[kind.value, one.name] = marker
        return marker

    def _marker(self, group: str, *, told: bool) -> str:
        marker = f"zq{next(self._numbers)}zq"
        self.groups[marker] = group
        self.told |= {marker} if told else set()
        return marker

    def ids(self, path: str) -> list[str]:
        """The ids of the records that the paths below this one name."""
        numbering = {"users": "people"}.get(path, path)
        return [record_id for (own, _), record_id in self.roster.ids.items() if own == numbering]

    def granted(self, effective: set[str]) -> set[str]:
        """The markers that an application may see which receives these groups."""
        return {marker for marker, group in self.groups.items() if group in effective or group.endswith(".identity")}


@pytest.fixture(scope="module")
async def marked(service: Service) -> Marked:
    """A published district full of markers."""
    marked = Marked()
    async with service.database.write() as session:
        await marked.roster.publish(session)
    return marked


async def connected(service: Service, marked: Marked, setting: Mapping[str, str]) -> Connected:
    """An application that asks for fields as in this setting, with which everything is shared."""
    admin = bearer(await service.token(role="district_admin", district_id=str(marked.roster.district_id)))
    district = District(service, str(marked.roster.district_id), admin)
    fields: dict[str, dict[str, list[str]]] = {kind: {"required": [], "optional": []} for kind in GROUPS}
    for name, choice in setting.items():
        kind, group = name.split(".")
        if choice in ASKED:
            fields[kind]["required" if choice == "required" else "optional"].append(group)
    application = await district.connect(await service.application(fields=fields))
    declined = [name for name, choice in setting.items() if choice in DECLINED]
    await district.call("PUT", f"{application.path}/fields", {"declined": declined})
    await application.share(WHOLE)
    return application


@pytest.fixture(scope="module")
async def paths(service: Service, marked: Marked) -> dict[str, list[str]]:
    """What can be read: whole lists of the application and the district, and everything else that tells of either."""
    document = answered(await service.client.get("/openapi.json"))
    found: dict[str, list[str]] = {"partner lists": [], "district lists": [], "others": []}
    whole = {PARTNER: "partner lists", f"{APPLICATION}shared/{{kind}}": "district lists"}
    for template, operations in document["paths"].items():
        if "get" not in operations or not template.startswith((PARTNER, APPLICATION)):
            continue
        which = whole.get(template, whole.get(re.sub(r"\w+$", "", template), "others"))
        found[which] += filled(template, marked)
    return found


def filled(template: str, marked: Marked) -> Iterator[str]:
    """A path with every id that there is in place of its parameters, but for that of the application."""
    values = {
        "id": marked.ids(template.removeprefix(PARTNER).split("/")[0]),
        "kind": list(GROUPS),
        "record_id": [*marked.roster.ids.values()],
        "school_id": marked.ids("schools"),
        "district_id": [str(marked.roster.district_id)],
        "application_id": ["{application_id}"],
    }
    names = re.findall(r"{(\w+)}", template)
    for chosen in product(*(values[name] for name in names)):
        yield template.format(**dict(zip(names, chosen, strict=True)))


async def texts(application: Connected, found: list[str]) -> str:
    """The answers to these requests, one after the other."""
    client, admin = application.district.service.client, application.district.admin
    answers = [
        await client.get(
            path.format(application_id=application.id),
            headers=application.headers if path.startswith(PARTNER) else admin,
        )
        for path in found
    ]
    assert {answer.status_code for answer in answers} <= {200, 404}
    return "\n".join(answer.text for answer in answers)


@settings(max_examples=settings().max_examples * 4 // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(setting=SETTINGS, places=st.lists(st.integers(0, 10_000), max_size=4), searched=st.sampled_from(SEARCHED))
async def test_no_marker_beyond_the_granted_groups(
    service: Service,
    marked: Marked,
    paths: Mapping[str, list[str]],
    setting: Mapping[str, str],
    places: list[int],
    searched: tuple[str, str],
) -> None:
    """Partner answers, lists, CSV files, previews and searches hold the granted groups whole, and nothing of others.

    Catches: answers by the application's request instead of the grant, files that forget what is declined, a search
    that matches a hidden field, contacts that are reached through their student.
    """
    application = await connected(service, marked, setting)
    effective = {name for name, choice in setting.items() if choice in ("required", "optional")}
    granted = marked.granted(effective)
    preview: Any = await application.district.call("POST", f"{application.path}/sharing/preview", NOBODY)
    users = await application.read("/users", count="true")
    contacts = await application.read("/users", role="contact", count="true")
    kind, marker = searched[0], marked.of_field[searched]
    found = await application.district.get(f"{application.path}/shared/{kind}", q=marker)
    file = await texts(application, [f"{application.district.path}{application.path}/shared/{kind}.csv"])
    others = [paths["others"][place % len(paths["others"])] for place in places]

    assert {*MARKER.findall(await texts(application, paths["partner lists"]))} == granted & marked.told
    listed = {marker for marker in granted if marked.groups[marker] in LISTED}
    assert {*MARKER.findall(await texts(application, paths["district lists"]))} == listed
    assert {*MARKER.findall(await texts(application, others) + str(preview))} <= granted
    assert {*MARKER.findall(file)} == {marker for marker in listed if marked.groups[marker].startswith(f"{kind}.")}
    assert found["total"] == len(found["data"]) == (marker in granted)
    assert (users["count"], contacts["count"]) == ((4, 1) if "students.contacts" in effective else (3, 0))


async def test_every_path_is_read(paths: Mapping[str, list[str]]) -> None:
    """Lists, files, single records and what is reached from them are among what is read."""
    read = {re.sub(r"[0-9a-f-]{36}|{application_id}", "*", path) for found in paths.values() for path in found}

    assert {"/v3.1/users", "/v3.1/users/*", "/v3.1/users/*/mycontacts", "/v3.1/schools/*/users"} <= read
    assert {"/v1/districts/*/applications/*/shared/students" + end for end in ("", ".csv")} <= read
