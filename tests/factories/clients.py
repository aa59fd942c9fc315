"""A partner's server that obtains tokens by its client secret."""

from dataclasses import dataclass, replace
from typing import Any

import httpx2

from tests.factories.service import EVERY_FIELD, Connected, District, Json, Service, answered, bearer


@dataclass(frozen=True)
class Client:
    """An application with one of its secrets."""

    service: Service
    id: str
    client_id: str
    secret: str

    @property
    def path(self) -> str:
        """Where the operator manages it."""
        return f"/v1/applications/{self.id}"

    @property
    def basic(self) -> httpx2.BasicAuth:
        """Its Authorization header."""
        return httpx2.BasicAuth(self.client_id, self.secret)

    def holding(self, secret: str) -> "Client":
        """The same application with another secret."""
        return replace(self, secret=secret)

    async def ask(self, **parameters: Any) -> httpx2.Response:
        """What a request for a short-lived token is answered; the client authenticates by the header."""
        form = {"grant_type": "client_credentials"} | parameters
        return await self.service.client.post("/oauth/token", data=form, auth=self.basic)

    async def token(self, **parameters: Any) -> str:
        """A short-lived token."""
        return str(answered(await self.ask(**parameters))["access_token"])

    async def list(self, status: int = 200, **query: str) -> Any:
        """The answer to a request for the tokens of connected districts."""
        query = {"owner_type": "district"} | query
        return answered(await self.service.client.get("/oauth/tokens", params=query, auth=self.basic), status)

    async def tokens(self) -> dict[str, str]:
        """The listed tokens by district."""
        return {entry["owner"]["id"]: entry["access_token"] for entry in (await self.list())["data"]}

    async def read(self, token: str, path: str = "/users") -> int:
        """With which status the partner API answers a token."""
        return (await self.service.client.get(f"/v3.1{path}", headers=bearer(token))).status_code

    async def connect(self, district: District) -> Connected:
        """Let a district connect it."""
        return await district.connect(self.id)

    async def rotate(self, **wanted: Any) -> Json:
        """A further secret of it, from the operator."""
        response = await self.service.client.post(f"{self.path}/secrets", json=wanted, headers=self.service.operator)
        issued: Json = answered(response, 201)
        return issued

    async def secrets(self) -> Json:
        """The page of its secrets."""
        response = await self.service.client.get(f"{self.path}/secrets", headers=self.service.operator)
        page: Json = answered(response)
        return page

    async def revoke(self, secret_id: str, status: int = 204) -> Any:
        """What deleting one of its secrets is answered."""
        response = await self.service.client.delete(f"{self.path}/secrets/{secret_id}", headers=self.service.operator)
        return answered(response, status)


async def register(service: Service) -> Client:
    """A new application that wants every field."""
    body = {"name": "Algebra Tutor", "fields": EVERY_FIELD}
    made = answered(await service.client.post("/v1/applications", json=body, headers=service.operator), 201)
    return Client(service, made["id"], made["client_id"], made["client_secret"])
