"""The checker of a tenant, and what it refuses."""

import pytest

from shared.adapters.entra_tokens import EntraTokens
from shared.domain.errors import NotAllowed
from tests.contract.conftest import local_settings
from tests.fakes.staff import CLIENT, TENANT


def made(clock, endpoint, **changes) -> EntraTokens:
    """Return the checker of a tenant."""
    values = {"staff_tenant_id": TENANT, "staff_client_id": CLIENT, **changes}
    return EntraTokens(local_settings(**values), clock, transport=endpoint.transport)


async def refused(tokens, token, code="staff_token_invalid"):
    """Check that a token is refused by this code, which says nothing of it."""
    with pytest.raises(NotAllowed) as caught:
        await tokens.member(token)
    assert caught.value.code == code
    return caught.value
