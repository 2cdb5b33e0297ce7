"""Settings: the model, the example file and what a wrong one is told."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from devtools.stand_ins.newsletter_account import API_KEY as STAND_IN_KEY
from shared import settings
from shared.domain.errors import Permanent
from shared.domain.limits import Limits
from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HOST_S_OWN = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
PLATFORM_S_OWN = {"WEBSITE_AUTH_ENABLED"}  # nobody but the platform sets it
EXAMPLE = json.loads((ROOT / "local.settings.example.json").read_text("utf-8"))["Values"]
HARMLESS = {  # a real installation may well have the same
    *("AUTHORITY_NAME", "AUTHORITY_ADDRESS", "AUTHORITY_EMAIL", "AUTHORITY_URL", "CONTACTS_VERIFIED_ON"),
    *("CONTROLLER_ADDRESS", "CONTROLLER_EMAIL"),  # of the made-up contact, which its name gives away
    *("REQUESTS_PER_ADDRESS_HOUR", "REQUESTS_PER_CLIENT_HOUR", "ERASURES_PER_HOUR"),
    "ALLOWED_ORIGINS",  # the company's own sites
    "DEPLOYMENT",  # says itself that it is a local run
}
TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
KEY = base64.b64encode(b"k" * 32).decode()
AZURE = {
    "DEPLOYMENT": "azure",
    "COSMOS_ENDPOINT": "https://account.documents.example/",
    "STORAGE_BLOB_URI": "https://account.blob.example/",
    "STORAGE_QUEUE_URI": "https://account.queue.example/",
    "PSEUDONYM_KEY": KEY,
    "PUBLIC_URL": "https://privacy.example/api",
    "GRAPH_MAILBOX": "privacy@controller.example",
    "STAFF_TENANT_ID": TENANT,
    "STAFF_CLIENT_ID": CLIENT,
}
LOCAL_STAFF = {
    **EXAMPLE,
    "STAFF_TENANT_ID": TENANT,
    "STAFF_CLIENT_ID": CLIENT,
    "STAFF_ISSUER_URL": "http://127.0.0.1:8083/tenant/v2.0",
    "STAFF_KEYS_URL": "http://127.0.0.1:8083/tenant/keys",
}


def test_the_example_file_names_every_setting_and_no_other():
    """Whoever copies it has all there are."""
    assert set(EXAMPLE) - HOST_S_OWN == {name.upper() for name in Settings.model_fields} - PLATFORM_S_OWN


def test_the_example_file_is_good_as_it_stands():
    """With contacts, so that answers can be sent."""
    read = settings.read(EXAMPLE)
    assert read.deployment == "local"
    read.contacts().require_complete()


def test_the_example_file_holds_no_secret():
    """Its keys are the emulators' published one and one that says what it is."""
    assert b"local-development-only" in base64.b64decode(EXAMPLE["PSEUDONYM_KEY"])
    assert EXAMPLE["STORAGE_CONNECTION"] == "UseDevelopmentStorage=true"
    assert EXAMPLE["CAMPAIGN_MONITOR_API_KEY"] == ""
    published = hashlib.sha256(b"local-development-only-system-key").hexdigest()
    assert EXAMPLE["SYSTEM_KEY_SHA256"] == published


def test_defaults_are_those_of_the_limits():
    """Said twice, the same twice."""
    assert settings.read(AZURE).limits() == Limits()


def test_every_setting_named_in_a_document_exists():
    """No document tells to set what nothing reads."""
    known = {name.upper() for name in Settings.model_fields} | {name.upper() for name in HOST_S_OWN}
    ours = (
        "COSMOS_",
        "STORAGE_",
        "CONTROLLER_",
        "AUTHORITY_",
        "PSEUDONYM_",
        "PUBLIC_",
        "CONTACTS_",
        "GRAPH_",
        "CAMPAIGN_",
        "GOOGLE_",
        "STAFF_",
        "TRUST_",
        "SYSTEM_",
    )
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        named = set(re.findall(r"\b[A-Z][A-Z]+_[A-Z_]+\b", path.read_text("utf-8")))
        unknown = {name for name in named if name.startswith(ours)} - known
        assert unknown == set(), path.name


