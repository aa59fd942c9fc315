"""Every value of every record is a marker of its own, and no answer and no log holds one that it should not.

What an application may see is what the oracle says that it is shared, in the groups that it asks for and the district
accepts. Eleven applications are shared by every mode, by rules of every sort and with blocks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sharing_service.delivery import fragments
from tests.factories.logged import logged
from tests.factories.marked import GROUPS, PERSONS, Mark, Marked, markers
from tests.factories.service import Connected, District, Json, Service, answered, bearer
from tests.factories.small_district import by_rules, rule
from tests.oracle import share
from tests.oracle_answers import Shared
from tests.planting import planted

NOBODY: Final[Json] = {"mode": "schools", "school_ids": []}
WHOLE: Final[Json] = {"mode": "district", "include_staff": True}
NAMES: Final = [f"{kind}.{group}" for kind, groups in GROUPS.items() for group in groups]
SEARCHED: Final = (
    *(("students", name) for name in ("email", "state_id", "student_number", "last_name")),
    *(("teachers", name) for name in ("email", "state_id", "teacher_number")),
    *(("staff", "email"), ("sections", "course_name"), ("schools", "name")),
)
"""Fields that a search looks into."""
VERSIONS: Final = ("v3.0", "v3.1")
PARTNER: Final = re.compile(r"/v3\.[01]/")
APPLICATION: Final = "/v1/districts/{district_id}/applications/{application_id}/"

ASKED: Final = ("required", "optional", "declined")
DECLINED: Final = ("declined", "declined in advance")
CHOICES: Final = ("nothing", *ASKED, *DECLINED)
SETTINGS: Final = st.fixed_dictionaries({name: st.sampled_from(CHOICES) for name in NAMES})
"""For each group whether it is asked for, and how the district meets that."""


def team(match: str, values: str, **more: bool) -> Json:
    """A rule that looks at the teams of records."""
    return rule(match, **{"ext.team": values}) | more


@dataclass(frozen=True)
class Decision:
    """How much a district shares with an application; `N` and `S` are the schools, other names those of the world."""

    sharing: Json | None
    sites: Mapping[str, Json]
    blocked: tuple[tuple[str, str], ...] = ()


def decisions(marked: Marked) -> dict[str, Decision]:
    """One of each sort."""
    red = team("sections", "red")
    blue_only = team("students", "blue", companions=False)
    taught = team("teachers", "red", companions=True)
    sites: dict[str, Json] = {
        "North": {"share": "rules", "rules": [team("students", "red")]},
        "South": {"share": "everyone", "include_staff": True},
    }
    blocked = (("students", "ann"), ("teachers", "una"), ("staff", "yan"))
    return {
        "the district": Decision({"mode": "district"}, {}),
        "the district with staff": Decision(WHOLE, {}),
        "a school": Decision({"mode": "schools", "school_ids": [marked.id("North")], "include_staff": True}, {}),
        "a section": Decision({"mode": "sections", "section_ids": [marked.id("art")]}, {}),
        "sections by rule": Decision(by_rules(red), {}),
        "students by rule": Decision(by_rules(blue_only), {}),
        "teachers by rule": Decision(by_rules(taught, exceptions=(team("students", "gold"),)), {}),
        "staff by rule": Decision(by_rules(team("staff", "blue")), {}),
        "school sites": Decision({"mode": "school_site"}, sites),
        "nothing": Decision(None, {}),
        "all but the blocked": Decision(WHOLE, {}, blocked),
    }


APPLICATIONS: Final = tuple(decisions(Marked()))


@dataclass(frozen=True)
class Receiving:
    """An application and what it is shared."""

    application: Connected
    shared: Shared


@dataclass(frozen=True)
class Canaries:
    """The district, its applications, and every path that tells of them."""

    marked: Marked
    district: District
    receiving: Mapping[str, Receiving]
    paths: Mapping[str, list[str]]

    def seen(self, receiving: Receiving, groups: set[str], place: str) -> set[str]:
        """The markers that an application may see which receives these groups, and of which there is a place there."""
        return {
            mark.text for mark in self.marked.marks if getattr(mark, place) and mark.is_seen(receiving.shared, groups)
        }


@pytest.fixture(scope="module")
async def canaries(service: Service) -> Canaries:
    """A published district full of markers, and the applications that it shares with."""
    marked = Marked()
    async with service.by_hand.write() as session:
        await marked.roster.publish(session)
    admin = bearer(await service.token(role="district_admin", district_id=str(marked.roster.district_id)))
    district = District(service, str(marked.roster.district_id), admin)
    receiving = {}
    for name, decision in decisions(marked).items():
        application = await district.connect(await service.application())
        await decide(marked, application, decision)
        receiving[name] = Receiving(application, by_oracle(marked, decision))
    return Canaries(marked, district, receiving, await paths_of(service, marked))


async def decide(marked: Marked, application: Connected, decision: Decision) -> None:
    """Let the district share."""
    district = application.district
    for school, selection in decision.sites.items():
        await district.call("PUT", f"{application.path}/sites/{marked.id(school)}", selection)
    for kind, name in decision.blocked:
        body = {"kind": kind, "record_id": marked.id(name), "application_id": application.id, "reason": "asked for"}
        await district.call("POST", "/blocks", body, status=201)
    if decision.sharing is not None:
        await application.share(decision.sharing)


def by_oracle(marked: Marked, decision: Decision) -> Shared:
    """What is shared by the design."""
    sites = {marked.keys[school]: selection for school, selection in decision.sites.items()}
    blocks = {(kind, marked.keys[name]) for kind, name in decision.blocked}
    return share(marked.world, decision.sharing, ids=marked.ids, sites=sites, blocks=blocks)


async def paths_of(service: Service, marked: Marked) -> dict[str, list[str]]:
    """What can be read: by version the whole lists, the lists and files of the district, and everything else."""
    document = answered(await service.client.get("/openapi.json"))
    found: dict[str, list[str]] = {name: [] for name in (*VERSIONS, "lists", "files", "single records", "about it")}
    for template, operations in document["paths"].items():
        if "get" not in operations:
            continue
        if PARTNER.match(template):
            version, _, rest = template[1:].partition("/")
            found["single records" if "{" in rest else version] += filled(template, marked)
        elif template.startswith(APPLICATION):
            which = {"shared/{kind}": "lists", "shared/{kind}.csv": "files"}
            found[which.get(template.removeprefix(APPLICATION), "about it")] += filled(template, marked)
    return found


def filled(template: str, marked: Marked) -> Iterator[str]:
    """A path with every id that there is in place of its parameters, but for that of the application."""
    path = PARTNER.sub("", template)
    values = {
        "id": marked.below(path.partition("/")[0]) or [str(marked.roster.district_id)],
        "kind": list(GROUPS),
        "record_id": [*marked.roster.ids.values()],
        "school_id": marked.below("schools"),
        "district_id": [str(marked.roster.district_id)],
        "application_id": ["{application_id}"],
    }
    names = re.findall(r"{(\w+)}", template)
    for chosen in product(*(values[name] for name in names)):
        yield template.format(**dict(zip(names, chosen, strict=True)))


async def told(application: Connected, paths: list[str]) -> set[str]:
    """The markers in the answers to these requests, by the application or its district."""
    client, admin = application.district.service.client, application.district.admin
    found: set[str] = set()
    for path in paths:
        headers = application.headers if PARTNER.match(path) else admin
        answer = await client.get(path.format(application_id=application.id), headers=headers)
        assert answer.status_code in (200, 404), path
        assert answer.status_code == 200 or not markers(answer.text), path
        found |= markers(answer.text)
    return found


async def ask_for(service: Service, application: Connected, setting: Mapping[str, str]) -> set[str]:
    """Let the application ask for groups and the district meet that; the groups that it receives from now on."""
    fields: dict[str, dict[str, list[str]]] = {kind: {"required": [], "optional": []} for kind in GROUPS}
    for name, choice in setting.items():
        kind, group = name.split(".")
        if choice in ASKED:
            fields[kind]["required" if choice == "required" else "optional"].append(group)
    path = f"/v1/applications/{application.id}"
    answered(await service.client.patch(path, json={"fields": fields}, headers=service.operator))
    declined = [name for name, choice in setting.items() if choice in DECLINED]
    await application.district.call("PUT", f"{application.path}/fields", {"declined": declined})
    return {name for name, choice in setting.items() if choice in ("required", "optional")}


@settings(max_examples=settings().max_examples * 4 // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    setting=SETTINGS,
    name=st.sampled_from(APPLICATIONS),
    version=st.sampled_from(VERSIONS),
    places=st.lists(st.integers(0, 10_000), min_size=3, max_size=5),
    searched=st.sampled_from(SEARCHED),
)
@pytest.mark.asvs("V8.2.3", "V14.2.4", "V15.3.1")
async def test_no_marker_beyond_what_is_shared(
    service: Service,
    canaries: Canaries,
    setting: Mapping[str, str],
    name: str,
    version: str,
    places: list[int],
    searched: tuple[str, str],
) -> None:
    """Partner answers, lists, files, previews and searches hold what is shared, whole, and nothing else; logs nothing.

    Catches: answers by the application's request instead of the grant, files that forget what is declined, a search
    that matches a hidden field, contacts that are reached through their student, a record that is told although it is
    not shared, and a list that is empty although it should not be.
    """
    receiving = canaries.receiving[name]
    with logged() as log:
        groups = await ask_for(service, receiving.application, setting)
        await check_whole_lists(canaries, receiving, groups, version)
        await check_sheets(canaries, receiving, groups, searched[0])
        await check_the_rest(canaries, receiving, groups, places)
        await check_search(canaries, receiving, groups, searched)

    assert not markers(log.text)


async def check_whole_lists(canaries: Canaries, receiving: Receiving, groups: set[str], version: str) -> None:
    """The lists and the feed of one version: exactly what may be seen."""
    application, paths = receiving.application, canaries.paths
    users = await application.read("/users", count="true")
    persons = sum(len(getattr(receiving.shared, kind)) for kind in PERSONS)
    contacts = len(receiving.shared.contacts) if "students.contacts" in groups else 0

    assert await told(application, paths[version]) == canaries.seen(receiving, groups, "told")
    assert users["count"] == persons + contacts


async def check_sheets(canaries: Canaries, receiving: Receiving, groups: set[str], *kinds: str) -> None:
    """The lists and the files of the district: exactly what may be seen of these kinds."""
    listed = {mark for mark in canaries.marked.marks if mark.listed and mark.kind in kinds}
    expected = {mark.text for mark in listed if mark.is_seen(receiving.shared, groups)}

    for which, ending in (("lists", ""), ("files", ".csv")):
        paths = [path for path in canaries.paths[which] if path.endswith(tuple(f"/{kind}{ending}" for kind in kinds))]
        assert len(paths) == len(kinds)
        assert await told(receiving.application, paths) == expected


async def check_the_rest(canaries: Canaries, receiving: Receiving, groups: set[str], places: list[int]) -> None:
    """Some of the single records and of what the district reads about the application, its preview, its trail."""
    application, district = receiving.application, canaries.district
    singles, about = canaries.paths["single records"], canaries.paths["about it"]
    await check_singles(canaries, receiving, groups, [singles[place % len(singles)] for place in places])
    await check_about(canaries, receiving, [about[place % len(about)] for place in places[:1]])
    preview = await district.call("POST", f"{application.path}/sharing/preview", NOBODY)
    trail = await district.get("/audit", limit=5)

    shown = {mark.text for mark in canaries.marked.marks if mark.group.endswith(".identity")}
    assert markers(str(preview)) <= shown & canaries.seen(receiving, groups, "listed")
    assert not markers(str(trail))


async def check_singles(canaries: Canaries, receiving: Receiving, groups: set[str], paths: list[str]) -> None:
    """Records of the partner API and what is reached from them: nothing beyond what may be seen."""
    assert await told(receiving.application, paths) <= canaries.seen(receiving, groups, "told")


async def check_about(canaries: Canaries, receiving: Receiving, paths: list[str]) -> None:
    """What the district reads about an application beside lists and files: names of its schools at most."""
    names = {mark.text for mark in canaries.marked.of("schools", "name")}
    assert await told(receiving.application, paths) <= names


async def check_search(canaries: Canaries, receiving: Receiving, groups: set[str], searched: tuple[str, str]) -> None:
    """A value is found by a search in what is shared if it may be seen, and only then."""
    kind, _ = searched
    for mark in canaries.marked.of(*searched)[:2]:
        found = await canaries.district.get(f"{receiving.application.path}/shared/{kind}", q=mark.text)
        assert found["total"] == len(found["data"]) == mark.is_seen(receiving.shared, groups)


@pytest.mark.parametrize("choice", ["required", "nothing"])
async def test_every_path_of_every_application(service: Service, canaries: Canaries, choice: str) -> None:
    """Every path about every record holds only what may be seen, with all groups and with none; logs hold nothing.

    Catches a nested path that forgets the ledger or the groups, whichever record it begins with.
    """
    with logged() as log:
        for receiving in canaries.receiving.values():
            groups = await ask_for(service, receiving.application, dict.fromkeys(NAMES, choice))
            await check_whole_lists(canaries, receiving, groups, "v3.0")
            await check_sheets(canaries, receiving, groups, *GROUPS)
            singles = canaries.paths["single records"]
            # Both versions are the same code: one of them is enough where there is least to tell.
            some = singles if choice == "required" else [path for path in singles if path.startswith("/v3.1/")]
            await check_singles(canaries, receiving, groups, some)
            await check_about(canaries, receiving, canaries.paths["about it"])

    assert not markers(log.text)


@pytest.mark.asvs("V16.2.5")
async def test_no_logger_tells_at_any_level(service: Service, canaries: Canaries) -> None:
    """With every logger at its most talkative nothing that is read or refused stands in the log.

    Catches rows that a library of the database writes out for debugging.
    """
    receiving = canaries.receiving["the district with staff"]
    with logged(everything=True) as log:
        groups = await ask_for(service, receiving.application, dict.fromkeys(NAMES, "required"))
        await check_whole_lists(canaries, receiving, groups, "v3.1")
        await check_sheets(canaries, receiving, groups, *GROUPS)
        await check_singles(canaries, receiving, groups, canaries.paths["single records"][::20])
        await check_search(canaries, receiving, groups, SEARCHED[0])

    assert "sqlalchemy.engine" in log.text
    assert not markers(log.text)


async def test_every_path_is_read(canaries: Canaries) -> None:
    """Lists, files, the feed, single records and what is reached from them are among what is read."""
    read = {re.sub(r"[0-9a-f-]{36}|{application_id}", "*", path) for found in canaries.paths.values() for path in found}

    assert {"/v3.1/users", "/v3.0/users/*", "/v3.1/users/*/mycontacts", "/v3.1/schools/*/users", "/v3.1/events"} <= read
    assert {"/v1/districts/*/applications/*/shared/students" + end for end in ("", ".csv")} <= read
    assert {"/v1/districts/*/applications/*/sharing/history", "/v1/districts/*/applications/*/sites"} <= read


async def test_the_applications_differ(canaries: Canaries) -> None:
    """Each application sees something that another one does not, and nobody but the last all of the district.

    Catches decisions that share all or nothing, of which no answer could be wrong.
    """
    seen = [frozenset(canaries.seen(one, set(NAMES), "told")) for one in canaries.receiving.values()]
    every = {mark.text for mark in canaries.marked.marks if mark.told}

    assert len(set(seen)) == len(seen)
    assert [every - one == set() for one in seen].count(True) == 1


async def test_without_the_projection(service: Service, canaries: Canaries) -> None:
    """Without the choice of granted groups markers of others are told, which is noticed; none of others' records is.

    The wall that falls is the projection of fields; the gate of what is shared stands.
    """
    receiving = canaries.receiving["a school"]
    groups = await ask_for(service, receiving.application, dict.fromkeys(NAMES, "nothing"))
    allowed = canaries.seen(receiving, groups, "told")
    with planted(fragments.granted_fragments, "if name in UNGROUPED or name in groups", ""):
        found = await told(receiving.application, canaries.paths["v3.1"])

    assert found > allowed
    assert found <= canaries.seen(receiving, set(NAMES), "told")


async def test_refusals_repeat_nothing(service: Service, canaries: Canaries) -> None:
    """What is refused is not repeated, wherever in a request it stood, and not logged.

    Catches an error that shows the value that was wrong.
    """
    district, application = canaries.district, canaries.receiving["the district"].application
    partner, admin = application.headers, district.admin
    with logged(everything=True) as log:
        for mark in canaries.marked.of("students", "email"):
            for method, path, headers, content in refused(mark, district, application):
                own = headers or (partner if PARTNER.match(path) else admin)
                answer = await service.client.request(method, path, headers=own, **content)
                assert answer.status_code >= 400, path
                assert mark.text not in answer.text, path
                assert mark.text not in str(answer.headers), path

    assert not markers(log.text)


def refused(
    mark: Mark, district: District, application: Connected
) -> Iterator[tuple[str, str, Mapping[str, str], Json]]:
    """Requests that hold a marker where it does not belong."""
    text, here = mark.text, f"{district.path}{application.path}"
    for path in (f"/v3.1/users/{text}", f"/v3.0/sections/{text}/users", f"/v3.1/{text}", f"/v3.1/events/{text}"):
        yield "GET", path, {}, {}
    for name in ("limit", "starting_after", "ending_before", "count", "role"):
        yield "GET", "/v3.1/users", {}, {"params": {name: text}}
    for name in ("limit", "school", "record_type", "starting_after"):
        yield "GET", "/v3.1/events", {}, {"params": {name: text}}
    for path in (f"{district.path}/{text}", f"{district.path}/students/{text}", f"{here}/shared/{text}.csv"):
        yield "GET", path, {}, {}
    for name in ("limit", "after", "case_sensitive"):
        yield "GET", f"{district.path}/students", {}, {"params": {name: text}}
    for body in (text, {"mode": text}, {"mode": "district", text: text}, {"mode": "schools", "school_ids": [text]}):
        yield "PUT", f"{here}/sharing", {}, {"json": body}
    wrong = {"mode": "rules", "rules": [{"match": "students", "where": [{"field": text, "operator": text}]}]}
    yield "POST", f"{here}/sharing/preview", {}, {"json": wrong}
    yield "PUT", f"{here}/fields", {}, {"json": {"declined": [text]}}
    yield "POST", f"{district.path}/blocks", {}, {"json": {"kind": "students", "record_id": text, "reason": text}}
    yield "POST", f"{district.path}/syncs", {}, {"content": text, "params": {"dry_run": text}}
    yield "POST", "/oauth/token", {}, {"data": {"grant_type": text, "client_id": text, "client_secret": text}}
    yield "GET", "/v3.1/users", bearer(text), {}
    yield "GET", "/v1/tokens", bearer(text), {}
