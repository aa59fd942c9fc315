"""A program that runs an embedded PostgreSQL until it is killed: DATA_DIR [BINDIR [USER_ID]]."""

import os
import sys
import time
from pathlib import Path

from sharing_service import embedded


def main(data_dir: str, bindir: str = "", user: str = "") -> None:
    """Start the server, as another user if one is named, tell where it is, and wait."""
    if user:
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    postgres = embedded.start(Path(data_dir), bindir=Path(bindir) if bindir else None)
    sys.stdout.write(f"{postgres.pid} {postgres.dsn}\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
