"""Logs on stderr, without the words of exceptions: those may name children."""

import logging
import logging.config
import sys
import traceback
from types import TracebackType
from typing import Any, Final


class WithoutWords(logging.Formatter):
    """Shows the type of an exception and where it was raised, but not what it says."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The exception and each one that caused it, the last first."""
        shown = []
        error = ei[1]
        while error is not None:
            where = "".join(traceback.format_tb(error.__traceback__))
            shown.append(f"{type(error).__module__}.{type(error).__qualname__}\n{where}".rstrip())
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nbecause of ".join(shown)


LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": WithoutWords, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
"""For `logging.config.dictConfig`; requests are not logged, since their addresses hold ids and search words."""


def log_to_stderr() -> None:
    """Log this process so, also the exception that ends it."""
    logging.config.dictConfig(LOGGING)
    sys.excepthook = lambda kind, error, trace: logging.critical("ended by", exc_info=(kind, error, trace))
