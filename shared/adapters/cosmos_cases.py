"""Requests in Cosmos DB: one partition a request, one transactional batch a change."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from http import HTTPStatus
from typing import Any

from azure.cosmos import exceptions
from pydantic import TypeAdapter, ValidationError

from shared.adapters._azure_errors import translating
from shared.adapters.cosmos import CosmosDatabases
from shared.domain.case_documents import Event, Finding, LetterDocument, Part
from shared.domain.cases import DOCUMENT_TYPES, AnyDocument, SubjectRequest
from shared.domain.errors import CannotTell, Conflict, Invalid, NotFound
from shared.domain.request_states import RequestState
from shared.domain.tasks import Task
from shared.domain.times import utc_text
from shared.ports.cases import Case, CasePage, CaseRow, Write

_IS_ASKED = (
    "IS_NULL(c.closed_at) AND EXISTS(SELECT VALUE q FROM q IN c.questions WHERE IS_NULL(q.answered_at))"
)
_IS_DONE = "c.type = 'request' AND IS_NULL(c.wake_at)"
_LISTED = ", ".join(
    f"{_IS_ASKED} AS question_open" if one.name == "question_open" else f"c.{one.name}"
    for one in fields(CaseRow)
)
_ROW = TypeAdapter(CaseRow)
_SYSTEM = ("_rid", "_self", "_etag", "_attachments", "_ts")
_PARTS_IN_PAGE = 200
_KEYS_AT_ONCE = 50  # pseudonyms in one query
_LOST = frozenset({404, 409, 412, 424})


class CosmosCases:
    """The `requests` container."""

    def __init__(self, databases: CosmosDatabases) -> None:
        self._databases = databases

    async def load(self, request_id: str) -> Case:
        query = "SELECT * FROM c WHERE c.type IN ('request', 'task', 'letter', 'finding')"
        documents: list[AnyDocument] = []
        etags: dict[str, str] = {}
        with translating("cases.load"):
            rows = self._container.query_items(query, partition_key=request_id)
            async for row in rows:
                etags[row["id"]] = row["_etag"]
                documents.append(_read(row))
        request = next((one for one in documents if isinstance(one, SubjectRequest)), None)
        if request is None:
            raise NotFound("request_unknown")
        return Case(
            request=request,
            tasks=tuple(one for one in documents if isinstance(one, Task)),
            letters=tuple(one for one in documents if isinstance(one, LetterDocument)),
            findings=tuple(one for one in documents if isinstance(one, Finding)),
            etags=etags,
        )

    async def commit(
        self, request_id: str, writes: Sequence[Write], deletes: Sequence[str] = ()
    ) -> dict[str, str]:
        operations: list[tuple[Any, ...]] = [_operation(write) for write in writes]
        operations += [("delete", (document_id,), {}) for document_id in deletes]
        if not operations:
            return {}
        with translating("cases.commit"):
            try:
                results = await self._container.execute_item_batch(operations, partition_key=request_id)
            except exceptions.CosmosBatchOperationError as error:
                if error.status_code in _LOST:
                    raise Conflict("changed_meanwhile", "cases.commit") from error
                raise
        return {write.document.id: result["eTag"] for write, result in zip(writes, results, strict=False)}

    async def parts(self, request_id: str, *, cursor: str | None) -> tuple[tuple[Part, ...], str | None]:
        with translating("cases.parts"):
            pages = self._container.query_items(
                "SELECT * FROM c WHERE c.type = 'part'",
                partition_key=request_id,
                max_item_count=_PARTS_IN_PAGE,
            ).by_page(cursor)
            async for page in pages:
                parts = [_read(row) async for row in page]
                return tuple(one for one in parts if isinstance(one, Part)), pages.continuation_token
        return (), None

    async def waking(self, now: datetime, *, limit: int) -> tuple[str, ...]:
        query = "SELECT VALUE c.request_id FROM c WHERE c.type = 'request' AND c.wake_at <= @now"
        found: list[str] = []
        with translating("cases.waking"):
            rows = self._container.query_items(
                query, parameters=[{"name": "@now", "value": utc_text(now)}], max_item_count=limit
            )
            async for request_id in rows:
                found.append(request_id)
                if len(found) == limit:
                    break
        return tuple(found)

    async def of_person(self, subject_keys: Sequence[str]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        keys = tuple(dict.fromkeys(subject_keys))
        with translating("cases.of_person"):
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = [
                    {"name": f"@k{number}", "value": key}
                    for number, key in enumerate(keys[start : start + _KEYS_AT_ONCE])
                ]
                tests = " OR ".join(f"ARRAY_CONTAINS(c.subject_keys, {one['name']})" for one in some)
                query = f"SELECT VALUE c.request_id FROM c WHERE {tests}"
                async for request_id in self._container.query_items(query, parameters=some):
                    found[request_id] = None
        return tuple(found)

    async def listing(
        self,
        *,
        states: Sequence[RequestState] = (),
        attention: str | None = None,
        closed_since: datetime | None = None,
        subject_keys: Sequence[str] | None = None,
        cursor: str | None,
        limit: int,
    ) -> CasePage:
        conditions, parameters = ["c.type = 'request'"], []
        if states:
            conditions.append("ARRAY_CONTAINS(@states, c.state)")
            parameters.append({"name": "@states", "value": [str(state) for state in states]})
        if attention is not None:
            conditions.append("c.attention = @attention")
            parameters.append({"name": "@attention", "value": attention})
        if closed_since is not None:
            conditions.append("c.closed_at >= @since")
            parameters.append({"name": "@since", "value": utc_text(closed_since)})
        if subject_keys is not None:
            theirs = "EXISTS(SELECT VALUE k FROM k IN c.subject_keys WHERE ARRAY_CONTAINS(@keys, k))"
            conditions.append(theirs)
            parameters.append({"name": "@keys", "value": list(subject_keys)})
        query = f"SELECT {_LISTED} FROM c WHERE {' AND '.join(conditions)}"
        with translating("cases.listing"):
            found = self._container.query_items(query, parameters=parameters, max_item_count=limit)
            pages = found.by_page(cursor)
            try:
                async for page in pages:
                    rows = tuple([_listed(row) async for row in page])
                    if rows or not pages.continuation_token:
                        return CasePage(rows=rows, cursor=pages.continuation_token)
            except exceptions.CosmosHttpResponseError as error:
                if cursor is not None and error.status_code == HTTPStatus.BAD_REQUEST:
                    raise Invalid("cursor_invalid", "send the one you were given", field="cursor") from None
                raise
        return CasePage(rows=(), cursor=None)

    async def closed_before(
        self, until: str, *, cursor: str | None, limit: int
    ) -> tuple[tuple[str, ...], str | None]:
        query = f"SELECT c.request_id FROM c WHERE {_IS_DONE} AND c.closed_at < @until"
        parameters: list[dict[str, Any]] = [{"name": "@until", "value": until}]
        with translating("cases.closed_before"):
            found = self._container.query_items(query, parameters=parameters, max_item_count=limit)
            pages = found.by_page(cursor)
            async for page in pages:
                ids = tuple([row["request_id"] async for row in page])
                if ids or not pages.continuation_token:
                    return ids, pages.continuation_token
        return (), None

    async def document_ids(self, request_id: str) -> tuple[str, ...]:
        with translating("cases.document_ids"):
            rows = self._container.query_items("SELECT VALUE c.id FROM c", partition_key=request_id)
            return tuple([name async for name in rows])

    async def events(self, request_id: str) -> tuple[Event, ...]:
        with translating("cases.events"):
            rows = self._container.query_items(
                "SELECT * FROM c WHERE c.type = 'event'", partition_key=request_id
            )
            found = [_read(row) async for row in rows]
        return tuple(sorted((one for one in found if isinstance(one, Event)), key=lambda one: one.id))

    @property
    def _container(self) -> Any:
        return self._databases.container("compliance", "requests")


def _listed(row: dict[str, Any]) -> CaseRow:
    try:
        return _ROW.validate_python(row)
    except ValidationError:
        raise CannotTell("document_unreadable", "cases") from None


def _operation(write: Write) -> tuple[Any, ...]:
    body = write.document.model_dump(mode="json")
    if write.etag is None:
        return ("create", (body,), {})
    return ("replace", (write.document.id, body), {"if_match_etag": write.etag})


def _read(row: dict[str, Any]) -> AnyDocument:
    try:
        model = DOCUMENT_TYPES[row["type"]]
        return model.model_validate({name: value for name, value in row.items() if name not in _SYSTEM})
    except (KeyError, ValidationError):
        raise CannotTell("document_unreadable", "cases") from None
