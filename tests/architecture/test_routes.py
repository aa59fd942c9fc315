"""Laws of the routes: closed unless they are on the list."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import Json, Service

OPEN = {
    "/health/live": "an orchestrator asks it without a token",
    "/health/ready": "an orchestrator asks it without a token",
    "/.well-known/security.txt": "whoever finds a weakness has no token",
    "/metrics": "Prometheus reads it inside the network; it names route templates only",
    "/openapi.json": "the document holds no data",
    "/v1/leaked-tokens": "whoever finds a token need not have one; the answer tells nothing",
}
"""Routes that answer without a token, with the reason."""
SENT: dict[str, Json] = {"/v1/leaked-tokens": {"tokens": []}}
"""What is sent to those that take a body."""


def routes(service: Service) -> Iterator[tuple[str, str]]:
    """Method and path of every documented operation and every open route."""
    app = create_app(Settings(), database_url=service.database.url)
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path


@pytest.mark.asvs("V3.5.1", "V3.5.2", "V6.3.4", "V8.2.1")
async def test_every_route_is_closed_or_on_the_list(service: Service) -> None:
    """Without a token every route answers 401, whatever its path parameters are.

    Catches an audience whose router lost its caller dependency.
    """
    seen = 0
    for method, path in routes(service):
        if path in OPEN:
            continue
        filled = re.sub(r"\{[^}]+\}", str(uuid4()), path)
        response = await service.client.request(method, filled)
        assert response.status_code == 401, (method, path, response.status_code)
        seen += 1
    assert seen > 100


@pytest.mark.asvs("V13.4.5")
async def test_open_routes_answer_without_a_token(service: Service) -> None:
    """The list of open routes names no route that is not there."""
    for path in OPEN:
        method = "POST" if path in SENT else "GET"
        response = await service.client.request(method, path, json=SENT.get(path))
        assert response.is_success, path
