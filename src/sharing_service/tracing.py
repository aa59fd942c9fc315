"""Which request a line of the log or a job belongs to: its id, and its trace as W3C Trace Context, level 1, has it."""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

REQUEST_ID: Final = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f-]{14,62}[0-9A-Fa-f]")
"""Ids as proxies make them. One of words would let a caller write a name into the log."""
_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """A request, and our part of the trace that it is in."""

    request_id: str
    trace_id: str
    span_id: str
    flags: str

    def carried(self) -> dict[str, str]:
        """What a job takes along."""
        parent = f"00-{self.trace_id}-{self.span_id}-{self.flags}"
        return {"request_id": self.request_id, "traceparent": parent}


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of what runs now."""
    return _current.get()


@contextmanager
def within(trace: Trace) -> Iterator[None]:
    """Let the block, and whatever it starts, be a part of a trace."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


def of_request(request_ids: Sequence[str], parents: Sequence[str]) -> Trace:
    """The trace that these values of `X-Request-Id` and `traceparent` go on with.

    What is not well formed, or comes twice, counts as absent, and is made anew.
    """
    given = request_ids[0] if len(request_ids) == 1 and REQUEST_ID.fullmatch(request_ids[0]) else None
    trace_id, flags = _parent(parents) or (secrets.token_hex(16), "00")
    return Trace(given or secrets.token_hex(16), trace_id, secrets.token_hex(8), flags)


def of_job(payload: Mapping[str, Any]) -> Trace:
    """The trace of the request that queued a job, or a new one for a job that no request queued."""
    kept = [[payload[name]] if name in payload else [] for name in ("request_id", "traceparent")]
    return of_request(*kept)


def _parent(parents: Sequence[str]) -> tuple[str, str] | None:
    """Trace id and flags; a later version may append something to what version 00 has (section 3.2.4)."""
    found = _PARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or (more and version == "00") or not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    return trace_id, f"{int(flags, 16) & _SAMPLED:02x}"
