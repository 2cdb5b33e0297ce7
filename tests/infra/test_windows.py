"""How long a platform keeps what was erased is said as it is deployed."""

import pytest

from shared.datamap import loader
from shared.settings import Settings
from tests.contract.conftest import local_settings
from tests.infra.bicep import INFRA, read

MAIN = read(INFRA / "main.bicep")


def test_the_map_s_windows_are_the_settings_defaults():
    """Of a run that says nothing else."""
    days = {one.store: one.horizon_days for one in loader.load().policy.backups}
    assert days == local_settings().restorable_days()


def test_the_map_names_the_windows_that_are_deployed():
    """Every letter and report reads them from there; the map is still the reviewed one."""
    reviewed = loader.load()
    deployed = reviewed.as_deployed(
        local_settings(cosmos_backup_days=7, blob_soft_delete_days=3).restorable_days()
    )
    assert {one.store: one.horizon_days for one in deployed.policy.backups} == {"cosmos": 7, "blobs": 3}
    assert deployed.digest == reviewed.digest
    assert reviewed.as_deployed({}) == reviewed


@pytest.mark.parametrize(
    ("param", "setting"),
    [("cosmosBackupDays", "COSMOS_BACKUP_DAYS"), ("blobSoftDeleteDays", "BLOB_SOFT_DELETE_DAYS")],
)
def test_the_template_tells_the_app_what_it_sets(param, setting):
    """One parameter for both."""
    assert MAIN.variables["settings"].value[setting] == f"string({param})"
    assert setting.lower() in Settings.model_fields
    module = "cosmos" if param.startswith("cosmos") else "dataStorage"
    assert param in MAIN.modules[module].value["params"].values()
