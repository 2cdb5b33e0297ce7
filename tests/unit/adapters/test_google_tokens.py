"""In Azure the app's own identity is exchanged for a token of the service account, and no key is kept."""

import json
from types import SimpleNamespace
from urllib.parse import parse_qs

import azure.identity
import google.auth.transport.requests
import pytest

from shared.adapters.google_tokens import SCOPE, GoogleTokens
from shared.domain.errors import Retryable
from shared.settings import Settings

AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/azure"
ACCOUNT = "deletions@made-up.iam.gserviceaccount.com"
SETTINGS = Settings(
    cosmos_endpoint="https://account.documents.example/",
    pseudonym_key="a" * 44,
    public_url="https://privacy.example/api",
    managed_identity_client_id="client-1",
    google_analytics_property_id="400000001",
    google_audience=AUDIENCE,
    google_service_account=ACCOUNT,
    google_azure_resource="api://google-pool",
)


@pytest.fixture
def wire(monkeypatch):
    """Identity and network of the exchange; `asked` is what was sent where."""
    made = SimpleNamespace(asked=[], scopes=[], client_id=None, status=200)

    class Identity:
        def __init__(self, *, client_id):
            made.client_id = client_id

        def get_token(self, scope):
            made.scopes.append(scope)
            return SimpleNamespace(token="token-of-our-identity")

    def request(url, *, method="GET", body=None, headers=None, timeout=None, **_more):
        made.asked.append((method, url, body, dict(headers or {}), timeout))
        if made.status != 200:
            answer = {"error": "invalid_grant"}
        elif "sts.googleapis.com" in url:
            answer = {
                "access_token": "federated",
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        else:
            answer = {"accessToken": "token-of-the-account", "expireTime": "2099-01-01T00:00:00Z"}
        return SimpleNamespace(status=made.status, data=json.dumps(answer).encode(), headers={})

    monkeypatch.setattr(azure.identity, "ManagedIdentityCredential", Identity)
    monkeypatch.setattr(google.auth.transport.requests, "Request", lambda _session: request)
    return made


async def test_our_identity_is_exchanged_and_then_acts_as_the_service_account(wire):
    assert await GoogleTokens(SETTINGS).token() == "token-of-the-account"
    assert (wire.client_id, wire.scopes) == ("client-1", ["api://google-pool/.default"])
    (_, sts, body, _, _), (_, impersonation, wanted, headers, _) = wire.asked
    assert sts == "https://sts.googleapis.com/v1/token"
    sent = {name: values[0] for name, values in parse_qs(_text(body)).items()}
    assert sent["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert sent["audience"] == AUDIENCE
    assert sent["subject_token"] == "token-of-our-identity"
    assert sent["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
    assert impersonation == (
        f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
    )
    assert json.loads(_text(wanted))["scope"] == [SCOPE]
    assert headers["authorization"] == "Bearer federated"
    assert all(timeout for *_, timeout in wire.asked), "every wait has an end"


async def test_a_token_is_used_until_it_is_wanted_anew(wire):
    tokens = GoogleTokens(SETTINGS)
    assert [await tokens.token() for _ in range(3)] == ["token-of-the-account"] * 3
    assert len(wire.asked) == 2
    await tokens.token(anew=True)
    assert len(wire.asked) == 3, "what the pool gave is still good"


async def test_an_identity_that_is_not_taken_is_told_without_what_was_sent(wire):
    wire.status = 400
    with pytest.raises(Retryable) as caught:
        await GoogleTokens(SETTINGS).token()
    assert caught.value.code == "processor_unreachable"
    assert "token-of-our-identity" not in str(caught.value)
    assert caught.value.__context__ is None


def _text(body):
    return body.decode() if isinstance(body, bytes) else body
