"""The walls fall one by one: without each of them another one holds, or the matrix notices.

Nothing here can change the districts, whichever wall has fallen: what is written is taken back.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import httpx2
import pytest
from sqlalchemy import Text, cast

from sharing_service import main
from sharing_service.api import clever_exchange, clever_parameters, client_secrets, district, operator, tokens
from sharing_service.delivery.views import View
from sharing_service.main import create_app
from sharing_service.roster import queries
from sharing_service.settings import Settings
from sharing_service.sharing import clients
from tests.factories.service import Service
from tests.matrix.asking import UUIDS, Matrix, asked, refusals, send
from tests.matrix.callers import CALLERS
from tests.matrix.expected import Line, lines
from tests.matrix.untouched import in_vain
from tests.planting import planted, replaced, twin

LINES: Final = tuple(lines())
PARTNER: Final = tuple(line for line in LINES if line.path.startswith("/v3.1/"))


async def differences(
    client: httpx2.AsyncClient, matrix: Matrix, concerned: Sequence[Line], *callers: str
) -> list[str]:
    """Everything in these lines that is not refused as it should be."""
    return [one for line in concerned async for one in refusals(client, matrix, line, callers or CALLERS)]


def below(*beginnings: str) -> tuple[Line, ...]:
    """The lines of these paths."""
    return tuple(line for line in LINES if line.path.startswith(beginnings))


@dataclass(frozen=True)
class Router:
    """The router of an audience, what makes it ask for the caller, and the lines that it answers."""

    module: ModuleType
    dependency: str
    concerned: tuple[Line, ...]
    noticed: bool
    """Whether some route below it does not ask once more by itself."""


OPERATOR: Final = below("/v1/districts", "/v1/applications")
DISTRICT: Final = tuple(line for line in below("/v1/districts/{district_id}/") if line.kind in ("", "students"))
SITES: Final = tuple(line for line in DISTRICT if "/sites" in line.path)
TRAIL: Final = tuple(line for line in DISTRICT if line.path.endswith("/audit"))
OTHERS: Final = tuple(line for line in DISTRICT if line not in (*SITES, *TRAIL))
MANAGED: Final = tuple(line for line in OPERATOR if line not in DISTRICT and not line.kind)
ROUTERS: Final = {
    "operator": Router(operator, "dependencies=[Depends(operator_only)]", MANAGED, noticed=True),
    "secrets": Router(client_secrets, "dependencies=[Depends(operator_only)]", MANAGED, noticed=True),
    "tokens": Router(tokens, "dependencies=[Depends(issuer)]", below("/v1/tokens"), noticed=False),
    "staff": Router(district, "dependencies=[Depends(district_staff_of)]", SITES, noticed=False),
    "trail": Router(district, "dependencies=[Depends(audit_reader_of)]", TRAIL, noticed=False),
    "admin": Router(district, "dependencies=[Depends(district_admin_of)]", OTHERS, noticed=False),
}


@asynccontextmanager
async def without(router: Router, settings: Settings, service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """The service as it would be if the router asked nobody who calls."""
    broken = twin(router.module, router.dependency, "")
    with replaced(main, router.module.__name__.rpartition(".")[2], broken):
        app = create_app(settings, database_url=service.database.url)
    async with in_vain(app) as client:
        yield client


@pytest.mark.parametrize("name", ROUTERS)
async def test_an_audience_without_its_dependency(
    name: str, settings: Settings, service: Service, matrix: Matrix
) -> None:
    """A router that does not demand its caller is noticed by the matrix, unless each of its routes asks by itself.

    Catches a matrix that would not see an open route, and a route of a district that trusts its router alone.
    """
    router = ROUTERS[name]
    async with without(router, settings, service) as client:
        found = await differences(client, matrix, router.concerned, "nobody", "operator", "stranger", "lead", "app")

    assert bool(found) == router.noticed, found[:5]


async def test_the_callers_of_the_partner_api(undone: httpx2.AsyncClient, matrix: Matrix) -> None:
    """Without a look at the role nobody but an application is told anything, since nobody else has a grant.

    The matrix notices by the status all the same.
    """
    with planted(clever_exchange._admitted, "return await application(caller)", "return caller"):
        found = await differences(undone, matrix, PARTNER, "admin", "lead", "auditor", "stranger")

    assert found
    assert all("is answered 404" in one for one in found), found


@pytest.mark.asvs("V8.2.2")
async def test_the_gate_of_what_is_shared(undone: httpx2.AsyncClient, matrix: Matrix) -> None:
    """Without the question whether the ledger has the record, what is told of it comes through the ledger still, so
    that the record itself is not told.

    The matrix notices that some paths below a record that is not shared answer; none of them holds an id that is not.
    """
    asking = [line for line in PARTNER if line.varied is not None and not line.path.endswith("/districts/{id}")]
    with planted(View.sees, "any(ordinal in self.of_kind(kind) for kind in kinds)", "True"):
        found = await differences(undone, matrix, asking, "app")
        for line in asking:
            request = asked(matrix, line, "sibling")
            response = await send(undone, matrix, request, "app")
            told = {*UUIDS.findall(response.text)} - {request.varied}
            assert not told & matrix.callers.hidden["app"], str(line)
            if line.path.endswith("{id}"):
                assert response.status_code == 404, str(line)

    assert found


@dataclass(frozen=True)
class Spelling:
    """A fault in how an id is compared, the lines that it concerns, and whether the matrix notices."""

    function: Callable[..., Any]
    right: str
    wrong: str
    concerned: tuple[Line, ...]
    noticed: bool


SPELLINGS: Final = {
    "any id of a client": Spelling(
        clients.named,
        "Application.client_id == client_id",
        "Application.client_id.ilike(client_id)",
        below("/oauth/"),
        noticed=True,
    ),
    "capitals in partners' ids": Spelling(
        clever_parameters.canonical_id, "return found if str(found) == text else None", "return found", PARTNER, True
    ),
    # Whatever the statement does, an id that is not spelled as ids are never reaches it.
    "any id of a record": Spelling(
        queries.get,
        "Identity.id == record_id",
        "cast(Identity.id, Text).ilike(str(record_id))",
        below("/v1/districts/{district_id}/{kind}/"),
        noticed=False,
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
async def test_ids_that_are_compared_loosely(name: str, undone: httpx2.AsyncClient, matrix: Matrix) -> None:
    """An id that is compared by ILIKE, or without regard to capitals, is noticed unless no such id comes so far.

    Catches a matrix that asks for ids in their own spelling only.
    """
    fault = SPELLINGS[name]
    with planted(fault.function, fault.right, fault.wrong, cast=cast, Text=Text):
        found = await differences(undone, matrix, fault.concerned, "malformed", "admin", "app")

    assert bool(found) == fault.noticed, found[:5]
