"""The threat model names a test for each measure, and each of them exists."""

import ast
import re

from tests.architecture.project import ROOT, syntax

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def threats() -> list[tuple[str, str]]:
    """Number and tests of each threat."""
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    return [(number, tests) for number, _, _, tests in ROW.findall(page)]


def test_threats_are_numbered() -> None:
    """There are at least twenty threats, numbered from 1."""
    numbers = [int(number) for number, _ in threats()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


def test_each_threat_has_its_test() -> None:
    """Each threat names at least one test, in one form, and it is a test of that file.

    Catches a test that was renamed, or removed together with the wall that it guards.
    """
    wrong = []
    for number, tests in threats():
        named = NAMED.findall(tests)
        if not named or NAMED.sub("", tests).strip(" ,"):
            wrong.append(f"{number} names no test, or something else: {tests}")
        for path, name in named:
            if not (ROOT / path).is_file() or name not in functions_of(path):
                wrong.append(f"{number} names {path}::{name}, which is not there")

    assert wrong == []


def functions_of(path: str) -> set[str]:
    """The functions of a file of tests."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(syntax(ROOT / path)) if isinstance(node, functions)}
