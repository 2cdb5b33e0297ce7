"""The app with some more facts recorded: a contract, how a processor knows people, how to reach a carrier.

Without a contract with the newsletter's processor the app hands nobody's address over, so none of its own
sign-ups would reach the lists. None of these facts is on record, so the scenario serves a copy of the app
whose map has made-up ones.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from devtools.app_environment import EXAMPLE_SETTINGS

_FILES = ("function_app.py", "host.json", EXAMPLE_SETTINGS)
_PACKAGES = ("functions", "shared")
_RECIPIENTS = Path("shared/datamap/maps/recipients.yaml")
CARRIER = "postnord"
CARRIER_CONTACT = "privacy@carrier.example"  # made up
_FACTS: dict[str, dict[str, object]] = {
    "campaign_monitor": {"contract_ref": "made up for the demonstration"},
    "google_analytics": {"identifiers": {"user_id": "userId"}},
    CARRIER: {"contact": CARRIER_CONTACT},
}


def copy_with_facts(root: Path, target: Path) -> None:
    """Copy what is deployed to an empty directory, with facts of the demonstration's own in its map."""
    for name in _FILES:
        shutil.copy2(root / name, target / name)
    for name in _PACKAGES:
        shutil.copytree(root / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = target / _RECIPIENTS
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    for one in found["recipients"]:
        facts = _FACTS.get(one["id"], {})
        one.update(facts)
        if "contract_ref" in facts:
            one["flags"] = [flag for flag in one["flags"] if flag != "contract_missing"]
    path.write_text(yaml.safe_dump(found, allow_unicode=True, sort_keys=False), encoding="utf-8")
