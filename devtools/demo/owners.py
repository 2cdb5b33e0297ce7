"""Whose each document, line and blob of the sample data is, as the generator made it. The app has no say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from devtools.demo.holdings import Holdings, Place
from devtools.sample_data import CONTAINERS, LineBlob, SamplePerson, blobs, documents
from devtools.sample_data.containers import DATABASE

_PARTITION_PATHS = {container.name: container.partition_key for container in CONTAINERS}
SHARED_DOCUMENTS = {"licences": "contacts", "customer_reports": "rows"}
"""Containers whose documents hold several people, and where in a document they stand."""
SYSTEM_FIELDS = frozenset({"_rid", "_self", "_etag", "_attachments", "_ts"})


@dataclass(kw_only=True)
class Owners:
    """Owners by key of person.

    Attributes:
        documents: Of each document of the systems of record.
        files: Of each blob that is one person's, by container and name.
        lines: Of each line of a shared blob, by container and name: line and owner, in order.
    """

    documents: dict[Place, frozenset[str]] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    lines: dict[tuple[str, str], list[tuple[bytes, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, everyone: Sequence[SamplePerson]) -> Owners:
        """Return whose everything is that the generator makes for these people."""
        made = cls()
        for record in documents(everyone):
            made.documents[place_of(record.container, record.body)] = record.owners
        for blob in blobs(everyone):
            if isinstance(blob, LineBlob):
                lines = blob.data.splitlines(keepends=True)
                owners = [owner for owner, _ in blob.lines]
                made.lines[blob.container, blob.name] = list(zip(lines, owners, strict=True))
            else:
                made.files[blob.container, blob.name] = blob.owner
        return made


def place_of(container: str, body: dict[str, Any]) -> Place:
    """Return where the sample data puts a document."""
    partition = body[_PARTITION_PATHS[container].removeprefix("/")]
    return Place(
        database=DATABASE, container=container, partition=json.dumps(partition), document_id=body["id"]
    )


def content_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without the fields that the service adds."""
    return {name: value for name, value in document.items() if name not in SYSTEM_FIELDS}


def is_of(element: object, people: Sequence[SamplePerson]) -> bool:
    """Tell whether an element of a shared document is about one of these people."""
    if not isinstance(element, dict):
        return False
    email = str(element.get("email", "")).lower()
    return any(
        email in {address.lower() for address in person.emails}
        or (person.user_id is not None and element.get("user_id") == person.user_id)
        for person in people
    )


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What of one person is not there any more. `rewritten`: documents that stay with less in them."""

    erased: int = 0
    rewritten: int = 0


def gone(person: SamplePerson, owners: Owners, before: Holdings, after: Holdings) -> dict[str, Gone]:
    """Return by store what of one person was there before and is not there after; nothing is left out."""
    erased: Counter[str] = Counter()
    rewritten: Counter[str] = Counter()
    for place, keys in owners.documents.items():
        if person.key not in keys or place not in before.documents:
            continue
        now = after.documents.get(place)
        elements = SHARED_DOCUMENTS.get(place.container)
        if now is None:
            erased[place.container] += 1
        elif elements is None:
            rewritten[place.container] += content_of(now) != content_of(before.documents[place])
        else:
            was = any(is_of(one, [person]) for one in before.documents[place][elements])
            rewritten[place.container] += was and not any(is_of(one, [person]) for one in now[elements])
    for (container, name), owner in owners.files.items():
        if owner == person.key and (container, name, "") in before.blobs:
            erased[store_of(container)] += (container, name, "") not in after.blobs
    for (container, name), lines in owners.lines.items():
        mine = Counter(line for line, owner in lines if owner == person.key)
        if mine:
            there = mine & lines_of(before, container, name)
            left = mine & lines_of(after, container, name)
            erased[store_of(container)] += there.total() - left.total()
    stores = sorted(name for name in {*erased, *rewritten} if erased[name] or rewritten[name])
    return {name: Gone(erased=erased[name], rewritten=rewritten[name]) for name in stores}


def lines_of(holdings: Holdings, container: str, name: str) -> Counter[bytes]:
    """Return the lines of a shared blob with how often each is there; none where there is no such blob."""
    blob = holdings.blobs.get((container, name, ""))
    return Counter((blob.data or b"").splitlines(keepends=True)) if blob else Counter()


def store_of(container: str) -> str:
    """Return the data map's name of the store that a blob container is."""
    return container.replace("-", "_")
