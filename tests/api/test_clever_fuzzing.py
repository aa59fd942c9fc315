"""The partner API under requests that schemathesis makes up from its OpenAPI document."""

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import settings

from tests.cli.programs import OPERATOR, service
from tests.factories.full_district import full_district
from tests.factories.served import full_token

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
USUAL = (r"^/v3\.1", 5)
NIGHTLY = ("^/v3", 200)
"""The paths, and for each how many requests the fuzzing phase makes up at most; both versions are the same code."""


def test_made_up_requests(tmp_path: Path) -> None:
    """No request made of the document ends in a fault or an answer that is not in it, nor in one without a token.

    `fuzzing.toml` and `fuzzing_hooks.py` say what is waived, and why.
    """
    paths, examples = NIGHTLY if settings.get_current_profile_name() == "nightly" else USUAL
    environment = {"SHARING_DATA_DIR": "data", "SHARING_OPERATOR_TOKEN": OPERATOR, "SHARING_RATE_LIMIT": "100000000"}
    with service("serve", cwd=tmp_path, **environment) as running:
        token = full_token(running, full_district())
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "fuzzing.toml")),
            *("run", f"{running.url}/openapi.json", "--include-path-regex", paths, "--checks", "all", "--no-color"),
            *("--header", f"Authorization: Bearer {token}"),
            *("--max-examples", str(examples), "--max-failures", "20"),
            # How long anything takes is not what is asked here.
            *("--wait-for-schema", "120", "--request-timeout", "120", "--suppress-health-check", "too_slow"),
        ]
        # Where it runs it leaves files.
        ran = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert ran.returncode == 0, ran.stdout.decode()