@pytest.mark.parametrize(
    "name",
    [
        "COSMOS_ENDPOINT",
        "PSEUDONYM_KEY",
        "PUBLIC_URL",
        "STORAGE_BLOB_URI",
        "STORAGE_QUEUE_URI",
        "GRAPH_MAILBOX",
        "STAFF_TENANT_ID",
        "STAFF_CLIENT_ID",
    ],
)
def test_a_missing_setting_is_named(name):
    """All of them at once, where there are several."""
    with pytest.raises(Permanent) as caught:
        settings.read({key: value for key, value in AZURE.items() if key != name})
    assert (caught.value.code, caught.value.detail) == ("settings_invalid", name)


def test_every_missing_setting_is_named_at_once():
    """Not one after the other."""
    with pytest.raises(Permanent) as caught:
        settings.read({})
    assert caught.value.detail == (
        "COSMOS_ENDPOINT, GRAPH_MAILBOX, PSEUDONYM_KEY, PUBLIC_URL, STAFF_CLIENT_ID, STAFF_TENANT_ID, "
        "STORAGE_BLOB_URI, STORAGE_QUEUE_URI"
    )


def test_what_is_missing_is_named_together_with_what_is_wrong():
    """A field of the wrong form hides nothing else."""
    found = {**AZURE, "PACKAGE_DAYS": "two", "COSMOS_KEY": "emulator-key"}
    del found["GRAPH_MAILBOX"], found["PSEUDONYM_KEY"]
    with pytest.raises(Permanent) as caught:
        settings.read(found)
    assert caught.value.detail == "COSMOS_KEY, GRAPH_MAILBOX, PACKAGE_DAYS, PSEUDONYM_KEY"


@pytest.mark.parametrize("name", [one for one in sorted(EXAMPLE) if one not in {*HOST_S_OWN, *HARMLESS}])
def test_no_shortcut_of_the_example_file_gets_into_azure(name):
    """Whatever a local run sets apart from the defaults is refused there, by its name."""
    default = Settings.model_fields[name.lower()].default
    if EXAMPLE[name] in ("", "[]", "{}", "false", str(default)):
        return
    with pytest.raises(Permanent) as caught:
        settings.read({**AZURE, name: EXAMPLE[name]})
    assert caught.value.detail == name


@pytest.mark.parametrize(
    "name",
    [one.upper() for one in Settings.model_fields if one.endswith(("_url", "_uri", "_endpoint"))],
)
@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:8081/",
        "https://127.0.0.1/",
        "https://localhost:7071/api",
        "https://[::1]/",
        "http://a.example/",
    ],
)
def test_no_place_in_azure_is_this_machine_or_reached_in_the_clear(name, place):
    """For every setting that names a place, those to come too."""
    with pytest.raises(Permanent) as caught:
        settings.read({**AZURE, name: place})
    assert name in caught.value.detail.split(", ")
    assert place not in str(caught.value)


