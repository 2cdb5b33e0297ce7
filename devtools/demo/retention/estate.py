"""What the systems of record hold at one moment, cut into the parts that come and go by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devtools.demo.holdings import Holdings

Document = Mapping[str, Any]

SYSTEM_FIELDS = frozenset({"_rid", "_self", "_etag", "_attachments", "_ts"})
CONTACTS = "contacts"


@dataclass(frozen=True, kw_only=True, order=True)
class Item:
    """A document, a contact person of a licence, or a line of an archive. `part` empty: all of it."""

    store: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.store}/{self.name}" + (f" ({self.part})" if self.part else "")


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Everything at one moment.

    Attributes:
        documents: Bodies by container, partition as JSON and id.
        lines: Lines of each blob of the usage archive, in order, by name.
        files: Bytes of every other blob of the systems of record, by container and name.
    """

    documents: Mapping[tuple[str, str, str], Document] = field(repr=False)
    lines: Mapping[str, Sequence[bytes]] = field(default_factory=dict, repr=False)
    files: Mapping[tuple[str, str], bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, holdings: Holdings, *, database: str, archive: str, containers: Sequence[str]) -> Estate:
        """Return the systems of record out of all there was.

        Args:
            holdings: All there was.
            database: Name of the database of the systems of record.
            archive: Blob container of the shared archive.
            containers: Every blob container of the systems of record, the archive among them.
        """
        blobs = {
            (blob.container, blob.name): blob.data or b""
            for blob in holdings.blobs.values()
            if blob.container in containers and not blob.snapshot
        }
        return cls(
            documents={
                (place.container, place.partition, place.document_id): body
                for place, body in holdings.documents.items()
                if place.database == database
            },
            lines={
                name: data.splitlines(keepends=True)
                for (container, name), data in blobs.items()
                if container == archive
            },
            files={key: data for key, data in blobs.items() if key[0] != archive},
        )

    def of_container(self, name: str) -> Iterator[Document]:
        """Yield the documents of one container."""
        return (body for (container, _, _), body in self.documents.items() if container == name)

    def items(self) -> dict[Item, object]:
        """Return every part with what it says, without what the database adds by itself."""
        found: dict[Item, object] = {}
        for (container, partition, name), body in self.documents.items():
            known = {key: value for key, value in body.items() if key not in SYSTEM_FIELDS}
            item = Item(store=container, name=f"{partition}{name}")
            if container == "licences":
                for contact, part in contacts_of(body):
                    found[Item(store=container, name=item.name, part=part)] = contact
                known.pop(CONTACTS, None)
                item = Item(store="licence", name=item.name)
            found[item] = known
        for name, lines in self.lines.items():
            for line in lines:
                found[Item(store="usage_archive", name=name, part=line.decode(errors="replace"))] = line
        found.update({Item(store=key[0], name=key[1]): data for key, data in self.files.items()})
        return found


def contacts_of(licence: Document) -> Iterator[tuple[Any, str]]:
    """Yield the contact persons of a licence, each with a text that tells it from the others."""
    contacts = licence.get(CONTACTS)
    for contact in contacts if isinstance(contacts, list) else ():
        yield contact, json.dumps(contact, sort_keys=True)


def line_body(line: bytes) -> Document:
    """Return what a line says; empty where it says nothing that can be read."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
