"""`demo` as somebody tries it who has just cloned the project."""

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.programs import ENVIRONMENT, Service, alive, command, family, service, wait_until

GUIDE = Path(__file__).parents[2] / "docs/partners.md"
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


def learned(answer: str, names: dict[str, str]) -> None:
    """Note what an answer tells of the words that the guide writes in capitals."""
    head, _, body = answer.rpartition("\n\n")
    if tag := re.search("^etag: (.*)$", head, re.MULTILINE | re.IGNORECASE):
        names["ETAG"] = tag[1].strip()
    document = json.loads(body) if body.startswith("{") else {}
    assert "message" not in document
    if "access_token" in document:
        names["TOKEN"] = document["access_token"]
    for link in document.get("links", ()):
        if link["rel"] == "next":
            names["NEXT"] = link["uri"]
    for uri in re.findall(r'"uri":"/v3.1/([a-z]+/[0-9a-f-]+)"', body):
        collection, _, record = uri.partition("/")
        names[f"{collection.removesuffix('s').upper()}_ID"] = record


@needs_curl
@pytest.mark.asvs("V6.1.3", "V8.1.2")
def test_the_guide_for_partners_works(first: Service) -> None:
    """Each request of docs/partners.md, in order and with what earlier ones were answered, does what the guide says."""
    [client] = {words[words.index("-u") + 1] for line in first.printed if "-u" in (words := line.split())}
    names = dict(zip(("CLIENT_ID", "CLIENT_SECRET"), client.split(":"), strict=True))
    lines = [line.strip() for line in GUIDE.read_text().splitlines() if line.startswith("    curl ")]
    assert len(lines) > 10
    answers = {}
    for line in lines:
        request = re.sub("[A-Z]{2,}(?:_[A-Z]+)?", lambda word: names.get(word[0], word[0]), line)
        request = request.replace("http://127.0.0.1:8000", first.url)
        ran = subprocess.run(["bash", "-c", request], capture_output=True, text=True, timeout=60)
        assert (ran.returncode, ran.stderr) == (0, ""), request
        learned(ran.stdout, names)
        answers[line] = ran.stdout
    statuses = [answer.split()[1] for answer in answers.values() if answer.startswith("HTTP/")]
    assert statuses == ["202", "200", "304", "200"]
    assert {"TOKEN", "NEXT", "USER_ID", "SCHOOL_ID", "ETAG"} <= names.keys()
    assert all(json.loads(answer) for answer in answers.values() if not answer.startswith("HTTP/"))


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
        try:
            wait_until(lambda: any(tmp_path.glob("sharing-demo-*/postgresql/data/postmaster.pid")))
            time.sleep(0.5)
            processes = family(demo.pid)
            assert len(processes) > 3
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0
        finally:
            demo.kill()
    assert processes.isdisjoint(alive())
    assert list(tmp_path.iterdir()) == []
