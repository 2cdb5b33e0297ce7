"""Run a prepared query for one page of rows."""

import asyncio
import hashlib
import struct
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from .candidates import Candidates, Choice
from .container import Container
from .continuation import Position
from .index_entries import LONGEST_KEY_BYTES
from .item_store import Item
from .prepared import Prepared
from .scope import Scope
from .sql.operators import Row
from .sql.pipeline import Groups
from .sql.values import UNDEFINED

LARGEST_PAGE_BYTES: Final = 4 * 1024 * 1024
_LONGEST_PAGE_SECONDS: Final = 5.0
_ORDER_WALK_FROM: Final = 2_000
_SPARE_ROWS: Final = 1_000
_TIE: Final = struct.Struct(">QI")

Keys = tuple[bytes, ...]


@dataclass(slots=True)
class Page:
    """Rows of one reply as JSON texts, and what they cost."""

    rows: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    loaded: int = 0
    loaded_bytes: int = 0
    matching: int = 0
    position: Position | None = None


class PageRun:
    """Produce one page.

    Args:
        candidates: finds items.
        container: where to look.
        scope: what part of it.
        prepared: the query.
        position: where to go on.
        max_items: most rows of the page.
    """

    def __init__(
        self,
        *,
        candidates: Candidates,
        container: Container,
        scope: Scope,
        prepared: Prepared,
        position: Position,
        max_items: int,
    ) -> None:
        self._candidates = candidates
        self._container = container
        self._scope = scope
        self._prepared = prepared
        self._pipeline = prepared.pipeline
        self._start = position
        self._max_items = max_items
        self._offset = position.offset
        self._remaining = position.remaining
        self._page = Page()
        self._deadline = time.monotonic() + _LONGEST_PAGE_SECONDS
        first_descending = bool(self._pipeline.sorts) and self._pipeline.sorts[0][1]
        self._directions = [descending for _, descending in self._pipeline.sorts] + [first_descending]

    async def run(self) -> Page:
        """Return the page; its `position` is None when nothing is left.

        Raises:
            SqlError: when a row cannot be evaluated.
        """
        if self._remaining == 0:
            return self._page
        if not self._prepared.query.sources:
            self._constant_row()
        elif self._pipeline.is_grouped:
            await self._grouped()
        elif self._pipeline.distinct:
            await self._distinct()
        elif self._pipeline.sorts:
            await self._sorted()
        else:
            await self._streamed()
        return self._page

    def _constant_row(self) -> None:
        row: Row = [UNDEFINED] * self._prepared.width
        if all(term(row) is True for _, term in self._pipeline.filters):
            if self._pipeline.is_grouped:
                groups = Groups(self._pipeline)
                groups.add(row)
                outputs = [output for _, output in groups.outputs(row)]
            else:
                outputs = [self._pipeline.project(row)]
            for output in outputs:
                if output is not UNDEFINED and not self._offset:
                    self._add(orjson.dumps(output))

    def _add(self, payload: bytes) -> None:
        self._page.rows.append(payload)
        self._page.size_bytes += len(payload)
        if self._remaining is not None:
            self._remaining -= 1

    def _is_full(self, payload: bytes = b"") -> bool:
        page = self._page
        return len(page.rows) >= self._max_items or (
            bool(page.rows) and page.size_bytes + len(payload) > LARGEST_PAGE_BYTES
        )

    def _rows(self, item: Item) -> Iterator[Row]:
        """Yield a row for each combination of an item that passes the filter; one list, filled anew."""
        prepared, page = self._prepared, self._page
        row: Row = [UNDEFINED] * prepared.width
        row[0] = orjson.loads(item.body)
        for term in prepared.served_terms:
            if term(row) is not True:
                return
        page.loaded += 1
        page.loaded_bytes += len(item.body)
        for term in prepared.document_terms:
            if term(row) is not True:
                return
        matched = False
        for _ in self._pipeline.combinations(row):
            for term in prepared.row_terms:
                if term(row) is not True:
                    break
            else:
                matched = True
                yield row
        page.matching += matched

    def _outputs(self, item: Item) -> Iterator[tuple[Any, Row]]:
        if self._prepared.reads_bodies_only:
            self._page.loaded += 1
            self._page.loaded_bytes += len(item.body)
            self._page.matching += 1
            yield item, []
            return
        project = self._pipeline.project
        for row in self._rows(item):
            output = project(row)
            if output is not UNDEFINED:
                yield output, row

    def _payload(self, item: Item, output: Any) -> bytes:
        return item.body if self._prepared.gives_whole_items else orjson.dumps(output)

    def _choose(self) -> Choice:
        return self._candidates.choose(self._container, self._scope, list(self._prepared.spans))

    async def _items(self, choice: Choice, start: int = 0) -> AsyncIterator[Item]:
        for chunk in self._candidates.stream(self._container, self._scope, choice, start):
            for item in chunk:
                yield item
            # Long reads must not keep other requests waiting.
            await asyncio.sleep(0)

    async def _streamed(self) -> None:
        start = self._start
        for chunk in self._candidates.stream(self._container, self._scope, self._choose(), start.sequence):
            is_late = time.monotonic() > self._deadline
            for item in chunk:
                if self._is_full() or is_late:
                    self._stop_at(item.sequence, 0)
                    return
                skip = start.skip if item.sequence == start.sequence else 0
                if not self._stream(item, skip):
                    return
            # Long reads must not keep other requests waiting.
            await asyncio.sleep(0)

    def _stream(self, item: Item, skip: int) -> bool:
        """Add the rows of one item behind so many; returns False once the page is to end."""
        for number, (output, _) in enumerate(self._outputs(item)):
            if number < skip:
                continue
            payload = self._payload(item, output)
            if self._is_full(payload):
                self._stop_at(item.sequence, number)
                return False
            if self._offset:
                self._offset -= 1
                continue
            self._add(payload)
            if self._remaining == 0:
                return False
        return True

    def _is_large(self) -> bool:
        return self._candidates.can_walk(self._container, self._scope)

    def _stop_at(self, sequence: int, skip: int) -> None:
        self._page.position = Position(sequence, skip, None, self._offset, self._remaining)

    async def _sorted(self) -> None:
        choice = self._choose()
        path = self._prepared.order_path
        is_selective = choice.spans is not None and choice.estimate <= _ORDER_WALK_FROM
        if path is not None and "[]" not in path and not is_selective and self._is_large():
            await self._walked(path)
            return
        found: list[tuple[Keys, bytes]] = []
        async for item in self._items(choice):
            found.extend(self._keyed(item))
            found = self._pruned(found)
        self._emit(self._in_order(found))

    def _keyed(self, item: Item) -> Iterator[tuple[Keys, bytes]]:
        for number, (output, row) in enumerate(self._outputs(item)):
            keys = (*self._pipeline.sort_keys(row), _TIE.pack(item.sequence, number))
            if self._is_ahead(keys):
                yield keys, self._payload(item, output)

    def _is_ahead(self, keys: Keys) -> bool:
        if self._start.keys is None:
            return True
        for key, last, descending in zip(keys, self._start_keys(), self._directions, strict=True):
            if key != last:
                return (key < last) if descending else (key > last)
        return False

    def _start_keys(self) -> Keys:
        return tuple(bytes.fromhex(key) for key in self._start.keys or ())

    def _pruned(self, found: list[tuple[Keys, bytes]]) -> list[tuple[Keys, bytes]]:
        wanted = self._offset + self._max_items + 1
        if len(found) <= 2 * wanted + _SPARE_ROWS:
            return found
        return self._in_order(found)[:wanted]

    def _in_order(self, found: list[tuple[Keys, bytes]]) -> list[tuple[Keys, bytes]]:
        for position in range(len(self._directions) - 1, -1, -1):
            found.sort(key=lambda pair: pair[0][position], reverse=self._directions[position])
        return found

    def _emit(self, ordered: list[tuple[Keys, bytes]]) -> bool:
        """Add rows in order; returns False once the page is full or no more rows are wanted."""
        for keys, payload in ordered:
            if self._remaining == 0:
                return False
            if self._is_full(payload):
                self._page.position = Position(0, 0, self._last_keys, self._offset, self._remaining)
                return False
            self._last_keys = tuple(key.hex() for key in keys)
            if self._offset:
                self._offset -= 1
            else:
                self._add(payload)
        return self._remaining != 0

    _last_keys: tuple[str, ...] | None = None

    async def _walked(self, path: tuple[str, ...]) -> None:
        descending = self._directions[0]
        resume = self._walk_resume()
        group: list[tuple[Keys, bytes]] = []
        group_key: bytes | None = None
        # Rows with one key must be sorted by their further keys, or by the part of a long key that was cut.
        walk = self._candidates.walk(self._container, self._scope, path, resume, descending=descending)
        for chunk in walk:
            for key, item in chunk:
                if group and (key != group_key or self._is_plain(key)):
                    if not self._emit(self._in_order(group)):
                        return
                    group = []
                group_key = key
                group.extend(self._keyed(item))
            await asyncio.sleep(0)
            if time.monotonic() > self._deadline and self._last_keys is not None and self._page.rows:
                break
        else:
            self._emit(self._in_order(group))
            return
        self._page.position = Position(0, 0, self._last_keys, self._offset, self._remaining)

    def _is_plain(self, key: bytes) -> bool:
        return len(self._directions) == 2 and len(key) < LONGEST_KEY_BYTES  # noqa: PLR2004 - one key and the tie

    def _walk_resume(self) -> tuple[bytes, int | None] | None:
        if self._start.keys is None:
            return None
        keys = self._start_keys()
        key = keys[0][:LONGEST_KEY_BYTES]
        return (key, _TIE.unpack(keys[-1])[0]) if self._is_plain(key) else (key, None)

    async def _distinct(self) -> None:
        found: dict[bytes, tuple[Keys, bytes]] = {}
        seen: set[bytes] = set()
        async for item in self._items(self._choose()):
            for output, row in self._outputs(item):
                text = orjson.dumps(output)
                if text in seen and not self._pipeline.sorts:  # then equal rows have equal keys
                    continue
                seen.add(text)
                mark = _fingerprint(output)
                keys = (*self._pipeline.sort_keys(row), mark)
                if mark not in found and self._is_ahead(keys):
                    found[mark] = keys, text
        self._emit(self._in_order(list(found.values())))

    async def _grouped(self) -> None:
        template: Row = [UNDEFINED] * self._prepared.width
        groups = Groups(self._pipeline)
        if self._prepared.counts_everything:
            await self._count(template)
            return
        async for item in self._items(self._choose()):
            for row in self._rows(item):
                groups.add(row)
        found: dict[bytes, tuple[Keys, bytes]] = {}
        for values, output in groups.outputs(template):
            # Different groups may give equal rows; only DISTINCT makes one of them.
            mark = _fingerprint(output if self._pipeline.distinct else [output, values])
            if mark not in found and self._is_ahead((mark,)):
                found[mark] = (mark,), orjson.dumps(output)
        self._emit(self._in_order(list(found.values())))

    async def _count(self, template: Row) -> None:
        self._page.matching = self._candidates.count(self._container, self._scope)
        for aggregate in self._pipeline.aggregates:
            template[aggregate.slot] = self._page.matching
        if not self._offset:
            self._add(orjson.dumps(self._pipeline.project(template)))


def _fingerprint(output: Any) -> bytes:
    text = orjson.dumps(_plain(output), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).digest()


def _plain(value: Any) -> Any:
    """Write equal numbers alike, so that 1 and 1.0 are one distinct value."""
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 1 << 53 else value
    if value is UNDEFINED:
        return {"": "undefined"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
