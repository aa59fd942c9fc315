"""Laws of what is bounded: whoever runs the service finds each bound in one list, as it is in the code."""

import re

import pytest

from sharing_service.access.limits import GUESS, OF_A_DISTRICT, REQUESTS_A_MINUTE
from sharing_service.api.clever_exchange import READ_AT_ONCE
from sharing_service.api.nesting import DEEPEST, MOST
from sharing_service.main import BODY_LIMIT
from sharing_service.pagination import MAX_LIMIT
from sharing_service.patience import Patience
from sharing_service.pools import EXPORTS, LARGE_PAGES, UPLOADS, connections_of, decisions_of, exchanges_of
from sharing_service.settings import Settings
from sharing_service.worker import AT_ONCE
from tests.architecture.project import ROOT

BOUNDS = Patience()
SLOTS = "{} at a time, {} for one district"
POOL = Settings().pool_size
DECISIONS, EXCHANGES = decisions_of(POOL), exchanges_of(POOL)
LISTED = {
    "requests of a token": f"{REQUESTS_A_MINUTE:,} a minute (`SHARING_RATE_LIMIT`)",
    "secrets of a client": f"{REQUESTS_A_MINUTE // GUESS} a minute, a hundredth of `SHARING_RATE_LIMIT`",
    "requests of all applications": f"{OF_A_DISTRICT:,} a minute (`SHARING_DISTRICT_REQUESTS_A_MINUTE`)",
    "a JSON body": f"{BODY_LIMIT // 2**20} MiB, {DEEPEST} lists and objects within each other, {MOST:,} in all",
    "a page": f"{MAX_LIMIT:,} records; 10,000 for partners",
    f"a partner's page of more than {READ_AT_ONCE:,}": SLOTS.format(LARGE_PAGES, LARGE_PAGES // 2),
    "a part of an answer": f"{BOUNDS.piece} seconds",
    "a CSV file": f"{SLOTS.format(EXPORTS, EXPORTS // 2)}; its client has {BOUNDS.piece} seconds for a piece,"
    f" {BOUNDS.export // 60} minutes for all",
    "a preview, and whatever writes": f"{SLOTS.format(DECISIONS, DECISIONS // 2)} (with `SHARING_POOL_SIZE` {POOL})",
    "a client's request": f"{SLOTS.format(EXCHANGES, EXCHANGES // 2)} (with `SHARING_POOL_SIZE` {POOL})",
    "an upload": f"{SLOTS.format(UPLOADS, UPLOADS // 2)}; `SHARING_UPLOAD_LIMIT`;"
    f" a mebibyte within {BOUNDS.idle} seconds",
    "a statement for a partner": f"{BOUNDS.partner} seconds",
    "a statement of any other": f"{BOUNDS.request} seconds;"
    f" {BOUNDS.save} for a preview and for what changes a district",
    "a transaction": f"{BOUNDS.idle} seconds",
}
"""The bound of each row, by how the row begins."""


@pytest.mark.asvs("V15.1.3", "V2.1.3")
def test_every_bound_is_listed() -> None:
    """The list in docs/operations.md names each bound with the number that the code has."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \| .+? \|$", page, re.MULTILINE))

    for what, bound in LISTED.items():
        assert [told for row, told in rows.items() if row.startswith(what)] == [bound]
    assert page.count(f"503 `busy` after {BOUNDS.slot} seconds") == 5


def test_the_quotas_are_those_of_the_settings() -> None:
    """What the settings decide by default is what the list says."""
    settings = Settings()

    assert (settings.rate_limit, settings.district_requests_a_minute) == (REQUESTS_A_MINUTE, OF_A_DISTRICT)


def test_how_many_connections_there_are() -> None:
    """The page tells how many connections there are at most; the worker has one for its queue and one for each job."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    worker = Settings().pool_size + 1 + AT_ONCE
    two = 2 * connections_of(Settings().pool_size) + worker

    assert f"twice `SHARING_POOL_SIZE` and {connections_of(0)} more, by default {connections_of(10)}" in page
    assert f"`--workers 2` and the defaults {two}" in page
