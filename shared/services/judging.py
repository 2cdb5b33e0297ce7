"""Which verdict a right comes to on each record of a store, and which records are within its scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.datamap.models import DocumentStore, LineStore, Store
from shared.datamap.stopping import stop_record
from shared.datamap.treatment import Treated, Verdict, erase_elements, erase_record, goes_whole, value_at
from shared.domain.cases import SubjectRequest
from shared.domain.consent import consent_in_force
from shared.domain.identifiers import Identifiers
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day, moment_of
from shared.domain.wishes import Scope
from shared.ports.documents import DocumentPage, StoredDocument
from shared.services.context import Context

STOPPING = frozenset({Right.WITHDRAWAL, Right.MARKETING_OBJECTION})


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Judges the documents of one store for one request, today.

    `opted_in`: the purposes that the person consented to after the request was received.
    """

    context: Context
    request: SubjectRequest
    store: DocumentStore
    opted_in: frozenset[str] = frozenset()

    @property
    def today(self) -> date:
        """The day whose keeping duties count."""
        return copenhagen_day(self.context.clock.now())

    @property
    def takes_whole(self) -> bool:
        """Whether every record goes whatever is in it, so that its keys are enough."""
        scope = self.request.scope
        if scope.customer_id or scope.created_before or scope.of(self.store.id):
            return False
        if self.request.right in STOPPING:
            return self.request.right in self.store.ends_with and self.store.consented_at_path is None
        return goes_whole(self.store)

    def judge(self, documents: Sequence[StoredDocument]) -> list[Treated]:
        """Return the verdict on each document, in the order given."""
        if self.takes_whole:
            return [Treated(verdict=Verdict.ERASE)] * len(documents)
        return [self._treated(document) for document in documents]

    def _treated(self, document: StoredDocument) -> Treated:
        store, body = self.store, document.body
        if self.request.right in STOPPING:
            return stop_record(
                body,
                store,
                self.request.right,
                received_at=self.request.received_at,
                opted_in=self.opted_in,
            )
        if store.elements is None:
            return erase_record(body, store.fields, today=self.today)
        return erase_elements(
            body,
            store.elements,
            store.fields,
            self.context.datamap,
            self.request.identifiers,
            today=self.today,
        )


async def judge_of(context: Context, request: SubjectRequest, store: DocumentStore) -> Judge:
    """Return the judge of a store, who knows what was consented to since the request came.

    What a hold puts off may be carried out long after the person signed up anew. Source: GDPR article 7(3).
    """
    choices = {one.choice_of for one in store.fields if one.choice_of and request.right in one.off_by}
    if not choices:
        return Judge(context=context, request=request, store=store)
    now = context.clock.now()
    counting = [
        consent_in_force(one.controls, purpose_id, now=now)
        for one in await context.controls.read(request.subject_keys)
        for purpose_id in choices
    ]
    later = {one.purpose_id for one in counting if one is not None and one.given_at > request.received_at}
    return Judge(context=context, request=request, store=store, opted_in=frozenset(later))


def within(scope: Scope, store: DocumentStore, page: DocumentPage) -> tuple[StoredDocument, ...]:
    """Return the documents of a page that the request is about: of one customer, where one asks."""
    return tuple(one for one in page.documents if is_within(scope, store, one.body))


async def records_within(
    context: Context, scope: Scope, store: DocumentStore, identifiers: Identifiers
) -> int:
    """Return how many documents a request is about; a customer's own ones alone are counted for it."""
    if scope.customer_id is None:
        return await context.documents.count(store, identifiers)
    found = 0
    cursor: str | None = None
    while True:
        page = await context.documents.page(
            store, identifiers, cursor=cursor, limit=context.limits.page_documents
        )
        found += len(within(scope, store, page))
        cursor = page.cursor
        if cursor is None:
            return found


def is_within(scope: Scope, store: Store, record: Mapping[str, Any]) -> bool:
    """Whether a request is about a record of the person.

    A record whose creation cannot be read counts as old: it came back with a restored copy.
    """
    if scope.customer_id is not None and not _is_customers(scope.customer_id, store, record):
        return False
    wanted = scope.of(store.id)
    if wanted is not None and value_at(record, wanted.path) not in wanted.values:
        return False
    if scope.created_before is None or store.created_path is None:
        return True
    created_at = moment_of(value_at(record, store.created_path))
    return created_at is None or created_at < scope.created_before


def _is_customers(customer_id: str, store: Store, record: Mapping[str, Any]) -> bool:
    """Whether a record is of the customer's installations; lines are, by the blobs they were found in."""
    if store.customer_path is None:
        return isinstance(store, LineStore)
    return bool(value_at(record, store.customer_path) == customer_id)