@pytest.mark.parametrize(
    "name", sorted(one for one in Settings.model_fields if "local_" in one or "key_file" in one)
)
def test_what_is_for_local_runs_alone_is_refused_in_azure(name):
    """Those to come too, as their names say what they are for."""
    value = "https://127.0.0.1:9443" if name.endswith("receiver") else "/a/file"
    with pytest.raises(Permanent) as caught:
        settings.read({**AZURE, name.upper(): value})
    assert caught.value.detail == name.upper()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAMPAIGN_MONITOR_API_KEY", STAND_IN_KEY),
        ("CAMPAIGN_MONITOR_API_KEY", "local-development-only-key"),
        ("CONTROLLER_NAME", EXAMPLE["CONTROLLER_NAME"]),
        ("ALLOWED_ORIGINS", "https://clicklearn.com,http://127.0.0.1:8000"),
        ("ALLOWED_ORIGINS", "http://clicklearn.com"),
        ("GOOGLE_KEY_FILE", "/a/key.json"),
        ("GOOGLE_ANALYTICS_URL", "http://127.0.0.1:8084/"),
        ("GOOGLE_ANALYTICS_URL", "https://analyticsadmin.googleapis.com.elsewhere.example"),
        ("GOOGLE_ANALYTICS_PROPERTY_ID", "properties/1"),
        ("GOOGLE_AUDIENCE", "//iam.elsewhere.example/projects/1/p"),
        ("GOOGLE_SERVICE_ACCOUNT", "somebody@people.example"),
        ("GOOGLE_AZURE_RESOURCE", "https://management.azure.com"),  # a token for that opens more
    ],
)
def test_what_is_published_or_leads_elsewhere_is_refused_in_azure(name, value):
    """Everybody can read it, or somebody else would get it."""
    with pytest.raises(Permanent) as caught:
        settings.read({**AZURE, name: value})
    assert caught.value.detail == name
    assert value not in str(caught.value)


