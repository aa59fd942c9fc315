"""Laws of the schema: the tables of a district can be spread over servers by district."""

import importlib
from collections.abc import Iterator

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from sharing_service.database import Base
from tests.architecture.project import SOURCE, modules

LOCAL = {
    "tokens": "found by digest, and those of operators have no district: stays on one server",
    "client_secrets": "read before the district is known: stays on one server",
    "paces": "counts callers, of whom some have no district: stays on one server",
    "idempotency_keys": "written before the district is known: stays on one server",
}
SHARED = {
    "districts": "the small table that says which districts there are: copied to every server",
    "applications": "the same for all districts: copied to every server",
}
TENANT = "district_id"


def tables() -> dict[str, Table]:
    """Every table that the models declare."""
    for path in modules(SOURCE):
        if path.stem.endswith("models"):
            importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
    return dict(Base.metadata.tables)


def keys(table: Table) -> Iterator[tuple[str, str]]:
    """The name and first column of every key, unique constraint, unique index and foreign key to a district table."""
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table.name in SHARED:
            continue
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint):
            yield str(constraint.name), next(iter(constraint.columns)).name
    for index in table.indexes:
        if index.unique:
            yield str(index.name), next(iter(index.columns)).name


def test_keys_start_with_the_district() -> None:
    """Every primary key, unique constraint and foreign key of a district table starts with `district_id`."""
    wrong = [
        f"{table.name}.{name} starts with {first}"
        for table in tables().values()
        if TENANT in table.columns and table.name not in LOCAL
        for name, first in keys(table)
        if first != TENANT
    ]

    assert wrong == []


def test_tables_belong_to_a_district() -> None:
    """A table without `district_id` is one of the few that say why."""
    without = {name for name, table in tables().items() if TENANT not in table.columns}

    assert without - LOCAL.keys() - SHARED.keys() == set()


def test_reasons_are_of_use() -> None:
    """No reason is kept for a table that is gone."""
    assert (LOCAL.keys() | SHARED.keys()) - tables().keys() == set()
