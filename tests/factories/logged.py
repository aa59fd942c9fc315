"""The log as whoever runs the service would read it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sharing_service.logs import OWN, JsonLines


class Logged(logging.Handler):
    """Keeps what is logged, as it would be written to stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        self.text += self.format(record) + "\n"

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """The lines so far, all or those of one event."""
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if event in (None, line["event"])]


@contextmanager
def logged(*, everything: bool = False) -> Iterator[Logged]:
    """Log as `serve` does while the block runs, and keep it; with `everything` all loggers at all levels."""
    kept, root, own = Logged(), logging.getLogger(), logging.getLogger(OWN)
    others = [logger for logger in logging.Logger.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    before = {logger: logger.level for logger in (root, *others)}
    root.addHandler(kept)
    own.setLevel(logging.INFO)
    if everything:
        for logger in before:
            logger.setLevel(1)
    try:
        yield kept
    finally:
        for logger, level in before.items():
            logger.setLevel(level)
        root.removeHandler(kept)
