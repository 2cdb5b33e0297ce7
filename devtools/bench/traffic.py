"""Count what the SDKs send: requests and request units, by service and operation.

It stands between the SDKs and the network and so counts the app and a bare loop alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from azure.core.pipeline.transport import AioHttpTransport


@dataclass(kw_only=True)
class Traffic:
    """What went over the wire. Operations are named like `cosmos query usage_events`."""

    requests: Counter[str] = field(default_factory=Counter)
    charges: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def request_units(self) -> float:
        """Request units of all operations."""
        return sum(self.charges.values())

    def of_cosmos(self) -> int:
        """Return how many requests went to Cosmos DB."""
        return sum(count for name, count in self.requests.items() if name.startswith("cosmos "))


@contextmanager
def counted() -> Iterator[Traffic]:
    """Count all traffic of this process while the block runs. Blocks must not overlap."""
    traffic = Traffic()
    original = AioHttpTransport.send

    seen: list[tuple[str, str, Any, Any]] = []  # looked into at the end: it is no part of what is measured

    async def send(self: Any, request: Any, **options: Any) -> Any:
        response = await original(self, request, **options)
        seen.append((request.method, request.url, request.headers, response.headers))
        return response

    AioHttpTransport.send = send  # the only place that all SDKs pass through
    try:
        yield traffic
    finally:
        AioHttpTransport.send = original
        for method, url, sent, answered in seen:
            name = operation_of(method, url, sent)
            traffic.requests[name] += 1
            traffic.charges[name] += float(answered.get("x-ms-request-charge", 0))


def operation_of(method: str, url: str, headers: Any) -> str:
    """Return the name of what a request does: service, verb, container or queue."""
    lowered = {name.lower(): str(value) for name, value in headers.items()}
    parts = urlsplit(url)
    segments = [one for one in parts.path.split("/") if one]
    query = parse_qs(parts.query)
    if not segments or segments[0] == "dbs":
        return f"cosmos {_cosmos_verb(method, lowered)} {_after(segments, 'colls')}".rstrip()
    if "messages" in segments:
        return f"queue {method.lower()} {segments[segments.index('messages') - 1]}"
    verb = query.get("comp", [""])[0] or method.lower()
    return f"blob {verb} {segments[1] if len(segments) > 1 else ''}".rstrip()


def _cosmos_verb(method: str, headers: dict[str, str]) -> str:
    if headers.get("x-ms-cosmos-is-batch-request", "").lower() == "true":
        return "batch"
    if headers.get("x-ms-documentdb-isquery", "").lower() == "true":
        return "query"
    if headers.get("x-ms-cosmos-is-query-plan-request", "").lower() == "true":
        return "query plan"
    return {"get": "read", "put": "replace", "post": "create", "patch": "patch", "delete": "delete"}[
        method.lower()
    ]


def _after(segments: list[str], name: str) -> str:
    place = segments.index(name) + 1 if name in segments else len(segments)
    return segments[place] if place < len(segments) else ""
