"""Laws of the repository: it speaks of itself alone and installs anywhere."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.project import ROOT, tracked_texts

# Written with brackets, so that this page does not break its own law.
FOREIGN = {
    "a folder of one machine": re.compile(r"(?<![\w.}~])/(?:home|Users|root|work|workspace|builds)/[\w.]"),
    "a host of a package registry": re.compile(
        r"pypi[.]org|pythonhosted[.]|npmjs[.]|debian[.]org|(?:extra-)?index-url[ =]+\w"
    ),
}


def test_nothing_of_a_machine() -> None:
    """No file names a folder of the machine it was written on or a host that packages come from."""
    texts = tracked_texts()
    found = [
        f"{name}:{number} names {what}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FOREIGN.items()
        if pattern.search(line) or (what == "a folder of one machine" and f"{ROOT}/" in line)
    ]

    assert found == []
    assert "pyproject.toml" in texts


def test_decisions_are_numbered() -> None:
    """Each decision record has the next number, so that a number names one of them."""
    numbers = sorted(path.name.partition("-")[0] for path in (ROOT / "docs/decisions").glob("*.md"))

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.asvs("V15.1.2")
def test_locks_cover_what_is_declared() -> None:
    """Every declared dependency is locked, at a version that the declaration allows, with hashes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    declared = {
        "requirements.txt": project["project"]["dependencies"] + groups["build"],
        "requirements-dev.txt": groups["dev"],
    }

    for lock, dependencies in declared.items():
        locked = _locked(lock)
        for requirement in map(Requirement, dependencies):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement


def test_locks_agree() -> None:
    """A package in both locks has one version, so that checks run on what is installed."""
    runtime, development = _locked("requirements.txt"), _locked("requirements-dev.txt")

    assert {name: version for name, version in development.items() if runtime.get(name, version) != version} == {}


def _locked(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if "==" in line]
    assert entries
    assert [line for line in entries if "--hash=sha256:" not in line] == []
    return {canonicalize_name(name): version for name, version in re.findall(r"^(\S+?)==(\S+)", text, re.MULTILINE)}
