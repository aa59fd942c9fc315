"""The service as its callers see it: districts that sync, applications that read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx2
from httpx2 import AsyncClient
from sqlalchemy import func, select

from sharing_service import worker
from sharing_service.database import Database
from sharing_service.roster.archive import ArchiveLimits
from sharing_service.roster.sync_models import UploadChunk, UploadFile

Json = dict[str, Any]
Headers = dict[str, str]

KINDS: Final = ("schools", "sections", "students", "teachers", "staff", "courses", "terms")
EVERY_FIELD: Final[Json] = {
    "schools": {"required": ["ext"]},
    "sections": {"required": ["ext"]},
    "students": {
        "required": ["email", "numbers", "demographics", "status", "address", "contacts", "credentials", "ext"]
    },
    "teachers": {"required": ["email", "numbers", "credentials", "ext"]},
    "staff": {"required": ["email", "credentials", "ext"]},
}
"""What an application asks for that wants all there is."""


def bearer(token: str) -> Headers:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def answered(response: httpx2.Response, status: int = 200) -> Any:
    """The JSON of an answer that has this status; anything else fails the test and shows the answer."""
    assert response.status_code == status, f"{response.request.url}: {response.status_code} {response.text}"
    return response.json() if response.content else None


async def everything(client: AsyncClient, path: str, headers: Headers, **parameters: Any) -> list[Json]:
    """All rows of a list of the management API, page by page, however many the other tests have left in it."""
    rows: list[Json] = []
    page: Json = {"next": ""}
    while page["next"] is not None:
        after = {"after": page["next"]} if rows else {}
        response = await client.get(path, params={"limit": 1000} | parameters | after, headers=headers)
        page = answered(response)
        rows += page["data"]
    assert len(rows) == page["total"]
    return rows


@dataclass(frozen=True)
class Service:
    """A running service and its operator."""

    client: AsyncClient
    database: Database
    """As requests see it."""
    operator: Headers
    jobs: Database
    """The same database as the worker sees it."""
    by_hand: Database
    """As a superuser sees it."""

    async def district(self, name: str = "Riverbend Unified") -> "District":
        """A new district and its admin."""
        made = answered(await self.client.post("/v1/districts", json={"name": name}, headers=self.operator), 201)
        admin = await self.token(role="district_admin", district_id=made["id"])
        return District(self, made["id"], bearer(admin))

    async def token(self, **wanted: Any) -> str:
        """A token of any role, from the operator."""
        issued = answered(await self.client.post("/v1/tokens", json=wanted, headers=self.operator), 201)
        return str(issued["token"])

    async def application(self, name: str = "Algebra Tutor", fields: Json | None = None) -> str:
        """A new application; its id. Without fields it asks for identity only."""
        body = {"name": name} | ({"fields": fields} if fields else {})
        return str(answered(await self.client.post("/v1/applications", json=body, headers=self.operator), 201)["id"])


@dataclass(frozen=True)
class District:
    """A district through the eyes of its admin."""

    service: Service
    id: str
    admin: Headers

    @property
    def path(self) -> str:
        """Where its management routes begin."""
        return f"/v1/districts/{self.id}"

    async def get(self, path: str, status: int = 200, **parameters: Any) -> Any:
        """The JSON of a management route below the district."""
        response = await self.service.client.get(f"{self.path}{path}", params=parameters, headers=self.admin)
        return answered(response, status)

    async def call(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """The JSON that a write below the district answers."""
        response = await self.service.client.request(
            method, f"{self.path}{path}", json=body, headers=self.admin | headers
        )
        return answered(response, status)

    async def upload(self, files: Mapping[str, str | bytes], *, dry_run: bool = False) -> Json:
        """Send files as multipart and run the sync; the sync as it ended."""
        parts = [(name, (name, text, "text/csv")) for name, text in files.items()]
        response = await self.service.client.post(
            f"{self.path}/syncs", params={"dry_run": dry_run}, files=parts, headers=self.admin
        )
        queued = answered(response, 202)
        await self.run_sync()
        return await self.sync_report(queued["id"])

    async def run_sync(self) -> None:
        """Do what the worker would do for one queued sync."""
        await worker.run_next_sync(self.service.jobs, UUID(self.id), limits=ArchiveLimits())
        await self.clear_away()

    async def clear_away(self) -> None:
        """Do what the worker would do when a sync has become final."""
        await worker.clear_away(self.service.jobs, UUID(self.id))

    async def kept_rows(self, sync_id: str | None = None) -> int:
        """How many rows of uploads are kept for the district, or for one of its syncs."""
        place = {"district_id": UUID(self.id)} | ({"sync_id": UUID(sync_id)} if sync_id else {})
        async with self.service.by_hand.read() as session:
            counts = [
                await session.scalar(select(func.count()).select_from(table).filter_by(**place))
                for table in (UploadFile, UploadChunk)
            ]
        return sum(count or 0 for count in counts)

    async def sync_report(self, sync_id: str) -> Json:
        """A sync as the district sees it."""
        report: Json = await self.get(f"/syncs/{sync_id}")
        return report

    async def publish(self, files: Mapping[str, str | bytes]) -> Json:
        """Upload files and let a held sync pass, so that the roster equals them."""
        sync = await self.upload(files)
        if sync["status"] == "held":
            await self.call("POST", f"/syncs/{sync['id']}/release", status=202)
            await self.run_sync()
            sync = await self.sync_report(sync["id"])
        assert sync["status"] == "published", sync
        return sync

    async def everything(self, kind: str) -> list[Json]:
        """All rows of one kind of the data browser."""
        return await everything(self.service.client, f"{self.path}/{kind}", self.admin)

    async def ids(self) -> dict[tuple[str, str], str]:
        """The public id of every record by kind and sis_id; courses and terms by what names them."""
        return {
            (kind, row["sis_id"]): row["id"]
            for kind in ("schools", "sections", "students", "teachers", "staff")
            for row in await self.everything(kind)
        }

    async def connect(self, application_id: str | None = None) -> "Connected":
        """Connect an application, a new one that wants every field by default, and give it a token."""
        application_id = application_id or await self.service.application(fields=EVERY_FIELD)
        response = await self.service.client.put(f"{self.path}/applications/{application_id}", headers=self.admin)
        assert response.status_code in (200, 201), response.text
        token = await self.service.token(role="application", district_id=self.id, application_id=application_id)
        return Connected(self, application_id, bearer(token))


@dataclass(frozen=True)
class Connected:
    """An application connected with a district, through the eyes of both."""

    district: District
    id: str
    headers: Headers

    @property
    def path(self) -> str:
        """Where the district manages it, below the district."""
        return f"/applications/{self.id}"

    async def share(self, permission: Json) -> Json:
        """Let the district set its sharing permission."""
        saved: Json = await self.district.call("PUT", f"{self.path}/sharing", permission)
        return saved

    async def read(self, path: str, status: int = 200, **parameters: Any) -> Any:
        """The JSON that the partner API answers it."""
        response = await self.fetch(path, **parameters)
        return answered(response, status)

    async def fetch(self, path: str, **parameters: Any) -> httpx2.Response:
        """The partner API's answer, headers and all."""
        return await self.district.service.client.get(f"/v3.1{path}", params=parameters, headers=self.headers)

    async def records(self, path: str, **parameters: Any) -> list[Json]:
        """The objects of one list of the partner API."""
        listed = await self.read(path, limit=10000, **parameters)
        assert not [link for link in listed["links"] if link["rel"] == "next"]
        return [entry["data"] for entry in listed["data"]]
