"""A published district and applications that read it through the partner API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from fastapi import FastAPI

from sharing_service.database import Database
from sharing_service.roster.catalogue import Kind
from tests.factories.roster import Roster, Sets


@dataclass
class Riverbend:
    """Three schools; ann is at North, ben at North and South, cal at South and only through art at North."""

    roster: Roster = field(default_factory=Roster)

    def __post_init__(self) -> None:
        make = self.roster
        self.north = make.record(Kind.SCHOOLS, sis_id="N", name="North")
        self.south = make.record(Kind.SCHOOLS, sis_id="S", name="South", state_id="77", ext={"band": "yes"})
        self.west = make.record(Kind.SCHOOLS, sis_id="W", name="West")
        self.algebra_course = make.record(Kind.COURSES, name="Algebra I", number="101")
        self.art_course = make.record(Kind.COURSES, name="Art", number="102")
        self.fall = make.record(Kind.TERMS, name="Fall", start_date="8/1/2026", end_date="12/20/2026")
        self.ann = make.person(
            Kind.STUDENTS,
            schools=[self.north],
            sis_id="ann",
            first_name='An"n',
            last_name="Árbol",
            grade="3",
            email="ann@x.org",
            city="Lee",
        )
        self.ben = make.person(Kind.STUDENTS, schools=[self.north, self.south], sis_id="ben", first_name="Ben")
        self.cal = make.person(Kind.STUDENTS, schools=[self.south], through=[self.north], sis_id="cal")
        self.tom = make.person(Kind.TEACHERS, schools=[self.north], sis_id="tom", last_name="Toms", title="Mr")
        self.una = make.person(Kind.TEACHERS, schools=[self.south], through=[self.north], sis_id="una")
        self.yan = make.person(Kind.STAFF, schools=[self.south, self.north], sis_id="yan", role="Nurse")
        self.algebra = make.section(
            school=self.north,
            students=[self.ann, self.ben],
            teachers=[self.tom, self.una],
            sis_id="algebra",
            course=self.algebra_course,
            term=self.fall,
        )
        self.art = make.section(
            school=self.north, students=[self.cal], teachers=[self.una], sis_id="art", course=self.art_course
        )
        self.bea = make.contact(
            students=[(self.ann, "Parent", "Primary"), (self.cal, "", "")], name="Bea de Árbol", email="bea@x.org"
        )

    def id(self, numbering: Any, ordinal: int) -> str:
        """The public id of a record."""
        return self.roster.ids[numbering, ordinal]

    def ids(self, numbering: Any, *ordinals: int) -> list[str]:
        """Public ids of records."""
        return [self.id(numbering, ordinal) for ordinal in ordinals]


class Partner:
    """An application with a token, reading version 3.1 unless a path says otherwise."""

    def __init__(self, client: httpx2.AsyncClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    async def ask(self, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> httpx2.Response:
        """Whatever the service answers."""
        path = path if path.startswith("/v3") else f"/v3.1{path}"
        return await self.client.request(method, path, headers={**self.headers, **(headers or {})})

    async def get(self, path: str, status: int = 200) -> Any:
        """The JSON of an answer that has this status."""
        answer = await self.ask(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def ids(self, path: str) -> list[str]:
        """The ids of a list."""
        return [item["data"]["id"] for item in (await self.get(path))["data"]]


@dataclass(frozen=True)
class Readers:
    """Connects applications to a district."""

    app: FastAPI
    client: httpx2.AsyncClient
    district: Riverbend
    by_hand: Database
    """As a superuser sees it."""

    @property
    def database(self) -> Database:
        """The database of the service."""
        database: Database = self.app.state.database
        return database

    async def connect(self, sets: Sets | None, fields: Mapping[str, Any] | None = None) -> Partner:
        """A new application with which the district shares these records; without fields it gets identity only."""
        async with self.by_hand.write() as session:
            token = await self.district.roster.grant(session, self.app.state.tokens, sets=sets, fields=fields)
        return Partner(self.client, token)
