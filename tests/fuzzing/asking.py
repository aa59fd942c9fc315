"""Runs schemathesis on a service as one role, on one part of the document, and counts what it asks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx2

from tests.cli.programs import OPERATOR, Service
from tests.fuzzing.roles import Asker

HERE: Final = Path(__file__).parent
PARTS: Final = {"partner": r"^/v3\.1/", "district": "^/(v1|health|metrics)", "oauth": "^/oauth/"}
"""The parts of the document, as paths; both versions of the partner API are the same code."""
UNMEASURED: Final = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
"""The environment of processes that coverage leaves alone: other tests run all lines, and it costs much of the time."""
SETTINGS: Final = {
    "SHARING_DATA_DIR": "data",
    "SHARING_OPERATOR_TOKEN": OPERATOR,
    "SHARING_RATE_LIMIT": "100000000",
    "SHARING_DISTRICT_REQUESTS_A_MINUTE": "100000000",
    "SHARING_LOG_LEVEL": "warning",  # a line for each request would be most of what is printed
    **UNMEASURED,
}
"""Settings of the service that is asked."""


def ask(
    running: Service, asker: Asker, part: str, *, folder: Path, examples: int = 1, mode: str = "all", seed: int = 1
) -> subprocess.CompletedProcess[str]:
    """Ask with every check and phase; `examples` is how many requests the fuzzing phase makes up for an operation.

    `mode` is all, or positive to send only what the document allows.
    """
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "fuzzing.toml")),
        *("run", f"{running.url}/openapi.json", "--include-path-regex", PARTS[part], "--checks", "all", "--no-color"),
        *("--mode", mode, "--max-examples", str(examples), "--max-failures", "20", "--seed", str(seed)),
        # How long anything takes is not what is asked here.
        *("--wait-for-schema", "120", "--request-timeout", "120", "--suppress-health-check", "too_slow"),
        *(("--header", f"Authorization: {asker.authorization}") if asker.authorization else ()),
    ]
    told = {
        "PYTHONPATH": str(HERE.parents[1]),
        "FUZZING_IDS": json.dumps(asker.ids),
        "FUZZING_KEPT": json.dumps(asker.kept),
    }
    # Where it runs it leaves files.
    return subprocess.run(command, cwd=folder, env={**os.environ, **UNMEASURED, **told}, capture_output=True, text=True)


def answered(running: Service) -> int:
    """How many requests the service has answered, by its own count."""
    text = httpx2.get(f"{running.url}/metrics", trust_env=False).text
    return sum(int(float(number)) for number in re.findall(r"^sharing_requests_total\{.*\} (\S+)$", text, re.MULTILINE))


def works(running: Service, asker: Asker) -> bool:
    """Whether the token is still one: with another every request would have been refused, and nothing found."""
    if asker.authorization is None:
        return True
    headers = {"Authorization": asker.authorization}
    path = "/oauth/tokens" if asker.authorization.startswith("Basic") else "/v3.1/me"
    return httpx2.get(f"{running.url}{path}", headers=headers, trust_env=False).status_code != 401
