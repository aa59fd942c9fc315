"""The log says what happened and where, by listed fields, and never a word that was put into it."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from uuid import uuid4

import pytest

from sharing_service import tracing
from sharing_service.logs import CHAIN, FIELDS, failures
from tests.architecture.project import ROOT
from tests.factories.logged import logged

PRIVATE = "Zebedee"
ALWAYS = {"time", "level", "logger", "process", "event"}
TRACED = {"request_id", "trace_id", "span_id"}


def raising(log: logging.Logger) -> None:
    """An exception, from another one."""
    try:
        try:
            raise KeyError(PRIVATE)
        except KeyError as error:
            raise ValueError(PRIVATE) from error
    except ValueError:
        log.exception("it failed")


def raising_several(log: logging.Logger) -> None:
    """Exceptions of tasks that ran together."""
    try:
        raise ExceptionGroup(PRIVATE, [KeyError(PRIVATE), OSError(PRIVATE)])
    except ExceptionGroup:
        log.exception("they failed")


FAULTS: dict[str, Callable[[logging.Logger], None]] = {
    "argument": lambda log: log.error("it failed: %s", PRIVATE),
    "arguments by name": lambda log: log.error("it failed: %(name)s", {"name": PRIVATE}),
    "no text": lambda log: log.error(KeyError(PRIVATE)),
    "field that is not listed": lambda log: log.error("it failed", extra={"student": PRIVATE, "taskName": PRIVATE}),
    "fields of another form": lambda log: log.error("it failed", extra=dict.fromkeys(FIELDS, f"{PRIVATE} Jones")),
    "fields of another type": lambda log: log.error("it failed", extra={name: [PRIVATE] for name in FIELDS}),
    "tuple for an error": lambda log: log.error("it failed", extra={"error": (PRIVATE,)}),
    "exception": raising,
    "several exceptions": raising_several,
    "stack": lambda log: log.error("it failed", stack_info=True),
}


@pytest.mark.parametrize("logger", ["sharing_service.worker", "uvicorn.error"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.asvs("V16.2.5")
def test_no_value_is_logged(fault: Callable[[logging.Logger], None], logger: str) -> None:
    """Whatever is put into a line, only listed fields of the right form come out.

    Catches a formatter that fills in arguments, passes on `extra`, or prints what an exception says.
    """
    with logged() as log:
        fault(logging.getLogger(logger))

    [line] = log.lines()
    assert PRIVATE not in log.text
    assert line.keys() <= ALWAYS | {"error"}
    assert (line["level"], line["logger"]) == ("error", logger)


def test_libraries_say_nothing() -> None:
    """Of a library's line only its place is told, since nobody knows what it put into its words.

    Catches paths and search words in uvicorn's access log, and the exceptions that asyncio writes out.
    """
    with logged() as log:
        access = ("127.0.0.1", "GET", f"/v1/districts?q={PRIVATE}", "1.1", 200)
        logging.getLogger("uvicorn.access").warning('%s - "%s %s HTTP/%s" %d', *access)
        loop = asyncio.new_event_loop()
        loop.call_exception_handler({"message": PRIVATE, "exception": KeyError(PRIVATE)})
        loop.close()

    assert PRIVATE not in log.text
    assert [line["logger"] for line in log.lines()] == ["uvicorn.access", "asyncio"]
    assert log.lines()[0]["event"].startswith("test_logs:")


@pytest.mark.asvs("V16.3.4")
def test_a_failure_is_told_by_types_and_places() -> None:
    """Of an exception, and of what caused it, the log has the types and the frames."""
    with logged() as log:
        raising(logging.getLogger("sharing_service.worker"))

    [line] = log.lines("it failed")
    last, first = line["error"]
    assert (last["type"], first["type"]) == ("builtins.ValueError", "builtins.KeyError")
    assert "tests/test_logs.py:" in last["frames"][0]
    assert last["frames"][0].endswith(" raising")


def test_a_long_chain_is_cut() -> None:
    """A line stays short whatever caused what."""
    error = Exception()
    for _ in range(2 * CHAIN):
        following = Exception()
        following.__cause__ = error
        error = following

    assert len(failures(error)) == CHAIN


def test_a_hidden_cause_stays_hidden() -> None:
    """What `raise ... from None` hides is not told."""
    error = ValueError()
    error.__context__ = KeyError()
    error.__suppress_context__ = True

    assert [one.type for one in failures(error)] == ["builtins.ValueError"]


def test_listed_fields_are_logged() -> None:
    """A line holds what is listed, and the trace that it belongs to."""
    trace, district = tracing.of_request([], []), uuid4()
    said = {"method": "GET", "route": "/v1/districts/{district_id}", "status": 200, "seconds": 0.25}
    with logged() as log, tracing.within(trace):
        logging.getLogger("sharing_service.api").info("request", extra=said | {"district_id": district})

    [line] = log.lines("request")
    assert said.items() <= line.items()
    assert line["district_id"] == str(district)
    assert [line[name] for name in sorted(TRACED)] == [trace.request_id, trace.span_id, trace.trace_id]


PROCESS = f"""
import logging, sys, threading, warnings
from sharing_service.logs import log_to_stderr

class Dropped:
    def __del__(self):
        fail()

def fail():
    raise KeyError("{PRIVATE}")

log_to_stderr(sys.argv[1])
Dropped()
thread = threading.Thread(target=fail, name="{PRIVATE}")
thread.start()
thread.join()
warnings.warn("{PRIVATE}")
logging.getLogger("sharing_service.x").info("%s and %s", "{PRIVATE}")
logging.getLogger("other").info("{PRIVATE}")
fail()
"""


@pytest.mark.parametrize(("level", "more"), [("info", ["sharing_service.x"]), ("warning", [])])
@pytest.mark.asvs("V16.2.3", "V16.2.4", "V16.4.1")
def test_whatever_a_process_writes_is_a_line(level: str, more: list[str]) -> None:
    """Exceptions that nobody caught and warnings are lines of the log too, without their words.

    Catches the traceback with which Python itself ends a process, a thread or a finalizer.
    """
    ended = subprocess.run([sys.executable, "-c", PROCESS, level], capture_output=True, text=True)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert (ended.returncode, ended.stdout) == (1, "")
    assert PRIVATE not in ended.stderr
    assert [line["logger"] for line in lines] == [
        *["sharing_service.logs"] * 2,
        "py.warnings",
        *more,
        "sharing_service.logs",
    ]
    assert lines[-1]["event"] == "the process ends"
    assert lines[-1]["error"][0]["type"] == "builtins.KeyError"


@pytest.mark.asvs("V16.1.1")
def test_fields_are_documented() -> None:
    """Whoever reads the log finds every field in the documentation."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert {name for name in {*FIELDS, *ALWAYS, *TRACED} if f"`{name}`" not in page} == set()
