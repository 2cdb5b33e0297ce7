"""Documents of the systems of record in Cosmos DB, queried and changed as the data map says.

Each match of a store becomes a query of its own that an index can serve, and leaves out what an earlier
match has already found. Values travel as parameters; paths come from the reviewed map only.
"""

import asyncio
import json
import unicodedata
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from azure.cosmos import exceptions
from azure.cosmos.partition_key import NonePartitionKeyValue

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.adapters.cosmos_due import due_conditions, selected
from shared.datamap.models import Comparison, DataMap, DocumentStore, Match
from shared.datamap.treatment import MISSING, value_at
from shared.domain.identifiers import Identifiers
from shared.ports.documents import (
    NO_PARTITION,
    Change,
    Changed,
    DocumentPage,
    DueSearch,
    StoredDocument,
)

_BATCH = 100
_BATCH_BYTES = 1_000_000  # the service refuses 2 MB, and the transport warns above 1 MiB
_CHARACTER_BYTES = 12  # at most: two escapes of six
_OPERATION_BYTES = 400  # an operation's own JSON: its kind, its ETag, names and quotes
_FEW = 100  # rows
_BATCHES_AT_ONCE = 4  # a page of one person's documents at once; what is too much for the account is retried
_SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts")
_GONE, _CHANGED, _TOO_LARGE = 404, 412, 413


class _Search:
    """One query: what it asks for, its parameters and, where one key is searched, its partition."""

    def __init__(
        self, conditions: list[str], parameters: list[dict[str, Any]], partition: str | None
    ) -> None:
        self.where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self.parameters = parameters
        self.partition = partition


