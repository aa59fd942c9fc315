"""Faults to plant in the service that meets the storm, each as a tired hand might have typed it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import asyncpg

from sharing_service import database
from sharing_service.api import clever_exchange
from sharing_service.delivery.disclosures import Disclosures
from sharing_service.drivers import Drivers
from tests.planting import planted

Edit = Callable[[], AbstractContextManager[None]]

KEPT: Final[list[Any]] = []
"""What is never given back."""
FIRST: Final[dict[Any, str]] = {}
"""The first token that came on each connection."""


@dataclass(frozen=True)
class Fault:
    """Edits of the service, and words of what the storm tells of them, one of which at least it says."""

    edits: Sequence[Edit]
    noticed: tuple[str, ...]


@asynccontextmanager
async def lending(recorders: Drivers, taken: Sequence[tuple[Any, Any]]) -> AsyncIterator[asyncpg.Connection]:
    """Lend a recorder, and forget to take it back from whoever was cut."""
    lent = recorders.lend()
    KEPT.append(lent)
    yield await lent.__aenter__()
    if not any(written.cancelled() for _, written in taken):
        await lent.__aexit__(None, None, None)


ENTER: Final = "    await session.execute(text(statement), values)"
ENTER_ONCE: Final = """    if not await session.scalar(text("select current_setting('app.district_id', true)")):
        await session.execute(text(statement.replace(":id, true", ":id, false")), values)"""
GIVE_BACK: Final = """    finally:
        self._free.release()"""
GIVE_BACK_UNLESS_CUT: Final = """    except asyncio.CancelledError:
        raise
    except BaseException:
        self._free.release()
        raise
    else:
        self._free.release()"""

FAULTS: Final = {
    "the district is set for the session": Fault(
        [partial(planted, database.enter_district, ":id, true)", ":id, false)")], ("sessions: the district stays",)
    ),
    "a connection is asked whether it is in a district": Fault(
        [partial(planted, database.enter_district, ENTER, ENTER_ONCE)], ("is answered ",)
    ),
    "a cut request gives its connection back as it is": Fault(
        [
            partial(planted, Drivers.lend, "driver.terminate()  # a statement", "pass  # a statement"),
            partial(planted, Drivers._take_back, "driver.is_in_transaction()", "False"),
        ],
        # Whoever gets it next is answered from the snapshot, and in the district, of the one before.
        ("is answered otherwise", "a transaction goes on"),
    ),
    "a cut request keeps its place": Fault(
        [partial(planted, Drivers.lend, GIVE_BACK, GIVE_BACK_UNLESS_CUT)], ("places of drivers: 10 before",)
    ),
    "a recorder is kept for who was cut": Fault(
        [
            partial(
                planted,
                Disclosures._insert,
                "self._database.recorders.lend()",
                "lending(self._database.recorders, taken)",
                lending=lending,
            )
        ],
        ("places of recorders: 2 before",),
    ),
    "whoever comes first on a connection stays": Fault(
        [
            partial(
                planted,
                clever_exchange.answer,
                "tokens_of(request), credentials.credentials\n",
                "tokens_of(request), FIRST.setdefault(request.client, credentials.credentials)\n",
                FIRST=FIRST,
            )
        ],
        ("tells of another district",),
    ),
}
"""By what they are."""
