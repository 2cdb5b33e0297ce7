"""Documents of the systems of record in memory."""

import copy
import json
from dataclasses import replace

from shared.datamap.treatment import MISSING, belongs, value_at
from shared.domain.retention import FIRST_CREDIBLE
from shared.ports.documents import NO_PARTITION, Changed, DocumentPage, StoredDocument
from tests.fakes.turns import Turn, no_turn


class MemoryDocuments:
    """Containers by name; pages resume after the last document returned, in order of insertion."""

    def __init__(self, datamap, turn: Turn = no_turn):
        self.datamap = datamap
        self.turn = turn
        self.rows: dict[str, dict[tuple[str, str], tuple[int, int, dict]]] = {}
        self._numbers = 0

    def put(self, container: str, partition_key: str, body: dict) -> None:
        """Write a document as a product would."""
        rows = self.rows.setdefault(container, {})
        partition = value_at(body, partition_key)
        key = (
            _text(NO_PARTITION if partition is MISSING or isinstance(partition, dict | list) else partition),
            body["id"],
        )
        self._numbers += 1
        rid = rows[key][0] if key in rows else self._numbers
        rows[key] = (rid, self._numbers, copy.deepcopy(body))

    def bodies(self, container: str) -> list[dict]:
        """Return every document of a container."""
        return [body for _, _, body in self.rows.get(container, {}).values()]

    async def page(self, store, identifiers, *, cursor, limit, keys_only=False, among=None):
        await self.turn("documents.page")
        found = sorted(self._matching(store, identifiers))
        if among is not None:
            rows = self.rows[store.container] if found else {}
            found = [one for one in found if _found(rows[one[1], one[2]][2], among)]
        return self._page(store, found, cursor, limit, keys_only)

    async def walk(self, store, *, cursor, limit):
        await self.turn("documents.walk")
        rows = self.rows.get(store.container, {}).items()
        found = sorted((rid, partition, name) for (partition, name), (rid, _, _) in rows)
        return self._page(store, found, cursor, limit, keys_only=False)

    def _page(self, store, found, cursor, limit, keys_only):
        left = [key for key in found if key[0] > int(cursor or 0)]
        page = left[:limit]
        documents = tuple(
            StoredDocument(
                partition=json.loads(partition) if partition else NO_PARTITION,
                document_id=name,
                etag=str(self.rows[store.container][partition, name][1]),
                body={"id": name}
                if keys_only
                else copy.deepcopy(self.rows[store.container][partition, name][2]),
            )
            for _, partition, name in page
        )
        more = len(left) > limit
        return DocumentPage(documents=documents, cursor=str(page[-1][0]) if more else None)

    async def search(self, store, wanted, *, cursor, limit):
        await self.turn("documents.search")
        rows = self.rows.get(store.container, {}).items()
        found = sorted(
            (rid, partition, name) for (partition, name), (rid, _, body) in rows if _found(body, wanted)
        )
        page = self._page(store, found, cursor, limit, keys_only=False)
        if not wanted.paths:
            return page
        roots = {path.split("/")[1] for path in (store.partition_key, *wanted.paths)} | {"id", "_ts"}
        cut = (
            replace(one, body={name: value for name, value in one.body.items() if name in roots})
            for one in page.documents
        )
        return replace(page, documents=tuple(cut))

    async def tally(self, store, wanted):
        await self.turn("documents.tally")
        rows = self.rows.get(store.container, {}).values()
        return sum(_found(body, wanted) for _, _, body in rows)

    async def get(self, store, partition, document_id):
        await self.turn("documents.get")
        key = (_text(partition), document_id)
        if key not in self.rows.get(store.container, {}):
            return None
        _, version, body = self.rows[store.container][key]
        return StoredDocument(
            partition=partition, document_id=document_id, etag=str(version), body=copy.deepcopy(body)
        )

    async def count(self, store, identifiers):
        await self.turn("documents.count")
        return len(self._matching(store, identifiers))

    async def distinct(self, store, identifiers, paths):
        await self.turn("documents.distinct")
        names = {path.split("/")[1] for path in paths}
        found = []
        for _, partition, name in self._matching(store, identifiers):
            body = self.rows[store.container][partition, name][2]
            record = {key: copy.deepcopy(value) for key, value in body.items() if key in names}
            if record not in found:
                found.append(record)
                yield record

    async def create(self, store, body):
        await self.turn("documents.create")
        if not any(row["id"] == body["id"] for row in self.bodies(store.container)):
            self.put(store.container, store.partition_key, dict(body))
        await self.turn("documents.create!")

    async def change(self, store, changes):
        results = []
        for change in changes:
            await self.turn("documents.change")
            results.append(self._change(store, change))
        await self.turn("documents.change!")
        return tuple(results)

    def _change(self, store, change):
        rows = self.rows.get(store.container, {})
        key = (_text(change.document.partition), change.document.document_id)
        if key not in rows:
            return Changed.GONE
        rid, version, _ = rows[key]
        if str(version) != change.document.etag:
            return Changed.CHANGED
        if change.replacement is None:
            del rows[key]
        else:
            self._numbers += 1
            rows[key] = (rid, self._numbers, copy.deepcopy(dict(change.replacement)))
        return Changed.DONE

    def _matching(self, store, identifiers):
        found = []
        for (partition, name), (rid, _, body) in self.rows.get(store.container, {}).items():
            if store.elements is None:
                mine = belongs(body, store.matches, self.datamap, identifiers)
            else:
                array = value_at(body, store.elements.path)
                mine = isinstance(array, list) and any(
                    belongs(one, store.elements.matches, self.datamap, identifiers) for one in array
                )
            if mine:
                found.append((rid, partition, name))
        return found


def _found(body, wanted):
    """Whether a search finds a document; texts are compared as the database compares them."""
    value = value_at(body, wanted.path) if wanted.path else MISSING
    is_text = isinstance(value, str)
    if wanted.strange and not (is_text and (value < "1" or value >= (wanted.ahead or "3"))):
        return False
    is_clear = is_text and value.endswith("Z") and value >= FIRST_CREDIBLE.isoformat()
    if wanted.since is not None and not (
        (is_text and value >= wanted.since) or (wanted.unclear_too and not is_clear)
    ):
        return False
    if wanted.until is not None and not (is_text and value < wanted.until):
        return False
    if any(isinstance(value_at(body, path), str) for path in wanted.without):
        return False
    if wanted.states and value_at(body, wanted.state_path) not in wanted.states:
        return False
    return wanted.written_since is None or body.get("_ts", wanted.written_since) >= wanted.written_since


def _text(partition) -> str:
    """Write a partition as a sortable key; empty: the documents without one."""
    return "" if partition is NO_PARTITION else json.dumps(partition)