class CosmosDocuments:
    """Containers of the data map's document stores."""

    def __init__(self, databases: CosmosDatabases, datamap: DataMap) -> None:
        self._databases = databases
        self._datamap = datamap

    async def page(
        self,
        store: DocumentStore,
        identifiers: Identifiers,
        *,
        cursor: str | None,
        limit: int,
        keys_only: bool = False,
        among: DueSearch | None = None,
    ) -> DocumentPage:
        what = _keys(store) if keys_only else "*"
        searches = self._searches(store, identifiers, among)
        number, continuation = json.loads(cursor) if cursor else (0, None)
        while number < len(searches):
            search = searches[number]
            with translating("documents.page"):
                text = f"SELECT {what} FROM c{search.where}"
                pages = self._query(store, text, search, limit).by_page(continuation)
                rows: list[dict[str, Any]] = []
                continuation = None
                async for page in pages:
                    rows = [row async for row in page]
                    continuation = pages.continuation_token
                    break
            following = json.dumps((number, continuation)) if continuation else None
            if following is None and number + 1 < len(searches):
                following = json.dumps((number + 1, None))
            if rows or following is None:
                documents = tuple(_key(row) if keys_only else _stored(store, row) for row in rows)
                return DocumentPage(documents=documents, cursor=following)
            number, continuation = json.loads(following)
        return DocumentPage(documents=(), cursor=None)

    async def walk(self, store: DocumentStore, *, cursor: str | None, limit: int) -> DocumentPage:
        everything = _Search([], [], None)
        with translating("documents.walk"):
            pages = self._query(store, "SELECT * FROM c", everything, limit).by_page(cursor)
            async for page in pages:
                rows = [row async for row in page]
                documents = tuple(_stored(store, row) for row in rows)
                return DocumentPage(documents=documents, cursor=pages.continuation_token)
        return DocumentPage(documents=(), cursor=None)

    async def search(
        self, store: DocumentStore, wanted: DueSearch, *, cursor: str | None, limit: int
    ) -> DocumentPage:
        conditions, parameters = due_conditions(wanted)
        asked = _Search(conditions, parameters, None)
        with translating("documents.search"):
            pages = self._query(
                store, f"SELECT {selected(store, wanted)} FROM c{asked.where}", asked, limit
            ).by_page(cursor)
            async for page in pages:
                rows = [row async for row in page]
                documents = tuple(_stored(store, row) for row in rows)
                return DocumentPage(documents=documents, cursor=pages.continuation_token)
        return DocumentPage(documents=(), cursor=None)

    async def tally(self, store: DocumentStore, wanted: DueSearch) -> int:
        conditions, parameters = due_conditions(wanted)
        asked = _Search(conditions, parameters, None)
        text = f"SELECT VALUE COUNT(1) FROM c{asked.where}"
        with translating("documents.tally"):
            return sum([part async for part in self._query(store, text, asked, None)])

    async def get(self, store: DocumentStore, partition: Any, document_id: str) -> StoredDocument | None:
        key = NonePartitionKeyValue if partition is NO_PARTITION else partition
        with translating("documents.get"):
            try:
                row = await self._container(store).read_item(document_id, partition_key=key)
            except exceptions.CosmosResourceNotFoundError:
                return None
        return _stored(store, row)

    async def count(self, store: DocumentStore, identifiers: Identifiers) -> int:
        with translating("documents.count"):
            return sum([await self._counted(store, one) for one in self._searches(store, identifiers)])

    async def _counted(self, store: DocumentStore, search: _Search) -> int:
        """Count what one search finds: few as they come, since a count over partitions takes three calls."""
        if search.partition is None:
            pages = self._query(store, f"SELECT VALUE 1 FROM c{search.where}", search, _FEW).by_page()
            first = await anext(pages, None)
            found = len([row async for row in first]) if first is not None else 0
            if not pages.continuation_token and found < _FEW:
                return found
        text = f"SELECT VALUE COUNT(1) FROM c{search.where}"
        return sum([part async for part in self._query(store, text, search, None)])

    async def distinct(
        self, store: DocumentStore, identifiers: Identifiers, paths: Collection[str]
    ) -> AsyncIterator[Mapping[str, Any]]:
        what = ", ".join(f'c["{name}"]' for name in dict.fromkeys(path.split("/")[1] for path in paths))
        for search in self._searches(store, identifiers):
            with translating("documents.distinct"):
                async for row in self._query(
                    store, f"SELECT DISTINCT {what} FROM c{search.where}", search, None
                ):
                    yield row

    async def create(self, store: DocumentStore, body: Mapping[str, Any]) -> None:
        with translating("documents.create"):
            try:
                await self._container(store).create_item(dict(body))
            except exceptions.CosmosResourceExistsError:
                return

    async def change(self, store: DocumentStore, changes: Sequence[Change]) -> tuple[Changed, ...]:
        by_partition: defaultdict[Any, list[int]] = defaultdict(list)
        for index, change in enumerate(changes):
            partition = change.document.partition
            by_partition[type(partition), partition].append(index)  # true is not 1, though Python says so
        results: dict[int, Changed] = {}
        free = asyncio.Semaphore(_BATCHES_AT_ONCE)

        async def change_batch(batch: Sequence[int]) -> None:
            async with free:
                await self._change_batch(store, changes, batch, results)

        ended = await asyncio.gather(
            *(
                change_batch(batch)
                for indexes in by_partition.values()
                for batch in _batches(changes, indexes)
            ),
            return_exceptions=True,  # no batch may still be on its way when an error is told
        )
        for error in ended:
            if error is not None:
                raise error
        return tuple(results[index] for index in range(len(changes)))

    async def _change_batch(
        self,
        store: DocumentStore,
        changes: Sequence[Change],
        indexes: Sequence[int],
        results: dict[int, Changed],
    ) -> None:
        """Run one atomic batch; take out what is gone or changed, and try the rest again.

        A batch that is too large after all is run as two; a document too large alone is refused.
        """
        left = list(indexes)
        container = self._container(store)
        while left:
            partition = changes[left[0]].document.partition
            with translating("documents.change"):
                try:
                    await container.execute_item_batch(
                        [_operation(changes[index]) for index in left],
                        partition_key=NonePartitionKeyValue if partition is NO_PARTITION else partition,
                    )
                except (exceptions.CosmosBatchOperationError, exceptions.CosmosHttpResponseError) as error:
                    if error.status_code == _TOO_LARGE and len(left) > 1:
                        break
                    if not isinstance(error, exceptions.CosmosBatchOperationError):
                        raise
                    culprit = left[error.error_index]
                    if error.status_code == _GONE:
                        results[culprit] = Changed.GONE
                    elif error.status_code == _CHANGED:
                        results[culprit] = Changed.CHANGED
                    else:
                        raise
                    left.remove(culprit)
                    continue
            results.update(dict.fromkeys(left, Changed.DONE))
            return
        half = len(left) // 2
        if half:
            try:
                await self._change_batch(store, changes, left[:half], results)
            finally:  # a document nobody can write holds up no other
                await self._change_batch(store, changes, left[half:], results)

    def _searches(
        self, store: DocumentStore, identifiers: Identifiers, among: DueSearch | None = None
    ) -> list[_Search]:
        matches = store.elements.matches if store.elements else store.matches
        searches: list[_Search] = []
        earlier: list[tuple[Match, tuple[str, ...]]] = []
        for match in matches:
            # Blanks alone identify nobody: every record without an address would be found by them.
            values = tuple(one for one in identifiers.get(match.identifier, ()) if one.strip())
            if not values:
                continue
            is_key = match.path == store.partition_key and not store.elements and self._is_exact(match)
            partition = values[0] if is_key and len(values) == 1 else None
            parameters: list[dict[str, Any]] = []
            # a query that runs in one partition needs no condition that says so
            conditions = [] if partition is not None else [self._condition(store, match, values, parameters)]
            conditions += [
                f"NOT ({self._condition(store, other, others, parameters)})" for other, others in earlier
            ]
            if among is not None:
                narrower, values_of_it = due_conditions(among)
                conditions += narrower
                parameters += values_of_it
            searches.append(_Search(conditions, parameters, partition))
            earlier.append((match, values))
        return searches

    def _condition(
        self,
        store: DocumentStore,
        match: Match,
        values: tuple[str, ...],
        parameters: list[dict[str, Any]],
    ) -> str:
        names = []
        for value in values if self._is_exact(match) else _compositions(values):
            names.append(f"@p{len(parameters)}")
            parameters.append({"name": names[-1], "value": value})
            if not self._is_exact(match):
                parameters.append({"name": f"{names[-1]}b", "value": f" {value}"})
        if store.elements is not None:
            array = _property("c", store.elements.path)
            test = self._test(_property("e", match.path), match, names)
            return f"EXISTS(SELECT VALUE e FROM e IN {array} WHERE {test})"
        place = _property("c", match.path)
        if match.many:
            return "(" + " OR ".join(f"ARRAY_CONTAINS({place}, {name})" for name in names) + ")"
        return self._test(place, match, names)

    def _test(self, place: str, match: Match, names: list[str]) -> str:
        """Compare one place with parameters. A missing or non-text value is false, never undefined.

        Without case means without blanks around as well, which imports leave. The index finds what begins
        with the text, or with one blank before it.
        """
        if self._is_exact(match):
            return f"(IS_STRING({place}) AND {place} IN ({', '.join(names)}))"
        tests = " OR ".join(
            f"((STARTSWITH({place}, {name}, true) OR STARTSWITH({place}, {name}b, true)) "
            f"AND STRINGEQUALS(TRIM({place}), {name}, true))"
            for name in names
        )
        return f"(IS_STRING({place}) AND ({tests}))"

    def _is_exact(self, match: Match) -> bool:
        return self._datamap.identifier(match.identifier).comparison is Comparison.EXACT

    def _query(self, store: DocumentStore, text: str, search: _Search, limit: int | None) -> Any:
        options: dict[str, Any] = {}
        if search.partition is not None:
            options["partition_key"] = search.partition
        if limit is not None:
            options["max_item_count"] = limit
        return self._container(store).query_items(text, parameters=search.parameters, **options)

    def _container(self, store: DocumentStore) -> Any:
        return self._databases.container(store.database, store.container)


