"""What may stand in an argument of a command: from its model, and from the data map of this program."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from functions._expected import DAY, MOMENT
from shared.datamap.loader import load
from shared.domain.identifiers import SUBJECT_KEY
from shared.domain.stops import stops

_OF_FORMAT = {"date": DAY, "date-time": MOMENT}


def hint(name: str, schema: Mapping[str, Any]) -> str:
    """Return what an argument may be. Empty: its name says it, or it has choices.

    Args:
        name: As the API spells it.
        schema: JSON schema of its values.
    """
    if "enum" in schema:
        return ""
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return _of_map().get(name, "") or _OF_FORMAT.get(schema.get("format", ""), "")


@cache
def _of_map() -> dict[str, str]:
    """Return hints by name; an installation with another data map may know other values."""
    datamap = load()
    activities = [one.id for one in datamap.activities]
    purposes = [purpose.id for one in datamap.activities for purpose in one.purposes]
    identifiers = datamap.policy.identifiers
    found = {
        "activity_id": activities,
        "attention": stops(one.id for one in identifiers),
        "kind": [one.id for one in identifiers if not one.shared and one.id != SUBJECT_KEY],
        "objects_to": [*activities, *purposes],
        "recipient_id": [one.id for one in datamap.recipients],
    }
    known = {name: "one of: " + ", ".join(values) for name, values in found.items()}
    corrected = ", ".join(datamap.policy.facts)
    return {
        **known,
        "activity_id": known["activity_id"] + "; none: on everything",
        "corrections": f"a fact and its right value; facts: {corrected}",
        "customer_id": "a customer that your account acts for; your administrator assigns them",
    }
