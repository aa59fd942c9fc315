"""What the table of the bench says of its figures."""

import pytest

from tests.bench.comparison import HEAD, Comparison, Goal, Size


@pytest.mark.parametrize(
    ("goal", "ours", "verdict"),
    [
        (Goal(3), 6.0, "ok"),
        (Goal(3), 6.1, "short"),
        (Goal(0.6, least=True), 1.2, "ok"),
        (Goal(0.6, least=True), 1.1, "short"),
    ],
)
def test_a_goal_has_a_direction(goal: Goal, ours: float, verdict: str) -> None:
    """A ratio that should be small is short when it is large, and the other way round."""
    comparison = Comparison("crawl", "COPY", goal, ours=[ours], theirs=[2.0])

    assert comparison.row.split(" | ")[-2:] == [str(goal), f"{verdict} |"]


def test_medians() -> None:
    """One slow turn of either side does not count."""
    comparison = Comparison("crawl", "COPY", Goal(3), ours=[3.0, 90.0, 2.0], theirs=[1.5, 0.5, 40.0])

    assert comparison.row == "| crawl | 3.00 s | 1.50 s: COPY | 2.00 | ≤ 3 | ok |"


def test_sizes() -> None:
    """Bytes are held against their limit."""
    assert Size("ledger", 4_000_000, 4_000_000).row == "| ledger | 4 MB | - | - | ≤ 4 MB | ok |"
    assert Size("ledger", 4_000_001, 4_000_000).row.endswith("| short |")
    assert Size("ledger", 3_210, 4_000_000).row.startswith("| ledger | 3 kB |")


def test_every_row_fills_the_table() -> None:
    """A row has as many cells as the head, also one without a goal."""
    rows = [Comparison("page", "bare route", ours=[1.0], theirs=[1.0]).row, Size("ledger", 1, 2).row]

    assert {line.count("|") for line in [*HEAD.splitlines(), *rows]} == {7}
