"""Settle a run of scheduled deletion: count what its cases came to, and let go of whom they are done with."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.datamap.falling_due import due_of_record
from shared.domain.errors import NotFound
from shared.domain.retention import DueState
from shared.domain.retention_runs import Run, Step, Watched
from shared.domain.times import after, copenhagen_day
from shared.ports.retention_runs import watch_key
from shared.services.context import Context
from shared.services.progress import Budget
from shared.services.retention_cases import people_of
from shared.services.retention_looking import of_watched
from shared.services.side_by_side import all_of

_A_DAY = timedelta(days=1)
_PAGE_RECORDS = 100


async def settle(context: Context, run: Run, budget: Budget) -> tuple[Run, bool]:
    """Count what the cases of this run came to, and let go of whom they are done with.

    Returns the run, and whether another message can go on at once.
    """
    now = context.clock.now()
    waited = after(run.started_at, seconds=context.limits.retention_settle_seconds) <= now
    page = await context.retention_runs.due(
        copenhagen_day(now) + _A_DAY, after=run.looked_until, limit=_PAGE_RECORDS
    )
    budget.spend(len(page))
    cases = await _cases(context, (name for watched in page for name in watched.request_ids))
    parts = await _cases(context, (name for case in cases.values() if case for name in case.split_into))
    cases |= parts
    rows = [await _followed(context, watched, cases) for watched in page]
    still_at_work = 0
    done: list[Watched] = []
    for watched in rows:
        mine = [cases[name] for name in watched.request_ids]
        if mine and all(case is None or case.is_final for case in mine):
            done.append(watched)
            for name in watched.request_ids:
                run = _counted(run, name, cases[name])
        elif mine and waited:  # counted once, by the last settling
            run = run if run.later else run.counting("kept", {"at_work": 1})
        elif mine:
            still_at_work += 1
    await all_of(partial(_let_go, context, watched) for watched in done)
    if still_at_work:  # the timer looks again
        return run, False
    if len(page) == _PAGE_RECORDS:
        return run.model_copy(update={"looked_until": watch_key(page[-1])}), True
    if done:  # a worker that gave way may have put others on watch behind this one's back
        return run.model_copy(update={"looked_until": ""}), True
    if run.later:
        again = {"step": Step.LEFT_OVER, "sources": run.later, "later": (), "looked_until": ""}
        return run.model_copy(update=again), True
    return run.model_copy(update={"step": Step.DONE, "ended_at": now, "looked_until": ""}), False


async def let_go_of_ended(context: Context) -> None:
    """Let go of whom a worker put on watch that was so late that the other had ended the run meanwhile.

    Otherwise they would stand there until the next day's run, though nothing is left of them.
    """
    stored = await context.retention_runs.latest()
    if stored is None or not stored.run.is_done:
        return
    place = ""
    while page := await context.retention_runs.due(
        copenhagen_day(context.clock.now()) + _A_DAY, after=place, limit=_PAGE_RECORDS
    ):
        cases = await _cases(context, (name for watched in page for name in watched.request_ids))
        for watched in page:
            mine = [cases[name] for name in watched.request_ids]
            if mine and all(case is None or case.is_final for case in mine):
                await _let_go(context, watched)
        place = watch_key(page[-1])


@dataclass(frozen=True, kw_only=True)
class _Case:
    is_final: bool
    subject_keys: frozenset[str]
    split_into: tuple[str, ...]
    erased: Mapping[str, int]
    kept: int
    request_units: float


async def _cases(context: Context, request_ids: Iterable[str]) -> dict[str, _Case | None]:
    names = sorted(set(request_ids))
    return dict(zip(names, await all_of(partial(_case_of, context, name) for name in names), strict=True))


async def _followed(context: Context, watched: Watched, cases: Mapping[str, _Case | None]) -> Watched:
    """Return who is watched, waiting also for the case that goes on with one whose case was split."""
    new = [
        name
        for request_id in watched.request_ids
        if (case := cases[request_id]) is not None
        for name in case.split_into
        if (part := cases[name]) is not None
        and watched.subject_key in part.subject_keys
        and name not in watched.request_ids
    ]
    if not new:
        return watched
    followed = watched.model_copy(update={"request_ids": (*watched.request_ids, *new)})
    await context.retention_runs.watch(followed)
    return followed


async def _case_of(context: Context, request_id: str) -> _Case | None:
    try:
        case = await context.cases.load(request_id)
    except NotFound:
        return None
    outcomes = tuple(case.request.outcomes.values())
    erased: Counter[str] = Counter()
    for outcome in outcomes:
        erased.update(outcome.by_store)
    return _Case(
        is_final=case.request.is_final,
        subject_keys=frozenset(case.request.subject_keys),
        split_into=case.request.split_into,
        erased=erased,
        kept=sum(one.records for outcome in outcomes for one in outcome.kept),
        request_units=sum(task.request_units for task in case.tasks),
    )


def _counted(run: Run, request_id: str, case: _Case | None) -> Run:
    """Count what a case came to, once: several people and records of one may wait for it."""
    if case is None or request_id in run.counted:
        return run
    run = run.model_copy(update={"counted": (*run.counted, request_id)})
    run = run.counting("erased", case.erased)
    if case.kept:
        run = run.counting("kept", {"by_duty": case.kept})
    return run.model_copy(update={"request_units": round(run.request_units + case.request_units, 2)})


async def _let_go(context: Context, watched: Watched) -> None:
    """Watch no more whose record is gone or names nobody who is due; look at the others tomorrow."""
    store, document = await of_watched(context, watched)
    if document is not None:
        today = copenhagen_day(context.clock.now())
        states = due_of_record(context.datamap.families, store, document.body, today=today)
        keys = {
            key
            for identifiers in people_of(context.datamap, store, document.body)
            for key in context.subject_keys(identifiers)
        }
        is_open = watched.for_all or watched.doubt is not None or DueState.DUE in states
        if is_open and watched.subject_key in keys:
            again = watched.model_copy(update={"request_ids": (), "look_on": today + _A_DAY})
            await context.retention_runs.watch(again)
            return
    await context.retention_runs.unwatch(watched)
