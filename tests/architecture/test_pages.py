"""Laws of the page: short, well named, one sentence for each folder."""

import ast

from tests.architecture.project import ROOT, SOURCE, modules, shown, syntax

FILE_LINES = 300
FUNCTION_LINES = 45
EMPTY_NAMES = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def test_short_files() -> None:
    """A source file has at most 300 lines: a longer one is two."""
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(SOURCE)}

    assert {path: length for path, length in lengths.items() if length > FILE_LINES} == {}


def test_short_functions() -> None:
    """A function has at most 45 lines, signature and docstring included."""
    long = [
        f"{shown(path)}:{node.lineno} {node.name} has {length} lines"
        for path in modules(SOURCE)
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]

    assert long == []


def test_names_that_say_something() -> None:
    """No module or folder is called utils, helpers, common, manager or base: such a page collects whatever comes."""
    named = {shown(path): {path.stem, path.parent.name} for path in modules(SOURCE, ROOT / "tests")}

    assert {path: names & EMPTY_NAMES for path, names in named.items() if names & EMPTY_NAMES} == {}


def test_folders_say_what_they_are() -> None:
    """The `__init__.py` of a folder is one sentence and no code: what a folder offers is imported from where it is."""
    wrong = [
        shown(path)
        for path in modules(SOURCE, ROOT / "tests")
        if path.name == "__init__.py" and not _is_one_sentence(syntax(path))
    ]
    without = {shown(path.parent) for path in modules(SOURCE, ROOT / "tests")} - {
        shown(path.parent) for path in modules(SOURCE, ROOT / "tests") if path.name == "__init__.py"
    }

    assert wrong == []
    assert without == set()


def test_http_exceptions_stay_in_faces() -> None:
    """Nothing outside `api` and `dashboard` knows HTTPException: errors are business facts, rendered in one place."""
    faces = (SOURCE / "api", SOURCE / "dashboard")
    named = [
        f"{shown(path)}:{node.lineno}"
        for path in modules(SOURCE)
        if not any(path.is_relative_to(face) for face in faces)
        for node in ast.walk(syntax(path))
        if (isinstance(node, ast.Name) and node.id == "HTTPException")
        or (isinstance(node, ast.Attribute) and node.attr == "HTTPException")
    ]

    assert named == []


def _is_one_sentence(module: ast.Module) -> bool:
    sentence = ast.get_docstring(module) or ""
    return len(module.body) == 1 and sentence.endswith(".") and ". " not in sentence and "\n" not in sentence
