"""The district of a transaction ends with it: whoever sets it for the session is found out."""

import inspect
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import literal, select, text

from sharing_service import database as ground
from sharing_service.access.models import Token
from sharing_service.database import Database
from sharing_service.delivery import disclosures

NOBODY: Final = b""


async def entering(database: Database, enter: Any) -> Any:
    """A write as a route makes it; what its connection says afterwards."""
    async with database.write() as session:
        await enter(session, uuid4())
    async with database.engine.connect() as connection:
        return await connection.scalar(text("select current_setting('app.district_id', true)"))


async def looking_up(database: Database, inside: Any) -> Any:
    """A token that is looked up by one statement."""
    look_ups = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with look_ups.connect() as connection:
        await connection.execute(inside(select(Token.id), district_id=literal(str(uuid4()))))
    async with database.engine.connect() as connection:
        return await connection.scalar(text("select current_setting('app.district_id', true)"))


async def reading(database: Database, snapshot: Any) -> Any:
    """A read of a partner."""
    async with snapshot(database, uuid4(), NOBODY) as opened:
        driver = opened.driver
    return await driver.fetchval("select current_setting('app.district_id', true)")


async def disclosing(database: Database, insert: str) -> Any:
    """A disclosure, of nobody."""
    nothing: list[Any] = []
    async with database.drivers.lend() as driver:
        await driver.execute(insert, str(uuid4()), *(nothing for _ in range(7)))
        return await driver.fetchval("select current_setting('app.district_id', true)")


@dataclass(frozen=True)
class Way:
    """A way into a district, and how a tired hand would make it last."""

    use: Callable[[Database, Any], Awaitable[Any]]
    right: Any
    local: str
    lasting: str

    def broken(self) -> Any:
        """The same for the session."""
        if isinstance(self.right, str):
            assert self.right.count(self.local) == 1
            return self.right.replace(self.local, self.lasting)
        source = textwrap.dedent(inspect.getsource(self.right))
        assert source.count(self.local) >= 1
        names = dict(vars(ground))
        exec(source.replace(self.local, self.lasting), names)  # noqa: S102 - our own source, broken on purpose
        return names[self.right.__name__]


WAYS: Final = {
    "a session": Way(entering, ground.enter_district, "true", "false"),
    "one statement": Way(looking_up, ground.inside, "value, true())", "value, literal_column('false'))"),
    "a snapshot": Way(reading, Database.snapshot, "set local", "set"),
    "a disclosure": Way(disclosing, disclosures.INSERT, "true", "false"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.asvs("V8.4.1")
async def test_a_district_ends_with_its_transaction(database_url: str, way: Way) -> None:
    """Whichever way a transaction enters a district, the next one on that connection is in none.

    Catches a setting for the session, which shows a district to whoever gets the connection next and forgets to say
    where it is. Each way is broken like that here, and the break is seen.
    """
    for used, is_left in ((way.right, False), (way.broken(), True)):
        database = Database(database_url, pool_size=1)
        assert bool(await way.use(database, used)) is is_left
        await database.close()
