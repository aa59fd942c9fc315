"""What an answer of the partner API costs: few statements, as many for a large page as for one record."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sharing_service.api.clever_answers import PATHS
from sharing_service.database import Database
from sharing_service.delivery.relations import RELATIONS
from sharing_service.roster.catalogue import Kind
from tests.factories.partner import Readers, Riverbend
from tests.factories.service import EVERY_FIELD

BESIDES = ("begin isolation", "commit", "insert into disclosures")
"""The transaction, with its district, and the disclosure."""

COLLECTIONS = [f"/{path}" for path in PATHS.values()]
RECORDS = [f"/{path}/{{{path}}}" for path in PATHS.values()]
RELATED = [f"/{PATHS[relation.parent]}/{{{PATHS[relation.parent]}}}/{relation.name}" for relation in RELATIONS]
OTHERS = ["/me", "/districts", "/districts/{district}", *(f"{record}/district" for record in RECORDS)]


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """The statements that partners' connections are given meanwhile; all of them are idle before and after."""
    seen: list[str] = []

    def notice(query: Any) -> None:
        seen.append(query.query.strip().lower())

    drivers = tuple(database.drivers.idle)
    for driver in drivers:
        driver.add_query_logger(notice)
    yield seen
    for driver in drivers:
        driver.remove_query_logger(notice)


def asked(seen: list[str]) -> list[str]:
    """Statements that are neither the transaction nor the disclosure."""
    return [statement for statement in seen if not statement.startswith(BESIDES)]


def filled(path: str, riverbend: Riverbend) -> str:
    """A path with the ids of records that have related ones."""
    return path.format(
        schools=riverbend.id("schools", riverbend.north),
        terms=riverbend.id("terms", riverbend.fall),
        courses=riverbend.id("courses", riverbend.algebra_course),
        sections=riverbend.id("sections", riverbend.algebra),
        users=riverbend.id("people", riverbend.una),
        district=riverbend.roster.district_id,
    )


@pytest.mark.parametrize(
    ("path", "most"),
    [
        *((path, 1) for path in OTHERS),
        *((path, 2) for path in COLLECTIONS + RECORDS),
        *((path, 3) for path in RELATED),
        ("/schools/{schools}/users?primary=true", 4),
    ],
)
async def test_a_route_costs_few_statements_whatever_its_size(
    readers: Readers, riverbend: Riverbend, path: str, most: int
) -> None:
    """One statement for who asks and what is shared, one for the relation, one for the records.

    Catches a look-up for each record, as a loop in place of `= any` makes it, and a token that is looked up apart.
    """
    reader = await readers.connect(riverbend.roster.everything(), EVERY_FIELD)
    path = filled(path, riverbend)
    await reader.get(path)  # decodes the ledger, once per ledger and process
    counts = []
    for limit in (1, 100):
        with statements_of(readers.database) as seen:
            await reader.get(f"{path}{'&' if '?' in path else '?'}limit={limit}")
        counts.append(len(asked(seen)))
        assert len(seen) <= len(asked(seen)) + 3
    assert counts[0] == counts[1] <= most


async def test_contacts_of_somebody_hidden_cost_one_more(readers: Readers, riverbend: Riverbend) -> None:
    """A page is read once more if a contact on it refers to students who are not shared, however many they are."""
    shared = riverbend.roster.everything() | {Kind.STUDENTS: [riverbend.cal]}
    reader = await readers.connect(shared, EVERY_FIELD)
    await reader.get("/users")
    with statements_of(readers.database) as seen:
        listed = await reader.get("/users?role=contact")
    assert len(asked(seen)) == 3
    assert riverbend.id("people", riverbend.ann) not in str(listed)
