"""From one confirmed address to everything that identifies the same person, as the map's locators say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.datamap.models import DocumentStore, FileStore, LineStore, Match
from shared.datamap.treatment import belongs, found_identifiers, value_at
from shared.domain.cases import SubjectRequest
from shared.domain.identifiers import EMAIL, SUBJECT_KEY, Identifiers, merged, normalise
from shared.domain.rights import Right
from shared.services.context import Context
from shared.services.side_by_side import all_of

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
    (found,) = await resolve_people(context, [known], each=people)
    return found


async def resolve_people(context: Context, known: Sequence[Identifiers], *, each: int = 1) -> list[Resolved]:
    """Follow locators for several people side by side, as `resolve`; a search serves all who need it.

    What is found is the identifier of whom the record belongs to. `each`: how many people each may be.
    """
    found = [_Followed(_without_keys(one), each) for one in known]
    while steps := _next_steps(context, found):
        await all_of(partial(_follow, context, step) for step in steps)
    await all_of(partial(_follow_single_records, context, one) for one in found)
    return [one.resolved(context) for one in found]


def _without_keys(known: Identifiers) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(values) for kind, values in known.items() if kind != SUBJECT_KEY}


class _Followed:
    """One person while locators are followed. `may_be`: how many people."""

    def __init__(self, identifiers: dict[str, tuple[str, ...]], may_be: int) -> None:
        self.identifiers = identifiers
        self.may_be = may_be
        self.searched: set[tuple[str, str, str]] = set()
        self.problem: str | None = None

    def unsearched(self, store: DocumentStore, match: Match) -> tuple[str, ...]:
        """Return the values that this match of the store was not asked for."""
        if self.problem is not None:
            return ()
        return tuple(
            value
            for value in self.identifiers.get(match.identifier, ())
            if (store.id, match.path, normalise(match.identifier, value)) not in self.searched
        )

    def add(self, context: Context, store: DocumentStore, body: Mapping[str, Any]) -> bool:
        """Take in what a record of the person leads to, and return whether it can still be relied on."""
        found, wrong = found_identifiers(body, store.fields)
        if wrong:
            self.problem = "identifier_unreadable"
            return False
        self.identifiers = merged(self.identifiers, found)
        _mark_own_values(store, body, self.searched)
        for kind, values in self.identifiers.items():
            if kind != SUBJECT_KEY and len(values) > self.may_be * context.datamap.identifier(kind).at_most:
                self.problem = f"too_many_{kind}"
                return False
        return True

    def resolved(self, context: Context) -> Resolved:
        """Return what came of it."""
        if self.problem is not None:
            return Resolved(identifiers=self.identifiers, problem=self.problem)
        keys = context.subject_keys(self.identifiers)
        return Resolved(identifiers={**self.identifiers, SUBJECT_KEY: keys})


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One search: a match of a store, and who asks for which values."""

    store: DocumentStore
    match: Match
    asked: Sequence[tuple[_Followed, tuple[str, ...]]]


def _next_steps(context: Context, people: Sequence[_Followed]) -> list[_Step]:
    steps = []
    for _, store in context.datamap.stores():
        if not isinstance(store, DocumentStore) or not store.locator:
            continue
        for match in store.matches:
            asked = [(one, values) for one in people if (values := one.unsearched(store, match))]
            if asked:
                steps.append(_Step(store=store, match=match, asked=asked))
    return steps


async def _follow(context: Context, step: _Step) -> None:
    store, match = step.store, step.match
    for one, values in step.asked:
        one.searched.update((store.id, match.path, normalise(match.identifier, value)) for value in values)
    wanted = tuple(dict.fromkeys(value for _, values in step.asked for value in values))
    only = store.model_copy(update={"matches": (match,), "elements": None})
    cursor: str | None = None
    while True:
        page = await context.documents.page(
            only, {match.identifier: wanted}, cursor=cursor, limit=_LOCATOR_PAGE
        )
        for document in page.documents:
            for one in _owners(context, step, document.body):
                one.add(context, store, document.body)
        cursor = page.cursor
        if cursor is None or all(one.problem is not None for one, _ in step.asked):
            return


async def _follow_single_records(context: Context, person: _Followed) -> None:
    """Find what a person's files lie under, where no directory names it and single records do.

    Such as the installations of somebody of whom only events are left. Of everybody else nothing is read.
    """
    known = dict(person.identifiers)
    for kind in _kinds_of_prefixes(context) - known.keys():
        for _, store in context.datamap.stores():
            fields = tuple(one for one in store.fields if one.identifier == kind)
            if not isinstance(store, DocumentStore) or store.locator or store.elements or not fields:
                continue
            if person.problem is None and any(match.identifier in known for match in store.matches):
                only = store.model_copy(update={"fields": fields})
                decides = (one.own_when.path for one in fields if one.own_when)
                paths = (*(one.path for one in fields), *decides)
                async for record in context.documents.distinct(store, known, paths):
                    if not person.add(context, only, record):
                        return


def _kinds_of_prefixes(context: Context) -> set[str]:
    """Return the kinds of identifiers that names of blobs begin with."""
    return {
        store.prefix.partition("{")[2].partition("}")[0]
        for _, store in context.datamap.stores()
        if isinstance(store, LineStore | FileStore) and "{" in store.prefix
    }


def _owners(context: Context, step: _Step, body: Mapping[str, Any]) -> list[_Followed]:
    """Return whose record it is, of those who asked and can still be relied on."""
    match, asked = step.match, step.asked
    return [
        one
        for one, values in asked
        if one.problem is None
        and (len(asked) == 1 or belongs(body, (match,), context.datamap, {match.identifier: values}))
    ]


def _mark_own_values(store: DocumentStore, body: object, searched: set[tuple[str, str, str]]) -> None:
    """Skip asking a store for the key of a document it just gave, when that key finds one document only."""
    for match in store.matches:
        if match.path == "/id" == store.partition_key:
            value = value_at(body, match.path)
            if isinstance(value, str):
                searched.add((store.id, match.path, normalise(match.identifier, value)))
