"""The schema of the database: bring it to the newest migration, or tell whether it is there."""

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

_HERE: Final = Path(__file__).resolve().parent
MIGRATIONS: Final = next(
    folder for folder in (_HERE / "migrations", _HERE.parents[1] / "migrations") if (folder / "env.py").is_file()
)
"""Beside the package once installed, at the project's root in a checkout."""


def _config(url: str | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply every migration that the database lacks; call it where no event loop runs."""
    command.upgrade(_config(url), "head")


async def is_current(session: AsyncSession) -> bool:
    """Whether the database stands at the newest migration that this code knows."""
    try:
        present = (await session.execute(text("select version_num from alembic_version"))).scalar_one_or_none()
    except ProgrammingError:
        return False
    return present == _newest()


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()
