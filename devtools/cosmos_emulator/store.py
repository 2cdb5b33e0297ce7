"""The SQLite file (or memory) behind the emulator: schema, transactions, metadata."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson

from .container import Container
from .index_entries import IndexDefinition

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS databases (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, body BLOB);
CREATE TABLE IF NOT EXISTS containers (
    number INTEGER PRIMARY KEY AUTOINCREMENT, database INTEGER NOT NULL, id TEXT NOT NULL, body BLOB,
    lsn INTEGER NOT NULL DEFAULT 0, sequence INTEGER NOT NULL DEFAULT 0, UNIQUE (database, id)
);
CREATE TABLE IF NOT EXISTS offers (rid TEXT PRIMARY KEY, resource TEXT UNIQUE, body BLOB);
CREATE TABLE IF NOT EXISTS index_definitions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, container INTEGER NOT NULL, path BLOB,
    lowered INTEGER, scoped INTEGER
);
CREATE TABLE IF NOT EXISTS index_entries (
    definition INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY (definition, key, sequence)
) WITHOUT ROWID;
"""
_ITEM_TABLES: Final = """
CREATE TABLE items_{n} (
    sequence INTEGER PRIMARY KEY, epk BLOB NOT NULL, id TEXT NOT NULL, lsn INTEGER NOT NULL,
    ts INTEGER NOT NULL, ttl INTEGER, etag TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (epk, id)
);
CREATE INDEX items_{n}_partition ON items_{n} (epk);
CREATE INDEX items_{n}_changes ON items_{n} (lsn);
CREATE TABLE unique_{n} (key BLOB PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE versions_{n} (lsn INTEGER NOT NULL, epk BLOB NOT NULL, entry BLOB NOT NULL);
CREATE INDEX versions_{n}_changes ON versions_{n} (lsn);
"""
_CACHED_STATEMENTS: Final = 512


class Store:
    """Own the SQLite connection.

    Every method runs to its end without yielding to other requests, so a check and the write behind it are
    one step.

    Args:
        path: file to keep data in; None keeps them in memory.
    """

    def __init__(self, path: str | None) -> None:
        self.connection = sqlite3.connect(
            path or ":memory:",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
        )
        self.execute = self.connection.execute
        # Safe against the end of the process, not against the end of the machine: fit for development.
        # Two emulators on one file would not see each other's counters.
        self.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = OFF")
        self.execute("PRAGMA temp_store = MEMORY")
        self.execute("PRAGMA cache_size = -65536")
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Apply everything inside, or nothing when it raises."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def databases(self) -> list[tuple[int, dict[str, Any]]]:
        """Return number and body of every database."""
        return [
            (number, orjson.loads(body))
            for number, body in self.execute("SELECT number, body FROM databases")
        ]

    def reserve_number(self, table: str) -> int:
        """Return the number the next row of a numbered table gets; numbers of deleted rows do not return."""
        row = self.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return (row[0] if row else 0) + 1

    def add_database(self, number: int, body: dict[str, Any]) -> None:
        """Keep a new database."""
        self.execute("INSERT INTO databases VALUES (?, ?, ?)", (number, body["id"], orjson.dumps(body)))

    def drop_database(self, number: int) -> None:
        """Forget a database; its containers must have been dropped."""
        self.execute("DELETE FROM databases WHERE number = ?", (number,))

    def containers(self) -> list[tuple[int, int, dict[str, Any], int, int]]:
        """Return number, database number, body, LSN and last item number of every container."""
        rows = self.execute("SELECT number, database, body, lsn, sequence FROM containers ORDER BY number")
        return [
            (number, database, orjson.loads(body), lsn, last) for number, database, body, lsn, last in rows
        ]

    def add_container(self, number: int, database_number: int, body: dict[str, Any]) -> None:
        """Keep a new container and make its tables; the caller must be in a transaction."""
        self.execute(
            "INSERT INTO containers (number, database, id, body) VALUES (?, ?, ?, ?)",
            (number, database_number, body["id"], orjson.dumps(body)),
        )
        for statement in _ITEM_TABLES.format(n=number).split(";"):
            self.execute(statement)

    def update_container(self, container: Container) -> None:
        """Keep a container's changed settings."""
        self.execute(
            "UPDATE containers SET body = ? WHERE number = ?",
            (orjson.dumps(container.body), container.number),
        )

    def drop_container(self, container: Container) -> None:
        """Forget a container and all its items; the caller must be in a transaction."""
        self.drop_indexes(container)
        for table in (container.items, container.unique, container.versions):
            self.execute(f"DROP TABLE {table}")
        self.execute("DELETE FROM containers WHERE number = ?", (container.number,))

    def save_counters(self, container: Container) -> None:
        """Keep a container's LSN and last item number."""
        self.execute(
            "UPDATE containers SET lsn = ?, sequence = ? WHERE number = ?",
            (container.lsn, container.sequence, container.number),
        )

    def indexes(self, container: Container) -> dict[IndexDefinition, int]:
        """Return the value indexes of a container with their numbers."""
        rows = self.execute(
            "SELECT number, path, lowered, scoped FROM index_definitions WHERE container = ?",
            (container.number,),
        )
        return {
            IndexDefinition(tuple(orjson.loads(path)), bool(lowered), bool(scoped)): number
            for number, path, lowered, scoped in rows
        }

    def add_index(self, container: Container, definition: IndexDefinition) -> int:
        """Keep a new, empty value index and return its number."""
        cursor = self.execute(
            "INSERT INTO index_definitions (container, path, lowered, scoped) VALUES (?, ?, ?, ?)",
            (container.number, orjson.dumps(definition.path), definition.is_lowered, definition.is_scoped),
        )
        return int(cursor.lastrowid or 0)

    def drop_indexes(self, container: Container) -> None:
        """Forget all value indexes of a container."""
        for number in container.indexes.values():
            self.execute("DELETE FROM index_entries WHERE definition = ?", (number,))
            self.execute("DELETE FROM index_definitions WHERE number = ?", (number,))
        container.indexes = {}

    def offers(self) -> list[dict[str, Any]]:
        """Return every offer (throughput setting)."""
        return [orjson.loads(body) for (body,) in self.execute("SELECT body FROM offers ORDER BY rid")]

    def save_offer(self, offer: dict[str, Any]) -> None:
        """Keep a new or changed offer."""
        self.execute(
            "INSERT OR REPLACE INTO offers VALUES (?, ?, ?)",
            (offer["_rid"], offer["resource"], orjson.dumps(offer)),
        )

    def drop_offer(self, resource: str) -> None:
        """Forget the offer of a database or container, if it has one."""
        self.execute("DELETE FROM offers WHERE resource = ?", (resource,))
