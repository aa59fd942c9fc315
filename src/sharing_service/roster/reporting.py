"""What the checks found in SQL, told to the problem log in words."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sharing_service.roster.columns import UploadKind
from sharing_service.roster.problems import KEPT, Problem, ProblemLog

REJECTIONS: Final = {
    "unknown_school": "No accepted row of schools.csv has this id; the row was rejected.",
    "unknown_section": "No accepted row of sections.csv has this id; the row was rejected.",
    "unknown_student": "No accepted row of students.csv has this id; the row was rejected.",
}
WARNINGS: Final = {
    "unknown_teacher": "No accepted row of teachers.csv has this id; the section goes without this teacher.",
    "school_mismatch": "The section is at another school; the school of the section counts.",
    "duplicate_row": "An earlier row has the same key; that one counts.",
}

COUNTS: Final = "select code, count(*) as found from ({found}) f group by code"
FIRST: Final = 'select line, "column", code from ({found}) f order by line limit :limit'


class Finding(NamedTuple):
    """Where a problem is, and which."""

    line: int
    column: str
    code: str


async def report(session: AsyncSession, log: ProblemLog, kind: UploadKind, found: str) -> None:
    """Log what `found`, a select of (line, column, code), tells of a file; only the first problems are fetched."""
    counts = {row.code: row.found for row in await session.execute(text(COUNTS.format(found=found)))}
    if counts:
        first = await session.execute(text(FIRST.format(found=found)), {"limit": KEPT})
        note(log, kind, counts, [Finding(*row) for row in first])


def note(log: ProblemLog, kind: UploadKind, counts: Mapping[str, int], first: Iterable[Finding]) -> None:
    """Log how often each code was found in a file, and the first findings by line."""
    file = f"{kind}.csv"
    noted = ProblemLog()
    for code, count in counts.items():
        noted.count += count
        if code in REJECTIONS:
            noted.rejected[file] += count
    for line, column, code in first:
        if code in REJECTIONS:
            noted.kept.append(Problem("error", file, line, column, code, REJECTIONS[code]))
        else:
            noted.kept.append(Problem("warning", file, line, column, code, WARNINGS[code]))
    log.absorb(noted)
