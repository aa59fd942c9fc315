"""The bill of materials, and as much of the audit as can be had without a network."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.project import ROOT
from tests.supply.licences import locked


def target(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a target of the Makefile does."""
    line = ["make", "--silent", name, *arguments]
    return subprocess.run(line, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.asvs("V15.1.2")
def test_the_bill_of_materials(tmp_path: Path) -> None:
    """`make sbom` lists exactly what is locked for run time, each with its hashes, and the same bytes at each time."""
    written = []
    for name in ("first.json", "second.json"):
        ran = target("sbom", f"SBOM={tmp_path / name}", "SBOM_ARGS=--no-validate")  # which takes most of the time
        assert ran.returncode == 0, ran.stderr
        written.append((tmp_path / name).read_bytes())

    bill = json.loads(written[0])
    found: dict[str, set[str]] = {}
    for component in bill["components"]:
        found.setdefault(component["name"], set()).add(component["version"])
        hashes = [one for reference in component["externalReferences"] for one in reference.get("hashes", ())]
        assert {one["alg"] for one in hashes} == {"SHA-256"}, component["name"]
    assert written[0] == written[1]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "sharing-service"
    assert found == locked("requirements.txt")


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_the_audit_knows_what_is_locked(lock: str) -> None:
    """The audit reads a lock whole: asked what it would look up, it names as many as are locked for this platform."""
    ran = target("audit", f"LOCKS={lock}", "AUDIT=--dry-run")
    counted = re.search(r"would have audited (\d+) packages", ran.stderr)

    assert ran.returncode == 0, ran.stderr
    assert counted is not None, ran.stderr
    assert abs(int(counted[1]) - len(locked(lock))) <= 3


@pytest.mark.asvs("V15.2.1")
def test_an_audit_that_nobody_answers_fails() -> None:
    """Where the list of known vulnerabilities cannot be asked, `make audit` fails and says that it says nothing.

    Catches an audit that passes because it found nobody to ask.
    """
    nobody = "http://127.0.0.1:9"
    ran = target("audit", "LOCKS=requirements.txt", "AUDIT=--timeout 1", HTTPS_PROXY=nobody, https_proxy=nobody)

    assert ran.returncode != 0
    assert "Not audited" in ran.stderr


STAGES = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


@pytest.mark.asvs("V13.4.1", "V15.2.3")
def test_the_image_holds_what_runs() -> None:
    """The last stage of the image runs as a user without rights and has nothing that installs or builds."""
    last = STAGES[-1]

    assert len(STAGES) >= 2
    assert re.search(r"^USER sharing$", last, re.MULTILINE)
    assert not re.search(r"pip install|apt-get|requirements", last)
    assert "pip uninstall" in last
    assert "--without-pip" in STAGES[0]
    assert [line for line in last.splitlines() if line.startswith("COPY") and "--from=build" not in line] == []
