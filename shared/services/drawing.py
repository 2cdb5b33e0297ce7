"""Draw on the budget of scheduled deletion: fill a worker's purses from the tallies that all workers share.

A tally is changed by a conditional write, which also notes what the worker owes; several messages of one
worker share its purses.
"""

from collections.abc import Callable

from shared.domain.budgets import NOTHING, Amount, Purse, Tally, slice_of
from shared.domain.errors import Conflict
from shared.ports.governor import StoredTally
from shared.services.context import Context

_WRITE_ATTEMPTS = 5
EVERYTHING = "everything"
"""The one tally where there is no budget: work rests when any container is throttled."""


async def slices_to_wait(context: Context) -> int:
    """Fill the purses that are empty, and return for how many slices to wait; 0: there is enough."""
    purses = context.governor.purses
    number = slice_of(context.clock.now().timestamp())
    if budget_of(context).is_unlimited:
        purses.gather(EVERYTHING)
    slices = 0
    for container, purse in list(purses.by_container.items()):
        if not purse.is_throttled:
            if purse.slice == number and purse.left.of_it_is_left:
                continue
            if not purse.is_used and purse.slice < number:  # its work is elsewhere by now
                purses.by_container.pop(container, None)
                continue
            if number < purse.refused_until_slice:  # asked and refused before
                slices = max(slices, purse.refused_until_slice - number)
                continue
        slices = max(slices, await _fill(context, container, purse, number))
    if slices:
        purses.refusals += 1  # the more messages are refused, the later the next of them asks
        slices += purses.refusals // 4
    return slices


async def _fill(context: Context, container: str, purse: Purse, number: int) -> int:
    """Draw a chunk for a purse; return for how many slices to wait if there is none."""
    drawn = await _changed(context, container, purse, number, lambda tally, budget: tally.draw(budget))
    if drawn is None:  # others keep writing: they have drawn what there is
        purse.refused_until_slice = number + 1
        return 1
    tally, chunk = drawn
    if not chunk.of_it_is_left and purse.slice == number and purse.left.of_it_is_left:
        return 0  # another message of this worker was faster
    if not chunk.of_it_is_left:
        wait = max(0, tally.slice - number) + tally.slices_to_wait(budget_of(context))
        purse.refused_until_slice = number + wait
        return wait
    left = purse.left if purse.slice == number else NOTHING.less(purse.left.owed)
    purse.slice, purse.left, purse.is_used = number, left.plus(chunk), left.owed != NOTHING
    return 0


async def settle(context: Context) -> None:
    """Note what the purses owe, so that whoever comes next pays it, and draw for more of the same."""
    number = slice_of(context.clock.now().timestamp())
    purses = context.governor.purses
    if budget_of(context).is_unlimited:
        if not any(purse.is_throttled for purse in purses.by_container.values()):
            return
        purses.gather(EVERYTHING)
    for container, purse in list(purses.by_container.items()):
        if purse.is_throttled or purse.left.owed != NOTHING:
            if purse.is_throttled or number >= purse.refused_until_slice:
                await _fill(context, container, purse, number)
            else:
                await _changed(context, container, purse, number, lambda tally, _: (tally, NOTHING))


async def _changed(
    context: Context,
    container: str,
    purse: Purse,
    number: int,
    change: Callable[[Tally, Amount], tuple[Tally, Amount]],
) -> tuple[Tally, Amount] | None:
    """Write down what a purse owes and what else changes, if nobody else wrote. None: others keep writing."""
    budget = budget_of(context)
    owed, is_throttled = purse.left.owed, purse.is_throttled
    # Taken before anything is awaited: another message of this worker must not note it as well.
    purse.left, purse.is_throttled = purse.left.plus(owed), False
    try:
        for _ in range(_WRITE_ATTEMPTS):
            stored = await context.governor.read(container)
            tally = stored.tally.at(number, budget)
            if not budget.is_unlimited:
                tally = tally.with_drawn(owed)
            if is_throttled:
                tally = tally.throttled(budget)
            tally, chunk = change(tally, budget)
            try:
                if tally != stored.tally and not _says_the_same(tally, stored.tally):
                    await context.governor.write(StoredTally(tally=tally, etag=stored.etag))
            except Conflict:
                continue
            owed, is_throttled, was_throttled = NOTHING, False, is_throttled
            if was_throttled:  # what is left of the chunk is not for a database that is busy
                purse.left = NOTHING.less(purse.left.owed)
            return tally, chunk
        return None
    finally:
        purse.left = purse.left.less(owed)
        purse.is_throttled = purse.is_throttled or is_throttled


def _says_the_same(one: Tally, other: Tally) -> bool:
    """Whether two tallies differ by the number of their slice alone, and nothing is drawn in either."""
    return one.drawn == other.drawn == NOTHING and (one.level, one.level_slice) == (
        other.level,
        other.level_slice,
    )


def budget_of(context: Context) -> Amount:
    """Return what may be used of each container in a second."""
    return Amount(
        request_units=float(context.limits.retention_units_per_second),
        requests=float(context.limits.retention_requests_per_second),
    )