def test_a_property_of_the_web_analytics_needs_an_identity_that_acts_there():
    """In Azure that of the app; a local run may have a key file instead."""
    identity = {
        "GOOGLE_AUDIENCE": "//iam.googleapis.com/projects/1/locations/l/workloadIdentityPools/p/providers/a",
        "GOOGLE_SERVICE_ACCOUNT": "deletions@made-up.iam.gserviceaccount.com",
        "GOOGLE_AZURE_RESOURCE": "api://google-pool",
    }
    connected = {**AZURE, "GOOGLE_ANALYTICS_PROPERTY_ID": "400000001"}
    assert settings.read({**connected, **identity}).google_analytics_property_id == "400000001"
    with pytest.raises(Permanent) as caught:
        settings.read(connected)
    assert caught.value.detail == ", ".join(sorted(identity))
    local = {**EXAMPLE, "GOOGLE_ANALYTICS_PROPERTY_ID": "400000001"}
    here = {"GOOGLE_KEY_FILE": "/a/key.json", "GOOGLE_ANALYTICS_URL": "http://127.0.0.1:8084/"}
    assert settings.read({**local, **here})
    with pytest.raises(Permanent):
        settings.read(local)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEPLOYMENT", "production"),
        ("PSEUDONYM_KEY", "not base64!"),
        ("PSEUDONYM_KEY", base64.b64encode(b"k" * 31).decode()),
        ("PSEUDONYM_KEY", EXAMPLE["PSEUDONYM_KEY"]),  # everybody can sign links with that one
        ("PUBLIC_URL", "http://privacy.example/api"),  # links carry tokens
        ("PACKAGE_DAYS", "0"),
        ("PACKAGE_DAYS", "31"),
        ("PACKAGE_DAYS", "two"),
        ("HOLD_REVIEW_DAYS", "0"),
        ("RETENTION_UNITS_PER_SECOND", "-1"),
        ("RETENTION_UNITS_PER_SECOND", "1000001"),
        ("RETENTION_REQUESTS_PER_SECOND", "100001"),
        ("RETENTION_QUIET_HOURS", "07:00-07:00"),
        ("RETENTION_QUIET_HOURS", "7-18"),
        ("HOLD_REVIEW_DAYS", "3661"),
        ("VERIFICATION_DAYS", "-1"),
        ("ERASURE_GRACE_SECONDS", "604801"),
        ("REQUESTS_PER_ADDRESS_HOUR", "0"),
        ("CONTACTS_VERIFIED_ON", "yesterday"),
        ("COSMOS_KEY", "emulator-key"),  # an emulator's key has no place in Azure
        ("STORAGE_CONNECTION", "UseDevelopmentStorage=true"),
        ("GRAPH_URL", "http://127.0.0.1:9/v1.0"),  # nor has a stand-in
        ("GRAPH_URL", "https://localhost:9/v1.0"),
        ("GRAPH_URL", "http://graph.microsoft.com/v1.0"),
        ("GRAPH_URL", "graph"),
        ("GRAPH_URL", "https://collector.example/v1.0"),  # nor anybody but the vendor
        ("GRAPH_URL", "https://graph.microsoft.com.elsewhere.example/v1.0"),
        ("GRAPH_URL", "https://graph.microsoft.com@elsewhere.example/v1.0"),
        ("GRAPH_URL", "https://user@graph.microsoft.com/v1.0"),
        ("GRAPH_URL", "https://graph.microsoft.com:8443/v1.0"),
        ("GRAPH_URL", "https://graph.microsoft.com:port/v1.0"),
        ("GRAPH_URL", "https://login.microsoftonline.com"),
        ("GRAPH_AUTHORITY_URL", "https://127.0.0.1:9"),
        ("GRAPH_AUTHORITY_URL", "https://collector.example"),
        ("GRAPH_AUTHORITY_URL", "https://graph.microsoft.com"),
        ("CAMPAIGN_MONITOR_URL", "http://127.0.0.1:8082/api/v3.3"),
        ("CAMPAIGN_MONITOR_URL", "https://api.createsend.com.elsewhere.example/api/v3.3"),
        ("CAMPAIGN_MONITOR_URL", "http://api.createsend.com/api/v3.3"),
        ("CAMPAIGN_MONITOR_CLIENT_ID", "c" * 31),
        ("CAMPAIGN_MONITOR_CLIENT_ID", "../" + "c" * 29),
        ("STAFF_TENANT_ID", "common"),  # every tenant there is
        ("STAFF_TENANT_ID", TENANT + "/.."),
        ("STAFF_CLIENT_ID", "66666666-7777-8888-9999-00000000000"),
        ("STAFF_CUSTOMERS", "no json"),
        ("STAFF_CUSTOMERS", "[1, 2]"),
        ("STAFF_CUSTOMERS", '{"a": "b"}'),
        ("STAFF_CUSTOMERS", '{"a": [""]}'),
        ("TRUST_EASYAUTH", "perhaps"),
        ("SYSTEM_KEY_SHA256", "a-key-and-not-its-hash"),
        ("SYSTEM_KEY_SHA256", "A" * 64),
        ("SYSTEM_KEY_SHA256", EXAMPLE["SYSTEM_KEY_SHA256"]),  # everybody can read that one's key
        ("TRANSFER_LOCAL_RECEIVER", "https://127.0.0.1:9443"),  # nor has a way into our own network
        ("TRANSFER_LOCAL_CA_FILE", "/tmp/ca.pem"),  # noqa: S108  a name only
        ("COSMOS_BACKUP_DAYS", "6"),
        ("COSMOS_BACKUP_DAYS", "31"),
        ("BLOB_SOFT_DELETE_DAYS", "0"),
        ("BLOB_SOFT_DELETE_DAYS", "366"),
        ("CLOCK_OFFSET_SECONDS", "1"),  # nor is it ever another day there
        ("CLOCK_OFFSET_SECONDS", "-1"),
        ("CLOCK_OFFSET_SECONDS", "tomorrow"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(name, value):
    """Values may be secrets."""
    with pytest.raises(Permanent) as caught:
        settings.read({**AZURE, name: value})
    assert caught.value.detail == name
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACKAGE_DAYS", "30"),
        ("PACKAGE_DAYS", "1"),
        ("HOLD_REVIEW_DAYS", "1"),
        ("HOLD_REVIEW_DAYS", "3660"),
        ("CONTACTS_VERIFIED_ON", ""),
        ("COSMOS_BACKUP_DAYS", "7"),
        ("BLOB_SOFT_DELETE_DAYS", "365"),
        ("GRAPH_URL", "https://graph.microsoft.com/v1.0"),
        ("GRAPH_URL", "https://GRAPH.microsoft.com:443/v1.0"),
        ("GRAPH_AUTHORITY_URL", "https://login.microsoftonline.com"),
        ("SYSTEM_KEY_SHA256", ""),
        ("SYSTEM_KEY_SHA256", "0" * 64),
    ],
)
def test_a_setting_at_its_bound_is_taken(name, value):
    """And an empty date is none."""
    assert settings.read({**AZURE, name: value})


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ([], None),
        (["GRAPH_TENANT_ID"], "GRAPH_TENANT_ID"),
        (["GRAPH_CLIENT_ID", "GRAPH_TENANT_ID"], "GRAPH_CLIENT_ID, GRAPH_TENANT_ID"),
    ],
)
def test_a_certificate_needs_to_be_known_by_somebody(missing, named):
    """Its app and tenant; a managed identity needs neither."""
    mail = {"GRAPH_CERTIFICATE_PATH": "/mail.pem", "GRAPH_CLIENT_ID": "app", "GRAPH_TENANT_ID": "tenant"}
    environment = AZURE | {name: value for name, value in mail.items() if name not in missing}
    if named is None:
        assert settings.read(environment)
        return
    with pytest.raises(Permanent) as caught:
        settings.read(environment)
    assert caught.value.detail == named


