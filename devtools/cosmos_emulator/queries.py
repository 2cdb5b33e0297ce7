"""Answer queries over items, and queries over the few resources kept in memory."""

import base64
from collections import ChainMap
from collections.abc import Mapping
from typing import Any, Final

import orjson

from . import charges, continuation, plans, strictness
from .candidates import Candidates
from .clock import Clock
from .container import Container
from .continuation import Position
from .errors import ServiceError, bad_request
from .patch import Condition
from .prepared import Prepared, prepare
from .query_pages import Page, PageRun
from .reply import Reply, feed
from .scope import EVERYTHING, Scope, range_scope
from .sql.compiler import Environment
from .sql.errors import SqlError
from .sql.parser import parse
from .sql.pipeline import compile_query
from .sql.values import UNDEFINED

SERVER_PAGE_ITEMS: Final = 1_000
_CACHED_QUERIES: Final = 1_000
_READ_ALL: Final = b'{"query":"SELECT * FROM c"}'

CROSS_PARTITION_DISABLED: Final = (
    "Cross partition query is required but disabled. Please set x-ms-documentdb-query-enablecrosspartition "
    "to true, specify x-ms-documentdb-partitionkey, or revise your query to avoid this exception."
)


class Queries:
    """Answer queries over the items of a container.

    Args:
        candidates: finds items.
        clock: the time that queries see.
        is_open: answer what the service refuses.
    """

    def __init__(self, candidates: Candidates, clock: Clock, *, is_open: bool) -> None:
        self._candidates = candidates
        self._clock = clock
        self._is_open = is_open
        self._prepared: dict[tuple[int, int, bytes], Prepared] = {}

    async def query(self, container: Container, headers: Mapping[str, str], raw: bytes) -> Reply:
        """Answer one page of a query.

        Raises:
            ServiceError: 400 for a query that is wrong or refused, 410 for an unknown range.
        """
        prepared = self._prepare(container, raw)
        scope, crosses = self._scope(container, headers, prepared)
        if not self._is_open:
            if crosses:
                strictness.refuse_across_partitions(prepared)
            strictness.refuse_unindexed_order(prepared, container)
        fingerprint = continuation.digest(raw, scope.fingerprint(), container.rid.encode())
        token = headers.get("x-ms-continuation")
        start = Position(offset=prepared.pipeline.offset, remaining=prepared.pipeline.count)
        if token:
            start = continuation.read(token, fingerprint)
            _check_keys(start, prepared)
        run = PageRun(
            candidates=self._candidates,
            container=container,
            scope=scope,
            prepared=prepared,
            position=start,
            max_items=page_size(headers),
        )
        try:
            page = await run.run()
        except SqlError as error:
            raise _refusal(error) from None
        reply = Reply(
            200, feed(container.rid, "Documents", page.rows), _charge(prepared, page), container=container
        )
        reply.headers["x-ms-item-count"] = str(len(page.rows))
        if page.position is not None:
            reply.headers["x-ms-continuation"] = continuation.write(page.position, fingerprint)
        _add_metrics(reply, headers, prepared, page)
        return reply

    async def read_all(self, container: Container, headers: Mapping[str, str]) -> Reply:
        """Answer one page of all items of a partition or of the container.

        Raises:
            ServiceError: 400 for a malformed header or token.
        """
        everywhere = {"x-ms-documentdb-query-enablecrosspartition": "true"}
        return await self.query(container, ChainMap(everywhere, headers), _READ_ALL)  # type: ignore[arg-type]  # only read

    def plan(self, container: Container, raw: bytes) -> Reply:
        """Answer a request for a query plan.

        Raises:
            ServiceError: 400 for a query that is wrong or that the SDK cannot finish.
        """
        prepared = self._prepare(container, raw)
        if not self._is_open:
            strictness.refuse_unindexed_order(prepared, container)
        text, _ = read_body(raw)
        return Reply(200, orjson.dumps(plans.plan(prepared, text)), charges.METADATA, container=container)

    def _prepare(self, container: Container, raw: bytes) -> Prepared:
        key = (container.number, container.revision, raw)
        prepared = self._prepared.get(key)
        if prepared is not None:
            return prepared
        text, parameters = read_body(raw)
        try:
            prepared = prepare(parse(text), parameters, container, self._clock.now())
        except SqlError as error:
            raise _refusal(error) from None
        texts = (text, *container.computed.values())
        if not any("GETCURRENT" in part.upper() for part in texts):
            if len(self._prepared) >= _CACHED_QUERIES:
                self._prepared.clear()
            self._prepared[key] = prepared
        return prepared

    def _scope(
        self, container: Container, headers: Mapping[str, str], prepared: Prepared
    ) -> tuple[Scope, bool]:
        """Return the scope, and whether the query reaches over partitions without naming a range."""
        key = headers.get("x-ms-documentdb-partitionkey")
        if key is not None:
            return Scope(epk=container.epk_of_header(key)), False
        range_id = headers.get("x-ms-documentdb-partitionkeyrangeid")
        if range_id is not None:
            return range_scope(range_id, headers.get("x-ms-start-epk"), headers.get("x-ms-end-epk")), False
        pinned = [prepared.access.pinned(prepared.query.where, path) for path in container.definition.paths]
        if all(is_pinned and not isinstance(value, list | dict) for is_pinned, value in pinned):
            return Scope(epk=container.definition.epk([value for _, value in pinned])), False
        if headers.get("x-ms-documentdb-query-enablecrosspartition", "").lower() == "true":
            return EVERYTHING, True
        raise bad_request(CROSS_PARTITION_DISABLED)


