"""Two districts with everything that a path can name.

North is the own school, South the sibling: the application is shared North, and another one of the same district South.
The foreign district has the same roster, and there the same application is shared everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from tests.factories.clients import Client
from tests.factories.service import Connected, District, Json, Service, answered
from tests.factories.upload import render
from tests.world import Contact, Person, School, Section, World

FIELDS: Final[Json] = {"students": {"required": ["contacts"], "optional": ["email"]}}
SCHOOLS: Final = {"own": "North", "sibling": "South"}
CROWD: Final = 40
"""Students at North beside those that are asked for: so many that a sync without them is held."""
EVERYONE: Final = {"share": "everyone", "include_staff": True}


def roster(crowd: int = CROWD) -> World:
    """One record of each kind at each school, and beside them two students to be blocked and a crowd."""
    students = {name: Person(name, [school]) for name, school in SCHOOLS.items()}
    beside = [*(f"blocked {name}" for name in SCHOOLS), *(f"one of {n}" for n in range(crowd))]
    return World(
        schools={school: School(school, {"name": school}) for school in SCHOOLS.values()},
        sections={
            name: Section(name, school, (name,), {"course_name": name, "course_number": name, "term_name": name})
            for name, school in SCHOOLS.items()
        },
        students=students | {name: Person(name, ["North"]) for name in beside},
        teachers={name: Person(name, [school]) for name, school in SCHOOLS.items()},
        staff={name: Person(name, [school]) for name, school in SCHOOLS.items()},
        enrollments={(name, name) for name in SCHOOLS},
        contacts=[Contact(name, {name: ("Mother", "")}, {"name": name}) for name in SCHOOLS],
    )


@dataclass(frozen=True)
class Objects:
    """Four values of one parameter, as `expected` tells them apart."""

    own: str
    sibling: str
    foreign: str
    absent: str = ""

    def __post_init__(self) -> None:
        if not self.absent:
            object.__setattr__(self, "absent", str(uuid4()))
        assert len({self.own, self.sibling, self.foreign, self.absent}) == 4


@dataclass(frozen=True)
class Pair:
    """The two districts and the applications that they have connected."""

    service: Service
    own: District
    foreign: District
    clients: tuple[Client, Client]
    """The application's and the other one's."""
    app: Connected
    other: Connected
    elsewhere: Connected
    suspended: Connected


async def districts(service: Service) -> Pair:
    """Make them, over HTTP as people would."""
    own, foreign = await service.district("Own"), await service.district("Foreign")
    for district in (own, foreign):
        await district.publish(render(roster()))
    client, other_client = await client_of(service), await client_of(service)
    app, other = await own.connect(client.id), await own.connect(other_client.id)
    suspended = await own.connect(await service.application(fields=FIELDS))
    elsewhere = await foreign.connect(client.id)
    await elsewhere.share({"mode": "district", "include_staff": True})
    await share_one_school(app, "North")
    await share_one_school(other, "South", again=True)
    await suspended.share({"mode": "district"})
    await own.call("POST", f"{suspended.path}/pause")
    held = await own.upload(render(roster(crowd=0)))
    assert held["status"] == "held", held
    return Pair(service, own, foreign, (client, other_client), app, other, elsewhere, suspended)


async def share_one_school(connected: Connected, school: str, *, again: bool = False) -> None:
    """Share a school by its own selection, as the third version or the fourth; the feed begins with the first."""
    school_id = (await connected.district.ids())["schools", school]
    by_school: Json = {"mode": "schools", "school_ids": [school_id]}
    for permission in (by_school, {**by_school, "include_staff": True}, *([by_school] if again else [])):
        await connected.share(permission)
    await connected.district.call("PUT", f"{connected.path}/sites/{school_id}", EVERYONE)
    await connected.share({"mode": "school_site"})


async def client_of(service: Service) -> Client:
    """A new application with its secret."""
    body = {"name": "Algebra Tutor", "fields": FIELDS}
    made = answered(await service.client.post("/v1/applications", json=body, headers=service.operator), 201)
    return Client(service, made["id"], made["client_id"], made["client_secret"])


async def issued(service: Service, **wanted: Any) -> Json:
    """A token with its id, from the operator."""
    token: Json = answered(await service.client.post("/v1/tokens", json=wanted, headers=service.operator), 201)
    return token


async def objects(pair: Pair, found: Mapping[str, Objects]) -> dict[str, Objects]:
    """What there is to name, by parameter; records by kind, which were found before."""
    service, own, foreign = pair.service, pair.own, pair.foreign
    erased, gone = (await service.district("Erased")).id, await service.application()
    for path in (f"/v1/districts/{erased}", f"/v1/applications/{gone}"):
        assert (await service.client.delete(path, headers=service.operator)).is_success
    newest, first = [sync["id"] for sync in (await own.get("/syncs"))["data"]]
    [theirs] = [sync["id"] for sync in (await foreign.get("/syncs"))["data"]]
    tokens = [await issued(service, role="district_admin", district_id=one.id) for one in (own, own, foreign)]
    auditors = [await issued(service, role="audit_reader", district_id=one.id) for one in (own, own, foreign)]
    await pair.clients[0].rotate()  # a secret is deleted only while another one works
    secrets = [[secret["id"] for secret in (await client.secrets())["data"]] for client in pair.clients]
    return {
        "district_id": Objects(own.id, foreign.id, erased),
        "connected district_id": Objects(own.id, foreign.id, (await service.district("Unconnected")).id),
        "application_id": Objects(pair.app.id, pair.other.id, (await foreign.connect()).id),
        "known application_id": Objects(pair.app.id, pair.other.id, gone),
        "free application_id": Objects(await service.application(), await service.application(), gone),
        "secret_id": Objects(secrets[0][0], secrets[0][-1], secrets[1][0]),
        "token_id": Objects(*(token["id"] for token in tokens)),
        "auditors token_id": Objects(*(token["id"] for token in auditors)),
        "sync_id": Objects(first, newest, theirs),
        "held sync_id": Objects(newest, first, theirs),
        "version": Objects("1", "2", "4", "9"),
        "block_id": Objects(
            await block(own, "blocked own"), await block(own, "blocked sibling"), await block(foreign, "blocked own")
        ),
        "events": Objects(*[await first_event(one) for one in (pair.app, pair.other, pair.elsewhere)]),
        "contacts": Objects(*[await only_contact(one) for one in (pair.app, pair.other, pair.elsewhere)]),
        "school of district_id": Objects(found["schools"].own, found["schools"].foreign, str(uuid4())),
        **found,
    }


async def records(own: District, foreign: District) -> dict[str, Objects]:
    """One record of each kind at North, at South, at North of the foreign district, and nowhere."""
    here, there = await names(own), await names(foreign)
    found = {}
    for kind in ("schools", "sections", "students", "teachers", "staff", "courses", "terms"):
        mine, sibling = (SCHOOLS[name] if kind == "schools" else name for name in SCHOOLS)
        found[kind] = Objects(here[kind, mine], here[kind, sibling], there[kind, mine])
    return found


async def names(district: District) -> dict[tuple[str, str], str]:
    """The id of each record by kind and sis_id, of courses and terms by name."""
    derived = {
        (kind, row["name"]): row["id"] for kind in ("courses", "terms") for row in await district.everything(kind)
    }
    return await district.ids() | derived


async def block(district: District, student: str) -> str:
    """The id of a new block."""
    body = {"kind": "students", "record_id": (await district.ids())["students", student], "reason": "asked for"}
    return str((await district.call("POST", "/blocks", body, status=201))["id"])


async def first_event(connected: Connected) -> str:
    """The id of the oldest event of a feed."""
    return str((await connected.read("/events", limit=1))["data"][0]["data"]["id"])


async def only_contact(connected: Connected) -> str:
    """The id of the first contact that an application sees."""
    return str((await connected.records("/users", role="contact"))[0]["id"])


async def everything_in(district: District) -> Mapping[str, set[str]]:
    """The ids of a district's records by kind."""
    kinds = ("schools", "sections", "students", "teachers", "staff", "courses", "terms")
    return {kind: {row["id"] for row in await district.everything(kind)} for kind in kinds}
