"""The templates hang together: what they name exists, what they need is given, and nothing opens a door."""

import json
import re

import pytest

from tests.infra.bicep import INFRA, ROOT, Declared, Template, parse, read, templates

TEMPLATES = {one.path.relative_to(INFRA).as_posix(): one for one in templates()}
RESOURCES = [(name, one) for name, file in TEMPLATES.items() for one in file.resources.values()]
TYPES = json.loads((INFRA / "resource-types.json").read_text("utf-8"))
# Built-in roles by their ids. Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles.
ROLES = {
    "blobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "blobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "blobDelegator": "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    "queueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "tableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "secretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "metricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "websiteContributor": "de139f84-1756-47ae-9be6-808fbbe84772",
}
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ALLOWED_TYPES = {"string", "int", "bool", "object", "array"}
READS_SECRETS = {
    "listKeys",
    "listSecrets",
    "listConnectionStrings",
    "listAccountSas",
    "listServiceSas",
    "getSecret",
}


@pytest.fixture(params=TEMPLATES)
def file(request) -> Template:
    """Each template."""
    return TEMPLATES[request.param]


def test_every_template_can_be_read(file):
    """By the grammar of the language."""
    assert file.errors == []


def test_the_reader_sees_what_is_wrong():
    """Otherwise the tests here would pass on anything."""
    found = parse(b"param a string\nresource b 'T/a@2020-01-01' = {\n  name: c\n", INFRA / "made-up.bicep")
    assert found.errors
    assert parse(b"var a = [for (x, n) in b: { c: x, d: e[n] }]\n", INFRA / "made-up.bicep").unknown == [
        "b",
        "e",
    ]


def test_every_name_that_is_used_is_declared(file):
    """A misspelt one would be found by nobody before a deployment."""
    assert file.unknown == []


def test_every_parameter_is_typed_and_described(file):
    """And says whether it is needed, as its default does."""
    for one in file.params.values():
        assert one.kind in ALLOWED_TYPES, one.name
        text = one.decorators["description"][0]
        assert text.startswith("Optional. " if one.has_default else "Required. "), one.name
        assert text.endswith("."), one.name


def test_every_parameter_and_variable_is_used(file):
    """One that is not tells a lie to whoever sets it."""
    source = file.path.read_text("utf-8")
    for name in [*file.params, *file.variables]:
        assert len(re.findall(rf"\b{name}\b", source)) > 1, name


def test_every_output_is_described_and_none_is_a_secret(file):
    """Outputs stand in the deployment's history for everybody who may read the group."""
    for one in file.outputs.values():
        assert one.decorators["description"], one.name
        assert not re.search(r"key|secret|password|connectionstring|sas", one.name, re.IGNORECASE), one.name
    assert not file.calls & READS_SECRETS
    assert not [name for name in file.calls if name.startswith("list")]


def test_every_module_gets_what_it_needs_and_nothing_else(file):
    """As a compiler would say."""
    for module in file.modules.values():
        called = read((file.path.parent / module.kind).resolve())
        given = set(module.value["params"])
        needed = {one.name for one in called.params.values() if not one.has_default}
        assert needed <= given, module.name
        assert given <= set(called.params), module.name


def test_every_output_of_a_module_that_is_read_exists(file):
    """By its name."""
    for name, output in re.findall(r"\b(\w+)\.outputs\.(\w+)", file.path.read_text("utf-8")):
        called = read((file.path.parent / file.modules[name].kind).resolve())
        assert output in called.outputs, f"{name}.{output}"


def test_every_type_and_version_is_a_known_one():
    """Each stands in the list with the page it was read on; the list holds no other."""
    assert {one.kind for _, one in RESOURCES} == set(TYPES)
    for kind, source in TYPES.items():
        version = kind.partition("@")[2]
        assert source.startswith("https://github.com/Azure/bicep-types-az/blob/")
        assert f"/{version}/types.md" in source


def test_no_role_is_known_but_those_listed_here():
    """A wrong digit would give somebody else's permissions."""
    found = set(GUID.findall("".join(one.path.read_text("utf-8") for one in TEMPLATES.values())))
    assert found == set(ROLES.values())
    given = TEMPLATES["modules/roles.bicep"].variables["role"].value
    assert given == {name: ROLES[name] for name in given}


