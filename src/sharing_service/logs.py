"""The log: one JSON object a line on stderr, made of listed fields only, since anything else may name a child.

A line of ours says what the code says, never what was put into it: values come as `extra`, and only those of FIELDS.
The words of libraries and of exceptions are left out; places and types tell what happened.
"""

import json
import logging
import logging.config
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal
from uuid import UUID

from sharing_service import tracing

log = logging.getLogger(__name__)

OWN: Final = "sharing_service"
CHAIN: Final = 10
"""Exceptions of one line: what failed, and what caused it."""
DEEPEST: Final = 40
"""Frames of one exception, the innermost."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception without its words."""

    type: str
    frames: tuple[str, ...]
    """File, line and function, the innermost last."""


def failures(error: BaseException) -> tuple[Failure, ...]:
    """An exception, those that it groups and those that caused it, the last first."""
    found: list[Failure] = []
    waiting: list[BaseException] = [error]
    while waiting and len(found) < CHAIN:
        one = waiting.pop(0)
        found.append(Failure(f"{type(one).__module__}.{type(one).__qualname__}", _frames(one.__traceback__)))
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        cause = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [cause] if cause else []
    return tuple(found)


def _frames(trace: TracebackType | None) -> tuple[str, ...]:
    found = [
        f"{'/'.join(frame.f_code.co_filename.split('/')[-3:])}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    return tuple(found[-DEEPEST:])


def _matches(form: str) -> Callable[[object], bool]:
    pattern = re.compile(form)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is(*types: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, types) and not isinstance(value, bool)


FIELDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "method": _matches(r"[A-Z]{3,7}|other"),
    "route": _matches(r"[\w{}./-]{1,200}"),
    "status": _is(int),
    "seconds": _is(float, int),
    "kind": _matches(r"[A-Za-z_]\w{0,99}"),
    "sqlstate": _matches(r"[0-9A-Z]{5}"),
    "job": _matches(r"[a-z_]{1,40}"),
    "district_id": _is(UUID),
    "sync_id": _is(UUID),
    "token_id": _is(UUID),
    "outcome": _matches(r"[a-z]{1,20}"),
    "error": lambda value: isinstance(value, tuple) and all(isinstance(one, Failure) for one in value),
}
"""What a line may say beside when, where and in which trace; a value of another form is left out."""


class JsonLines(logging.Formatter):
    """Makes a line of the fields that are listed and of nothing else."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as JSON."""
        own = record.name.partition(".")[0] == OWN
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            # Ours is a constant, which the linter sees to. A library may have put anything into its own.
            "event": record.msg if own and isinstance(record.msg, str) else f"{record.module}:{record.lineno}",
        }
        if trace := tracing.current():
            line |= {"request_id": trace.request_id, "trace_id": trace.trace_id, "span_id": trace.span_id}
        said = vars(record)
        if record.exc_info and record.exc_info[1] is not None:
            said = {**said, "error": failures(record.exc_info[1])}
        line |= {name: said[name] for name, fits in FIELDS.items() if name in said and fits(said[name])}
        return json.dumps(line, default=_plain)


def _plain(value: object) -> object:
    return asdict(value) if isinstance(value, Failure) else str(value)


LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
"""For `logging.config.dictConfig`."""


def log_to_stderr(level: Literal["info", "warning"] = "info") -> None:
    """Log this process so, and whatever would be written to stderr in other ways: exceptions that end it, warnings."""
    logging.config.dictConfig(LOGGING | {"loggers": {OWN: {"level": level.upper()}}})
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # what is said of a line that cannot be written holds all that was put into it
    sys.excepthook = lambda kind, error, trace: log.critical("the process ends", exc_info=error)
    threading.excepthook = lambda thread: log.error("a thread ended", exc_info=thread.exc_value)
    sys.unraisablehook = lambda unraisable: log.error("an exception found nobody", exc_info=unraisable.exc_value)
