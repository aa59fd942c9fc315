"""`demo` as somebody tries it who has just cloned the project."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.programs import ENVIRONMENT, Service, alive, command, family, service, wait_until

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one demo after the other runs."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(place: Path) -> Iterator[Service]:
    """The first demo on its data directory."""
    with service("demo", "--students", 60, "--data-dir", "kept", cwd=place) as running:
        yield running


def tokens_of(demo: Service) -> list[str]:
    """The tokens that a demo printed, the operator's first."""
    return [line.split()[-1] for line in demo.printed if "  sharing_" in line]


def known_to(demo: Service) -> tuple[list[str], int]:
    """The ids of the districts and the number of applications."""
    with demo.client(tokens_of(demo)[0]) as client:
        districts = client.get("/v1/districts").json()["data"]
        return [each["id"] for each in districts], client.get("/v1/applications").json()["total"]


@needs_curl
def test_every_printed_request_works(first: Service) -> None:
    """Each line that begins with curl answers with JSON or CSV, and every mode shares somebody."""
    requests = [line for line in first.printed if line.startswith("curl ")]
    assert len(requests) > 15
    script = "".join(f"{line}\nprintf '\\0'\n" for line in requests)
    ran = subprocess.run(["bash", "-e"], input=script, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")
    answers = dict(zip(requests, ran.stdout.split("\0"), strict=False))
    for request, answer in answers.items():
        if ".csv" in request:
            assert answer.startswith("id,sis_id,name")
        else:
            assert not {"code", "message"} & json.loads(answer).keys(), (request, answer)
    connected = json.loads(next(answer for line, answer in answers.items() if line.endswith("/applications")))
    modes = {each["mode"]: each["counts"] for each in connected["data"]}
    assert set(modes) == {"district", "schools", "sections", "rules", "school_site", None}
    assert [mode for mode, counts in modes.items() if not counts["students"]] == [None]


def test_a_second_demo_goes_on_with_the_first(first: Service, place: Path) -> None:
    """With --data-dir the district stays, nothing is made twice, and the tokens are new."""
    known, tokens = known_to(first), tokens_of(first)
    assert first.stop(signal.SIGTERM) == 0
    with service("demo", "--students", 60, "--data-dir", "kept", cwd=place) as second:
        assert known_to(second) == known
        assert (len(tokens), set(tokens) & set(tokens_of(second))) == (10, set())


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """Interrupted while it still loads, a demo ends successfully, without a process or a file of it left."""
    line = command("demo", "--students", 60, "--port", 0)
    with subprocess.Popen(line, cwd=tmp_path, env=ENVIRONMENT | {"TMPDIR": str(tmp_path)}) as demo:
        wait_until(lambda: any(tmp_path.glob("sharing-demo-*/postgresql/data/postmaster.pid")))
        time.sleep(0.5)
        processes = family(demo.pid)
        assert len(processes) > 3
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    assert processes.isdisjoint(alive())
    assert list(tmp_path.iterdir()) == []
