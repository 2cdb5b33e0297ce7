"""The app's roles allow what the adapters do, and no more."""

import ast
import re
from pathlib import Path

from shared.adapters.storage import OWN_CONTAINERS
from tests.infra.bicep import INFRA, read
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
    return [path for path in ADAPTERS.glob("cosmos_*.py") if path.name != SYSTEMS]


def test_what_is_done_to_our_own_items_is_allowed_and_nothing_else():
    """By single actions."""
    read_too = {"items/read"}  # a query reads what it finds
    assert _needed(_adapters()) | read_too == _allowed("complianceRole")


def test_what_is_done_to_the_systems_of_record_is_allowed_and_nothing_else():
    """Nothing is created there: products own it."""
    assert _needed([ADAPTERS / SYSTEMS]) | {"items/read"} == _allowed("systemsRole")


def test_one_adapter_alone_touches_the_systems_of_record():
    """Every other one names our own database."""
    for path in _adapters():
        databases = re.findall(r'\.container\(\s*"(\w+)"', path.read_text("utf-8"))
        assert set(databases) == {"compliance"}, path.name


def test_each_role_holds_in_its_own_database_only():
    """And metadata, which names no item, in the account."""
    scopes = {
        name: str(ROLES.resources[name].value["properties"]["scope"]).strip("'")
        for name in ("metadata", "systemsItems", "complianceItems")
    }
    assert scopes == {
        "metadata": "cosmos.id",
        "systemsItems": "${cosmos.id}/dbs/${systemsDatabase}",
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
