"""An issuer of made-up staff tokens, and the way to it."""

import pytest

from devtools.free_ports import free_port
from devtools.ops.connection import local_connection
from devtools.stand_ins.issuer import Issuer
from devtools.stand_ins.issuer_staff import settings_for
from shared import settings as app_settings
from shared.adapters.entra_tokens import EntraTokens
from shared.adapters.system_clock import SystemClock
from tests.architecture.test_settings_documented import EXAMPLE


@pytest.fixture
async def issuer():
    """One on a free port."""
    async with Issuer() as found:
        yield found


@pytest.fixture
def connection(issuer):
    """The way to it; nothing listens where the API would be."""
    port = int(issuer.url.split(":")[2].partition("/")[0])
    return local_connection(functions_port=free_port(), issuer_port=port)


@pytest.fixture
async def tokens(issuer):
    """The app's own checker, told of the issuer as a local run tells it."""
    found = EntraTokens(app_settings.read({**EXAMPLE, **settings_for(issuer.url)}), SystemClock())
    yield found
    await found.close()
