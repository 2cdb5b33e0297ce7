"""The lists of the scenario, and what the app is told of them."""

from __future__ import annotations

import json

from devtools.stand_ins.newsletter_clock import ZONE

PATH_END = "local-development-only-webhook-secret"  # its SHA-256 is in the example settings
CONFIRMED, OPEN = "d1" * 16, "d2" * 16
PURPOSES = {CONFIRMED: "member_newsletter", OPEN: "author_newsletter"}
"""What each list is for. The first asks everybody to confirm, which is recorded; the second not."""


def settings() -> dict[str, str]:
    """Return the app's settings that name the lists."""
    known = [
        {
            "list_id": list_id,
            "purpose_ids": [purpose_id],
            "confirmed_opt_in": list_id == CONFIRMED,
            "policy_version": "1" if list_id == CONFIRMED else "",
            "time_zone": ZONE,
        }
        for list_id, purpose_id in PURPOSES.items()
    ]
    return {"CAMPAIGN_MONITOR_LISTS": json.dumps(known)}


def webhook_url(api_url: str) -> str:
    """Return where the lists' webhooks go."""
    return f"{api_url}/webhooks/campaign-monitor/{PATH_END}"
