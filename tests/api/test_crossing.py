"""Pages of other origins: closed by default, open for named origins, and never on the partners' routes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import Service, bearer

OURS, OTHER = "https://dashboard.example.org", "https://evil.example.org"
PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, if-match"}
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
async def open_to_ours(database_url: str, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A service that a dashboard of another origin may ask."""
    token = SecretStr("o" * 32)
    settings = Settings(data_dir=tmp_path, operator_token=token, rate_limit=10**9, cors_origins=(OURS,))
    app = create_app(settings, database_url=database_url)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service", headers=bearer("o" * 32)) as client:
        yield client
    await app.state.database.close()


@pytest.mark.asvs("V3.4.2", "V3.5.1")
async def test_closed_by_default(service: Service) -> None:
    """Without the setting no page of another origin learns anything, by a request or by asking first."""
    asked = await service.client.get("/v1/districts", headers=service.operator | {"Origin": OURS})
    first = await service.client.options("/v1/districts", headers=PREFLIGHT | {"Origin": OURS})

    for response in (asked, first):
        assert [name for name in response.headers if name.startswith("access-control-")] == []
    assert first.status_code == 405


@pytest.mark.asvs("V3.4.2")
async def test_open_for_a_named_origin(open_to_ours: httpx2.AsyncClient) -> None:
    """A page of a named origin may ask, errors included, and read the headers that it needs; it sends no cookies."""
    first = await open_to_ours.options("/v1/districts", headers=PREFLIGHT | {"Origin": OURS})
    asked = await open_to_ours.get("/v1/districts", headers={"Origin": OURS})
    refused = await open_to_ours.get("/v1/nowhere", headers={"Origin": OURS})

    assert (first.status_code, asked.status_code, refused.status_code) == (200, 200, 404)
    for response in (first, asked, refused):
        assert response.headers[ALLOWED] == OURS
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Origin" in response.headers["Vary"]
        assert response.headers["Cache-Control"] == "no-store"
    assert "If-Match" in first.headers["Access-Control-Allow-Headers"]
    assert "ETag" in asked.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "http://dashboard.example.org", f"{OURS}.evil.example", f"{OURS}:444"]
)
@pytest.mark.asvs("V3.4.2", "V3.5.2")
async def test_closed_for_any_other(open_to_ours: httpx2.AsyncClient, origin: str) -> None:
    """A page of any other origin, however like a named one, is told nothing.

    Catches origins that are compared by their beginning, and an answer that repeats whatever origin asks.
    """
    first = await open_to_ours.options("/v1/districts", headers=PREFLIGHT | {"Origin": origin})
    asked = await open_to_ours.get("/v1/districts", headers={"Origin": origin})

    assert first.status_code == 400
    assert ALLOWED not in first.headers
    assert ALLOWED not in asked.headers


@pytest.mark.parametrize("path", ["/v3.1/users", "/v3.0/events", "/oauth/token", "/metrics", "/openapi.json", "/v1"])
@pytest.mark.asvs("V3.5.1")
async def test_partners_routes_stay_closed(open_to_ours: httpx2.AsyncClient, path: str) -> None:
    """Only the management API opens: a partner's token has no business in a browser."""
    first = await open_to_ours.options(path, headers=PREFLIGHT | {"Origin": OURS})
    asked = await open_to_ours.get(path, headers={"Origin": OURS})

    for response in (first, asked):
        assert [name for name in response.headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize(
    "origins",
    ["*", "null", "https://*", "https://*.example.org", f"{OURS},*", f"{OURS}/", f"{OURS}/path", "http://example.org"],
)
def test_no_origin_stands_for_all(origins: str) -> None:
    """A sign for all origins, or one that no browser sends, is refused at the start, by a sentence."""
    with pytest.raises(ValidationError, match="Name each origin as https://HOST"):
        Settings.model_validate({"cors_origins": origins})


def test_origins_are_listed() -> None:
    """Several origins are separated by commas; one of the same machine needs no TLS."""
    settings = Settings.model_validate({"cors_origins": f" {OURS} , http://localhost:5173,"})

    assert settings.cors_origins == (OURS, "http://localhost:5173")