def _compositions(values: Sequence[str]) -> list[str]:
    """Return each text composed and decomposed: the service compares letters as they are stored."""
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    plain = [value.strip() for value in values]
    return list(dict.fromkeys(unicodedata.normalize(form, value) for value in plain for form in forms))


def _property(root: str, path: str) -> str:
    """Return `c["a"]["b"]` for `/a/b`; the map's paths hold letters, digits and underscores only."""
    return root + "".join(f'["{name}"]' for name in path.split("/")[1:])


def _stored(store: DocumentStore, row: dict[str, Any]) -> StoredDocument:
    return _document(row, value_at(row, store.partition_key), row)


def _keys(store: DocumentStore) -> str:
    """Select what a change needs to name a document: its id, its partition and its ETag."""
    partition = _property("c", store.partition_key)
    return f'VALUE {{"id": c.id, "_etag": c._etag, "partition": {partition}}}'


def _key(row: dict[str, Any]) -> StoredDocument:
    return _document(row, row.get("partition", MISSING), {"id": row["id"]})


def _document(row: dict[str, Any], partition: Any, body: dict[str, Any]) -> StoredDocument:
    # An object or an array is no key: the client libraries file such a document under none.
    is_key = partition is None or isinstance(partition, (str, int, float))
    return StoredDocument(
        partition=partition if is_key else NO_PARTITION,
        document_id=row["id"],
        etag=row["_etag"],
        body=body,
    )


def _batches(changes: Sequence[Change], indexes: Sequence[int]) -> Iterator[list[int]]:
    """Cut one partition's changes into batches the service takes, by number and by bytes."""
    batch: list[int] = []
    total = 0
    for index in indexes:
        size = _size_bytes(changes[index])
        if batch and (len(batch) == _BATCH or total + size > _BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(index)
        total += size
    if batch:
        yield batch


def _size_bytes(change: Change) -> int:
    """Return about how many bytes a change adds to a batch, rather too many: the SDK escapes less."""
    body = 0 if change.replacement is None else len(json.dumps(change.replacement))
    return _OPERATION_BYTES + _CHARACTER_BYTES * len(change.document.document_id) + body


def _operation(change: Change) -> tuple[Any, ...]:
    guard = {"if_match_etag": change.document.etag}
    if change.replacement is None:
        return ("delete", (change.document.document_id,), guard)
    body = {name: value for name, value in change.replacement.items() if name not in _SYSTEM}
    return ("replace", (change.document.document_id, body), guard)
