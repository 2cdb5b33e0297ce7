"""The templates set what the app reads, nothing else, and no secret."""

import json
import re

import pytest

from shared import settings
from shared.domain.errors import Permanent
from shared.settings import Settings
from tests.infra.bicep import INFRA, read

MAIN = read(INFRA / "main.bicep")
GIVEN = MAIN.variables["settings"].value
NAMES = json.loads((INFRA / "names.json").read_text("utf-8"))
DIGESTS = {"SYSTEM_KEY_SHA256", "CAMPAIGN_MONITOR_WEBHOOK_SECRETS_SHA256"}
NOT_GIVEN = {
    "COSMOS_KEY": "emulators only",
    "STORAGE_CONNECTION": "emulators only",
    "TRANSFER_LOCAL_RECEIVER": "local runs only",
    "TRANSFER_LOCAL_CA_FILE": "local runs only",
    "CLOCK_OFFSET_SECONDS": "local runs only",
    "GRAPH_URL": "the vendor's, as in the code",
    "GRAPH_AUTHORITY_URL": "the vendor's, as in the code",
    "GRAPH_TENANT_ID": "with a certificate only; the managed identity sends letters",
    "GRAPH_CLIENT_ID": "as above",
    "GRAPH_CERTIFICATE_PATH": "as above",
    "CAMPAIGN_MONITOR_URL": "the vendor's, as in the code",
    "GOOGLE_ANALYTICS_URL": "the vendor's, as in the code",
    "GOOGLE_KEY_FILE": "local runs only",
    "STAFF_ISSUER_URL": "the tenant's, as the code works out",
    "STAFF_KEYS_URL": "as above",
    "WEBSITE_AUTH_ENABLED": "set by the platform",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "set with the host's own",
}
# Moved into functionAppConfig, or ignored. Source:
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations.
NOT_ON_FLEX = re.compile(
    r"FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*"
    r"|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|WEBSITE_TIME_ZONE|TZ"
)
LOOKS_SECRET = re.compile(r"(^|_)(KEY|SECRETS?|PASSWORD|CONTROLLERS|TOKEN)(_|$)")


def test_every_setting_of_the_app_is_set_or_has_a_reason_not_to_be():
    """And none is set that nothing reads."""
    known = {name.upper() for name in Settings.model_fields}
    assert set(GIVEN) | set(NOT_GIVEN) == known
    assert not set(GIVEN) & set(NOT_GIVEN)


def test_a_setting_that_is_a_secret_comes_from_the_vault():
    """As a reference; its value is in no template, no parameter and no history of deployments."""
    secret = {name for name in GIVEN if LOOKS_SECRET.search(name)} - DIGESTS
    assert {"PSEUDONYM_KEY", "CAMPAIGN_MONITOR_API_KEY", "OPENDSR_KEY"} <= secret
    referenced = {name for name in GIVEN if "secretPrefix" in GIVEN[name]}
    assert referenced == secret
    named = {re.search(r"names\.secrets\.(\w+)", GIVEN[name])[1] for name in referenced}
    assert named == set(NAMES["secrets"])


def test_what_the_model_hides_from_its_text_is_a_secret_here_too():
    """The code and the templates agree on what is one."""
    hidden = {name.upper() for name, one in Settings.model_fields.items() if not one.repr}
    assert hidden - set(NOT_GIVEN) <= {name for name in GIVEN if "secretPrefix" in GIVEN[name]}


def test_the_host_s_settings_are_those_of_an_identity():
    """A user-assigned one needs all of them; a connection string has no place."""
    host = read(INFRA / "modules" / "function-app.bicep").variables["hostSettings"].value
    prefix = "AzureWebJobsStorage__"
    assert {name.removeprefix(prefix) for name in host if name.startswith(prefix)} == {
        "blobServiceUri",
        "queueServiceUri",
        "tableServiceUri",
        "credential",
        "clientId",
    }
    assert host["AzureWebJobsStorage__credential"] == "managedidentity"
    assert "Authorization=AAD" in host["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]
    assert "AzureWebJobsStorage" not in host
    assert not [name for name in {*host, *GIVEN} if NOT_ON_FLEX.fullmatch(name)]


def _deployed(**changes: str) -> dict[str, str]:
    """Return an environment as a deployment makes it, with what only Azure knows made up."""
    made_up = {
        "DEPLOYMENT": "azure",
        "COSMOS_ENDPOINT": "https://cosmos.documents.example:443/",
        "STORAGE_BLOB_URI": "https://data.blob.example/",
        "STORAGE_QUEUE_URI": "https://host.queue.example/",
        "MANAGED_IDENTITY_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
        "PSEUDONYM_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "PUBLIC_URL": "https://func.example/api",
        "STAFF_TENANT_ID": "11111111-2222-3333-4444-555555555555",
        "STAFF_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
        "GRAPH_MAILBOX": "privacy@controller.example",
        "CONTACTS_VERIFIED_ON": "2026-11-01",
    }
    found: dict[str, str] = {}
    for name, text in GIVEN.items():
        param = re.fullmatch(r"(?:string\()?(\w+)\)?", text)
        default = MAIN.params[param[1]].value if param and param[1] in MAIN.params else ""
        found[name] = made_up.get(name, "" if default is None or "(" in str(default) else str(default))
    return {**found, **changes}


def test_the_app_starts_with_what_a_deployment_sets():
    """With every default, and what is required."""
    found = settings.read(_deployed())
    assert found.deployment == "azure"
    assert found.trust_easyauth is False
    assert found.limits() == settings.read(_deployed()).limits()


@pytest.mark.parametrize("name", ["PSEUDONYM_KEY", "CAMPAIGN_MONITOR_API_KEY"])
def test_a_secret_that_the_vault_does_not_give_is_named(name):
    """The platform leaves the reference as it stands, or empty; nothing is signed with that."""
    newsletters = {"CAMPAIGN_MONITOR_CLIENT_ID": "c" * 32, "CAMPAIGN_MONITOR_API_KEY": "a-key"}
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/one)"
    with pytest.raises(Permanent) as caught:
        settings.read(_deployed(**{**newsletters, name: reference}))
    assert caught.value.detail == name
