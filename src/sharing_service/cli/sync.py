"""Uploads a roster over HTTP, follows its sync and prints how it ended."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zipfile import is_zipfile

import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from sharing_service.cli.failure import CommandFailed
from sharing_service.cli.report import print_report
from sharing_service.roster.upload import FILES

PIECE: Final = 256 * 1024
POLL_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 600
"""The answer to an upload comes when all of it is stored."""
PATIENCE_SECONDS: Final = 60
"""How long an unreachable service is asked again while its sync runs."""
UNFINISHED: Final = ("queued", "running")
EXIT_CODES: Final = {"published": 0, "checked": 0, "held": 3}


def sync(upload: Path, *, district: str, token: str, url: str, dry_run: bool) -> int:
    """Upload a folder or a zip archive, wait for the end of its sync and print the report; the exit code."""
    files = _files_of(upload)
    with _client(url, district, token) as client, _progress() as progress:
        # A large upload is no way to learn that the token or the district is wrong.
        _json(client.get("syncs", params={"limit": 1}))
        response = _send(client, files, progress, dry_run=dry_run)
        finished = _followed(client, _json(response)["id"], progress)
    print_report(finished, district=district)
    return EXIT_CODES.get(finished["status"], 1)


def _files_of(upload: Path) -> list[Path]:
    """The archive, or the files in the folder whose names, but for their case, belong to the format."""
    if not upload.is_dir():
        if not upload.is_file():
            raise CommandFailed(f"{upload} is neither a folder nor a file.")
        return [upload]
    files = sorted(file for file in upload.iterdir() if file.name.lower() in FILES)
    if not files:
        raise CommandFailed(f"{upload} holds none of {', '.join(FILES)}.")
    return files


@contextmanager
def _client(url: str, district: str, token: str) -> Iterator[httpx2.Client]:
    try:
        place = httpx2.URL(f"{url.rstrip('/')}/v1/districts/{UUID(district)}/")
    except ValueError:
        raise CommandFailed("--district takes the id of a district, as the service shows it.") from None
    except httpx2.InvalidURL:
        raise CommandFailed("--url takes an address as http://127.0.0.1:8000.") from None
    if not token.isascii() or not token.isprintable():
        raise CommandFailed("--token takes the text of a token and nothing else.")
    headers = {"Authorization": f"Bearer {token}"}
    timeout = httpx2.Timeout(60, read=ANSWER_SECONDS)
    try:
        # A proxy that the environment names is not for this machine.
        with httpx2.Client(
            base_url=place, headers=headers, timeout=timeout, trust_env=not _is_this_machine(place.host)
        ) as client:
            yield client
    except httpx2.TransportError as error:
        raise CommandFailed(f"{url} does not answer ({type(error).__name__}). Check the address and repeat.") from error


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:10}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _send(client: httpx2.Client, files: list[Path], progress: Progress, *, dry_run: bool) -> httpx2.Response:
    """Send the files as they are read; nothing is held in memory."""
    task = progress.add_task("uploading", total=sum(file.stat().st_size for file in files))
    parameters = {"dry_run": str(dry_run).lower()}
    with ExitStack() as opened:
        streams = [progress.wrap_file(opened.enter_context(file.open("rb")), task_id=task) for file in files]
        if is_zipfile(files[0]):
            headers = {"Content-Type": "application/zip", "Content-Length": str(files[0].stat().st_size)}
            pieces = iter(partial(streams[0].read, PIECE), b"")
            return client.post("syncs", params=parameters, content=pieces, headers=headers)
        parts = [("files", (file.name, stream, "text/csv")) for file, stream in zip(files, streams, strict=True)]
        return client.post("syncs", params=parameters, files=parts)


def _followed(client: httpx2.Client, sync_id: str, progress: Progress) -> dict[str, Any]:
    """The sync when it is no longer at work; an interruption of the service is waited out."""
    task = progress.add_task("syncing", total=1.0)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            response = client.get(f"syncs/{sync_id}")
            if not response.is_server_error:
                seen = _json(response)
                if seen["status"] not in UNFINISHED:
                    progress.update(task, completed=1.0)
                    return seen
                progress.update(task, completed=seen["progress"])
                give_up = time.monotonic() + PATIENCE_SECONDS
        except httpx2.TransportError:
            pass
        if time.monotonic() > give_up:
            raise CommandFailed(f"The service is gone. Sync {sync_id} goes on when it is back; ask for it there.")
        time.sleep(POLL_SECONDS)


def _json(response: httpx2.Response) -> dict[str, Any]:
    """The answer, or what the service says is wrong."""
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if response.is_success and isinstance(answer, dict):
        return answer
    said = answer.get("detail") or answer.get("title") if isinstance(answer, dict) else None
    raise CommandFailed(f"The service answered {response.status_code}. {said or 'Check the address.'}")
