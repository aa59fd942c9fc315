"""The commands that end by themselves."""

import json
from pathlib import Path

import pytest

from tests.cli.programs import run


def test_openapi_needs_nothing_and_writes_nothing(tmp_path: Path) -> None:
    """The document is printed without a database, and no key is made for it."""
    ended = run("openapi", cwd=tmp_path, SHARING_DATA_DIR=str(tmp_path))
    document = json.loads(ended.stdout)
    assert {"/v1/districts", "/v1/districts/{district_id}/syncs", "/health/ready"} <= document["paths"].keys()
    assert list(tmp_path.iterdir()) == []


def test_generate_repeats_itself(tmp_path: Path) -> None:
    """The same seed writes the same bytes; a folder that cannot be is told."""
    for name in "ab":
        assert run("generate", name, "--students", 70, "--seed", 7, cwd=tmp_path).returncode == 0
    first, second = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in "ab")
    assert first == second
    assert len(first) == 6
    (tmp_path / "file").touch()
    ended = run("generate", "file", "--students", 70, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "Cannot write to file: File exists.\n")


def test_generate_writes_the_next_day(tmp_path: Path) -> None:
    """With --from it writes what the district is a day later, the same bytes for the same seed."""
    assert run("generate", "old", "--students", 70, cwd=tmp_path).returncode == 0
    for name in "ab":
        ended = run("generate", name, "--from", "old", "--churn", 0.1, "--seed", 7, cwd=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    old, first, second = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("old", *"ab")
    )
    assert first == second
    assert first.keys() == old.keys()
    assert first["students.csv"] != old["students.csv"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Name the size of a new district with --students, or "),
        (("--students", 70, "--churn", 0.1), "--churn goes with --from: "),
        (("--from", "old", "--churn", 0.1, "--students", 70), "--students is the size of a new district; "),
        (("--from", "old"), "--churn takes the share "),
        (("--from", "old", "--churn", 0), "--churn takes the share "),
        (("--from", "old", "--churn", 1.01), "--churn takes the share "),
        (("--from", "old", "--churn", "nan"), "--churn takes the share "),
        (("--from", "./new", "--churn", 0.1), "Write to another directory than new, "),
        (
            ("--from", "absent", "--churn", 0.1),
            "Cannot read absent/schools.csv: No such file or directory. --from takes ",
        ),
    ],
)
def test_generate_tells_mistakes_in_one_line(tmp_path: Path, options: tuple[object, ...], sentence: str) -> None:
    """Options that do not fit, or no district to begin with, end with exit 1 and a sentence; nothing is written."""
    ended = run("generate", "new", *options, cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1), ended.stderr
    assert ended.stderr.startswith(sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.asvs("V13.3.2")
def test_a_wrong_setting_is_named_without_its_value(tmp_path: Path) -> None:
    """Catches a secret that is printed because it is too short."""
    ended = run("serve", cwd=tmp_path, SHARING_OPERATOR_TOKEN="hush", SHARING_POOL_SIZE="0")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert "SHARING_OPERATOR_TOKEN: " in ended.stderr
    assert "SHARING_POOL_SIZE: " in ended.stderr
    assert "hush" not in ended.stderr


@pytest.mark.asvs("V16.2.5")
def test_an_unreachable_database_is_told_without_its_password(tmp_path: Path) -> None:
    """Catches a password that is printed because its server does not answer."""
    url = "postgresql://someone:hush@127.0.0.1:1/nothing"
    ended = run("migrate", cwd=tmp_path, SHARING_DATABASE_URL=url)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("The database is not reachable")
    assert "hush" not in ended.stderr


def test_a_worker_alone_wants_a_server(tmp_path: Path) -> None:
    """Without a named database there is nothing that a worker of its own could work for."""
    ended = run("worker", cwd=tmp_path, SHARING_DATA_DIR="data")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "SHARING_DATABASE_URL" in ended.stderr
    assert list(tmp_path.iterdir()) == []