def test_a_local_run_may_send_to_a_stand_in():
    """On this machine, in the clear."""
    assert settings.read({**EXAMPLE, "GRAPH_MAILBOX": "a@b.example", "GRAPH_URL": "http://127.0.0.1:9/v1.0"})


@pytest.mark.parametrize(
    "url",
    [
        "http://processor.example/api",
        "https://processor.example/api",
        "http://127.0.0.1.example/api",
        "http://127.0.0.1:80@processor.example/api",
        "",
    ],
)
def test_a_local_run_reaches_no_processor_but_the_vendor_and_this_machine(url):
    """The key and the addresses go nowhere else."""
    with pytest.raises(Permanent) as caught:
        settings.read({**EXAMPLE, "CAMPAIGN_MONITOR_URL": url})
    assert caught.value.detail == "CAMPAIGN_MONITOR_URL"
    assert settings.read({**EXAMPLE, "CAMPAIGN_MONITOR_URL": "http://127.0.0.1:8082/api/v3.3"})


def test_a_client_of_a_processor_needs_its_key():
    """Both or none."""
    client = {**AZURE, "CAMPAIGN_MONITOR_CLIENT_ID": "c" * 32}
    with pytest.raises(Permanent) as caught:
        settings.read(client)
    assert caught.value.detail == "CAMPAIGN_MONITOR_API_KEY"
    assert settings.read({**client, "CAMPAIGN_MONITOR_API_KEY": "a-key"})


def test_contacts_that_are_not_set_are_found_incomplete():
    """The app starts, and sends no answer."""
    with pytest.raises(Permanent) as caught:
        settings.read(AZURE).contacts().require_complete()
    assert caught.value.code == "contacts_incomplete"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8083/tenant/v2.0",
        "https://127.0.0.1:8083/tenant/v2.0",
        f"https://login.microsoftonline.com/{TENANT}",
        f"http://login.microsoftonline.com/{TENANT}/v2.0",
        f"https://login.microsoftonline.com.elsewhere.example/{TENANT}/v2.0",
        f"https://login.microsoftonline.com/{CLIENT}/v2.0",
        f"https://sts.windows.net/{TENANT}/",
    ],
)
def test_in_azure_nobody_but_the_tenant_says_who_is_staff(url):
    """Neither a development issuer nor another tenant, for the issuer as for its keys."""
    for changes, named in [
        ({"STAFF_ISSUER_URL": url, "STAFF_KEYS_URL": settings.read(AZURE).staff_keys}, "STAFF_ISSUER_URL"),
        ({"STAFF_ISSUER_URL": settings.read(AZURE).staff_issuer, "STAFF_KEYS_URL": url}, "STAFF_KEYS_URL"),
    ]:
        with pytest.raises(Permanent) as caught:
            settings.read({**AZURE, **changes})
        assert caught.value.detail == named