def page_size(headers: Mapping[str, str]) -> int:
    """Return the most items of a page from the request's headers.

    Raises:
        ServiceError: 400 when the header is no whole number from 1 up, nor -1.
    """
    text = headers.get("x-ms-max-item-count", "-1")
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count == -1:
        return SERVER_PAGE_ITEMS
    if count < 1:
        raise bad_request(f"Invalid x-ms-max-item-count '{text}'.")
    return count


def read_body(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Return the text and the parameters of a query body.

    Raises:
        ServiceError: 400 when the body is malformed.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The query body is not valid JSON: {error}.") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise bad_request("The query body must be an object with 'query'.")
    entries = body.get("parameters") or []
    if not isinstance(entries, list):
        raise bad_request("The query parameters must be a list.")
    parameters: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or "value" not in entry:
            raise bad_request("A query parameter must be an object with 'name' and 'value'.")
        if not entry["name"].startswith("@"):
            raise bad_request(f"The query parameter name '{entry['name']}' must start with '@'.")
        parameters[entry["name"]] = entry["value"]
    return body["query"], parameters


def query_resources(resources: list[dict[str, Any]], raw: bytes) -> list[dict[str, Any]]:
    """Answer a query over databases, containers or offers.

    Raises:
        ServiceError: 400 when the query is wrong or more than a filter.
    """
    text, parameters = read_body(raw)
    try:
        pipeline, width = compile_query(parse(text), Environment(parameters, {}, float))
        if pipeline.is_grouped or pipeline.sorts or pipeline.distinct or pipeline.count is not None:
            raise bad_request("Queries over databases, containers and offers may only filter.")
        found: list[Any] = []
        for resource in resources:
            row = [resource] + [UNDEFINED] * (width - 1)
            found.extend(
                pipeline.project(row)
                for _ in pipeline.combinations(row)
                if all(term(row) is True for _, term in pipeline.filters)
            )
    except SqlError as error:
        raise _refusal(error) from None
    return found


def compile_condition(container: Container, text: str) -> Condition:
    """Compile the condition of a patch (`from c where ..`) into a test on a document.

    Raises:
        ServiceError: 400 when the text is no such condition.
    """
    if not text.strip().lower().startswith("from"):
        raise bad_request("The condition of a patch must start with FROM.")
    try:
        query = parse(f"SELECT VALUE 1 {text}")
        pipeline, width = compile_query(query, Environment({}, container.computed, float))
    except SqlError as error:
        raise _refusal(error) from None

    def holds(document: dict[str, Any]) -> bool:
        row = [document] + [UNDEFINED] * (width - 1)
        return any(all(term(row) is True for _, term in pipeline.filters) for _ in pipeline.combinations(row))

    return holds


def _refusal(error: SqlError) -> ServiceError:
    details = {
        "errors": [
            {
                "severity": "Error",
                "location": {"start": error.start, "end": error.end},
                "code": error.code,
                "message": error.message,
            }
        ]
    }
    return bad_request(orjson.dumps(details).decode())


def _check_keys(position: Position, prepared: Prepared) -> None:
    wanted = len(prepared.pipeline.sorts) + 1
    if position.keys is not None and len(position.keys) != wanted:
        raise bad_request("Invalid Continuation Token")


def _charge(prepared: Prepared, page: Page) -> float:
    if prepared.pipeline.is_grouped and prepared.is_index_only:
        return charges.index_page(matching=page.matching)
    return charges.query_page(loaded=page.loaded, returned_bytes=page.size_bytes)


def _add_metrics(reply: Reply, headers: Mapping[str, str], prepared: Prepared, page: Page) -> None:
    if headers.get("x-ms-documentdb-populatequerymetrics", "").lower() == "true":
        ratio = page.matching / page.loaded if page.loaded else 1.0
        reply.headers["x-ms-documentdb-query-metrics"] = (
            f"totalExecutionTimeInMs=0.00;retrievedDocumentCount={page.loaded};"
            f"retrievedDocumentSize={page.loaded_bytes};outputDocumentCount={len(page.rows)};"
            f"outputDocumentSize={page.size_bytes};indexUtilizationRatio={ratio:.2f}"
        )
    if headers.get("x-ms-cosmos-populateindexmetrics", "").lower() == "true":
        paths = sorted({"/" + "/".join(span.path) + "/?" for spans in prepared.spans for span in spans})
        utilisation = {
            "UtilizedSingleIndexes": [{"IndexSpec": path, "IndexImpactScore": "High"} for path in paths],
            "PotentialSingleIndexes": [],
            "UtilizedCompositeIndexes": [],
            "PotentialCompositeIndexes": [],
        }
        reply.headers["x-ms-cosmos-index-utilization"] = base64.b64encode(orjson.dumps(utilisation)).decode()
