"""Put on file what is due of people, those of whom the same goes in one case.

Source: policy section 5; GDPR article 5(1)(e).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from shared.datamap.falling_due import DueActivity
from shared.domain.controls import Controls
from shared.domain.identifiers import SUBJECT_KEY, Identifiers, merged, normalise
from shared.domain.retention import DueState, UseScope
from shared.domain.rights import Right
from shared.domain.wishes import RecordsOf, Requester, Scope
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file
from shared.services.instructing import may_know

_WORTH_TWO_CASES = 5  # people: while one case waits for the database, the other works
_MOST_OF_A_DAY = 20  # cases of one person and rule on one day, before something must be wrong


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """An open case of scheduled deletion about a person."""

    request_id: str
    filed_at: datetime


@dataclass
class Looked:
    """What is known of one person while people are considered, and what is filed of it.

    `twin`: another one of them is the same person. `at_work`: open cases by the rules they are about.
    """

    identifiers: Identifiers = field(default_factory=dict)
    controls: Sequence[Controls] = ()
    found: tuple[DueActivity, ...] = ()
    twin: "Looked | None" = None
    problem: str | None = None
    unclear: str | None = None
    at_work: dict[tuple[str, ...], AtWork] = field(default_factory=dict)
    request_ids: list[str] = field(default_factory=list)
    by_rule: Counter[str] = field(default_factory=Counter)
    waits: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The person's pseudonyms."""
        return tuple(self.identifiers.get(SUBJECT_KEY, ()))

    @property
    def known_by(self) -> frozenset[tuple[str, str]]:
        """What stores find them by; of two with the same every store finds the same."""
        return frozenset(
            (kind, normalise(kind, value)) for kind, values in self.identifiers.items() for value in values
        )

    @property
    def due(self) -> tuple[DueActivity, ...]:
        """What is due now."""
        return tuple(one for one in self.found if one.due.state is DueState.DUE)


@dataclass(frozen=True, kw_only=True)
class Want:
    """An erasure to be filed: what is due of one person."""

    looked: Looked
    due: DueActivity


async def file_all(context: Context, wants: Sequence[Want], day: date) -> None:
    """Put erasures on file, of as many people in one case as may be, and note each with whom it is about."""
    for batch in _batches(context, wants):
        await _file(context, batch, day)


def _batches(context: Context, wants: Sequence[Want]) -> Iterator[Sequence[Want]]:
    """Yield erasures that one case takes; those who share an installation come together where they may."""
    together: defaultdict[tuple[Any, ...], list[Want]] = defaultdict(list)
    seen: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    for want in wants:
        scope = _scope([want.due])
        of_scope, keys = (scope.rule_ids, scope.store_ids), set(want.looked.keys)
        if _is_plain(context, want, scope) and not keys & seen[of_scope]:
            together[of_scope].append(want)
        else:
            yield [want]
        seen[of_scope] |= keys
    for found in together.values():
        most = context.limits.case_people
        enough = most if len(found) < _WORTH_TWO_CASES else min(most, (len(found) + 1) // 2)
        batch: list[Want] = []
        for group in _sharing(context, found):
            if batch and len(batch) + len(group) > enough:
                yield batch
                batch = []
            batch += group
            while len(batch) > most:
                yield batch[:most]
                batch = batch[most:]
        if batch:
            yield batch


def _sharing(context: Context, wants: Sequence[Want]) -> Iterator[list[Want]]:
    """Yield those who share something, such as an installation, and each of the others alone."""
    shared = [one.id for one in context.datamap.policy.identifiers if one.shared]
    first: dict[tuple[str, str], list[Want]] = {}
    groups: list[list[Want]] = []
    for want in wants:
        held = [(kind, value) for kind in shared for value in want.looked.identifiers.get(kind, ())]
        group = next((first[one] for one in held if one in first), None)
        if group is None:
            groups.append(group := [])
        group.append(want)
        first.update({one: group for one in held if one not in first})
    yield from groups


def _is_plain(context: Context, want: Want, scope: Scope) -> bool:
    """Whether everything of the person goes by these rules, and no processor has to be told of the person."""
    if scope.is_partial or (scope.records and want.due.scope is not UseScope.RECORD):
        return False
    recipients = {
        name
        for activity, store in context.datamap.stores()
        if store.id in scope.store_ids
        for name in activity.recipients
    }
    told = (name for name in context.processors.connected() if name in recipients)
    return not any(may_know(context, name, want.looked.identifiers) for name in told)


async def _file(context: Context, batch: Sequence[Want], day: date) -> None:
    """Put an erasure on file and note it with everybody it is about, unless a twin has done it."""
    subjects = tuple(
        {kind: values for kind, values in one.looked.identifiers.items() if kind != SUBJECT_KEY}
        for one in batch
    )
    own: Identifiers = subjects[0]
    for other in subjects[1:]:
        own = merged(own, ((kind, value) for kind, values in other.items() for value in values))
    scope = _scope([one.due for one in batch])
    groups = [group for one in batch for group in one.due.groups]
    keys = [key for one in batch for key in one.looked.keys]
    filing = Filing(
        request_id="",
        rights=(Right.ERASURE,),
        language="en",
        channel="retention",
        email=None,
        received_at=context.clock.now(),
        identifiers=own,
        subjects=subjects if len(batch) > 1 else (),
        requester=Requester(kind="controller"),
        scope=scope,
        is_known=True,
    )
    for number in range(_MOST_OF_A_DAY):
        request_id = context.keys.sign(
            "retention", day.isoformat(), *scope.rule_ids, *groups, *keys, str(number)
        )[:32]
        is_new = await put_on_file(context, replace(filing, request_id=request_id))
        if is_new or not (await context.cases.load(request_id)).request.is_final:
            for one in batch:
                one.looked.request_ids.append(request_id)
                one.looked.by_rule[one.due.due.rule_id or ""] += is_new
            return
    await context.operators.alarm("retention_repeats", details=",".join(scope.rule_ids))


def _scope(due: Sequence[DueActivity]) -> Scope:
    """Return the stores and records that go, of one person or of several of whom the same goes.

    Where each record has a period of its own only the due ones go, also if none else is there: one that comes
    meanwhile is a new record. What names no group goes with the last one.
    """
    first = due[0]
    single = first.scope is UseScope.RECORD or not first.is_whole
    taken = [one for one in first.takes if one.by is not None or first.is_whole]
    groups = tuple(group for one in due for group in one.groups)
    records = [
        RecordsOf(store_id=one.store, path=one.by, values=groups)
        for one in taken
        if single and one.by is not None
    ]
    return Scope(
        store_ids=tuple(one.store for one in taken),
        rule_ids=first.rule_ids,
        records=tuple(records),
        is_partial=not first.is_whole,
    )
