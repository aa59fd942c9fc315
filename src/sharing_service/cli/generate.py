"""`sharing-service generate`: a new district, or what a district is one day later."""

from pathlib import Path

from sharing_service.cli.failure import CommandFailed
from sharing_service.generator.district import write_district
from sharing_service.generator.files import NotGenerated
from sharing_service.generator.next_day import write_next_day


def generate(directory: Path, *, students: int | None, seed: int, yesterday: Path | None, churn: float | None) -> None:
    """Write the files of a district into a directory."""
    try:
        if yesterday is not None:
            _next_day(directory, yesterday, students=students, seed=seed, churn=churn)
        elif churn is not None:
            raise CommandFailed("--churn goes with --from: name the directory of the day before.")
        elif students is None:
            raise CommandFailed("Name the size of a new district with --students, or a generated one with --from.")
        else:
            write_district(directory, students=students, seed=seed)
    except OSError as error:
        raise CommandFailed(f"Cannot write to {directory}: {error.strerror}.") from error


def _next_day(directory: Path, yesterday: Path, *, students: int | None, seed: int, churn: float | None) -> None:
    if students is not None:
        raise CommandFailed("--students is the size of a new district; leave it out with --from.")
    if churn is None or not 0 < churn <= 1:
        raise CommandFailed("--churn takes the share of the students that changes: more than 0, at most 1, as 0.01.")
    if directory.resolve() == yesterday.resolve():
        raise CommandFailed(f"Write to another directory than {yesterday}, whose files are read.")
    try:
        write_next_day(directory, yesterday, churn=churn, seed=seed)
    except NotGenerated as error:
        raise CommandFailed(f"{error} --from takes a directory that `sharing-service generate` wrote.") from error
