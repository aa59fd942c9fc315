"""Asks a running service for as many requests as are wanted: `python -m tests.fuzzing REQUESTS`."""

import sys
import tempfile
from itertools import count
from pathlib import Path

from tests.cli.programs import service
from tests.fuzzing.asking import SETTINGS, answered, ask, works
from tests.fuzzing.roles import Place, asker
from tests.fuzzing.test_made_up_requests import LEAST

EXAMPLES = 50


def main(requests: int) -> int:
    """Go through the roles and the parts of the document, each time with another seed; 1 at the first failure."""
    with (
        tempfile.TemporaryDirectory(prefix="sharing-fuzzing-") as folder,
        service("serve", cwd=Path(folder), **SETTINGS) as running,
    ):
        foreign = Place(running)
        for seed in count(1):
            for role, part in LEAST:
                somebody = asker(foreign, role)
                asked = ask(running, somebody, part, examples=EXAMPLES, folder=Path(folder), seed=seed)
                done = answered(running)
                print(f"{done:,} requests, seed {seed}, {role} on the {part} part: exit {asked.returncode}", flush=True)
                if asked.returncode or not works(running, somebody):
                    print(asked.stdout)
                    return 1
                if done >= requests:
                    return 0
    raise AssertionError("counting does not end")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
