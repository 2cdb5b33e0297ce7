"""Fixtures that start the local platform, one of each per xdist worker and only when a test asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.azurite import Azurite, running_azurite
from devtools.azurite_install import ensure_azurite

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite with empty storage in memory; tests share it and use names of their own."""
    log = tmp_path_factory.mktemp("azurite") / "azurite.log"
    with running_azurite(ensure_azurite(ROOT), log=log) as running:
        yield running
