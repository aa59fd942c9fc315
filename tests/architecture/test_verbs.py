"""Laws of the verbs: one a file, one line of the trail each."""

import ast
from pathlib import Path

import pytest

from sharing_service.audit.trail import AuditAction
from tests.architecture.project import SOURCE, modules, shown, syntax

VERBS = [path for path in modules(SOURCE / "actions") if path.name != "__init__.py"]
SECOND_STEPS = {"erase_batch": "the erasure itself, run by a job after the verb has closed the district"}
"""Public functions beside the verb of their module, with the reason."""
ASIDE = {"issue_first_operator_token": "the same verb, by which the service itself issues the first token"}


def test_every_verb_is_one_file_named_like_it() -> None:
    """A module of `actions` has one public function, which bears its name."""
    for path in VERBS:
        functions = [
            node.name for node in syntax(path).body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        ]
        public = {name for name in functions if not name.startswith("_")} - set(SECOND_STEPS) - set(ASIDE)
        assert public == {path.stem}, shown(path)


@pytest.mark.asvs("V16.2.1")
def test_every_verb_leaves_its_line() -> None:
    """Each verb records the action of its own name, and each action has its verb."""
    for path in VERBS:
        assert path.stem.upper() in recorded(path), shown(path)
    assert {path.stem for path in VERBS} == {action.value for action in AuditAction}


def recorded(path: Path) -> set[str]:
    """The actions that a module passes to `trail.record`."""
    calls = [node for node in ast.walk(syntax(path)) if isinstance(node, ast.Call)]
    records = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "record"]
    return {
        argument.attr
        for call in records
        for argument in call.args
        if isinstance(argument, ast.Attribute) and isinstance(argument.value, ast.Name)
    }
