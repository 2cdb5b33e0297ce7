"""The app with one more fact recorded: that there is a contract with the newsletter's processor.

Without one the app hands nobody's address over, so none of its own sign-ups would reach the lists. None is on
record, so the scenario serves a copy of the app whose map has a made-up one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from devtools.app_environment import EXAMPLE_SETTINGS

_FILES = ("function_app.py", "host.json", EXAMPLE_SETTINGS)
_PACKAGES = ("functions", "shared")
_RECIPIENTS = Path("shared/datamap/maps/recipients.yaml")
_PROCESSOR = "campaign_monitor"


def copy_with_contract(root: Path, target: Path) -> None:
    """Copy what is deployed to an empty directory, with a contract reference of the demonstration's own."""
    for name in _FILES:
        shutil.copy2(root / name, target / name)
    for name in _PACKAGES:
        shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = target / _RECIPIENTS
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    for one in found["recipients"]:
        if one["id"] == _PROCESSOR:
            one["contract_ref"] = "made up for the demonstration"
            one["flags"] = [flag for flag in one["flags"] if flag != "contract_missing"]
    path.write_text(yaml.safe_dump(found, allow_unicode=True, sort_keys=False), encoding="utf-8")
