"""The app's settings in a local run: one place that knows their names."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools.failures import CannotStartError
from devtools.stand_ins.google_analytics import PROPERTY_ID
from devtools.stand_ins.issuer_staff import settings_for
from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID

EXAMPLE_SETTINGS = "local.settings.example.json"


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Hold where the local services are.

    Attributes:
        storage_connection_string: Connection string of Azurite.
        cosmos_endpoint: URL of the Cosmos DB emulator.
        functions_url: URL of the functions host, without a slash at its end.
        campaign_monitor_url: Base of the newsletter processor's API; empty: none is connected.
        google_analytics_url: Base of the web analytics' API; empty: none is connected.
        google_key_file: The made-up key that it is signed in with.
        issuer_url: Authority of the issuer of staff tokens; empty: nobody is staff.
    """

    storage_connection_string: str
    cosmos_endpoint: str
    functions_url: str
    campaign_monitor_url: str = ""
    google_analytics_url: str = ""
    google_key_file: str = ""
    issuer_url: str = ""


def example_values(root: Path) -> dict[str, str]:
    """Return the settings of the example file.

    Raises:
        CannotStartError: The file is missing or is not what Core Tools reads.
    """
    try:
        document = json.loads((root / EXAMPLE_SETTINGS).read_text(encoding="utf-8"))
        return {name: str(value) for name, value in document["Values"].items()}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise CannotStartError(f"{EXAMPLE_SETTINGS} cannot be read: {error}") from error


def endpoint_values(endpoints: Endpoints) -> dict[str, str]:
    """Return the settings that say where the local services are."""
    newsletter = {
        "CAMPAIGN_MONITOR_URL": endpoints.campaign_monitor_url,
        "CAMPAIGN_MONITOR_CLIENT_ID": CLIENT_ID,
        "CAMPAIGN_MONITOR_API_KEY": API_KEY,
    }
    analytics = {
        "GOOGLE_ANALYTICS_URL": endpoints.google_analytics_url,
        "GOOGLE_ANALYTICS_PROPERTY_ID": PROPERTY_ID,
        "GOOGLE_KEY_FILE": endpoints.google_key_file,
    }
    return {
        **(analytics if endpoints.google_analytics_url else {}),
        **(newsletter if endpoints.campaign_monitor_url else {}),
        **(settings_for(endpoints.issuer_url) if endpoints.issuer_url else {}),
        "AzureWebJobsStorage": endpoints.storage_connection_string,
        "STORAGE_CONNECTION": endpoints.storage_connection_string,
        "COSMOS_ENDPOINT": endpoints.cosmos_endpoint,
        "PUBLIC_URL": f"{endpoints.functions_url}/api",
    }


def app_environment(
    root: Path, endpoints: Endpoints, *, overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the whole environment of a process that runs the app or talks to its stores.

    The example settings win over what this machine's environment happens to hold, so that a local run never
    reaches a real account by accident.

    Args:
        root: The repository root.
        endpoints: Where the local services are.
        overrides: Settings that win over everything.
    """
    return {**os.environ, **example_values(root), **endpoint_values(endpoints), **(overrides or {})}
