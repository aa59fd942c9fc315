"""What becomes of an upload afterwards: nothing of it stays, however it ends."""

import os
import tempfile
from collections.abc import Callable
from uuid import UUID

import pytest
from pydantic import SecretStr
from starlette.types import Message, Scope

from sharing_service.database import enter_district
from sharing_service.main import create_app
from sharing_service.roster import intake
from sharing_service.settings import Settings
from tests.actions.test_sync_roster import queued
from tests.conftest import OPERATOR_TOKEN
from tests.factories.service import District
from tests.factories.small_district import SMALL_DISTRICT
from tests.factories.upload import render


def open_copies() -> set[str]:
    """Files of this process in the folder for temporary ones, those without a name among them."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            place = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:  # the one by which the folder was listed
            continue
        if place.startswith(tempfile.gettempdir() + "/#"):
            found.add(place)
    return found


async def test_an_upload_that_is_cut(district: District) -> None:
    """An upload that its client cuts leaves no piece, no file and no sync.

    Catches: pieces that are committed as they arrive, and a body that is spooled.
    """
    settings = Settings(operator_token=SecretStr(OPERATOR_TOKEN), token_key=SecretStr("k" * 32), rate_limit=10**9)
    app = create_app(settings, database_url=district.service.database.url)
    pieces = iter([b"Zebedee" * 300_000] * 2)
    before = open_copies()

    async def receive() -> Message:
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"}
        assert open_copies() == before
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    path = f"{district.path}/syncs"
    headers = [(name.lower().encode(), value.encode()) for name, value in district.admin.items()]
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [*headers, (b"content-type", b"application/zip")],
    }
    await app(scope, receive, send)
    await app.state.database.close()

    assert await district.kept_rows() == 0
    assert (await district.get("/syncs"))["total"] == 0
    assert open_copies() == before


ENDINGS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "published": lambda files: files,
    "failed": lambda files: files | {"students.csv": "Zebedee,Zebedee\n"},
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.asvs("V14.2.2")
async def test_an_upload_that_is_final(district: District, ending: str) -> None:
    """When a sync has ended, its files are gone from the database, and the worker has closed its copies."""
    before = open_copies()
    sync = await queued(district, ENDINGS[ending](render(SMALL_DISTRICT)))
    assert await district.kept_rows() > 0
    await district.run_sync()

    assert (await district.sync_report(sync))["status"] == ending
    assert await district.kept_rows() == 0
    assert open_copies() == before


async def test_a_copy_has_no_name(district: District) -> None:
    """What the worker reads while a sync runs is a file that nobody can find, and that is gone however it ends."""
    sync = UUID(await queued(district, render(SMALL_DISTRICT)))
    async with district.service.database.read() as session:
        await enter_district(session, UUID(district.id))
        with await intake.open_file(session, UUID(district.id), sync, 0) as copy:
            place = os.readlink(f"/proc/self/fd/{copy.fileno()}")
            assert place.endswith(" (deleted)")
            assert copy.read()
