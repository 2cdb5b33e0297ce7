"""Items in the store: reading and writing rows with everything that hangs on them."""

# ruff: noqa: S608 - texts are put together from the store's own table names and conditions; values are bound

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from . import resource_ids
from .clock import Clock
from .container import Container
from .errors import ServiceError
from .index_entries import IndexDefinition, entries
from .sql.values import UNDEFINED
from .store import Store

_COLUMNS: Final = "sequence, epk, id, lsn, ts, ttl, etag, body"
_BACKFILL_ROWS: Final = 2000


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item; `body` is its JSON with the system properties."""

    sequence: int
    epk: bytes
    id: str
    lsn: int
    ts: int
    ttl: int | None
    etag: str
    body: bytes

    def document(self) -> dict[str, Any]:
        """Parse the item's JSON."""
        parsed: dict[str, Any] = orjson.loads(self.body)
        return parsed


@dataclass(slots=True)
class Write:
    """One write or one batch: all its changes carry the same LSN and the same second."""

    container: Container
    lsn: int
    ts: int
    changes: int = 0

    def etag(self) -> str:
        """Return a new entity tag, quotes included."""
        self.changes += 1
        return f'"{self.container.number:08x}-{self.changes:04x}-0000-0000-{self.lsn:012x}"'


class ItemStore:
    """Read and write the items of containers.

    Args:
        store: where they are kept.
        clock: decides which items are past their time to live.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._execute = store.execute
        self._clock = clock

    def begin(self, container: Container) -> Write:
        """Start a write; it counts once `commit` was called."""
        return Write(container, container.lsn + 1, int(self._clock.now()))

    def commit(self, write: Write) -> None:
        """Count a write if it changed anything; the caller must be in a transaction."""
        if write.changes:
            write.container.lsn = write.lsn
            self._store.save_counters(write.container)

    def is_expired(self, container: Container, ts: int, ttl: int | None) -> bool:
        """Tell whether an item is past its time to live."""
        if container.default_ttl is None:
            return False
        due = container.expires_at(ts, ttl)
        return due is not None and due <= self._clock.now()

    def find(self, container: Container, epk: bytes, item_id: str) -> Item | None:
        """Return an item by partition and id, None when there is none or it has expired."""
        row = self._execute(
            f"SELECT {_COLUMNS} FROM {container.items} WHERE epk = ? AND id = ?",
            (epk, item_id),
        ).fetchone()
        if row is None or self.is_expired(container, row[4], row[5]):
            return None
        return Item(*row)

    def find_sequence(self, container: Container, sequence: int) -> Item | None:
        """Return an item by its number, None when there is none or it has expired."""
        row = self._execute(
            f"SELECT {_COLUMNS} FROM {container.items} WHERE sequence = ?",
            (sequence,),
        ).fetchone()
        if row is None or self.is_expired(container, row[4], row[5]):
            return None
        return Item(*row)

    def find_many(self, container: Container, sequences: Iterable[int]) -> list[Item]:
        """Return the unexpired items with these numbers, in the order of the numbers given."""
        numbers = list(sequences)
        where = "sequence IN (SELECT value FROM json_each(?))"
        found = self.select(container, where, (orjson.dumps(numbers).decode(),))
        by_number = {item.sequence: item for item in found}
        return [by_number[number] for number in numbers if number in by_number]

    def select(self, container: Container, where: str, parameters: tuple[Any, ...]) -> list[Item]:
        """Return the unexpired items that a condition in the store's own SQL selects."""
        rows = self._execute(f"SELECT {_COLUMNS} FROM {container.items} WHERE {where}", parameters).fetchall()
        return [Item(*row) for row in rows if not self.is_expired(container, row[4], row[5])]

    def insert(self, write: Write, epk: bytes, document: dict[str, Any]) -> Item:
        """Add a new item.

        Raises:
            ServiceError: 409 when id or a unique key is taken within the partition.
        """
        container = write.container
        self._purge(container, epk, document["id"])
        container.sequence += 1
        item = self._stamp(write, container.sequence, epk, document)
        try:
            self._execute(
                f"INSERT INTO {container.items} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (item.sequence, epk, item.id, item.lsn, item.ts, item.ttl, item.etag, item.body),
            )
        except sqlite3.IntegrityError:
            raise ServiceError(
                409, "Entity with the specified id already exists in the system.", charge=1.2
            ) from None
        if container.unique_keys:
            self._claim_unique(container, item, document)
        for definition, number in container.indexes.items():
            self._add_entries(number, item.sequence, entries(definition, document, epk))
        if container.keeps_versions:
            self._keep_version(write, epk, "create", document, None)
        return item

    def replace(self, write: Write, old: Item, document: dict[str, Any]) -> Item:
        """Put a new body in the place of an item.

        Raises:
            ServiceError: 409 when a unique key is taken within the partition.
        """
        container = write.container
        item = self._stamp(write, old.sequence, old.epk, document)
        self._execute(
            f"UPDATE {container.items} SET lsn = ?, ts = ?, ttl = ?, etag = ?, body = ? WHERE sequence = ?",
            (item.lsn, item.ts, item.ttl, item.etag, item.body, item.sequence),
        )
        if container.unique_keys or container.indexes or container.keeps_versions:
            before = old.document()
            if container.unique_keys:
                self._release_unique(container, old, before)
                self._claim_unique(container, item, document)
            for definition, number in container.indexes.items():
                self._move_entries(number, definition, old, before, document)
            if container.keeps_versions:
                self._keep_version(write, old.epk, "replace", document, before)
        return item

    def delete(self, write: Write, item: Item) -> None:
        """Remove an item."""
        write.changes += 1
        before = self._remove(write.container, item)
        if write.container.keeps_versions:
            self._keep_version(write, item.epk, "delete", {}, before)

    def remove_expired(self, container: Container) -> int:
        """Remove what is past its time to live from the store; returns how many items went."""
        if container.default_ttl is None:
            return 0
        rows = self._execute(
            f"SELECT {_COLUMNS} FROM {container.items} "
            "WHERE coalesce(ttl, ?) >= 0 AND ts + coalesce(ttl, ?) <= ?",
            (container.default_ttl, container.default_ttl, int(self._clock.now())),
        ).fetchall()
        with self._store.transaction():
            for row in rows:
                self._remove(container, Item(*row))
        return len(rows)

    def build_index(self, container: Container, definition: IndexDefinition) -> int:
        """Make a value index and fill it from the items there are; returns its number."""
        with self._store.transaction():
            number = self._store.add_index(container, definition)
            for sequence, epk, body in self._every_body(container):
                self._add_entries(number, sequence, entries(definition, orjson.loads(body), epk))
        container.indexes[definition] = number
        return number

    def _every_body(self, container: Container) -> Iterator[tuple[int, bytes, bytes]]:
        last = 0
        while True:
            rows = self._execute(
                f"SELECT sequence, epk, body FROM {container.items} "
                "WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (last, _BACKFILL_ROWS),
            ).fetchall()
            yield from rows
            if len(rows) < _BACKFILL_ROWS:
                return
            last = rows[-1][0]

    def _stamp(self, write: Write, sequence: int, epk: bytes, document: dict[str, Any]) -> Item:
        container = write.container
        etag = write.etag()
        rid = resource_ids.item_rid(container.prefix, sequence)
        document["_rid"] = rid
        document["_self"] = f"{container.self_link}docs/{rid}/"
        document["_etag"] = etag
        document["_attachments"] = "attachments/"
        document["_ts"] = write.ts
        return Item(
            sequence,
            epk,
            document["id"],
            write.lsn,
            write.ts,
            document.get("ttl"),
            etag,
            orjson.dumps(document),
        )

    def _purge(self, container: Container, epk: bytes, item_id: str) -> None:
        if container.default_ttl is None:
            return
        row = self._execute(
            f"SELECT {_COLUMNS} FROM {container.items} WHERE epk = ? AND id = ?",
            (epk, item_id),
        ).fetchone()
        if row is not None and self.is_expired(container, row[4], row[5]):
            self._remove(container, Item(*row))

    def _remove(self, container: Container, item: Item) -> dict[str, Any] | None:
        self._execute(f"DELETE FROM {container.items} WHERE sequence = ?", (item.sequence,))
        if not (container.unique_keys or container.indexes or container.keeps_versions):
            return None
        document = item.document()
        if container.unique_keys:
            self._release_unique(container, item, document)
        for definition, number in container.indexes.items():
            self._remove_entries(number, item.sequence, entries(definition, document, item.epk))
        return document

    def _add_entries(self, number: int, sequence: int, keys: set[bytes]) -> None:
        for key in keys:
            self._execute("INSERT OR IGNORE INTO index_entries VALUES (?, ?, ?)", (number, key, sequence))

    def _remove_entries(self, number: int, sequence: int, keys: set[bytes]) -> None:
        for key in keys:
            self._execute(
                "DELETE FROM index_entries WHERE definition = ? AND key = ? AND sequence = ?",
                (number, key, sequence),
            )

    def _move_entries(
        self,
        number: int,
        definition: IndexDefinition,
        old: Item,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        old_keys = entries(definition, before, old.epk)
        new_keys = entries(definition, after, old.epk)
        if old_keys != new_keys:
            self._remove_entries(number, old.sequence, old_keys - new_keys)
            self._add_entries(number, old.sequence, new_keys - old_keys)

    def _unique_digests(self, container: Container, epk: bytes, document: dict[str, Any]) -> list[bytes]:
        digests = []
        for position, paths in enumerate(container.unique_keys):
            values = [_value_at(document, path) for path in paths]
            text = orjson.dumps([position, values], option=orjson.OPT_SORT_KEYS)
            digests.append(hashlib.blake2b(epk + b"|" + text, digest_size=16).digest())
        return digests

    def _claim_unique(self, container: Container, item: Item, document: dict[str, Any]) -> None:
        for digest in self._unique_digests(container, item.epk, document):
            row = self._execute(
                f"SELECT sequence FROM {container.unique} WHERE key = ?",
                (digest,),
            ).fetchone()
            if row is not None and self.find_sequence(container, row[0]) is not None:
                raise ServiceError(409, "Unique index constraint violation.", charge=1.2)
            self._execute(f"INSERT OR REPLACE INTO {container.unique} VALUES (?, ?)", (digest, item.sequence))

    def _release_unique(self, container: Container, item: Item, document: dict[str, Any]) -> None:
        for digest in self._unique_digests(container, item.epk, document):
            self._execute(
                f"DELETE FROM {container.unique} WHERE key = ? AND sequence = ?",
                (digest, item.sequence),
            )

    def _keep_version(
        self,
        write: Write,
        epk: bytes,
        operation: str,
        current: dict[str, Any],
        previous: dict[str, Any] | None,
    ) -> None:
        entry: dict[str, Any] = {
            "current": current,
            "metadata": {"lsn": write.lsn, "crts": write.ts, "operationType": operation},
        }
        if operation == "delete" and previous is not None:
            entry["metadata"]["previousImageLSN"] = write.lsn - 1
        if previous is not None:
            entry["previous"] = previous
        self._execute(
            f"INSERT INTO {write.container.versions} VALUES (?, ?, ?)",
            (write.lsn, epk, orjson.dumps(entry)),
        )


def _value_at(document: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = document
    for name in path:
        value = value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED
    # For unique keys a missing property and null are the same value.
    return None if value is UNDEFINED else value
