"""Two durations side by side: ours, and that of a reference which does the least that could do."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

Operation = Callable[[int], Awaitable[object]]
"""What is timed; it is told the number of its turn."""

TURNS: Final = 5


@dataclass
class Comparison:
    """Seconds of both sides, a turn of one after a turn of the other, so that a busy machine slows both."""

    what: str
    reference: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    async def turn(self, number: int, ours: Operation, theirs: Operation) -> None:
        """Time each side once."""
        self.theirs.append(await _seconds(theirs, number))
        self.ours.append(await _seconds(ours, number))

    @property
    def row(self) -> str:
        """The medians as a row of the table."""
        ours, theirs = median(self.ours), median(self.theirs)
        return f"| {self.what} | {_shown(ours)} | {_shown(theirs)}: {self.reference} | {ours / theirs:.1f} |"


async def compare(
    what: str, ours: Operation, reference: str, theirs: Operation, *, before: Operation | None = None
) -> Comparison:
    """Both sides in turn, after one turn that does not count; `before` is done before each of ours, untimed."""
    comparison = Comparison(what, reference)
    for number in range(TURNS + 1):
        if before is not None:
            await before(number)
        await comparison.turn(number, ours, theirs)
    del comparison.ours[0], comparison.theirs[0]
    return comparison


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons in Markdown."""
    return "\n".join(["| what | ours | reference | ratio |", "|---|--:|---|--:|", *(one.row for one in comparisons)])


async def _seconds(operation: Operation, number: int) -> float:
    started = time.perf_counter()
    await operation(number)
    return time.perf_counter() - started


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
