"""What the newsletter processor holds about made-up people: the sign-ups, and how they read their mail."""

from collections.abc import Iterator, Sequence
from typing import Any

from devtools.sample_data.made_up import ip_address, opaque
from devtools.sample_data.person import SamplePerson
from devtools.sample_data.records import own_documents

_NEWSLETTER = "Newsletter 7 (made up)"


def subscribers(everyone: Sequence[SamplePerson]) -> Iterator[dict[str, Any]]:
    """Yield each sign-up as the processor's stand-in takes it, in the list its record names."""
    for person in everyone:
        for record in own_documents(person):
            if record.container == "newsletter_signups":
                yield _subscriber(person, record.body)


def _subscriber(person: SamplePerson, signup: dict[str, Any]) -> dict[str, Any]:
    opened = {
        "Event": "Open",
        "Date": "2026-10-05 08:30:00",
        "IPAddress": ip_address(person.chance("newsletter reading")),
        "Detail": "",
    }
    return {
        "ListID": signup["list_id"],
        "ListName": f"Newsletter in {person.language} (made up)",
        "EmailAddress": signup["email"],
        "Name": signup["name"],
        "CustomFields": [{"Key": "[Language]", "Value": person.language}],
        "History": [
            {
                "ID": opaque(person.seed, "campaign", 7) * 2,
                "Type": "Campaign",
                "Name": _NEWSLETTER,
                "Actions": [opened],
            }
        ],
    }