def _of(kind: str) -> list[Declared]:
    found = [one for _, one in RESOURCES if one.kind.startswith(f"{kind}@") and not one.is_existing]
    assert found, kind
    return found


def test_no_store_takes_a_key():
    """Nor anybody without transport security, nor an anonymous caller."""
    for one in _of("Microsoft.Storage/storageAccounts"):
        assert one.value["properties"]["allowSharedKeyAccess"] is False
        assert one.value["properties"]["allowBlobPublicAccess"] is False
        assert one.value["properties"]["supportsHttpsTrafficOnly"] is True
        assert one.value["properties"]["minimumTlsVersion"] == "TLS1_2"
    for one in _of("Microsoft.DocumentDB/databaseAccounts"):
        assert one.value["properties"]["disableLocalAuth"] is True
        assert one.value["properties"]["disableKeyBasedMetadataWriteAccess"] is True
        assert one.value["properties"]["backupPolicy"]["type"] == "Continuous"
    for one in _of("Microsoft.KeyVault/vaults"):
        assert one.value["properties"]["enableRbacAuthorization"] is True
        assert one.value["properties"]["enablePurgeProtection"] is True
    for one in _of("Microsoft.Insights/components"):
        assert one.value["properties"]["DisableLocalAuth"] is True
    for one in _of("Microsoft.Storage/storageAccounts/blobServices/containers"):
        assert one.value["properties"]["publicAccess"] == "None"


def test_the_app_is_reached_by_https_only_and_deployed_without_a_password():
    """On the plan that bills by use."""
    (app,) = _of("Microsoft.Web/sites")
    assert app.value["properties"]["httpsOnly"] is True
    assert app.value["properties"]["siteConfig"]["minTlsVersion"] == "1.2"
    assert app.value["properties"]["siteConfig"]["cors"]["supportCredentials"] is False
    assert {one.value["name"] for one in _of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")} == {
        "ftp",
        "scm",
    }
    assert all(
        one.value["properties"]["allow"] is False
        for one in _of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    )
    (plan,) = _of("Microsoft.Web/serverfarms")
    assert plan.value["sku"] == {"tier": "FlexConsumption", "name": "FC1"}


def test_every_role_is_given_to_a_service_and_on_one_resource():
    """Never on the group or the subscription."""
    for one in _of("Microsoft.Authorization/roleAssignments"):
        assert one.value["properties"]["principalType"] == "ServicePrincipal", one.name
        assert "scope" in one.value, one.name


def test_data_roles_make_no_container_and_read_no_key():
    """The database's own roles name single actions; none of them ends in a star."""
    actions = {
        action.rpartition("databaseAccounts/")[2] if "databaseAccounts" in action else action
        for one in _of("Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions")
        for permission in one.value["properties"]["permissions"]
        for action in permission["dataActions"]
    }
    assert not [action for action in actions if action.strip("'").endswith("*")]


def test_nothing_but_metrics_and_masked_logs_leaves_for_the_workspace():
    """The host's log writes whole URLs; the database's data log names documents and partition keys."""
    categories = {
        log["category"]
        for one in _of("Microsoft.Insights/diagnosticSettings")
        for log in one.value["properties"].get("logs", [])
    }
    assert categories == {
        "AuditEvent",
        "ControlPlaneRequests",
        "StorageRead",
        "StorageWrite",
        "StorageDelete",
    }
    masked = TEMPLATES["modules/monitoring.bicep"].resources["masking"].value["properties"]["dataFlows"]
    assert {flow["streams"][0].rpartition("-")[2] for flow in masked} == {
        "AppRequests",
        "AppDependencies",
        "AppTraces",
        "AppExceptions",
        "StorageBlobLogs",
    }


def test_every_skipped_check_of_the_scanner_has_its_reason():
    """Beside the skip, in words."""
    for one in TEMPLATES.values():
        for line in one.path.read_text("utf-8").splitlines():
            if "checkov:skip" in line:
                assert re.search(r"// checkov:skip=CKV\w+: [a-z].{15,}$", line, re.IGNORECASE), line


def test_the_app_s_version_of_python_is_the_one_that_is_tested():
    """The oldest that the project takes."""
    (allowed,) = TEMPLATES["modules/function-app.bicep"].params["pythonVersion"].decorators["allowed"]
    assert allowed == [re.search(r'python_version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"))[1]]
