"""What a service at work leaves behind beside its answers: nothing that was sent to it."""

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import OPERATOR, Service, service, wait_until
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render

PRIVATE = "Zebedee"
TRACE = "0af7651916cd43dd8448eb211c80319c"
DASHBOARD = "https://dashboard.example.org"


def cut(running: Service, path: str, token: str) -> None:
    """Begin an upload and hang up."""
    connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", path)
    for name, value in {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/zip",
        "Content-Length": "9000000",
    }.items():
        connection.putheader(name, value)
    connection.endheaders(PRIVATE.encode() * 300_000)
    connection.close()


def made(running: Service, path: str, **wanted: Any) -> Any:
    """What the operator has made."""
    with running.client() as operator:
        return operator.post(path, json=wanted).json()


@pytest.mark.asvs("V14.2.2", "V16.2.5")
def test_nothing_private_is_left_behind(tmp_path: Path) -> None:
    """Of uploads, searches, faults and broken requests the logs of all processes tell places and ids only.

    Every line is JSON, a sync is in the trace of its upload, and no file stays in the folder for temporary ones.
    Catches: words of a request or of a database error in the log of the service or of PostgreSQL, spools of uploads.
    """
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    files = {name: text.replace("Ann", PRIVATE) for name, text in render(SMALL_DISTRICT).items()}
    files["students.csv"] += f"{PRIVATE},{PRIVATE}\n"
    environment = {"SHARING_OPERATOR_TOKEN": OPERATOR, "SHARING_CORS_ORIGINS": DASHBOARD, "TMPDIR": str(temporary)}
    with service("serve", cwd=tmp_path, log=log, SHARING_DATA_DIR="data", **environment) as it:
        district = made(it, "/v1/districts", name=PRIVATE)["id"]
        token = made(it, "/v1/tokens", role="district_admin", district_id=district)["token"]
        path = f"/v1/districts/{district}"
        with it.client(token) as admin:
            parts = [(name, (name, text, "text/csv")) for name, text in files.items()]
            headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            sync = admin.post(f"{path}/syncs", files=parts, headers=headers).headers["Location"]
            wait_until(lambda: admin.get(sync).json()["status"] == "published")
            admin.get(f"{path}/students", params={"q": PRIVATE})
            admin.put(f"{path}/applications/{PRIVATE}", json={PRIVATE: PRIVATE})
            admin.get(f"/{PRIVATE}", headers={"X-Request-Id": PRIVATE, "Authorization": f"Bearer {PRIVATE}"})
            assert admin.options(path, headers={"Origin": DASHBOARD, "Access-Control-Request-Method": "GET"}).is_success
        cut(it, f"{path}/syncs", token)
        wait_until(lambda: '"status": 499' in log.read_text())
        assert list(temporary.iterdir()) == []

    said = log.read_text()
    lines = [json.loads(line) for line in said.splitlines()]
    [ended] = [line for line in lines if line["event"] == "a sync ended"]
    [uploaded] = [line for line in lines if line["event"] == "request" and line.get("trace_id") == TRACE]
    assert (ended["trace_id"], ended["request_id"]) == (TRACE, uploaded["request_id"])
    assert ended["process"] != uploaded["process"]
    assert (ended["district_id"], ended["outcome"], uploaded["status"]) == (district, "published", 202)
    said += (tmp_path / "data" / "postgresql" / "server.log").read_text()
    assert [secret for secret in (PRIVATE, OPERATOR, token) if secret in said] == []