def test_the_issuer_and_its_keys_are_those_of_the_tenant():
    """Unless a local run names others; writing them out changes nothing."""
    found = settings.read({**AZURE, "STAFF_TENANT_ID": TENANT.upper()})
    assert found.staff_issuer == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert found.staff_keys == f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"
    named = {"STAFF_ISSUER_URL": found.staff_issuer, "STAFF_KEYS_URL": found.staff_keys}
    assert settings.read({**AZURE, **named}).staff_issuer == found.staff_issuer
    assert settings.read(LOCAL_STAFF).staff_keys == LOCAL_STAFF["STAFF_KEYS_URL"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"STAFF_ISSUER_URL": "http://issuer.example:80/v2.0"}, "STAFF_ISSUER_URL"),
        ({"STAFF_KEYS_URL": "http://127.0.0.1.example:80/keys"}, "STAFF_KEYS_URL"),
        ({"STAFF_KEYS_URL": ""}, "STAFF_KEYS_URL"),
        ({"STAFF_ISSUER_URL": ""}, "STAFF_KEYS_URL"),
        ({"STAFF_CLIENT_ID": ""}, "STAFF_CLIENT_ID"),
        ({"STAFF_TENANT_ID": ""}, "STAFF_TENANT_ID"),
        ({"TRUST_EASYAUTH": "true"}, "TRUST_EASYAUTH"),
    ],
)
def test_a_local_run_takes_an_issuer_of_this_machine_and_no_other(change, named):
    """With its own keys; and the platform's header, which nobody here strips, never counts."""
    with pytest.raises(Permanent) as caught:
        settings.read({**LOCAL_STAFF, **change})
    assert caught.value.detail == named


@pytest.mark.parametrize(
    ("said", "is_on"),
    [
        ("True", True),
        ("true", True),
        (" TRUE ", True),
        ("1", False),
        ("False", False),
        ("", False),
        ("on", False),
    ],
)
def test_the_platform_s_sign_in_is_on_where_the_platform_says_so(said, is_on):
    """As the Functions host reads it."""
    assert settings.read({**AZURE, "WEBSITE_AUTH_ENABLED": said}).website_auth_enabled is is_on


def test_customers_of_an_administrator_are_read_from_json():
    """Ids of accounts in any case."""
    found = settings.read({**AZURE, "STAFF_CUSTOMERS": json.dumps({TENANT.upper(): ["c-1", "c-2"]})})
    assert found.staff_customers == {TENANT: ("c-1", "c-2")}
    assert settings.read({**AZURE, "STAFF_CUSTOMERS": ""}).staff_customers == {}


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("", True),
        ("https://127.0.0.1:9443", True),
        ("https://receiver.test:1", True),
        ("https://[::1]:9443", True),
        ("http://127.0.0.1:9443", False),
        ("https://127.0.0.1", False),
        ("https://127.0.0.1:9443/", False),
        ("https://user@127.0.0.1:9443", False),
    ],
)
def test_the_receiver_of_a_local_run_is_one_origin(value, is_good):
    """It is compared letter by letter."""
    if is_good:
        assert settings.read({**EXAMPLE, "TRANSFER_LOCAL_RECEIVER": value}).transfer_local_receiver == value
        return
    with pytest.raises(Permanent) as caught:
        settings.read({**EXAMPLE, "TRANSFER_LOCAL_RECEIVER": value})
    assert caught.value.detail == "TRANSFER_LOCAL_RECEIVER"
