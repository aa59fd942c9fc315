"""Who asks: a caller of each role, with ids of what the caller may reach and of what not."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from tests.cli.programs import OPERATOR, Service, wait_until
from tests.factories.full_district import full_district
from tests.factories.service import EVERY_FIELD, Json

PERMISSIONS: Final[tuple[Json, ...]] = (
    {"mode": "district", "include_staff": True},
    {"mode": "school_site"},
    {"mode": "district"},
)
"""What the district of an asker shares with its applications; the last one may be disconnected."""


@dataclass(frozen=True)
class Asker:
    """Somebody who asks; without an Authorization header nobody in particular."""

    authorization: str | None
    ids: Mapping[str, list[str]]
    """Ids that there are, by the name of what they stand for, as `hooks.py` reads them."""
    kept: list[str]
    """Ids of what must not be deleted, or everything after would only be refused."""


@dataclass
class Place:
    """A district of its own with a roster and applications."""

    running: Service
    district: str = ""
    applications: list[str] = field(default_factory=list)
    schools: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    client: str = ""
    """Id and secret of the first application, as HTTP Basic has them."""

    def __post_init__(self) -> None:
        with self.running.client() as operator:
            self.district = made(operator, "/v1/districts", name="Riverbend")["id"]
            wanted: Json = {"name": "Reader", "fields": EVERY_FIELD}
            created = [made(operator, "/v1/applications", **wanted) for _ in PERMISSIONS]
        self.applications = [application["id"] for application in created]
        self.client = f"{created[0]['client_id']}:{created[0]['client_secret']}"
        with self.running.client(self.issue("district_admin")["token"]) as admin:
            path = f"/v1/districts/{self.district}"
            parts = [(name, (name, text, "text/csv")) for name, text in full_district().items()]
            sync = admin.post(f"{path}/syncs", files=parts).headers["Location"]
            wait_until(lambda: admin.get(sync).json()["status"] == "published")
            rows = {kind: admin.get(f"{path}/{kind}").json()["data"] for kind in ("schools", "students", "teachers")}
            self.schools = [row["id"] for row in rows.pop("schools")]
            self.people = [row["id"] for of_kind in rows.values() for row in of_kind]
            for application, permission in zip(self.applications, PERMISSIONS, strict=True):
                grant = f"{path}/applications/{application}"
                admin.put(grant).raise_for_status()
                admin.put(f"{grant}/sharing", json=permission).raise_for_status()

    def issue(self, role: str) -> Json:
        """A token of a role here."""
        besides: dict[str, Json] = {
            "operator": {},
            "district_admin": {"district_id": self.district},
            "school_lead": {"district_id": self.district, "school_ids": self.schools[:1]},
            "audit_reader": {"district_id": self.district},
            "application": {"district_id": self.district, "application_id": self.applications[0]},
        }
        with self.running.client() as operator:
            issued: Json = made(operator, "/v1/tokens", role=role, **besides[role])
        return issued


def asker(foreign: Place, role: str) -> Asker:
    """Somebody of a role in a district of its own, who meets ids of that district more often than foreign ones."""
    own = Place(foreign.running)
    *kept, doomed = own.applications
    ids = {
        "district_id": [own.district, own.district, own.district, foreign.district],
        "application_id": [*kept, *kept, foreign.applications[0]],
        "DELETE application_id": [doomed],
        "school_id": [*own.schools, foreign.schools[0]],
        "school_ids": [*own.schools, foreign.schools[0]],
        "record_id": [*own.people, foreign.people[0]],
    }
    match role:
        case "none":
            return Asker(None, ids, [])
        case "operator":
            # The districts that the operator looks at and deletes are those that it makes.
            reachable = {name: known for name, known in ids.items() if not name.endswith("district_id")}
            reachable["body district_id"] = ids["district_id"]
            return Asker(f"Bearer {OPERATOR}", reachable, [own.district, foreign.district])
        case "client":
            return Asker(f"Basic {b64encode(own.client.encode()).decode()}", ids, [])
        case _:
            issued = own.issue(role)
            return Asker(f"Bearer {issued['token']}", ids, [issued["id"]])


def made(client: httpx2.Client, path: str, **wanted: Any) -> Any:
    """What a POST answers that makes something."""
    response = client.post(path, json=wanted)
    assert response.status_code == 201, response.text
    return response.json()
