"""What a customer learns about one person of its installation: what is processed there, and how much of it.

It holds no record and no name: a copy is the person's own. Source: policy 4.2.1; GDPR articles 15(3), 15(4).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.datamap.models import Activity, DataMap
from shared.domain.contacts import Contacts
from shared.domain.times import utc_text
from shared.rendering.dates import moment_text
from shared.rendering.kept import criteria_text
from shared.rendering.templating import render_page, to_bytes
from shared.rendering.words import words


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """What the answer says. `records`: how many of each store are the person's at this customer."""

    request_id: str
    language: str
    received_at: datetime
    prepared_at: datetime
    customer: str
    contacts: Contacts
    records: Mapping[str, int]


def customer_entries(datamap: DataMap, facts: CustomerFacts) -> list[tuple[str, bytes]]:
    """Return the package's entries: index.html, about.json and manifest.json.

    `datamap` names the activities the answer speaks of, those of an installation.

    Raises:
        Permanent: `contacts_incomplete`: configure the missing contact before any answer is made.
    """
    facts.contacts.require_complete()
    about = _about(datamap, facts)
    context = {
        "w": words(facts.language),
        "c": about,
        "received": moment_text(facts.received_at, facts.language),
        "prepared": moment_text(facts.prepared_at, facts.language),
    }
    page = render_page("customer_answer.html.j2", context, language=facts.language, styles=("base", "report"))
    entries = [("index.html", to_bytes(page)), ("about.json", _json(about))]
    files = [
        {"name": name, "size_bytes": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in entries
    ]
    return [*entries, ("manifest.json", _json({"request_id": facts.request_id, "entries": files}))]


def _about(datamap: DataMap, facts: CustomerFacts) -> dict[str, Any]:
    return {
        "format": "customer-answer/1",
        "request_id": facts.request_id,
        "language": facts.language,
        "received_at": utc_text(facts.received_at),
        "prepared_at": utc_text(facts.prepared_at),
        "customer": facts.customer,
        "controller": {
            "name": facts.contacts.controller_name,
            "address": facts.contacts.controller_address,
            "email": facts.contacts.controller_email,
        },
        "activities": [_activity(datamap, activity, facts) for activity in datamap.activities],
    }


def _activity(datamap: DataMap, activity: Activity, facts: CustomerFacts) -> dict[str, Any]:
    language = facts.language
    return {
        "id": activity.id,
        "title": activity.title.in_language(language),
        "records": sum(facts.records.get(store.id, 0) for store in activity.stores),
        "stores": [
            {
                "id": store.id,
                "title": store.title.in_language(language),
                "records": facts.records[store.id],
            }
            for store in activity.stores
            if store.id in facts.records
        ],
        "purposes": [purpose.title.in_language(language) for purpose in activity.purposes],
        "source": activity.source.in_language(language),
        "kept": criteria_text(datamap, activity, language),
    }


def _json(value: Mapping[str, Any]) -> bytes:
    return to_bytes(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
