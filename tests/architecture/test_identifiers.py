"""Laws of identifiers: they are compared byte for byte."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.project import ROOT, SOURCE, modules, shown, syntax

LOOSE = {"like", "ilike", "not_like", "not_ilike", "notlike", "notilike", "icontains", "istartswith", "iendswith"}
IN_SQL = re.compile(r"\bilike\b|\bsimilar\s+to\b|\blike\s+['\":$(]|\s!?~~?\*?\s", re.IGNORECASE)


def loose(module: ast.Module) -> Iterator[int]:
    """The lines in which something is compared as a pattern."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in LOOSE:
            yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
            yield node.lineno


def test_nothing_is_compared_as_a_pattern() -> None:
    """No statement says LIKE or ILIKE: an id with `%` or in capitals would be somebody else's, and searches and rules
    take `%` and `_` for themselves.

    Catches an id that is looked up by ILIKE, whether or not a malformed one can reach the statement.
    """
    found = [f"{shown(path)}:{line}" for path in modules(SOURCE, ROOT / "migrations") for line in loose(syntax(path))]

    assert found == []
    for planted in ("table.c.id.ilike(name)", "text('select 1 from t where t.id ILIKE :id')", "'where a ~* :b'"):
        assert [*loose(ast.parse(planted))], planted
