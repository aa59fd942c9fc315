"""What a sync did or would do to a roster, in numbers, and whether a person must look at it first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

HELD_KINDS: Final = ("schools", "sections", "students", "teachers", "staff", "enrollments")
HELD_PERCENT: Final = 10
HELD_NUMBER: Final = 20
GROWN_PERCENT: Final = 10
GROWN_NUMBER: Final = 1000


@dataclass(slots=True)
class Changes:
    """How many records of one kind there were, and what became of them."""

    before: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0


Outcome = dict[str, Changes]
"""By kind, `enrollments` among them."""


def report(outcome: Outcome, rejected: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The report of a sync as it is stored and answered; `rejected` counts rows by file name."""
    return {
        kind: {
            "added": changes.added,
            "changed": changes.changed,
            "removed": changes.removed,
            "rejected": rejected.get(f"{kind}.csv", 0),
        }
        for kind, changes in outcome.items()
    }


def rejected_in(told: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The rejected rows by file name, as a stored report tells them."""
    return {f"{kind}.csv": counts["rejected"] for kind, counts in told.items()}


def removes_too_much(outcome: Mapping[str, Changes], kinds: Iterable[str] = HELD_KINDS) -> list[str]:
    """The kinds of which so many records would leave that a person must look at the sync before it is published."""
    return [
        kind
        for kind in kinds
        if outcome[kind].removed > HELD_NUMBER and 100 * outcome[kind].removed > HELD_PERCENT * outcome[kind].before
    ]


def grows_much(outcome: Outcome) -> bool:
    """Whether so many records came in that the planner must see them at once."""
    return any(
        changes.added > GROWN_NUMBER and 100 * changes.added > GROWN_PERCENT * changes.before
        for changes in outcome.values()
    )
