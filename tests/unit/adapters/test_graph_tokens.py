"""Tokens for Graph: msal itself, with a made-up certificate and a transport that answers as Entra does."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from shared.adapters.graph_tokens import GraphTokens
from shared.domain.errors import Retryable
from shared.ports.notifier import NOT_ACCEPTED
from tests.contract.conftest import local_settings

TENANT = "11111111-2222-3333-4444-555555555555"
AUTHORITY = f"https://login.microsoftonline.com/{TENANT}"


@pytest.fixture(scope="module")
def key():
    """A key that signs nothing else."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(key):
    """Signed by itself, for a day."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of a test")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


@pytest.fixture(params=["mail.pem", "mail.pfx"])
def path(request, key, certificate, tmp_path):
    """The certificate with its key, as PEM and as PFX."""
    found = tmp_path / request.param
    plain = serialization.NoEncryption()
    if found.suffix == ".pem":
        found.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
    else:
        found.write_bytes(pkcs12.serialize_key_and_certificates(b"mail", key, certificate, None, plain))
    return found


class Answer:
    """One answer, as msal reads it."""

    def __init__(self, status_code, body):
        self.status_code = status_code
        self.text = json.dumps(body)
        self.headers = {}

    def raise_for_status(self):
        if self.status_code >= 400:
            raise OSError(self.status_code)


class Entra:
    """msal's transport: the metadata of a tenant, and one answer for every token."""

    def __init__(self, status_code=200, body=None):
        self.answer = Answer(status_code, body or {"access_token": "t-1", "expires_in": 3600})
        self.asked = []

    def get(self, _url, **_):
        endpoints = {
            "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
            "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
            "issuer": f"{AUTHORITY}/v2.0",
            "metadata": [],
        }
        return Answer(200, endpoints)

    def post(self, url, *, data, **_):
        self.asked.append((url, data if isinstance(data, dict) else parse_qs(data)))
        return self.answer

    def close(self):
        pass


def _tokens(path, entra, **changes):
    settings = local_settings(
        graph_mailbox="privacy@controller.example",
        graph_client_id="app-1",
        graph_tenant_id=TENANT,
        graph_certificate_path=str(path),
        **changes,
    )
    return GraphTokens(settings, http_client=entra)


async def test_a_certificate_signs_for_its_app_and_asks_for_graph(path, key):
    """Once; after that msal has it."""
    entra = Entra()
    tokens = _tokens(path, entra)
    assert [await tokens.token() for _ in range(3)] == ["t-1"] * 3
    ((url, asked),) = entra.asked
    assert url == f"{AUTHORITY}/oauth2/v2.0/token"
    assert asked["scope"] == "https://graph.microsoft.com/.default"
    claims = jwt.decode(
        asked["client_assertion"],
        key.public_key(),
        algorithms=["PS256"],
        audience=f"{AUTHORITY}/oauth2/v2.0/token",
    )
    assert (claims["iss"], claims["sub"]) == ("app-1", "app-1")
    assert "x5t#S256" in jwt.get_unverified_header(asked["client_assertion"])


@pytest.mark.parametrize(
    ("status_code", "body", "detail"),
    [
        (401, {"error": "invalid_client", "error_description": "AADSTS7000 secret words"}, "invalid_client"),
        (400, {"error": "unauthorized_client"}, "unauthorized_client"),
        (503, {"error": "temporarily_unavailable"}, "MsalServiceError"),
    ],
)
async def test_a_credential_that_is_refused_keeps_the_letters(path, status_code, body, detail):
    """With the code and without the words."""
    with pytest.raises(Retryable) as caught:
        await _tokens(path, Entra(status_code, body)).token()
    assert str(caught.value) == f"{NOT_ACCEPTED}: graph.token {detail}"


@pytest.mark.parametrize("name", ["gone.pem", "gone.pfx"])
async def test_a_certificate_that_is_not_there_keeps_the_letters(tmp_path, name):
    """Until it is, and no path is told."""
    with pytest.raises(Retryable) as caught:
        await _tokens(tmp_path / name, Entra()).token()
    assert str(caught.value) == f"{NOT_ACCEPTED}: graph.token FileNotFoundError"


async def test_a_file_that_is_no_certificate_keeps_the_letters(tmp_path):
    """As one that is not there."""
    odd = tmp_path / "odd.pem"
    odd.write_text("no certificate")
    with pytest.raises(Retryable) as caught:
        await _tokens(odd, Entra()).token()
    assert caught.value.code == NOT_ACCEPTED


class Endpoint:
    """The endpoint of a managed identity in App Service."""

    def __init__(self):
        self.asked = []

    def get(self, url, *, params, headers, **_):
        self.asked.append((url, dict(params), headers["X-IDENTITY-HEADER"]))
        expires_on = str(int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))
        return Answer(200, {"access_token": "t-2", "expires_on": expires_on})


@pytest.mark.parametrize(
    ("settings", "client_id"),
    [
        ({"graph_client_id": "mail-identity", "managed_identity_client_id": "app-identity"}, "mail-identity"),
        ({"managed_identity_client_id": "app-identity"}, "app-identity"),
        ({}, None),  # the one of the app itself
    ],
)
async def test_a_managed_identity_needs_no_certificate(monkeypatch, settings, client_id):
    """Its own, or the app's."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h-1")
    endpoint = Endpoint()
    tokens = GraphTokens(local_settings(**settings), http_client=endpoint)
    assert [await tokens.token(), await tokens.token()] == ["t-2", "t-2"]
    ((url, params, header),) = endpoint.asked
    assert (url, header) == ("http://127.0.0.1:9/msi/token", "h-1")
    assert params["resource"] == "https://graph.microsoft.com"
    assert params.get("client_id") == client_id
