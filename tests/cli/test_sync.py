"""`generate` and `sync` against a running service."""

import os
import shutil
import signal
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from uuid import uuid4

import pytest

from tests.cli.programs import OPERATOR, Service, run, service, worker_of


@dataclass
class District:
    """A district of a running service, and its files."""

    service: Service
    id: str
    token: str
    files: Path

    def sync(self, upload: Path, *options: str, token: str = "") -> CompletedProcess[str]:
        """Run the command on some files."""
        environment = {"SHARING_TOKEN": token or self.token, "SHARING_URL": self.service.url}
        return run("sync", upload, "--district", self.id, *options, cwd=self.files.parent, **environment)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A new district with a generated roster that is not uploaded yet."""
    place = tmp_path_factory.mktemp("sync")
    with service("serve", cwd=place, SHARING_DATA_DIR="data", SHARING_OPERATOR_TOKEN=OPERATOR) as it:
        with it.client() as client:
            made = client.post("/v1/districts", json={"name": "Riverbend"}).json()
            wanted = {"role": "district_admin", "district_id": made["id"]}
            token = client.post("/v1/tokens", json=wanted).json()["token"]
        assert run("generate", "roster", "--students", 250, cwd=place).returncode == 0
        yield District(it, made["id"], token, place / "roster")
        assert it.stop(signal.SIGTERM) == 0


def test_a_roster_is_published_by_a_worker_that_replaced_a_dead_one(district: District) -> None:
    """A killed worker is started anew, the sync is published with exit 0, and the report counts every student."""
    dead = worker_of(district.service)
    os.kill(dead, signal.SIGKILL)
    ended = district.sync(district.files)
    assert ended.returncode == 0, ended.stderr
    report = {line.split()[0]: line.split()[1:] for line in ended.stdout.splitlines() if line[:1].isalpha()}
    assert report["students"] == ["250", "0", "0", "0"]
    assert ended.stdout.splitlines()[-1] == "The roster is published at revision 1."
    assert ended.stderr == ""
    assert worker_of(district.service) != dead


def test_a_dry_run_of_an_archive_changes_nothing(district: District, tmp_path: Path) -> None:
    """A zip archive is taken like the folder; --dry-run ends checked, with exit 0 and the numbers."""
    with zipfile.ZipFile(tmp_path / "roster.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in district.files.iterdir():
            archive.write(file, file.name)
    ended = district.sync(tmp_path / "roster.zip", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "Checked only; nothing was changed."


def test_a_roster_that_shrinks_is_held(district: District, tmp_path: Path) -> None:
    """Exit 3 tells a script that a person has to look, and the last line how to release or discard."""
    assert district.sync(district.files).returncode == 0
    shrunk = Path(shutil.copytree(district.files, tmp_path / "shrunk"))
    for name in ("students.csv", "enrollments.csv"):
        lines = (shrunk / name).read_text().splitlines(keepends=True)
        (shrunk / name).write_text("".join(lines[: len(lines) // 2]))
    ended = district.sync(shrunk)
    assert ended.returncode == 3, ended.stderr
    assert f"POST /v1/districts/{district.id}/syncs/" in ended.stdout.splitlines()[-1]
    assert "removes_too_much" in ended.stdout


def test_unreadable_files_fail(district: District, tmp_path: Path) -> None:
    """A missing file ends with exit 1, and the report names it."""
    broken = Path(shutil.copytree(district.files, tmp_path / "broken"))
    (broken / "sections.csv").unlink()
    ended = district.sync(broken)
    assert ended.returncode == 1
    assert "error sections.csv: " in ended.stdout
    assert ended.stdout.splitlines()[-1] == "Failed; nothing was changed."


def test_mistakes_are_told_in_one_line(district: District, tmp_path: Path) -> None:
    """A wrong token, district, address or folder ends with exit 1 and a sentence, before anything is uploaded."""
    (tmp_path / "empty").mkdir()
    other = ("--district", str(uuid4()))
    tries = {
        "The service answered 401. ": district.sync(district.files, token="wrong"),
        "The service answered 404. ": district.sync(district.files, *other),
        "The service answered 403. ": district.sync(district.files, token=OPERATOR),
        "http://127.0.0.1:1 does not answer (ConnectError).": district.sync(
            district.files, "--url", "http://127.0.0.1:1"
        ),
        "--district takes the id of a district": district.sync(district.files, "--district", "riverbend"),
        "--token takes the text of a token": district.sync(district.files, token="two\nlines"),
        f"{tmp_path / 'empty'} holds none of ": district.sync(tmp_path / "empty"),
        f"{tmp_path / 'absent'} is neither": district.sync(tmp_path / "absent"),
    }
    for sentence, ended in tries.items():
        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1), ended.stderr
        assert ended.stderr.startswith(sentence)
