"""The licences of what is installed are known, and each was thought about."""

import re

from tests.architecture.project import ROOT
from tests.supply.licences import ALLOWED, installed, locked

ROW = re.compile(r"^\| ([a-z0-9-]+) \| (.+) \|$", re.MULTILINE)


def listed() -> dict[str, str]:
    """The rows of the page."""
    rows = ROW.findall((ROOT / "docs/licences.md").read_text(encoding="utf-8"))
    return {name: licence for name, licence in rows if name != "distribution"}


def test_the_list_is_true() -> None:
    """The page lists what is installed, with the licence that it tells, and nothing that is not in the lock.

    Of what is locked at several versions, one for each version of Python, only the name is compared.
    """
    page, lock = listed(), locked("requirements.txt")
    told = dict(installed())

    assert told.keys() - page.keys() == set()
    assert page.keys() - lock.keys() == set()
    assert {name: licence for name, licence in told.items() if len(lock[name]) == 1 and page[name] != licence} == {}


def test_no_licence_is_unexpected() -> None:
    """Each licence is one of those that were thought about.

    Catches a dependency, or a new version of one, that would bind whoever runs the service.
    """
    unexpected = {
        name: licence
        for name, licence in installed()
        if set(re.split(r" AND | OR |, ", licence.replace("(", "").replace(")", ""))) - ALLOWED
    }

    assert unexpected == {}
