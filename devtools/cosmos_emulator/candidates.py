"""Find the items a query has to look at, by index where one helps, else by reading the scope."""

# ruff: noqa: S608 - texts are put together from the store's own table names and conditions; values are bound

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .access import Span
from .container import Container
from .index_entries import LONGEST_KEY_BYTES, IndexDefinition
from .item_store import Item, ItemStore
from .scope import Scope
from .store import Store

SCAN_LIMIT: Final = 500
"""A scope of at most so many items is simply read; no index is made for it."""

_SELECTIVE_ENOUGH: Final = 50
_WORTH_AN_INDEX: Final = 20_000
_MOST_INDEXES: Final = 48
_CHUNK: Final = 256


@dataclass(frozen=True, slots=True)
class Choice:
    """How candidates are found: spans of an index with their estimated number, or None: by reading all."""

    spans: tuple[Span, ...] | None
    estimate: int


class Candidates:
    """Stream candidates of one container.

    Args:
        store: holds the index entries.
        item_store: holds the items.
    """

    def __init__(self, store: Store, item_store: ItemStore) -> None:
        self._execute = store.execute
        self._items = item_store

    def choose(self, container: Container, scope: Scope, terms: list[tuple[Span, ...]]) -> Choice:
        """Pick the term with the fewest candidates; makes missing indexes of large scopes.

        Args:
            container: where to look.
            scope: what part of it.
            terms: spans of each AND-ed term that an index can serve.
        """
        size = self._scope_size(container, scope, SCAN_LIMIT + 1)
        if size <= SCAN_LIMIT:
            return Choice(None, size)
        best = Choice(None, _WORTH_AN_INDEX)
        ordered = sorted(terms, key=lambda spans: (not all(span.is_point for span in spans), len(spans)))
        for spans in ordered:
            estimate = self._estimate(container, scope, spans, best.estimate)
            if estimate is not None and estimate < best.estimate:
                best = Choice(spans, estimate)
            if best.estimate <= _SELECTIVE_ENOUGH:
                break
        return best

    def stream(self, container: Container, scope: Scope, choice: Choice, start: int) -> Iterator[list[Item]]:
        """Yield candidates in chunks, in the order of their numbers, beginning with number `start`."""
        if choice.spans is None:
            return self._scan(container, scope, start)
        return self._by_index(container, scope, choice.spans, start)

    def walk(
        self,
        container: Container,
        scope: Scope,
        path: tuple[str, ...],
        resume: tuple[bytes, int | None] | None,
        *,
        descending: bool,
    ) -> Iterator[list[tuple[bytes, Item]]]:
        """Yield all items of a scope in chunks by the key of a path, then by number; both in one direction.

        Args:
            container: where to look.
            scope: what part of it.
            path: a path with one value per item.
            resume: begin with this key, behind this number (None: with the first of the key).
            descending: from the largest key down.
        """
        definition = self._definition(container, scope, path, is_lowered=False)
        number = self._number(container, definition)
        prefix = scope.epk if definition.is_scoped and scope.epk is not None else b""
        low, high = prefix, prefix + b"\xff" * LONGEST_KEY_BYTES
        key = prefix + resume[0] if resume else (high if descending else low)
        bound = resume[1] if resume and resume[1] is not None else ((1 << 62) if descending else -1)
        operator, direction = ("<", "DESC") if descending else (">", "ASC")
        edge = low if descending else high
        edge_test = "key >= ?" if descending else "key <= ?"
        while True:
            rows = self._execute(
                f"SELECT key, sequence FROM index_entries WHERE definition = ? "
                f"AND (key, sequence) {operator} (?, ?) AND {edge_test} "
                f"ORDER BY key {direction}, sequence {direction} LIMIT ?",
                (number, key, bound, edge, _CHUNK),
            ).fetchall()
            found = {
                item.sequence: item for item in self._items.find_many(container, [row[1] for row in rows])
            }
            yield [
                (row[0][len(prefix) :], found[row[1]])
                for row in rows
                if row[1] in found and scope.holds(found[row[1]].epk)
            ]
            if len(rows) < _CHUNK:
                return
            key, bound = rows[-1]

    def count(self, container: Container, scope: Scope) -> int:
        """Count the unexpired items of a scope."""
        condition, parameters = scope.condition()
        if container.default_ttl is None:
            row = self._execute(
                f"SELECT count(*) FROM {container.items} WHERE {condition}",
                parameters,
            ).fetchone()
            return int(row[0])
        rows = self._execute(f"SELECT ts, ttl FROM {container.items} WHERE {condition}", parameters)
        return sum(not self._items.is_expired(container, ts, ttl) for ts, ttl in rows)

    def can_walk(self, container: Container, scope: Scope) -> bool:
        """Tell whether a scope is large enough to be read in the order of an index."""
        return self._scope_size(container, scope, SCAN_LIMIT + 1) > SCAN_LIMIT

    def _scope_size(self, container: Container, scope: Scope, limit: int) -> int:
        condition, parameters = scope.condition()
        row = self._execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {container.items} WHERE {condition} LIMIT ?)",
            (*parameters, limit),
        ).fetchone()
        return int(row[0])

    def _definition(
        self, container: Container, scope: Scope, path: tuple[str, ...], *, is_lowered: bool
    ) -> IndexDefinition:
        # Hashes of version 1 vary in length, so they cannot be a prefix of keys.
        is_scoped = scope.epk is not None and container.definition.epk_bytes is not None
        return IndexDefinition(path, is_lowered, is_scoped)

    def _number(self, container: Container, definition: IndexDefinition) -> int:
        number = container.indexes.get(definition)
        return self._items.build_index(container, definition) if number is None else number

    def _ranges(self, container: Container, scope: Scope, span: Span) -> tuple[int, bytes, bytes]:
        definition = self._definition(container, scope, span.path, is_lowered=span.is_lowered)
        prefix = scope.epk if definition.is_scoped and scope.epk is not None else b""
        return self._number(container, definition), prefix + span.low, prefix + span.high

    def _estimate(
        self, container: Container, scope: Scope, spans: tuple[Span, ...], limit: int
    ) -> int | None:
        wanted = {self._definition(container, scope, span.path, is_lowered=span.is_lowered) for span in spans}
        missing = wanted - container.indexes.keys()
        if len(missing) + len(container.indexes) > _MOST_INDEXES:
            return None
        total = 0
        for span in spans:
            row = self._execute(
                "SELECT count(*) FROM "
                "(SELECT 1 FROM index_entries WHERE definition = ? AND key BETWEEN ? AND ? LIMIT ?)",
                (*self._ranges(container, scope, span), limit - total),
            ).fetchone()
            total += row[0]
            if total >= limit:
                break
        return total

    def _scan(self, container: Container, scope: Scope, start: int) -> Iterator[list[Item]]:
        condition, parameters = scope.condition()
        if scope.epk is None and not scope.is_everything:
            # Within a range of hashes items are not stored by number: fetch the numbers, then the items.
            rows = self._execute(
                f"SELECT sequence FROM {container.items} "
                f"WHERE {condition} AND sequence >= ? ORDER BY sequence",
                (*parameters, start),
            ).fetchall()
            yield from self._chunks(container, scope, [row[0] for row in rows])
            return
        while True:
            rows = self._execute(
                f"SELECT sequence, epk, id, lsn, ts, ttl, etag, body FROM {container.items} "
                f"WHERE {condition} AND sequence >= ? ORDER BY sequence LIMIT ?",
                (*parameters, start, _CHUNK),
            ).fetchall()
            yield self._alive(container, rows)
            if len(rows) < _CHUNK:
                return
            start = rows[-1][0] + 1

    def _alive(self, container: Container, rows: list[Any]) -> list[Item]:
        if container.default_ttl is None:
            return [Item(*row) for row in rows]
        return [Item(*row) for row in rows if not self._items.is_expired(container, row[4], row[5])]

    def _by_index(
        self, container: Container, scope: Scope, spans: tuple[Span, ...], start: int
    ) -> Iterator[list[Item]]:
        if len(spans) == 1 and spans[0].is_point:
            yield from self._by_point(container, scope, spans[0], start)
            return
        sequences: set[int] = set()
        for span in spans:
            rows = self._execute(
                "SELECT sequence FROM index_entries "
                "WHERE definition = ? AND key BETWEEN ? AND ? AND sequence >= ?",
                (*self._ranges(container, scope, span), start),
            )
            sequences.update(row[0] for row in rows)
        yield from self._chunks(container, scope, sorted(sequences))

    def _by_point(self, container: Container, scope: Scope, span: Span, start: int) -> Iterator[list[Item]]:
        number, key, _ = self._ranges(container, scope, span)
        while True:
            rows = self._execute(
                "SELECT sequence FROM index_entries WHERE definition = ? AND key = ? AND sequence >= ? "
                "ORDER BY sequence LIMIT ?",
                (number, key, start, _CHUNK),
            ).fetchall()
            yield from self._chunks(container, scope, [row[0] for row in rows])
            if len(rows) < _CHUNK:
                return
            start = rows[-1][0] + 1

    def _chunks(self, container: Container, scope: Scope, sequences: list[int]) -> Iterator[list[Item]]:
        for position in range(0, len(sequences), _CHUNK):
            items = self._items.find_many(container, sequences[position : position + _CHUNK])
            yield [item for item in items if scope.holds(item.epk)]
