"""A served district in which every cell is a marker: none reaches a log, and those that are never kept reach nobody."""

import json
import signal
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx2

from sharing_service.roster.catalogue import CONTACTS, FIELDS, Kind
from tests.cli.programs import OPERATOR, Service, service, wait_until
from tests.factories.marked import markers
from tests.factories.service import EVERY_FIELD
from tests.factories.upload import REQUIRED, Row, as_csv

NEVER_KEPT: Final = ("Password", "Unweighted_gpa", "Weighted_gpa", "Nobody_knows")
"""Columns that are read past, the last because no kind has it."""
KINDS: Final = {
    "schools": (Kind.SCHOOLS, "School_id"),
    "students": (Kind.STUDENTS, "Student_id"),
    "teachers": (Kind.TEACHERS, "Teacher_id"),
    "staff": (Kind.STAFF, "Staff_id"),
    "sections": (Kind.SECTIONS, "Section_id"),
}


class Cells:
    """Rows in which every cell that is not given is a new marker."""

    def __init__(self) -> None:
        self._numbers = count()
        self.never_kept: set[str] = set()

    def row(self, name: str, **given: str) -> Row:
        """A row of a file."""
        kind, _ = KINDS[name]
        fields = (*FIELDS[kind], *(CONTACTS if name == "students" else ()))
        columns = [*(field.column for field in fields if field.column), "ext.note"]
        columns += ["Contact_relationship", "Contact_type"] if name == "students" else []
        kept = {column: self._marker() for column in columns}
        gone = {column: self._marker() for column in NEVER_KEPT if name != "schools"}
        self.never_kept |= {*gone.values()}
        return {"School_id": self._marker()} | kept | gone | given

    def _marker(self) -> str:
        return f"zq{next(self._numbers)}zq"


def files(cells: Cells) -> dict[str, str]:
    """A roster in which some rows cannot be used, and every value that has a list of allowed ones is outside of it."""
    school = cells.row("schools")
    here = {"School_id": school["School_id"]}
    teacher, student = cells.row("teachers", **here), cells.row("students", **here)
    section = cells.row("sections", **here, Teacher_id=teacher["Teacher_id"])
    enrolled = {**here, "Section_id": section["Section_id"], "Student_id": student["Student_id"]}
    strangers = [cells.row("students"), cells.row("students", **here, Student_id=""), student]
    rows = {
        "schools": [school],
        "students": [student, *strangers],
        "teachers": [teacher, cells.row("teachers")],
        "staff": [cells.row("staff", **here), cells.row("staff")],
        "sections": [section, cells.row("sections", **here), cells.row("sections", Teacher_id=teacher["Teacher_id"])],
        "enrollments": [enrolled, enrolled | {"Student_id": strangers[0]["Student_id"]}, enrolled],
    }
    return {f"{name}.csv": as_csv(REQUIRED[name], of_file) for name, of_file in rows.items()}


def test_no_log_holds_a_marker(tmp_path: Path) -> None:
    """After uploads that are published or refused, reads of every sort and requests that fail, neither the log of the
    service nor that of its PostgreSQL has a value; passwords, averages and unknown columns are told to nobody, and no
    report of a sync repeats a cell.

    Catches a value in a warning of an import, an address in a log of requests, and a statement in the server's log.
    """
    log, cells = tmp_path / "log", Cells()
    environment = {"SHARING_DATA_DIR": "data", "SHARING_OPERATOR_TOKEN": OPERATOR}
    with service("serve", cwd=tmp_path, log=log, **environment) as running:
        told = story(running, files(cells))
        assert running.stop(signal.SIGTERM) == 0
        printed = "\n".join(running.printed)
    postgres = "".join(path.read_text() for path in (tmp_path / "data").rglob("server.log*"))

    assert "ready to accept connections" in postgres
    assert not markers(postgres)
    assert not markers(log.read_text() + printed)
    assert not markers(told["reports"] + told["refusals"])
    assert len(markers(told["answers"])) > 60
    assert not markers(told["answers"]) & cells.never_kept


def story(running: Service, uploaded: dict[str, str]) -> dict[str, str]:
    """What a district, its application and people who err are told."""
    with running.client() as operator:
        district = made(operator, "/v1/districts", name="Riverbend")["id"]
        application = made(operator, "/v1/applications", name="Reader", fields=EVERY_FIELD)["id"]
        admin = made(operator, "/v1/tokens", role="district_admin", district_id=district)["token"]
    here = f"/v1/districts/{district}"
    grant = f"{here}/applications/{application}"
    with running.client(admin) as client:
        reports = [upload(client, here, uploaded, "published")]
        client.put(grant).raise_for_status()
        client.put(f"{grant}/sharing", json={"mode": "district", "include_staff": True}).raise_for_status()
        token = made(client, "/v1/tokens", role="application", district_id=district, application_id=application)
        for students in ("not,the,columns\n", b"\xff" + uploaded["students.csv"].encode(), "SSN,School_id\nzq0zq,1\n"):
            reports.append(upload(client, here, uploaded | {"students.csv": students}, "failed"))
        lists = [f"{here}/{kind}" for kind in KINDS] + [f"{grant}/shared/{kind}.csv" for kind in KINDS]
        answers = [client.get(path).raise_for_status().text for path in lists]
        refusals = [client.get(f"{here}/students", params={"limit": "zq0zq"}), client.get(f"{here}/zq0zq")]
        assert client.get(f"{here}/students", params={"q": "zq0zq"}).status_code == 200
        refusals.append(client.put(f"{grant}/sharing", json={"mode": "zq0zq"}))
    with running.client(token["token"]) as partner:
        answers += [partner.get(f"/v3.1/{path}").raise_for_status().text for path in ("users", "sections", "events")]
        refusals += [partner.get(f"/v3.1/users/{path}") for path in ("zq0zq", "zq0zq/sections", "?role=zq0zq")]
    assert all(answer.status_code >= 400 for answer in refusals)
    told = {"answers": answers, "reports": reports, "refusals": [answer.text for answer in refusals]}
    return {name: "\n".join(texts) for name, texts in told.items()}


def made(client: httpx2.Client, path: str, **wanted: Any) -> Any:
    """What is created."""
    response = client.post(path, json=wanted)
    assert response.status_code == 201, response.text
    return response.json()


def upload(client: httpx2.Client, here: str, uploaded: dict[str, Any], ending: str) -> str:
    """The report of a sync that ends so."""
    parts = [(name, (name, text, "text/csv")) for name, text in uploaded.items()]
    place = client.post(f"{here}/syncs", files=parts).headers["Location"]
    wait_until(lambda: client.get(place).json()["status"] not in ("queued", "running"))
    report = client.get(place).json()
    assert report["status"] == ending, report["status"]
    return json.dumps(report)
