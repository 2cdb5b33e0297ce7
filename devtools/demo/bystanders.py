"""Whether everybody else's data is exactly as it was: each piece as a digest, before and after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from devtools.demo.holdings import Holdings, Place
from devtools.demo.owners import SHARED_DOCUMENTS, Owners, content_of, is_of
from devtools.sample_data import BLOB_CONTAINERS, SamplePerson
from devtools.sample_data.containers import DATABASE

COMPLIANCE = "compliance"
PACKAGES = "packages"
# Counters of callers, not data of people: they change with every request anybody files.
_COUNTERS = "limits"


@dataclass(frozen=True, kw_only=True)
class Others:
    """Who is not a bystander: people whose data changes, their requests, and the pseudonyms of these.

    `containers`: by key of person the only ones in which it does; who is not named there loses it everywhere.
    """

    erased: Sequence[SamplePerson]
    request_ids: Collection[str]
    subject_keys: Collection[str]
    containers: Mapping[str, Collection[str]] = field(default_factory=dict)

    def pieces(self, holdings: Holdings, owners: Owners) -> dict[str, str]:
        """Return the digest of every document and blob, or part of one, that is not the erased people's.

        A document or blob that is no erased person's counts with its ETag, so that writing the same again
        is a change too. Of a shared one count the others' elements and lines, and all around them.
        """
        made: dict[str, str] = {}
        for place, body in holdings.documents.items():
            if place.database == DATABASE:
                touched = self._touched_in(place.container)
                owned_by = owners.documents.get(place, frozenset())
                elements = SHARED_DOCUMENTS.get(place.container)
                if not owned_by & {person.key for person in touched}:
                    made[str(place)] = _digest(body)
                elif elements is not None:
                    others = [one for one in body[elements] if not is_of(one, touched)]
                    made[str(place)] = _digest({**content_of(body), elements: others})
            elif self._is_others_record(place, body):
                made[str(place)] = _digest(body)
        made.update(self._blobs(holdings, owners))
        return made

    def _touched_in(self, container: str) -> list[SamplePerson]:
        return [
            person
            for person in self.erased
            if container in self.containers.get(person.key, frozenset({container}))
        ]

    def _is_others_record(self, place: Place, body: Mapping[str, object]) -> bool:
        return (
            place.container != _COUNTERS
            and body.get("request_id") not in self.request_ids
            and body.get("subject_key") not in self.subject_keys
        )

    def _blobs(self, holdings: Holdings, owners: Owners) -> dict[str, str]:
        made: dict[str, str] = {}
        for blob in holdings.blobs.values():
            keys = {person.key for person in self._touched_in(blob.container)}
            whole = {"etag": blob.etag, "type": blob.content_type, "metadata": dict(blob.metadata)}
            data = blob.data or b""
            if blob.container == PACKAGES and blob.name.removesuffix(".zip") not in self.request_ids:
                made[str(blob)] = _digest(whole, data)
            if blob.container not in BLOB_CONTAINERS:
                continue
            lines = owners.lines.get((blob.container, blob.name))
            if lines is None:
                if owners.files.get((blob.container, blob.name)) not in keys:
                    made[str(blob)] = _digest(whole, data)
                continue
            taken = {line for line, owner in lines if owner in keys}
            if not taken:
                made[str(blob)] = _digest(whole, data)
                continue
            staying = b"".join(line for line in data.splitlines(keepends=True) if line not in taken)
            del whole["etag"]
            made[str(blob)] = _digest(whole, staying)
        return made


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return what is gone, changed or new among the bystanders' pieces. Empty: all is as it was."""
    return [
        f"{name} is {'new' if name not in before else 'gone' if name not in after else 'changed'}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def digest_of(pieces: Mapping[str, str]) -> str:
    """Return one digest over all pieces."""
    return _digest(dict(sorted(pieces.items())))


def _digest(content: object, data: bytes = b"") -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode() + b"\0" + data).hexdigest()
