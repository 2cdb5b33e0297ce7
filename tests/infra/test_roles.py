"""The app's roles allow what the adapters do, and no more."""

import ast
import json
import re
from pathlib import Path

from shared.adapters.storage import OWN_CONTAINERS
from shared.datamap import loader
from shared.services import sign_ups
from tests.infra.bicep import INFRA, ROOT, read
from tests.infra.queries import ADAPTERS

ROLES = read(INFRA / "modules" / "roles.bicep")
ITEMS = {  # what each call of the client library needs of a role of the database
    "create_item": "items/create",
    "read_item": "items/read",
    "read_items": "items/read",
    "replace_item": "items/replace",
    "patch_item": "items/replace",
    "upsert_item": "items/upsert",
    "delete_item": "items/delete",
    "query_items": "executeQuery",
}
BATCHED = {"create": "items/create", "replace": "items/replace", "delete": "items/delete"}
SYSTEMS = "cosmos_documents.py"  # the one adapter of the systems of record
MAKES = re.compile(r"\.(create_container|create_database\w*|create_queue|delete_container|delete_database)\(")


def _allowed(name: str) -> set[str]:
    (permission,) = ROLES.resources[name].value["properties"]["permissions"]
    return {str(one).strip("'").removeprefix("${anyItem}/") for one in permission["dataActions"]}


def _needed(paths: list[Path]) -> set[str]:
    """Return what the calls in these files need, those of their batches too."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ITEMS:
                found.add(ITEMS[node.attr])
            if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant):
                found |= {BATCHED[node.elts[0].value]} if node.elts[0].value in BATCHED else set()
    return found


def _adapters() -> list[Path]:
    found = [
        path for path in ADAPTERS.glob("*.py") if "(self, databases: CosmosDatabases" in _parameters(path)
    ]
    return [path for path in found if path.name != SYSTEMS]


def _parameters(path: Path) -> str:
    """Return a file's text on one line, so that parameters stand beside each other."""
    return re.sub(
        r"storage: Storage, |\s+", lambda one: "" if "S" in one[0] else " ", path.read_text("utf-8")
    )


def test_what_is_done_to_our_own_items_is_allowed_and_nothing_else():
    """By single actions."""
    read_too = {"items/read"}  # a query reads what it finds
    assert _needed(_adapters()) | read_too == _allowed("complianceRole")


def test_what_is_done_to_the_systems_of_record_is_allowed_and_nothing_else():
    """Products own it: items are created in single containers only."""
    needed = _needed([ADAPTERS / SYSTEMS])
    assert (needed | {"items/read"}) - {"items/create"} == _allowed("systemsRole")
    assert _allowed("creatingRole") == {"items/create"}


def test_items_are_created_in_those_systems_of_record_that_a_service_names():
    """Each by a service of its own; a new one has to be added to the roles."""
    services = ROOT / "shared" / "services"
    creating = [path.name for path in services.glob("*.py") if "documents.create(" in path.read_text("utf-8")]
    assert creating == ["sign_ups.py"]
    _, store = loader.load().store(sign_ups.STORE)
    assert json.loads((INFRA / "names.json").read_text("utf-8"))["createdInSystems"] == [store.container]


def test_one_adapter_alone_touches_the_systems_of_record():
    """Every other one names our own database."""
    for path in _adapters():
        databases = re.findall(r'\.container\(\s*"(\w+)"', path.read_text("utf-8"))
        assert set(databases) == {"compliance"}, path.name


def test_each_role_holds_in_its_own_database_only():
    """And metadata, which names no item, in the account."""
    scopes = {
        name: str(ROLES.resources[name].value["properties"]["scope"]).strip("'")
        for name in ("metadata", "systemsItems", "createdItems", "complianceItems")
    }
    assert scopes == {
        "metadata": "cosmos.id",
        "systemsItems": "${cosmos.id}/dbs/${systemsDatabase}",
        "createdItems": "${cosmos.id}/dbs/${systemsDatabase}/colls/${container}",
        "complianceItems": "${cosmos.id}/dbs/${complianceDatabase}",
    }


def test_no_adapter_makes_or_removes_a_container_in_azure():
    """Data roles could not; Bicep does it. What the emulator needs stands in one function for it."""
    for path in ADAPTERS.glob("*.py"):
        text = path.read_text("utf-8")
        if path.name == "cosmos.py":
            text = text.partition("async def create_compliance_database")[0]
        assert not MAKES.search(text), path.name


def test_proofs_cannot_be_deleted_and_versions_can():
    """By the roles of the two kinds of containers."""

    def actions(name: str) -> set[str]:
        (permission,) = ROLES.resources[name].value["properties"]["permissions"]
        return {str(one).strip("'").removeprefix("${anyBlob}/") for one in permission["dataActions"]}

    assert actions("evidenceWriter") == {"read", "write", "add/action"}
    assert {"delete", "deleteBlobVersion/action"} <= actions("systemsEraser")
    assert "evidence" in OWN_CONTAINERS


def test_every_scope_of_blobs_is_one_container():
    """Only the key that signs links belongs to the account."""
    of_data = {
        name: str(one.value.get("scope"))
        for name, one in ROLES.resources.items()
        if one.kind.startswith("Microsoft.Authorization/roleAssignments@") and "host" not in name
    }
    assert of_data == {
        "links": "dataStorage",
        "ownBlobs": "ownContainers[number]",
        "systemsBlobs": "systemsContainers[number]",
        "secrets": "vault",
        "telemetry": "insights",
    }
