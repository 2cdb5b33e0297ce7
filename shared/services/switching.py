"""The kill switch: while it is thrown nothing is erased anywhere. It throws itself when too much begins.

The switch is a hold on the pseudonym of nobody, so that whoever asks for holds at the moment of destruction
asks for it in the same read.
"""

from collections.abc import Iterable

from shared.domain.controls import SWITCH_KEY, Controls, Hold
from shared.domain.times import after, copenhagen_day
from shared.services import marking
from shared.services.context import Context

PAUSED = "erasing_paused"
_HOUR_SECONDS = 3600
_REVIEW_DAYS = 1


def is_thrown(controls: Controls) -> bool:
    """Whether nothing may be erased now."""
    return any(hold.released_at is None for hold in controls.holds)


async def throw(context: Context, *, reason: str, decided_by: str, key: str = SWITCH_KEY) -> None:
    """Stop all destruction from the next page on. A second call changes nothing.

    `key`: which switch; `RETENTION_SWITCH_KEY` stops scheduled deletion alone.
    """
    now = context.clock.now()
    hold = Hold(
        hold_id=f"switch-{int(now.timestamp())}",
        activity_id=None,
        ground="legal_claim",
        reason=reason,
        placed_at=now,
        placed_by=decided_by,
        review_on=copenhagen_day(after(now, days=_REVIEW_DAYS)),
    )

    def thrown(controls: Controls) -> Controls:
        if is_thrown(controls):
            return controls
        # released ones are history of the switch, of which the last few are enough
        return controls.model_copy(update={"holds": (*controls.holds[-20:], hold)})

    await marking.change(context, (key,), thrown)


async def reset(context: Context, *, decided_by: str, reason: str = "", key: str = SWITCH_KEY) -> None:
    """Let destruction go on, and note why. A second call changes nothing. `key` as in `throw`."""
    now = context.clock.now()

    def released(controls: Controls) -> Controls:
        return controls.model_copy(update={"holds": tuple(_released(controls.holds))})

    def _released(holds: Iterable[Hold]) -> Iterable[Hold]:
        for hold in holds:
            change = {"released_at": now, "released_by": decided_by, "release_reason": reason.strip()}
            yield hold if hold.released_at else hold.model_copy(update=change)

    await marking.change(context, (key,), released)


async def is_over_cap(context: Context, *, people: int = 1) -> bool:
    """Count the erasure of so many people that begins; too many in an hour throw the switch and alarm.

    A request that begins twice counts twice: the cap errs on the safe side.
    """
    begun = await context.rate_limits.hit("erasures", window_seconds=_HOUR_SECONDS, times=people)
    if begun <= context.limits.erasures_per_hour:
        return False
    await throw(context, reason="too many erasures began in one hour", decided_by="the app")
    await context.operators.alarm("erasures_over_cap", details=str(context.limits.erasures_per_hour))
    return True
