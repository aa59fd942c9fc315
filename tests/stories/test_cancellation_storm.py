"""A storm of requests of all callers of three districts, of which three in ten are cut by their clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy.engine import make_url

from sharing_service.database import Database, DatabaseRole
from sharing_service.main import create_app
from tests.factories.service import Service, bearer
from tests.stories.storm.blowing import CUTS, Storm
from tests.stories.storm.faults import FAULTS
from tests.stories.storm.right import Right, learned
from tests.stories.storm.served import Served, served
from tests.stories.storm.serving import OPERATOR_TOKEN, settings
from tests.stories.storm.town import PLACES, Place, settle
from tests.walls.rows import connected
from tests.walls.test_falling import migrated

REQUESTS: Final = 20_000
WAVE: Final = 1_000
"""Requests after which everything must be calm again."""


@dataclass(frozen=True)
class Town:
    """The districts, on a database that nobody else uses, and what is right to answer about them."""

    url: str
    places: list[Place]
    right: Right


@pytest.fixture(scope="module")
async def town(by_hand: Database, database_url: str) -> AsyncIterator[Town]:
    """Three published districts and everybody who asks about them."""
    name = f"storm_{uuid4().hex}"
    url = make_url(database_url).set(database=name).render_as_string(hide_password=False)
    async with connected(by_hand) as connection:
        await connection.execute(f"create database {name}")
        await migrated(url)
        async with prepared(url) as service:
            places = [await settle(service, place) for place in PLACES]
            right = await learned(service, places)
        yield Town(url, places, right)
        await connection.execute(f"drop database {name} with (force)")


@asynccontextmanager
async def prepared(url: str) -> AsyncIterator[Service]:
    """The service in this process, which knows the tokens of the one that meets the storm."""
    app = create_app(settings(), database_url=url)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    jobs, everything = Database(url, role=DatabaseRole.WORKER), Database(url, role=None)
    async with httpx2.AsyncClient(transport=transport, base_url="http://service.test", timeout=60) as client:
        yield Service(client, app.state.database, bearer(OPERATOR_TOKEN), jobs=jobs, by_hand=everything)
    for database in (app.state.database, jobs, everything):
        await database.close()


async def blown(town: Town, service: Served, *, wave: int = WAVE, seed: int) -> Storm:
    """A storm whose waves have so many requests, with calm after each, that ends as soon as something is found."""
    storm = Storm(service.address, town.right, town.places, seed=seed)
    before = await service.numbers()
    for _ in range(REQUESTS // wave):
        await storm.wave(wave)
        storm.found += await service.unlike(before)
        if storm.found:
            return storm
    await storm.calm()
    storm.found += await service.unlike(before)
    return storm


def test_right_answers_bear_their_district(town: Town) -> None:
    """Whoever is answered about records is told names or ids of its own district, and of no other.

    Catches a storm in which nothing could be told from anything.
    """
    for answers in (town.right.wide, town.right.narrow):
        for question, (status, body) in answers.items():
            assert not town.right.is_foreign(question.place, body), str(question)
            assert status in (200, 404), str(question)
            if question.kind in ("large page", "file"):
                assert question.place.encode() in body, str(question)
    changed = [question for question in town.right.wide if town.right.wide[question] != town.right.narrow[question]]
    assert len(changed) > 20


@pytest.mark.asvs("V1.4.3", "V8.4.1")
async def test_a_storm_of_cut_requests(town: Town, by_hand: Database, tmp_path: Path) -> None:
    """Of 20,000 requests three in ten are cut; nobody is told anything but what is right or its beginning, nothing is
    logged, and after each wave all connections are free, without a transaction and in no district.

    Catches a district that is set for the session, a connection that goes back with its transaction, a place in a pool
    or a recorder that stays with who was cut, and a caller who is taken for the one before on the same connection.
    """
    with served(town.url, by_hand=by_hand, folder=tmp_path) as service:
        storm = await blown(town, service, seed=20)

    assert storm.found == []
    assert service.logged == ""
    assert storm.asked >= REQUESTS
    assert storm.cut == pytest.approx(CUTS * REQUESTS, rel=0.1)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_planted_fault_is_found(town: Town, by_hand: Database, tmp_path: Path, fault: str) -> None:
    """With each fault the storm tells of it before it is over.

    Catches a storm that is too tame.
    """
    with served(town.url, by_hand=by_hand, folder=tmp_path, fault=fault) as service:
        storm = await blown(town, service, wave=WAVE // 5, seed=20)

    assert any(word in one for one in storm.found for word in FAULTS[fault].noticed), storm.found[:10]
