"""Districts that have published their first day: imported once, then copied for whatever is measured on them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.bench.ground import Ground, opened
from tests.bench.serving import Admin, Served, served
from tests.bench.uploads import publish, settled


@contextmanager
def begun(ground: Ground, name: str, *, students: int | None = None) -> Iterator[Served]:
    """Serve a database whose one district has published its first day and done nothing else; dropped afterwards."""
    students = students or ground.students
    template = f"first_day_{students}"
    if students not in ground.admins:
        with served(ground.server, template, ground.folder) as service:
            ground.admins[students] = asyncio.run(_publish(ground, service, students))
    with ground.served(name, template=template) as service:
        yield replace(service, admin=ground.admins[students])


async def _publish(ground: Ground, service: Served, students: int) -> Admin:
    async with opened(service) as there:
        await publish(there, ground.district(students))
        await settled(there)
        await there.connection.execute("vacuum analyze")
        return Admin(there.district.id, there.district.admin)
