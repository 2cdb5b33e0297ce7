"""Names in the templates are the names in the code."""

import json

from devtools.sample_data import containers as sample
from shared.adapters.cosmos import COMPLIANCE_CONTAINERS
from shared.adapters.storage import OWN_CONTAINERS
from shared.datamap import loader
from shared.datamap.models import DocumentStore
from shared.domain.messages import QUEUES
from shared.settings import Settings
from tests.infra.bicep import INFRA, ROOT, read

NAMES = json.loads((INFRA / "names.json").read_text("utf-8"))
MAIN = read(INFRA / "main.bicep")
LOCAL_ONLY = {"outbox"}  # letters of local runs


def test_the_queues_are_those_that_messages_go_to():
    """Each with its poison queue, which the host would otherwise make on its own."""
    assert NAMES["queues"] == list(QUEUES)
    module = read(INFRA / "modules" / "host-storage.bicep")
    assert {module.resources[name].value["name"] for name in ("workQueues", "poisonQueues")} == {
        "queue",
        "'${queue}-poison'",
    }


def test_the_blob_containers_are_those_of_the_app():
    """Without the one of local runs."""
    blobs = NAMES["blobContainers"]
    assert set(blobs["ours"]) == set(OWN_CONTAINERS) - LOCAL_ONLY
    assert {blobs["packages"], blobs["evidence"]} <= set(blobs["ours"])
    assert set(blobs["systems"]) == set(sample.BLOB_CONTAINERS)
    assert {one["container"] for one in blobs["deletedAfterDays"]} <= set(blobs["ours"])


def test_the_containers_of_our_database_are_those_of_the_code():
    """With their partition keys and their time to live, which is a safety net only."""
    found = {one["name"]: (one["partitionKey"], one["ttl"].get("defaultTtl")) for one in NAMES["compliance"]}
    assert found == COMPLIANCE_CONTAINERS


def test_the_containers_of_the_systems_of_record_are_those_of_the_map():
    """And of the sample data, which fills them in a local run."""
    found = {one["name"]: one["partitionKey"] for one in NAMES["systems"]}
    assert found == {one.name: one.partition_key for one in sample.CONTAINERS}
    mapped = {
        store.container: store.partition_key
        for activity in loader.load().activities
        for store in activity.stores
        if isinstance(store, DocumentStore) and store.database == "clicklearn"
    }
    assert mapped.items() <= found.items()


def test_the_databases_are_those_of_the_settings():
    """By their defaults."""
    assert _default("systemsDatabase") == Settings.model_fields["cosmos_systems_database"].default
    assert _default("complianceDatabase") == Settings.model_fields["cosmos_compliance_database"].default


def test_the_host_reads_messages_as_the_app_writes_them():
    """Base64, beneath the prefix that the app's own address ends in."""
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    assert host["extensions"]["queues"]["messageEncoding"] == "base64"
    assert host["extensions"]["http"]["routePrefix"] == "api"
    assert "azurewebsites.net/api'" in MAIN.variables["settings"].text


def test_a_copy_lives_as_long_as_its_container_s_safety_net():
    """The sweep is first, by a day."""
    rules = read(INFRA / "modules" / "data-storage.bicep").resources["lifecycle"].text
    assert "daysAfterModificationGreaterThan: packageDays + 1" in rules


def test_pages_that_may_call_the_doors_are_the_same_in_a_local_run():
    """Besides the one of the local page."""
    local = json.loads((ROOT / "local.settings.example.json").read_text("utf-8"))["Host"]["CORS"].split(",")
    assert MAIN.params["corsOrigins"].value == [one for one in local if one.startswith("https://")]


def _default(name: str) -> str:
    return MAIN.params[name].value
