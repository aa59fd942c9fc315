"""A service that is asked."""

from collections.abc import Iterator

import pytest

from tests.cli.programs import service
from tests.fuzzing.asking import SETTINGS
from tests.fuzzing.roles import Place


@pytest.fixture(scope="package")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running service, and a district on it that is nobody's who asks."""
    with service("serve", cwd=tmp_path_factory.mktemp("service"), **SETTINGS) as running:
        yield Place(running)
