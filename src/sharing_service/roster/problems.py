"""What is wrong with an upload, in words that help to mend it and never repeat a cell."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

KEPT: Final = 1_000
"""Problems that a report lists; all are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; the message says what to do and holds no cell, because cells are personal data."""

    severity: Literal["error", "warning"]
    file: str
    line: int | None
    """Where the record begins, counted in physical lines; the header is line 1."""
    column: str | None
    code: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """The form that a sync stores and shows."""
        return asdict(self)


class ProblemLog:
    """Counts every problem and every rejected row, and keeps the first thousand problems."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.count = 0
        self.rejected: Counter[str] = Counter()
        """Rejected rows by file name."""

    @classmethod
    def restored(cls, kept: Iterable[Mapping[str, Any]], *, count: int, rejected: Mapping[str, int]) -> "ProblemLog":
        """The log as a sync stored it."""
        log = cls()
        log.kept, log.count, log.rejected = [Problem(**problem) for problem in kept], count, Counter(rejected)
        return log

    def warn(self, file: str, code: str, message: str, *, line: int | None = None, column: str | None = None) -> None:
        """Note something that was left out or replaced."""
        self._note("warning", file, code, message, line=line, column=column)

    def warn_first(self, file: str, code: str, message: str) -> None:
        """Note why the upload as a whole has to wait, ahead of its rows: a thousand of those would crowd it out."""
        self._put_first([Problem("warning", file, None, None, code, message)])

    def reject(self, file: str, code: str, message: str, *, line: int, column: str | None = None) -> None:
        """Note a row that cannot be used, and why."""
        self.rejected[file] += 1
        self._note("error", file, code, message, line=line, column=column)

    def fail(self, problems: Iterable[Problem]) -> None:
        """Note why an upload cannot be used, ahead of its rows as well."""
        self._put_first(list(problems))

    def absorb(self, other: "ProblemLog") -> None:
        """Add all that another log has noted."""
        self.kept += other.kept[: KEPT - len(self.kept)]
        self.count += other.count
        self.rejected += other.rejected

    def _put_first(self, problems: list[Problem]) -> None:
        self.count += len(problems)
        self.kept = [*problems, *self.kept][:KEPT]

    def _note(
        self,
        severity: Literal["error", "warning"],
        file: str,
        code: str,
        message: str,
        *,
        line: int | None,
        column: str | None,
    ) -> None:
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(Problem(severity, file, line, column, code, message))


class UploadUnreadable(Exception):
    """The upload as a whole cannot be used: the sync fails and nothing changes."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(", ".join(f"{problem.file}: {problem.code}" for problem in problems))
        self.problems = problems


def unreadable(
    file: str, code: str, message: str, *, line: int | None = None, column: str | None = None
) -> UploadUnreadable:
    """The exception for one problem that fails the whole upload."""
    return UploadUnreadable(Problem("error", file, line, column, code, message))
