"""The command `sharing-service`; each command imports what it needs when it runs, so that none waits for the others."""

import sys
from asyncio import CancelledError
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from sharing_service.cli.failure import CommandFailed
from sharing_service.programs import EmbeddedPostgresError
from sharing_service.settings import Settings

app = typer.Typer(
    help="A school district syncs its roster once and decides, for each application, which part of it it sees.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")]


def main() -> None:
    """Run the command line; what a user can mend ends it with one line that says how."""
    try:
        app(prog_name="sharing-service")
    except (CommandFailed, EmbeddedPostgresError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except CancelledError:  # how a signal ends what an event loop was doing
        sys.exit(0)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer requests.")] = 1,
) -> None:
    """Serve the API and run jobs, until a signal ends it."""
    from sharing_service.cli.serve import serve

    serve(_settings(), host=host, port=port, processes=workers)


@app.command()
def demo(
    students: Annotated[int, typer.Option(min=1, help="Size of the district.")] = 2000,
    port: Port = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Kept afterwards; without it, all is gone.")] = None,
) -> None:
    """Serve a realistic district with one application for each sharing mode, and print requests to try."""
    from sharing_service.cli.demo import demo

    demo(_settings(), students=students, port=port, data_dir=data_dir)


class FileFormat(StrEnum):
    """How a generated district is written."""

    CLEVER = "clever"


@app.command()
def generate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files are written.")],
    students: Annotated[int | None, typer.Option(min=1, help="Size of a new district.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed makes another district; the same makes the same bytes.")] = 1,
    format_: Annotated[FileFormat, typer.Option("--format", help="Format of the files.")] = FileFormat.CLEVER,
    yesterday: Annotated[
        Path | None, typer.Option("--from", metavar="OLD_DIR", help="A generated district, to write its next day.")
    ] = None,
    churn: Annotated[
        float | None, typer.Option(metavar="SHARE", help="With --from: how many of the students change, as 0.01.")
    ] = None,
) -> None:
    """Write a realistic district as CSV files, or what one is a day later."""
    from sharing_service.cli.generate import generate

    generate(directory, students=students, seed=seed, yesterday=yesterday, churn=churn)


@app.command()
def sync(
    upload: Annotated[Path, typer.Argument(metavar="DIR_OR_ZIP", help="The CSV files, or a zip archive of them.")],
    district: Annotated[str, typer.Option(metavar="ID", help="Id of the district.")],
    token: Annotated[str, typer.Option(envvar="SHARING_TOKEN", help="Token of an admin of the district.")],
    url: Annotated[str, typer.Option(envvar="SHARING_URL", help="Address of the service.")] = "http://127.0.0.1:8000",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what would change.")] = False,
) -> None:
    """Upload a roster, wait, and print the report: exit 0 published or checked, 3 held, 1 failed."""
    from sharing_service.cli.sync import sync

    sys.exit(sync(upload, district=district, token=token, url=url, dry_run=dry_run))


@app.command()
def migrate() -> None:
    """Bring the database to the newest migration."""
    from sharing_service.cli.serve import opened_database

    with opened_database(_settings()):
        print("The database is at the newest migration.")


@app.command()
def worker(parent: Annotated[int | None, typer.Option(hidden=True)] = None) -> None:
    """Run jobs only, for the database that SHARING_WORKER_DATABASE_URL or SHARING_DATABASE_URL names."""
    from sharing_service.cli.worker import run_jobs

    run_jobs(_settings(), parent=parent)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document as JSON."""
    from sharing_service.cli.openapi import document

    print(document())


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        # Without the values: one of them may be a secret.
        wrong = [f"SHARING_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
        raise CommandFailed("Correct these settings. " + "; ".join(wrong)) from error
