"""The guard before every door of the operations API, with the real checker and made-up keys."""

from types import SimpleNamespace

import azure.functions as func
import httpx
import pytest

from functions._http import answer, answering
from functions._staff import staff
from shared import bootstrap
from shared.adapters.entra_tokens import EntraTokens
from shared.domain.staff import Permission
from tests.contract.conftest import local_settings
from tests.fakes.messaging import TestClock
from tests.fakes.staff import CLIENT, SOMEBODY, TENANT, KeyEndpoint, Signer, claims, principal
from tests.triggers.conftest import call, content, problem

TRUSTED = {"deployment": "azure", "trust_easyauth": True, "website_auth_enabled": True}


@answering
async def door(req: func.HttpRequest) -> func.HttpResponse:
    """Tell who came in; stands for any door that decides."""
    member = await staff(req, Permission.APPROVE)
    return answer({"staff_id": member.staff_id})


@pytest.fixture(scope="module")
def signer():
    """The tenant's key."""
    return Signer()


@pytest.fixture
def endpoint(signer):
    """Where it is."""
    return KeyEndpoint(signer)


@pytest.fixture
def clock():
    """One that stands still."""
    return TestClock()


@pytest.fixture(autouse=True)
def tenant(wired):
    """A tenant is set, and the platform's own sign-in is off."""
    wired()


@pytest.fixture
def wired(monkeypatch, clock, endpoint):
    """Put the checker in the app's place, with other settings."""

    def wire(**changes):
        settings = local_settings(staff_tenant_id=TENANT, staff_client_id=CLIENT, **changes)
        tokens = EntraTokens(settings, clock, transport=endpoint.transport)
        monkeypatch.setattr(bootstrap, "app", lambda: SimpleNamespace(staff_tokens=tokens))

    return wire


async def test_who_has_the_role_comes_in(signer, clock):
    """With any spelling of the scheme."""
    for scheme in ("Bearer", "bearer", "BEARER"):
        token = signer.token(claims(clock, roles=["Approver"]))
        response = await call(door, body={}, authorization=f"{scheme} {token}")
        assert response.status_code == 200
        assert content(response) == {"staff_id": SOMEBODY}


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "Negotiate x", "token", "Bearertoken"]
)
async def test_who_sends_no_token_is_told_how(authorization):
    """As RFC 6750 says it."""
    headers = {"authorization": authorization} if authorization else {}
    response = await call(door, body={}, **headers)
    problem(response, 401, "staff_token_missing")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_wrong_token_is_told_as_wrong(signer, clock):
    """And an old one as old."""
    response = await call(door, body={}, authorization="Bearer made.up.token")
    problem(response, 401, "staff_token_invalid")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    token = signer.token(claims(clock, roles=["Approver"]))
    clock.advance(hours=2)
    response = await call(door, body={}, authorization=f"Bearer {token}")
    problem(response, 401, "staff_token_expired")
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


@pytest.mark.parametrize("roles", [None, [], ["Operator"], ["Auditor", "CustomerAdmin"], ["approver"]])
async def test_a_missing_role_is_forbidden(signer, clock, roles):
    """Not asked to sign in again, which would not help."""
    response = await call(door, body={}, authorization=f"Bearer {signer.token(claims(clock, roles=roles))}")
    found = problem(response, 403, "role_missing")
    assert found["detail"] == "needs one of: Approver"
    assert response.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'


async def test_keys_that_cannot_be_had_are_a_passing_fault(signer, clock, endpoint):
    """With the time to wait."""
    endpoint.fault = httpx.ConnectError("down")
    token = signer.token(claims(clock, roles=["Approver"]))
    response = await call(door, body={}, authorization=f"Bearer {token}")
    problem(response, 503, "staff_keys_unavailable")
    assert response.headers["Retry-After"] == "30"


async def test_a_forged_header_opens_nothing(clock):
    """Where the platform's sign-in is off, the header is as if not sent."""
    forged = principal(claims(clock, roles=["Approver"]))
    problem(await call(door, body={}, x_ms_client_principal=forged), 401, "staff_token_missing")


@pytest.mark.parametrize("changes", [{"trust_easyauth": False}, {"website_auth_enabled": False}])
async def test_both_the_setting_and_the_platform_have_to_say_so(wired, clock, changes):
    """Each of them alone is not enough."""
    wired(**{**TRUSTED, **changes})
    forged = principal(claims(clock, roles=["Approver"]))
    problem(await call(door, body={}, x_ms_client_principal=forged), 401, "staff_token_missing")


async def test_the_platform_s_header_opens_where_the_platform_writes_it(wired, clock):
    """With the role it says, and no other."""
    wired(**TRUSTED)
    header = principal(claims(clock, roles=["Approver"]))
    assert (await call(door, body={}, x_ms_client_principal=header)).status_code == 200
    header = principal(claims(clock, roles=["Operator"]))
    problem(await call(door, body={}, x_ms_client_principal=header), 403, "role_missing")


async def test_a_wrong_token_is_not_made_good_by_the_header(wired, clock):
    """Who sends a token is judged by it."""
    wired(**TRUSTED)
    header = principal(claims(clock, roles=["Approver"]))
    response = await call(door, body={}, authorization="Bearer x.y.z", x_ms_client_principal=header)
    problem(response, 401, "staff_token_invalid")


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_another_site_s_form_changes_nothing(wired, clock, media_type):
    """A browser sends these along with the platform's cookie without asking anybody."""
    wired(**TRUSTED)
    header = principal(claims(clock, roles=["Approver"]))
    response = await call(door, body=b"a=b", content_type=media_type, x_ms_client_principal=header)
    assert response.status_code == 415


async def test_reading_needs_no_body(signer, clock):
    """Nor a media type."""
    token = signer.token(claims(clock, roles=["Approver"]))
    assert (await call(door, method="GET", authorization=f"Bearer {token}")).status_code == 200
