"""What is asked in the storm, and by whom."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tests.factories.service import Headers, Json
from tests.stories.storm.town import CHANGED, SECTIONS, STUDENTS, TEACHERS, WIDE, Place

SHARES: Final[Mapping[str, int]] = {
    "record": 600,
    "page": 230,
    "events": 80,
    "list": 40,
    "large page": 15,
    "file": 15,
    "preview": 10,
    "save": 10,
}
"""How many of a thousand are of each kind; what costs most is asked least."""
RECORDS: Final = 15
"""Students that an application asks for by their ids."""
MOVING: Final = ("/applications", "/audit?limit=5")
"""Lists that tell what others did meanwhile."""


@dataclass(frozen=True, eq=False)
class Question:
    """A request of one caller about its own district, or in vain about another."""

    kind: str
    place: str
    authorization: str
    method: str
    path: str
    body: Json | None = None
    moves: bool = False
    """Whether the answer tells what else happened in the district meanwhile."""

    @cached_property
    def text(self) -> bytes:
        """The request as it is sent."""
        content = b"" if self.body is None else json.dumps(self.body).encode()
        head = [
            f"{self.method} {self.path} HTTP/1.1",
            "Host: storm.test",
            f"Authorization: {self.authorization}",
            "Accept-Encoding: identity",
            *(["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []),
        ]
        return "\r\n".join([*head, "", ""]).encode() + content

    def __str__(self) -> str:
        return f"{self.method} {self.path} of {self.place}"


def of_application(place: Place, others: list[Place], way: str, chance: random.Random) -> Iterator[Question]:
    """What an application asks: also for records that it is not shared, and for those of other districts."""
    authorization = place.applications[way].headers["Authorization"]
    users = [place.ids["students", f"{place.name}-student-{chance.randrange(STUDENTS)}"] for _ in range(RECORDS)]
    users += [place.ids["teachers", f"{place.name}-teacher-{chance.randrange(TEACHERS)}"] for _ in range(2)]
    section = place.ids["sections", f"{place.name}-section-{chance.randrange(SECTIONS)}"]
    foreign = [other.ids["students", f"{other.name}-student-{chance.randrange(STUDENTS)}"] for other in others]
    paths = {
        "record": [f"/users/{user}" for user in (*users, *foreign)]
        + [f"/sections/{section}", f"/schools/{place.ids['schools', f'{place.name}-north']}", "/me"],
        "page": [f"/users?limit=20&starting_after={user}" for user in users[:3]]
        + ["/schools?count=true", "/courses", "/users?role=teacher", "/sections?limit=5"]
        + [f"/sections/{section}/users?limit=10", f"/users/{users[0]}/myteachers", f"/users/{users[0]}/sections"],
        "events": ["/events?limit=10", "/events?ending_before=last&limit=1"],
        "large page": ["/users?limit=10000"] if way in ("whole", *CHANGED) else [],
    }
    for kind, asked in paths.items():
        for path in asked:
            moves = kind == "events" and way in CHANGED
            yield Question(kind, place.name, authorization, "GET", f"/v3.1{path}", moves=moves)


def of_district(place: Place, chance: random.Random) -> Iterator[Question]:
    """What an admin and a school lead ask, and what the admin saves."""
    here = place.district.path
    whole, torn, site = (place.applications[way] for way in ("whole", "torn", "school_site"))
    student = place.ids["students", f"{place.name}-student-{chance.randrange(STUDENTS)}"]

    def asked(kind: str, path: str, body: Json | None = None, *, by: Headers = place.district.admin) -> Question:
        method = {"preview": "POST", "save": "PUT"}.get(kind, "GET")
        moves = kind == "save" or path in MOVING
        return Question(kind, place.name, by["Authorization"], method, f"{here}{path}", body, moves)

    yield from (
        *(asked("list", path) for path in ("/students?limit=10", "/sections?limit=10", f"/students/{student}")),
        *(asked("list", f"{whole.path}{path}") for path in ("/shared", "/shared/students?limit=10", "/sharing")),
        *(asked("list", path) for path in MOVING),
        asked("list", f"{site.path}/sites", by=place.lead),
        *(asked("file", f"{whole.path}/shared/{kind}.csv") for kind in ("students", "sections", "teachers")),
        *(asked("preview", f"{whole.path}/sharing/preview", sharing) for sharing in (WIDE, place.narrow)),
        *(asked("save", f"{torn.path}/sharing", sharing) for sharing in (WIDE, place.narrow)),
    )
