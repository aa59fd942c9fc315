"""The whole API under requests that schemathesis makes up from its OpenAPI document, as each role."""

from itertools import product
from pathlib import Path
from typing import Final

import pytest

from sharing_service.access.tokens import Role
from tests.fuzzing.asking import PARTS, answered, ask, works
from tests.fuzzing.roles import Place, asker

PROMISED: Final = 20_000
LEAST: Final = {
    ("operator", "partner"): 400,
    ("operator", "district"): 5_500,
    ("district_admin", "partner"): 400,
    ("district_admin", "district"): 5_500,
    ("school_lead", "partner"): 400,
    ("school_lead", "district"): 5_500,
    ("audit_reader", "partner"): 400,
    ("audit_reader", "district"): 1_500,
    ("application", "partner"): 2_100,
    ("application", "district"): 1_500,
    ("none", "partner"): 400,
    ("none", "district"): 1_500,
    ("none", "oauth"): 50,
    ("client", "oauth"): 50,
}
"""How many requests each role makes at least on each part of the document; of tokens a client obtains them alone."""
REFUSED: Final = {
    *((role, "partner") for role in ("operator", "district_admin", "school_lead", "audit_reader", "none")),
    *((role, "district") for role in ("audit_reader", "application", "none")),
}
"""Who is refused, but for the trail: wrong requests would be refused anyhow, so that only right ones are sent."""


@pytest.mark.asvs("V4.1.1", "V6.3.4", "V8.2.1", "V13.4.4")
@pytest.mark.parametrize(("role", "part"), LEAST, ids=map("-".join, LEAST))
def test_made_up_requests(foreign: Place, tmp_path: Path, role: str, part: str) -> None:
    """No request made of the document ends in a fault or an answer that is not in it, whoever sends it.

    Catches: a route that answers without a token or with a wrong one, a status or a body that the document does not
    have, and a fault of the service. `fuzzing.toml` and `hooks.py` say what is waived, and why.
    """
    somebody = asker(foreign, role)
    before = answered(foreign.running)
    mode = "positive" if (role, part) in REFUSED else "all"

    asked = ask(foreign.running, somebody, part, folder=tmp_path, mode=mode)

    assert asked.returncode == 0, asked.stdout
    assert works(foreign.running, somebody)
    assert answered(foreign.running) - before >= LEAST[role, part]


def test_every_role_asks_everything() -> None:
    """All roles together make as many requests as are promised, each on both parts of the document."""
    roles = (*(role.value for role in Role), "none")

    assert set(LEAST) >= set(product(roles, ("partner", "district")))
    assert {part for _, part in LEAST} == set(PARTS)
    assert sum(LEAST.values()) >= PROMISED
