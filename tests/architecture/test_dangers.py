"""Laws of what may harm: no input becomes code, no secret is weak, and the service calls nobody."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.project import ROOT, SOURCE, modules, shown, syntax

CODE = {"eval", "exec", "compile", "__import__"}
OBJECTS = {"pickle", "marshal", "shelve", "dill", "jsonpickle", "yaml", "xml", "lxml"}
"""Modules that make of data what the data asks for."""
CALLING = {"httpx2", "httpx", "requests", "aiohttp", "urllib.request", "http.client", "smtplib", "ftplib", "ssl"}
"""Modules that speak to others."""
HASHES = {"hashlib.sha256"}
"""SHA-256 alone, keyed by `hmac` where it must not be computed by others."""
FORMED = {SOURCE / "logs.py": "it makes patterns of the forms of its fields, which are constants of the module"}
"""Modules whose patterns are no literals, with the reason."""
RANDOM = SOURCE / "generator"
"""Made-up districts repeat by their seed; everything else that is random comes from `secrets` or the system."""


def imported(path: Path) -> set[str]:
    """The modules that a module imports, each with all that it is a part of."""
    names = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {".".join(name.split(".")[:length]) for name in names for length in range(1, len(name.split(".")) + 1)}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with what is called, as it is written."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.asvs("V1.3.2", "V1.5.2")
def test_data_stays_data() -> None:
    """Nothing runs a text as code, and nothing reads data in a form that makes objects of it.

    Catches: `pickle` for a cache, and `eval` of a rule.
    """
    run = [f"{shown(path)}: {name}" for path in modules(SOURCE) for name, _ in calls(path) if name in CODE]
    read = [f"{shown(path)}: {name}" for path in modules(SOURCE) for name in imported(path) & OBJECTS]

    assert run == []
    assert read == []


@pytest.mark.asvs("V1.2.5")
def test_no_shell_is_started() -> None:
    """Programs are started by lists of arguments, never by a line that a shell would read.

    Catches: a file name that a shell takes for a command.
    """
    shells = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
    found = [
        f"{shown(path)}:{call.lineno}"
        for path in modules(SOURCE)
        for name, call in calls(path)
        if name in shells or name.endswith("subprocess_shell") or any(word.arg == "shell" for word in call.keywords)
    ]

    assert found == []


@pytest.mark.asvs("V1.2.9")
def test_patterns_are_written_down() -> None:
    """Regular expressions are constants: none is made of what somebody sent.

    Catches: a search whose text is read as a pattern.
    """
    names = ("compile", "match", "fullmatch", "search", "split", "sub", "findall", "finditer")
    reading = {f"re.{name}" for name in names}
    found = [
        f"{shown(path)}:{call.lineno}"
        for path in modules(SOURCE)
        for name, call in calls(path)
        if path not in FORMED and name in reading and not _is_constant(call.args[0])
    ]

    assert found == []


@pytest.mark.asvs("V1.3.6", "V12.3.2", "V13.2.4", "V13.2.5", "V14.2.3", "V15.3.2")
def test_the_service_calls_nobody() -> None:
    """Only the command line speaks to others: to the service that it is told, by its certificate and without redirects.

    Catches: a request that goes where an upload or a caller says, and data that is sent to third parties.
    """
    found = {shown(path) for path in modules(SOURCE) if imported(path) & CALLING}
    redirected = [
        f"{shown(path)}:{call.lineno}"
        for path in modules(SOURCE)
        for _, call in calls(path)
        if any(word.arg in ("follow_redirects", "verify") for word in call.keywords)
    ]

    assert {path for path in found if not path.startswith("src/sharing_service/cli/")} == set()
    assert redirected == []


@pytest.mark.asvs("V13.1.1")
def test_connections_are_documented() -> None:
    """The page on the architecture says with whom the service speaks."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    assert "Its only connections are those to PostgreSQL" in text


@pytest.mark.asvs("V11.2.1", "V11.4.1", "V11.4.3", "V11.5.1")
def test_secrets_are_made_of_proven_parts() -> None:
    """Hashes are SHA-256 of the standard library, and nothing random but made-up districts comes from `random`.

    Catches: MD5 for a fingerprint, and a token of a generator that can be guessed.
    """
    hashed = {name for path in modules(SOURCE) for name in imported_hashes(path)}
    guessable = [shown(path) for path in modules(SOURCE) if "random" in imported(path) and RANDOM not in path.parents]

    assert hashed == HASHES
    assert guessable == []


def imported_hashes(path: Path) -> set[str]:
    """What a module takes from `hashlib`."""
    used = (node for node in ast.walk(syntax(path)) if isinstance(node, ast.Attribute))
    named = {ast.unparse(node) for node in used if isinstance(node.value, ast.Name)} | imported(path)
    return {name for name in named if name.startswith("hashlib.")}


def _is_constant(pattern: ast.expr) -> bool:
    """A literal, or one with constants of the module in it."""
    if isinstance(pattern, ast.JoinedStr):
        placed = [value.value for value in pattern.values if isinstance(value, ast.FormattedValue)]
        return all(isinstance(value, ast.Name) and value.id.isupper() for value in placed)
    return isinstance(pattern, ast.Constant)
