"""Laws of the settings: whoever runs the service finds every one of them."""

import pytest

from sharing_service.settings import Settings
from tests.architecture.project import ROOT

PREFIX = Settings.model_config["env_prefix"]
VARIABLES = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}


@pytest.mark.asvs("V2.1.3", "V5.1.1", "V6.1.1", "V11.1.1", "V15.1.3")
def test_settings_are_documented() -> None:
    """Every setting stands in the README and in `.env.example`."""
    for page in ("README.md", ".env.example"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert {name for name in VARIABLES if name not in text} == set(), page


def test_settings_say_what_they_decide() -> None:
    """Every setting has a description, and nothing in `.env.example` is a setting that is gone."""
    named = {
        line.lstrip("#").partition("=")[0]
        for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
        if line.lstrip("#").startswith(PREFIX)
    }

    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert named == VARIABLES
