"""`/.well-known/security.txt` tells whom to tell about a weakness (RFC 9116)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from sharing_service.main import create_app
from sharing_service.settings import Settings
from tests.factories.service import Service

PATH = "/.well-known/security.txt"


async def test_the_contact_is_told(service: Service) -> None:
    """With a contact in the settings, anybody is told it, and until when it is true: less than a year."""
    response = await service.client.get(PATH)

    fields = dict(line.split(": ", 1) for line in response.text.splitlines())
    left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert fields.keys() == {"Contact", "Expires"}
    assert fields["Contact"] == "mailto:security@example.org"
    assert timedelta(days=30) < left < timedelta(days=365)


async def test_without_a_contact(database_url: str, tmp_path: Path) -> None:
    """Without one there is no such page: a contact that nobody reads is worse than none."""
    app = create_app(Settings(data_dir=tmp_path), database_url=database_url)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://service") as client:
        response = await client.get(PATH)
    await app.state.database.close()

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("contact", ["security@example.org", "mailto:", "mailto:a@b\nExpires: 2999", "http://a.b"])
def test_a_contact_is_an_address(contact: str) -> None:
    """A contact is an address that a program can use, and adds no line of its own."""
    with pytest.raises(ValidationError):
        Settings(security_contact=contact)
