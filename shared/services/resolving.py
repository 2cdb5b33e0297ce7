"""From one confirmed address to everything that identifies the same person, as the map's locators say."""

from dataclasses import dataclass

from shared.datamap.models import DocumentStore, FileStore, LineStore, Match
from shared.datamap.treatment import found_identifiers, value_at
from shared.domain.cases import SubjectRequest
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, Identifiers, merged, normalise
from shared.domain.rights import Right
from shared.services.context import Context

_LOCATOR_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A person's identifiers, and why they cannot be relied on. `problem` None: they can.

    `too_many_<kind>`: more were found than one person has. `identifier_unreadable`: a record that should
    have led on holds something that is no identifier.
    """

    identifiers: dict[str, tuple[str, ...]]
    problem: str | None = None


async def resolve_request(context: Context, request: SubjectRequest) -> Resolved:
    """Return everything that identifies the person of a request, within what the requester may reach.

    A customer names a person of its installation: nothing is followed from there to the person's other data.
    The pseudonyms are all of the person's all the same, for a hold may stand under another one.
    """
    known: Identifiers = request.identifiers
    if not known and request.email is not None:
        known = {EMAIL: (request.email,)}
    if request.scope.customer_id is None:
        return await resolve(context, known, people=request.subject_count)
    identifiers = {kind: tuple(values) for kind, values in known.items() if kind != SUBJECT_KEY}
    own = {
        kind: values for kind, values in identifiers.items() if not context.datamap.identifier(kind).shared
    }
    person = await resolve(context, own)
    identifiers[SUBJECT_KEY] = person.identifiers.get(SUBJECT_KEY, ())
    return Resolved(identifiers=identifiers, problem=person.problem)


async def becomes_another(context: Context, request: SubjectRequest, identifiers: Identifiers) -> bool:
    """Tell whether the address to be corrected to is somebody else's, with whom the person would merge.

    It is where an account stands under it that nothing known of the person leads to.
    Source: GDPR articles 5(1)(d) and (f), 16.
    """
    new = request.wishes.corrections.get(EMAIL)
    if new is None or request.right is not Right.RECTIFICATION or request.scope.customer_id is not None:
        return False
    there = await resolve(context, {EMAIL: (new,)})
    accounts = [
        (kind, value)
        for kind, values in there.identifiers.items()
        if kind not in (EMAIL, SUBJECT_KEY) and not context.datamap.identifier(kind).shared
        for value in values
    ]
    return there.problem is not None or merged(identifiers, accounts) != merged(identifiers, ())


async def resolve(context: Context, known: Identifiers, *, people: int = 1) -> Resolved:
    """Follow locators from the known identifiers until nothing new appears.

    Stops early, and says so in `problem`, when a kind exceeds what one person may have, for then the
    records belong to more than one person; or when a value has the wrong type, for then the person's
    other records might not be found. Nothing may be done unseen in either case. `people`: how many are known
    to be meant.
    """
    identifiers = {kind: tuple(values) for kind, values in known.items() if kind != SUBJECT_KEY}
    searched: set[tuple[str, str, str]] = set()
    while True:
        steps = _unsearched(context, identifiers, searched)
        if not steps:
            break
        for store, match, values in steps:
            searched.update((store.id, match.path, normalise(match.identifier, value)) for value in values)
            cursor: str | None = None
            only = store.model_copy(update={"matches": (match,), "elements": None})
            while True:
                page = await context.documents.page(
                    only, {match.identifier: values}, cursor=cursor, limit=_LOCATOR_PAGE
                )
                for document in page.documents:
                    found, wrong = found_identifiers(document.body, store.fields)
                    if wrong:
                        return Resolved(identifiers=identifiers, problem="identifier_unreadable")
                    identifiers = merged(identifiers, found)
                    _mark_own_values(store, document.body, searched)
                too_many = _too_many(context, identifiers, people)
                if too_many:
                    return Resolved(identifiers=identifiers, problem=f"too_many_{too_many[0]}")
                cursor = page.cursor
                if cursor is None:
                    break
    resolved = await _from_single_records(context, identifiers, people)
    if resolved.problem is None:
        resolved.identifiers[SUBJECT_KEY] = context.subject_keys(identifiers)
    return resolved


async def _from_single_records(context: Context, identifiers: Identifiers, people: int) -> Resolved:
    """Find what a store's files lie under, where no directory names it and single records do.

    Such as the installations of somebody of whom only events are left. Of everybody else nothing is read.
    """
    found = dict(identifiers)
    for kind in _kinds_of_prefixes(context) - identifiers.keys():
        for _, store in context.datamap.stores():
            fields = tuple(one for one in store.fields if one.identifier == kind)
            if not isinstance(store, DocumentStore) or store.locator or store.elements or not fields:
                continue
            cursor: str | None = None
            while any(match.identifier in identifiers for match in store.matches):
                page = await context.documents.page(
                    store, identifiers, cursor=cursor, limit=context.limits.page_documents
                )
                for document in page.documents:
                    values, wrong = found_identifiers(document.body, fields)
                    if wrong:
                        return Resolved(identifiers=found, problem="identifier_unreadable")
                    found = merged(found, values)
                too_many = _too_many(context, found, people)
                if too_many:
                    return Resolved(identifiers=found, problem=f"too_many_{too_many[0]}")
                cursor = page.cursor
                if cursor is None:
                    break
    return Resolved(identifiers=found)


def _kinds_of_prefixes(context: Context) -> set[str]:
    """Return the kinds of identifiers that names of blobs begin with."""
    found = set()
    for _, store in context.datamap.stores():
        if isinstance(store, LineStore | FileStore) and "{" in store.prefix:
            found.add(store.prefix.partition("{")[2].partition("}")[0])
    return found


def _unsearched(
    context: Context, identifiers: Identifiers, searched: set[tuple[str, str, str]]
) -> list[tuple[DocumentStore, Match, tuple[str, ...]]]:
    steps = []
    for _, store in context.datamap.stores():
        if not isinstance(store, DocumentStore) or not store.locator:
            continue
        for match in store.matches:
            values = tuple(
                value
                for value in identifiers.get(match.identifier, ())
                if (store.id, match.path, normalise(match.identifier, value)) not in searched
            )
            if values:
                steps.append((store, match, values))
    return steps


def _mark_own_values(store: DocumentStore, body: object, searched: set[tuple[str, str, str]]) -> None:
    """Skip asking a store for the key of a document it just gave, when that key finds one document only."""
    for match in store.matches:
        if match.path == "/id" == store.partition_key:
            value = value_at(body, match.path)
            if isinstance(value, str):
                searched.add((store.id, match.path, normalise(match.identifier, value)))


def _too_many(context: Context, identifiers: Identifiers, people: int) -> tuple[str, ...]:
    return tuple(
        kind
        for kind, values in identifiers.items()
        if kind != SUBJECT_KEY and len(values) > people * context.datamap.identifier(kind).at_most
    )
