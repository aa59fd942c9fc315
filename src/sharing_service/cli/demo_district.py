"""Brings the demo's district about through the service's own routes, as its operator and its admin would."""

import json
import tempfile
import zipfile
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx2

from sharing_service.cli.demo_choices import LEARNING, LIBRARY, Roster, applications, declined, selections, sharings
from sharing_service.cli.demo_requests import Keys, Place
from sharing_service.cli.failure import CommandFailed
from sharing_service.generator.district import write_district

DISTRICT: Final = "Cedar Valley Unified School District"
SEED: Final = 1
PAGE: Final = 1000

Json = dict[str, Any]


class Loader:
    """Speaks to the service; what an earlier run left in the data directory is taken as it is."""

    def __init__(
        self, client: httpx2.AsyncClient, operator_token: str, *, sync_now: Callable[[], Awaitable[None]]
    ) -> None:
        """Name the service, its operator's token and a way to run the queued jobs."""
        self._client = client
        self._operator = operator_token
        self._sync_now = sync_now

    async def load(self, *, students: int) -> tuple[Keys, Place]:
        """Make sure that all is there, and issue new tokens for it."""
        district = await self._district()
        admin = await self._token({"role": "district_admin", "district_id": district})
        base = f"/v1/districts/{district}"
        if not (await self._call(admin, "GET", f"{base}/schools?limit=1"))["total"]:
            await self._publish(admin, base, students)
        roster = Roster(
            schools=await self._list(admin, f"{base}/schools"),
            sections=await self._list(admin, f"{base}/sections"),
            teachers=await self._list(admin, f"{base}/teachers"),
        )
        known = await self._applications()
        for application in known.values():
            await self._call(admin, "PUT", f"{base}/applications/{application}")
        await self._share(admin, base, known, roster)
        lead = {"role": "school_lead", "district_id": district, "school_ids": [roster.schools[-1]["id"]]}
        keys = Keys(
            operator=await self._token({"role": "operator"}),
            admin=admin,
            school_lead=await self._token(lead),
            applications={
                name: await self._token({"role": "application", "district_id": district, "application_id": known[name]})
                for name in applications()
            },
            client=await self._client_of(known[LIBRARY]),
        )
        modes = {connected["name"]: connected["mode"] for connected in await self._list(admin, f"{base}/applications")}
        return keys, Place(district, known, modes, roster)

    async def _district(self) -> str:
        for district in await self._list(self._operator, "/v1/districts"):
            if district["name"] == DISTRICT:
                return str(district["id"])
        return str((await self._call(self._operator, "POST", "/v1/districts", {"name": DISTRICT}))["id"])

    async def _publish(self, admin: str, base: str, students: int) -> None:
        queued = await self._call(admin, "POST", f"{base}/syncs", _generated(students))
        await self._sync_now()
        finished = await self._call(admin, "GET", f"{base}/syncs/{queued['id']}")
        if finished["status"] != "published":
            raise CommandFailed(f"The sync of the demo ended {finished['status']}: {finished['problems'][:3]}")

    async def _applications(self) -> dict[str, str]:
        there = {each["name"]: each["id"] for each in await self._list(self._operator, "/v1/applications")}
        for name, fields in applications().items():
            if name not in there:
                made = await self._call(self._operator, "POST", "/v1/applications", {"name": name, "fields": fields})
                there[name] = made["id"]
        return {name: there[name] for name in applications()}

    async def _share(self, admin: str, base: str, known: dict[str, str], roster: Roster) -> None:
        """Decide what nobody decided yet."""
        for name, sharing in sharings(roster).items():
            grant = f"{base}/applications/{known[name]}"
            decided = await self._call(admin, "GET", grant)
            if decided["mode"] is not None:
                continue
            if name == LEARNING:
                for school, selection in selections(roster).items():
                    await self._call(admin, "PUT", f"{grant}/sites/{school}", selection)
            if name in declined():
                await self._call(admin, "PUT", f"{grant}/fields", {"declined": declined()[name]})
            await self._call(admin, "PUT", f"{grant}/sharing", sharing)

    async def _token(self, wanted: Json) -> str:
        issued = await self._call(self._operator, "POST", "/v1/tokens", {**wanted, "label": "demo"})
        return str(issued["token"])

    async def _client_of(self, application: str) -> str:
        """The id of an application's client and a secret of this run; one of the runs before makes room for it."""
        path = f"/v1/applications/{application}"
        secrets = await self._list(self._operator, f"{path}/secrets")
        if len(secrets) > 1:
            await self._call(self._operator, "DELETE", f"{path}/secrets/{secrets[0]['id']}")
        issued = await self._call(self._operator, "POST", f"{path}/secrets")
        client_id = (await self._call(self._operator, "GET", path))["client_id"]
        return f"{client_id}:{issued['client_secret']}"

    async def _list(self, token: str, path: str) -> list[Json]:
        """The first records of a list, which are enough to choose from."""
        records: list[Json] = (await self._call(token, "GET", f"{path}?limit={PAGE}"))["data"]
        return records

    async def _call(self, token: str, method: str, path: str, body: Json | bytes | None = None) -> Json:
        kind = "application/zip" if isinstance(body, bytes) else "application/json"
        response = await self._client.request(
            method,
            path,
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
            content=json.dumps(body) if isinstance(body, dict) else body,
        )
        if not response.is_success:
            raise CommandFailed(f"The demo could not be loaded: {method} {path} answered {response.text}")
        answer: Json = response.json() if response.content else {}
        return answer


def _generated(students: int) -> bytes:
    """A zip archive of a generated district."""
    archive = BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive, "w") as files:
        write_district(Path(folder), students=students, seed=SEED)
        for file in sorted(Path(folder).iterdir()):
            files.write(file, file.name)
    return archive.getvalue()
