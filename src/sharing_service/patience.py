"""How long PostgreSQL may take over something, by what it is done for; what takes longer is answered 503."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a request has in the database; what runs in the background has no bound."""

    partner: float = 10
    """A statement that answers a partner."""
    request: float = 30
    """A statement of any other request, and how long an export waits for a lock."""
    save: float = 60
    """A statement of a preview or of what changes a district, which evaluates what is shared anew."""
    idle: float = 120
    """A transaction whose client lets it wait: it keeps old rows from being cleared away."""
    export: float = 1800
    """A file that is written, from its first byte to its last."""
    piece: float = 60
    """A part of any answer, until its client has taken it."""
    slot: float = 30
    """Until one of the writes, previews, exports, uploads or large pages at work has ended."""

    def with_statements(self, seconds: float) -> Mapping[str, str]:
        """Settings of a connection whose statements may take so long each."""
        return {
            "statement_timeout": in_milliseconds(seconds),
            "idle_in_transaction_session_timeout": in_milliseconds(self.idle),
        }

    def with_long_statements(self) -> Mapping[str, str]:
        """Settings of a connection whose statements take as long as their answer, once they have their locks."""
        return {
            "lock_timeout": in_milliseconds(self.request),
            "idle_in_transaction_session_timeout": in_milliseconds(self.export),
        }


def in_milliseconds(seconds: float) -> str:
    """A duration as PostgreSQL's settings want it."""
    return str(round(seconds * 1000))
