"""The sheet: for each requirement a verdict, and the tests or the reason that it rests on."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PAGE: Final = ROOT / "docs" / "asvs.md"
MARK: Final = "asvs"


class Verdict(StrEnum):
    """What the service makes of a requirement."""

    MET = "met"
    PARTLY = "partly met"
    UNMET = "not met"
    BESIDE = "does not apply"


@dataclass(frozen=True)
class Requirement:
    """One requirement in our own words."""

    number: str
    level: int
    asks: str
    beside: str = ""
    """Why it does not apply."""
    unmet: str = ""
    """What of it is not met."""

    @property
    def chapter(self) -> str:
        """The number before the first point."""
        return self.number.partition(".")[0]

    def verdict(self, tests: Sequence[str]) -> Verdict:
        """What follows from the tests that bear its number; ValueError if nothing is said, or too much."""
        if self.beside:
            if self.unmet or tests:
                raise ValueError(f"{self.number} does not apply, and has tests or lacks something")
            return Verdict.BESIDE
        if self.unmet:
            return Verdict.PARTLY if tests else Verdict.UNMET
        if not tests:
            raise ValueError(f"{self.number} has neither a test, nor a reason, nor what is not met")
        return Verdict.MET


def read(path: Path = HERE / "requirements.toml") -> tuple[dict[str, str], list[Requirement]]:
    """The names of the chapters, and the requirements in their order."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return table["chapters"], [Requirement(number, **entry) for number, entry in table["requirements"].items()]


def marked(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """The tests that bear each number, as `path::name` below the folder; ValueError for a mark that says no numbers."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for test, mark in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            numbers = [number.value for number in mark.args if isinstance(number, ast.Constant)]
            if not numbers or len(numbers) < len(mark.args):
                raise ValueError(f"{path.name}: the mark of {test} names no numbers")
            for number in numbers:
                found.setdefault(str(number), []).append(f"{path.relative_to(folder).as_posix()}::{test}")
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
                if ast.unparse(call.func) == f"pytest.mark.{MARK}":
                    yield node.name, call


def sheet(chapters: Mapping[str, str], requirements: Sequence[Requirement], tests: Mapping[str, Sequence[str]]) -> str:
    """The page; ValueError if a test bears an unknown number, or a requirement says too little or too much."""
    if unknown := set(tests) - {requirement.number for requirement in requirements}:
        raise ValueError(f"there is no requirement {', '.join(sorted(unknown))}")
    verdicts = {one.number: one.verdict(tests.get(one.number, ())) for one in requirements}
    lines = [HEAD.format(total=len(requirements)), "| | level 1 | level 2 |", "|---|---|---|"]
    counted = Counter((verdicts[requirement.number], requirement.level) for requirement in requirements)
    lines += [f"| {verdict} | {counted[verdict, 1]} | {counted[verdict, 2]} |" for verdict in Verdict]
    for chapter, name in chapters.items():
        lines += ["", f"## {chapter} {name}", "", "| | level | asks | verdict | by |", "|---|---|---|---|---|"]
        for requirement in requirements:
            if requirement.chapter == chapter:
                by = _by(requirement, tests.get(requirement.number, ()))
                verdict = verdicts[requirement.number]
                lines.append(f"| {requirement.number} | {requirement.level} | {requirement.asks} | {verdict} | {by} |")
    return "\n".join([*lines, ""])


def _by(requirement: Requirement, tests: Sequence[str]) -> str:
    links = [f"[{test.partition('::')[2]}](../tests/{test.partition('::')[0]})" for test in tests]
    return "; ".join([*filter(None, (requirement.beside, requirement.unmet)), *links])


HEAD: Final = """# OWASP ASVS 5.0.0, levels 1 and 2

`make asvs` writes this page from `tests/asvs/requirements.toml` and from the tests that bear a number,
`@pytest.mark.asvs("V8.2.1")`. A requirement is met if such tests pass and nothing is known that is missing; where
something is missing, it stands beside the tests. The words are ours and short, those of the
[standard](https://github.com/OWASP/ASVS/tree/v5.0.0/5.0/en) decide. The service has no pages, no passwords and no
sessions: people and applications call it with tokens, over TLS that a proxy before it ends. All {total} requirements:
"""
