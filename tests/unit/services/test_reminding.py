"""Recipients whom staff have to tell are called to mind until they are told, whatever became of the case."""

from datetime import timedelta

import pytest

from shared.domain.limits import Limits
from shared.domain.recipients import NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.services import overview
from shared.services.reminding import NOTICES_DUE
from shared.services.sweeping import sweep
from shared.services.telling import note_told
from tests.unit.services.cases_world import BUYER, NEWSLETTERS, alarms, at, done, populated, seen
from tests.unit.services.driving import deliver

CARRIER = "postnord"
DAYS = Limits().notice_days


async def _closed(world):
    """Return a closed erasure whose carrier a person still has to tell."""
    request_id = await done(world, BUYER, Right.ERASURE)
    assert seen(world, request_id).is_final
    assert (CARRIER, NoticeState.DUE) in {
        (one.recipient_id, one.state) for one in seen(world, request_id).notices
    }
    return request_id


async def _note(world, request_id):
    for notice in seen(world, request_id).open_notices:
        await _told(world, request_id, notice)


async def _told(world, request_id, notice):
    await note_told(
        world.context,
        request_id,
        recipient_id=notice.recipient_id,
        right=notice.right,
        state="told",
        why="",
        noted_by="op",
    )


async def _sweeps(world, moment):
    """Sweep at a moment until nothing is left to do then."""
    world.clock.moment = moment
    for _ in range(4):
        await sweep(world.context)
        await deliver(world)


async def _listed(world):
    page = await overview.listing(world.context, attention=NOTICES_DUE)
    return [row.request_id for row in page.rows]


def _noon(world, days):
    due_on = copenhagen_day(world.clock.now()) + timedelta(days=days)
    return at(f"{due_on.isoformat()}T12:00")


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(("days", "times"), [(DAYS - 1, 0), (DAYS, 0), (DAYS + 1, 1)])
@pytest.mark.parametrize("state", [RequestState.STANDING, RequestState.COMPLETED_WITH_RETENTION])
async def test_a_recipient_that_waits_for_more_than_a_week_is_called_to_mind(days, times, state):
    """The answer went out long ago, and said that telling goes on; lists find the case, closed or not."""
    world = populated(connected=(NEWSLETTERS,) if state is RequestState.STANDING else ())
    moment = _noon(world, days)
    request_id = await done(world, BUYER, Right.ERASURE)
    for day in range(1, days + 1):
        await _sweeps(world, moment - timedelta(days=days - day))
    assert seen(world, request_id).state is state
    assert alarms(world, request_id).count(NOTICES_DUE) == times
    assert await _listed(world) == [request_id] * times


@pytest.mark.clause("4.4")
async def test_it_is_called_to_mind_each_day_until_it_is_told():
    """Then the case sleeps for good."""
    world = populated(connected=())
    first = _noon(world, DAYS + 1)
    request_id = await _closed(world)
    for day in range(3):
        await _sweeps(world, first + timedelta(days=day, minutes=day))
        assert alarms(world, request_id).count(NOTICES_DUE) == day + 1
    await _note(world, request_id)
    assert await _listed(world) == []
    await _sweeps(world, first + timedelta(days=9))
    assert alarms(world, request_id).count(NOTICES_DUE) == 3
    assert seen(world, request_id).wake_at is None


@pytest.mark.clause("4.4")
async def test_a_recipient_that_is_told_in_time_is_never_called_to_mind():
    """Nor listed."""
    world = populated(connected=())
    late = _noon(world, DAYS + 1)
    request_id = await _closed(world)
    await _note(world, request_id)
    await _sweeps(world, late)
    assert NOTICES_DUE not in alarms(world, request_id)
    assert await _listed(world) == []


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(("days", "times"), [(DAYS, 0), (DAYS + 1, 1)])
async def test_what_a_processor_s_api_cannot_do_is_called_to_mind_until_staff_did_it(days, times):
    """Somebody has to remove the person there for good, in the vendor's own pages."""
    world = populated(connected=(NEWSLETTERS,))
    moment = _noon(world, days)
    request_id = await done(world, BUYER, Right.ERASURE)
    for notice in seen(world, request_id).open_notices:
        if notice.recipient_id != NEWSLETTERS:
            await _told(world, request_id, notice)
    (waiting,) = seen(world, request_id).open_notices
    assert waiting.state is NoticeState.AWAITING_STAFF
    await _sweeps(world, moment)
    assert alarms(world, request_id).count(NOTICES_DUE) == times
    assert await _listed(world) == [request_id] * times
    await _told(world, request_id, waiting)
    assert await _listed(world) == []
    await _sweeps(world, moment + timedelta(days=200))
    assert seen(world, request_id).is_final
    assert alarms(world, request_id).count(NOTICES_DUE) == times
