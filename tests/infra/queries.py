"""Every query the code makes of the database, caught from the adapters themselves."""

import ast
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.adapters.cosmos_activity import CosmosActivityClocks
from shared.adapters.cosmos_cases import CosmosCases
from shared.adapters.cosmos_consent_ledger import CosmosConsentLedger
from shared.adapters.cosmos_controls import CosmosControls
from shared.adapters.cosmos_displays import CosmosDisplays
from shared.adapters.cosmos_documents import CosmosDocuments
from shared.adapters.cosmos_newsletter_changes import CosmosNewsletterChanges
from shared.adapters.cosmos_pending_sign_ups import CosmosPendingSignUps
from shared.adapters.cosmos_reconciliations import CosmosReconciliations
from shared.adapters.cosmos_retention_runs import CosmosRetentionRuns
from shared.adapters.stored_webhooks import StoredWebhooks
from shared.datamap import loader
from shared.datamap.models import DataMap, DocumentDeletion, DocumentStore
from shared.domain.displays import DisplayChannel
from shared.domain.errors import NotFound
from shared.domain.request_states import RequestState
from shared.domain.retention_runs import Run
from shared.ports.documents import DueSearch
from shared.services import retention_searches as retention
from tests.infra.bicep import ROOT

ADAPTERS = ROOT / "shared" / "adapters"
_NO_BLOBS: Any = None  # no query goes there
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """One query: where it was asked, of what, and whether of one partition only."""

    place: tuple[str, int]
    database: str
    container: str
    text: str
    in_partition: bool


class _Nothing:
    """A result without rows of which there is more, so that what asks for few first goes on to many."""

    continuation_token = "more"

    def by_page(self, _cursor: str | None = None) -> "_Nothing":
        return self

    def __aiter__(self) -> "_Nothing":
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration


class Catching:
    """Stands in for the databases and keeps what they are asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def container(self, database: str, name: str) -> Any:
        asked = self.asked

        class Container:
            def query_items(self, text: str, **options: Any) -> _Nothing:
                frame = sys._getframe(1)
                place = (Path(frame.f_code.co_filename).name, frame.f_lineno)
                asked.append(Asked(place, database, name, text, "partition_key" in options))
                return _Nothing()

        return Container()


def places() -> set[tuple[str, int]]:
    """Return where adapters ask queries, from their source."""
    return {
        (path.name, node.lineno)
        for path in ADAPTERS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "query_items"
    }


def _calls(databases: Any) -> list[Callable[[], Awaitable[Any]]]:
    """Return every call of a port that queries; a new one gets its line here."""
    cases, controls = CosmosCases(databases), CosmosControls(databases)
    consents, changes = CosmosConsentLedger(databases), CosmosNewsletterChanges(databases)
    return [
        lambda: cases.load("r"),
        lambda: cases.parts("r", cursor=None),
        lambda: cases.waking(NOW, limit=1),
        lambda: cases.of_person(("k",)),
        lambda: cases.listing(
            states=(RequestState.RECEIVED,),
            attention="a",
            closed_since=NOW,
            subject_keys=("k",),
            cursor=None,
            limit=1,
        ),
        lambda: cases.events("r"),
        lambda: cases.closed_before("2026", cursor=None, limit=1),
        lambda: cases.document_ids("r"),
        lambda: controls.keys_with_hold("h"),
        lambda: controls.held(limit=1),
        lambda: consents.of_person(("k",)),
        lambda: _all(consents.given("newsletter")),
        lambda: changes.waking(NOW, limit=1),
        lambda: changes.waiting_for_staff(limit=1),
        lambda: CosmosPendingSignUps(databases).waking(NOW, limit=1),
        lambda: CosmosReconciliations(databases).latest(limit=1),
        lambda: StoredWebhooks(_NO_BLOBS, databases).to_look_at(limit=1),
        lambda: CosmosRetentionRuns(databases).latest(),
        lambda: CosmosRetentionRuns(databases).due(NOW.date(), after="", limit=1),
        lambda: CosmosRetentionRuns(databases).doubted(after="", limit=1),
        lambda: CosmosRetentionRuns(databases).doubts(),
        lambda: CosmosRetentionRuns(databases).watched_later(["k"], {"members"}, NOW.date()),
        lambda: CosmosDisplays(databases).shown(("k",)),
        lambda: CosmosDisplays(databases).listing(after="", limit=1),
        lambda: CosmosDisplays(databases).count("1", DisplayChannel.APPLICATION),
        lambda: CosmosActivityClocks(databases).read(("k",)),
        *_of_the_map(databases),
    ]


async def _all(rows: AsyncIterator[Any]) -> list[Any]:
    return [row async for row in rows]


def _of_the_map(databases: Any) -> list[Callable[[], Awaitable[Any]]]:
    """Return look-ups of every store, by one value of each identifier and by two."""
    datamap = loader.load()
    documents = CosmosDocuments(databases, datamap)
    calls: list[Callable[[], Awaitable[Any]]] = []
    for _, store in datamap.stores():
        if not isinstance(store, DocumentStore):
            continue
        for values in (("a",), ("a", "b")):
            known = {one.id: values for one in datamap.policy.identifiers}
            calls += [
                lambda store=store, known=known: documents.page(store, known, cursor=None, limit=1),
                lambda store=store, known=known: documents.count(store, known),
                lambda store=store, known=known: _all(documents.distinct(store, known, ["/user_id"])),
            ]
        calls.append(lambda store=store: documents.walk(store, cursor=None, limit=1))
    return calls + _of_the_rules(datamap, documents)


def _of_the_rules(datamap: DataMap, documents: CosmosDocuments) -> list[Callable[[], Awaitable[Any]]]:
    """Return every search of a run of scheduled deletion that follows another."""
    day = NOW.date()
    bounds = retention.bounds(datamap, day, {})
    run = Run(day=day, started_at=NOW, bounds=bounds, old_bounds=bounds, written_since_seconds=1)
    return [
        lambda source=source: documents.search(
            datamap.store(source.store_id)[1],
            retention.search_of(datamap, run, source),
            cursor=None,
            limit=1,
        )
        for source in retention.sources(datamap, day, last=day)
    ] + [
        lambda deletes=one.deletes: documents.search(
            datamap.store(deletes.store)[1],
            DueSearch(path=deletes.path, until="2026"),
            cursor=None,
            limit=1,
        )
        for one in datamap.own_data
        if isinstance(one.deletes, DocumentDeletion)
    ]


def asked() -> list[Asked]:
    """Return every query of every call, and how it was asked."""
    databases = Catching()

    async def all_calls() -> None:
        for call in _calls(databases):
            with suppress(NotFound):
                await call()

    asyncio.run(all_calls())
    return databases.asked
