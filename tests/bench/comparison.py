"""Two figures side by side: ours, and that of a reference which does the least that could do; and their goal."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Protocol

Operation = Callable[[int], Awaitable[object]]
"""What is timed; it is told the number of its turn."""

TURNS: Final = 5
HEAD: Final = "| what | ours | reference | ratio | goal | verdict |\n|---|--:|---|--:|--:|---|"
"""How a table of rows begins."""


@dataclass(frozen=True)
class Goal:
    """What a figure should be: at most a bound or, of what is better when it is more, at least."""

    bound: float
    least: bool = False

    def verdict(self, figure: float) -> str:
        """`ok`, or `short` of the goal."""
        return "ok" if (figure >= self.bound if self.least else figure <= self.bound) else "short"

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.bound:g}"


class Row(Protocol):
    """What fills a row of the table."""

    @property
    def row(self) -> str:
        """The row in Markdown."""
        ...


def seconds(figure: float) -> str:
    """A duration for people."""
    return f"{figure:.2f} s" if figure >= 1 else f"{figure * 1000:.1f} ms"


def rate(figure: float) -> str:
    """Requests per second for people."""
    return f"{figure:.0f} /s"


def size(figure: float) -> str:
    """Bytes for people."""
    return f"{figure / 1_000_000:.0f} MB" if figure >= 1_000_000 else f"{figure / 1000:.0f} kB"


@dataclass
class Comparison:
    """Figures of both sides, a turn of one after a turn of the other, so that a busy machine slows both."""

    what: str
    reference: str
    goal: Goal | None = None
    unit: Callable[[float], str] = seconds
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    async def turn(self, number: int, ours: Operation, theirs: Operation) -> None:
        """Time each side once."""
        self.theirs.append(await timed(theirs, number))
        self.ours.append(await timed(ours, number))

    @property
    def row(self) -> str:
        """The medians, their ratio and what is to be said of it."""
        ours, theirs = median(self.ours), median(self.theirs)
        goal, verdict = ("-", "-") if self.goal is None else (str(self.goal), self.goal.verdict(ours / theirs))
        reference = f"{self.unit(theirs)}: {self.reference}"
        return f"| {self.what} | {self.unit(ours)} | {reference} | {ours / theirs:.2f} | {goal} | {verdict} |"


@dataclass(frozen=True)
class Size:
    """Bytes that may not be more than so many, whatever else the machine does."""

    what: str
    figure: int
    limit: int

    @property
    def row(self) -> str:
        """The bytes beside their limit."""
        verdict = Goal(self.limit).verdict(self.figure)
        return f"| {self.what} | {size(self.figure)} | - | - | ≤ {size(self.limit)} | {verdict} |"


async def compare(
    what: str,
    ours: Operation,
    reference: str,
    theirs: Operation,
    *,
    goal: Goal | None = None,
    before: Operation | None = None,
) -> Comparison:
    """Both sides in turn, after one turn that does not count; `before` is done before each of ours, untimed."""
    comparison = Comparison(what, reference, goal)
    for number in range(TURNS + 1):
        if before is not None:
            await before(number)
        await comparison.turn(number, ours, theirs)
    del comparison.ours[0], comparison.theirs[0]
    return comparison


async def timed(operation: Operation, number: int) -> float:
    """How many seconds it takes."""
    started = time.perf_counter()
    await operation(number)
    return time.perf_counter() - started
