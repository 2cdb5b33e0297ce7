"""The closing entries of a portability package: what it covers, schemas, and a list of every file.

It is made for another controller's programs: JSON with a schema and CSV beside it, in one ZIP file.
Source: GDPR article 20(1).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from shared.datamap.models import DataMap, DocumentStore
from shared.datamap.portability import not_covered, portable_part
from shared.domain.contacts import Contacts
from shared.domain.times import utc_text
from shared.rendering.archive import Member
from shared.rendering.records import json_schema
from shared.rendering.templating import to_bytes


@dataclass(frozen=True, kw_only=True)
class PortabilityFacts:
    """What the package says of itself. `records`: how many of each store it holds."""

    request_id: str
    language: str
    prepared_at: datetime
    contacts: Contacts
    records: Mapping[str, int]


def portability_entries(
    datamap: DataMap, facts: PortabilityFacts, members: Sequence[Member]
) -> list[tuple[str, bytes]]:
    """Return the package's last entries: portability.json, the schemas and manifest.json.

    Raises:
        Permanent: `contacts_incomplete`: configure the missing contact before any answer is made.
    """
    facts.contacts.require_complete()
    entries = [("portability.json", _json(_about(datamap, facts)))]
    for store_id in facts.records:
        _, store = datamap.store(store_id)
        if isinstance(store, DocumentStore):
            schema = json_schema(portable_part(store)) | {"required": []}
            entries.append((f"schema/{store_id}.schema.json", _json(schema)))
    files = [(member.name, member.size_bytes, member.sha256) for member in members]
    files += [(name, len(content), sha256(content).hexdigest()) for name, content in entries]
    manifest = [{"name": name, "size_bytes": size, "sha256": digest} for name, size, digest in files]
    return [*entries, ("manifest.json", _json({"request_id": facts.request_id, "entries": manifest}))]


def _about(datamap: DataMap, facts: PortabilityFacts) -> dict[str, Any]:
    language = facts.language
    return {
        "format": "portability/1",
        "request_id": facts.request_id,
        "prepared_at": utc_text(facts.prepared_at),
        "controller": {
            "name": facts.contacts.controller_name,
            "address": facts.contacts.controller_address,
            "email": facts.contacts.controller_email,
        },
        "covered": [
            {
                "activity": activity.id,
                "title": activity.title.in_language(language),
                "why": activity.portability.why.in_language(language),
                "stores": [
                    {"id": store.id, "records": facts.records[store.id]}
                    for store in activity.stores
                    if store.id in facts.records
                ],
            }
            for activity in datamap.activities
            if any(store.id in facts.records for store in activity.stores)
        ],
        "not_covered": [
            {
                "activity": activity.id,
                "title": activity.title.in_language(language),
                "why": activity.portability.why.in_language(language),
            }
            for activity in not_covered(datamap)
        ],
    }


def _json(value: Mapping[str, Any]) -> bytes:
    return to_bytes(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
