"""A generated district, read back."""

import csv
from collections import defaultdict
from pathlib import Path

from sharing_service.generator.district import write_district

Rows = list[dict[str, str]]
FILES = ("schools", "students", "teachers", "sections", "enrollments", "staff")


class ReadDistrict:
    """The rows of the six files of one district."""

    def __init__(self, directory: Path) -> None:
        self.rows = {name: _read(directory / f"{name}.csv") for name in FILES}

    def ids(self, file: str, column: str) -> set[str]:
        """The values of a column, without the empty one."""
        return {row[column] for row in self.rows[file]} - {""}

    def first(self, file: str, column: str) -> Rows:
        """The first row of each value of a column: the home row of each person."""
        return list({row[column]: row for row in reversed(self.rows[file])}.values())

    def several(self, file: str, one: str, many: str) -> dict[str, set[str]]:
        """For each value of one column, the values of another beside it."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for row in self.rows[file]:
            if row[one]:
                found[row[one]].add(row[many])
        return found


class WrittenDistrict(ReadDistrict):
    """A new district, and its rows."""

    def __init__(self, directory: Path, *, students: int, seed: int = 1) -> None:
        write_district(directory, students=students, seed=seed)
        super().__init__(directory)


def content(directory: Path) -> dict[str, bytes]:
    """The bytes of each file."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))
