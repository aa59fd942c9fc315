"""The licences of what is installed at run time, as the distributions themselves tell them.

python -m tests.supply.licences > docs/licences.md
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from packaging.utils import canonicalize_name

from tests.architecture.project import ROOT

CLASSIFIED: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""What classifiers say, as SPDX writes it."""
ALLOWED: Final = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "PSF-2.0", "Zlib"),
    "MPL-2.0",  # asks for the source of changed files of its own only
}
"""Licences that ask for nothing that somebody who runs or changes the service would not do anyway."""

HEAD: Final = """# Licences

What is installed with the service, and under which licence, by the SPDX identifiers that the distributions tell.
`make licences` writes this page; a test compares it with what is installed, and refuses a licence that nobody has
thought about.

| distribution | licence |
|---|---|
"""


def locked(lock: str) -> dict[str, set[str]]:
    """The versions of each distribution in a lock; several where they depend on the version of Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def licence_of(name: str) -> str:
    """The licence of an installed distribution: its expression (PEP 639), else its classifiers, else its own words."""
    told = metadata(name)
    if expression := told["License-Expression"]:
        return str(expression)
    classifiers = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if "License ::" in line]
    words = classifiers or [str(told["License"] or "unknown").splitlines()[0]]
    return ", ".join(sorted({CLASSIFIED.get(word, word) for word in words}))


def installed() -> Iterator[tuple[str, str]]:
    """Name and licence of each distribution of the run-time lock that this platform needs."""
    for name in sorted(locked("requirements.txt")):
        try:
            yield name, licence_of(name)
        except PackageNotFoundError:
            continue  # for another platform


def page() -> str:
    """The whole page."""
    return HEAD + "".join(f"| {name} | {licence} |\n" for name, licence in installed())


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - its output is the page
