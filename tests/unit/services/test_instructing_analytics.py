"""A processor that only accepts a deletion: what the case keeps, what the letter says, who looks after it."""

from datetime import timedelta

import pytest

from shared.datamap.loader import load
from shared.domain.errors import Permanent, Retryable
from shared.domain.messages import FINISH_QUEUE
from shared.domain.periods import add_months
from shared.domain.recipients import NO_IDENTIFIER, Answered, Confirmation, Instruction, NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day, start_of
from shared.services.reminding import UNCONFIRMED
from shared.services.sweeping import sweep
from shared.services.telling import note_told
from tests.unit.services.cases_world import (
    MEMBER,
    NEWSLETTERS,
    alarms,
    done,
    file,
    letter_words,
    populated,
    seen,
)
from tests.unit.services.driving import deliver, letters, step

ANALYTICS = "google_analytics"


def world_with(answer, **changes):
    """Return a world in which the analytics are connected and answer this."""
    datamap = load()
    known_by = {"identifiers": {"user_id": "userId"}}
    datamap = datamap.model_copy(
        update={
            "recipients": tuple(
                one.model_copy(update=known_by) if one.id == ANALYTICS else one for one in datamap.recipients
            )
        }
    )
    world = populated(datamap=datamap, **{"connected": (ANALYTICS,), **changes})
    world.processors.answers[ANALYTICS] = answer
    return world


def accepted(world):
    now = world.clock.now()
    return Answered(
        confirmation=Confirmation.ACCEPTED, receipt_at=now, gone_by=add_months(copenhagen_day(now), 2)
    )


def notice(world, request_id):
    (found,) = [one for one in seen(world, request_id).notices if one.recipient_id == ANALYTICS]
    return found


@pytest.mark.clause("4.4", "3.2")
async def test_a_deletion_that_was_accepted_is_kept_with_its_receipt_and_not_called_done():
    world = world_with(None)
    answer = world.processors.answers[ANALYTICS] = accepted(world)
    request_id = await done(world, MEMBER, Right.ERASURE)
    found = notice(world, request_id)
    assert (found.state, found.receipt_at, found.chase_on) == (
        NoticeState.ACCEPTED,
        answer.receipt_at,
        answer.gone_by,
    )
    ((recipient_id, instruction, identifiers),) = world.processors.told
    assert (recipient_id, instruction) == (ANALYTICS, Instruction.ERASE)
    assert identifiers["user_id"] == (MEMBER.user_id,)
    text = letter_words(world, request_id, "letter-erased-0")
    assert "Google Analytics: has accepted our instruction" in text
    assert "by 2 January 2027" in text
    assert "Google Analytics: has confirmed" not in text
    assert seen(world, request_id).is_final, "two months of waiting keep no address"


async def test_it_is_called_to_mind_after_the_day_it_is_gone_by_until_staff_looked():
    world = world_with(None)
    answer = world.processors.answers[ANALYTICS] = accepted(world)
    request_id = await done(world, MEMBER, Right.ERASURE)
    for one in seen(world, request_id).open_notices:  # a carrier or a customer, told by staff
        await note_told(
            world.context,
            request_id,
            recipient_id=one.recipient_id,
            right=one.right,
            state="told",
            why="",
            noted_by="op",
        )
    for days, times in ((0, 0), (1, 1), (2, 2)):
        world.clock.moment = start_of(answer.gone_by) + timedelta(days=days, hours=12)
        for _ in range(3):
            await sweep(world.context)
            await deliver(world)
        assert alarms(world, request_id).count(UNCONFIRMED) == times, days
    await note_told(
        world.context,
        request_id,
        recipient_id=ANALYTICS,
        right=Right.ERASURE,
        state="told",
        why="",
        noted_by="op",
    )
    assert notice(world, request_id).receipt_at == answer.receipt_at
    assert seen(world, request_id).attention is None


async def test_where_nothing_could_find_the_person_there_that_is_an_end_and_the_letter_says_it():
    world = world_with(Answered(confirmation=Confirmation.NOT_HELD, why=NO_IDENTIFIER))
    request_id = await done(world, MEMBER, Right.ERASURE)
    assert (notice(world, request_id).state, notice(world, request_id).why) == (
        NoticeState.NOT_HELD,
        NO_IDENTIFIER,
    )
    text = letter_words(world, request_id, "letter-erased-0")
    assert "Google Analytics: cannot be told of you: we hold nothing by which it could find you." in text
    assert "Google Analytics: has nothing about you" not in text


async def test_a_used_up_quota_keeps_the_case_open_for_as_long_as_it_says():
    world = world_with(Retryable("processor_unreachable", retry_after_seconds=3_600))
    request_id = await file(world, MEMBER, Right.ERASURE)
    await deliver(world, until=FINISH_QUEUE)
    for _ in range(6):
        if "processor_unreachable" in alarms(world, request_id):
            break
        await step(world)
    ((queue, _, delay),) = world.queue.sent
    assert (queue, delay) == (FINISH_QUEUE, 3_600)
    assert seen(world, request_id).state is RequestState.IN_PROGRESS
    assert letters(world, request_id) == {}
    world.processors.answers[ANALYTICS] = accepted(world)
    await deliver(world)
    assert notice(world, request_id).state is NoticeState.ACCEPTED


async def test_several_processors_are_told_side_by_side_and_one_that_refuses_is_for_staff():
    world = world_with(Permanent("processor_refused"), connected=(NEWSLETTERS, ANALYTICS))
    request_id = await done(world, MEMBER, Right.ERASURE)
    states = {one.recipient_id: (one.state, one.why) for one in seen(world, request_id).notices}
    assert states[ANALYTICS] == (NoticeState.AWAITING_STAFF, "processor_refused")
    assert states[NEWSLETTERS] == (NoticeState.AWAITING_STAFF, "")
    assert "processor_refused" in alarms(world, request_id)
