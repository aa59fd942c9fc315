"""A district on a running service, made over HTTP as its people would, and an application that sees all of it."""

from collections.abc import Mapping
from typing import Any

import httpx2

from tests.cli.programs import Service, wait_until
from tests.factories.service import EVERY_FIELD


def full_token(running: Service, files: Mapping[str, str]) -> str:
    """Publish these files in a new district; the token of an application that sees everything."""
    with running.client() as operator:
        district = _made(operator, "/v1/districts", name="Riverbend")["id"]
        application = _made(operator, "/v1/applications", name="Reader", fields=EVERY_FIELD)["id"]
        admin = _made(operator, "/v1/tokens", role="district_admin", district_id=district)["token"]
    path = f"/v1/districts/{district}"
    with running.client(admin) as client:
        parts = [(name, (name, text, "text/csv")) for name, text in files.items()]
        sync = client.post(f"{path}/syncs", files=parts).headers["Location"]
        wait_until(lambda: client.get(sync).json()["status"] == "published")
        grant = f"{path}/applications/{application}"
        client.put(grant).raise_for_status()
        client.put(f"{grant}/sharing", json={"mode": "district", "include_staff": True}).raise_for_status()
        issued = _made(client, "/v1/tokens", role="application", district_id=district, application_id=application)
        return str(issued["token"])


def _made(client: httpx2.Client, path: str, **wanted: Any) -> Any:
    response = client.post(path, json=wanted)
    assert response.status_code == 201, response.text
    return response.json()
