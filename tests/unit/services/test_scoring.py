"""The scorecard of recipients counts what each was told, what it confirmed, how fast, and what is late."""

from datetime import timedelta

import pytest

from shared.domain.limits import Limits
from shared.domain.rights import Right
from shared.services.scoring import SCORED_DAYS, scorecard
from shared.services.telling import note_told
from tests.unit.services.cases_world import BUYER, NEWSLETTERS, done, populated
from tests.unit.services.test_notifying import CARRIER, noon, reachable

NUMBERS = ("asked", "confirmed", "impossible", "to_tell", "unconfirmed", "overdue", "median_days")


async def score_of(world, recipient_id=CARRIER):
    card = await scorecard(world.context)
    assert card.is_complete
    (found,) = [one for one in card.recipients if one.score.recipient_id == recipient_id]
    return found


async def numbers(world, recipient_id=CARRIER):
    score = (await score_of(world, recipient_id)).score
    return {name: value for name in NUMBERS if (value := getattr(score, name))}


async def note(world, request_id, state="told", recipient_id=CARRIER, why=""):
    await note_told(
        world.context,
        request_id,
        recipient_id=recipient_id,
        right=Right.ERASURE,
        state=state,
        why=why,
        noted_by="op",
    )


async def test_every_recipient_of_the_map_is_on_it_also_without_any_notice():
    world = populated()
    card = await scorecard(world.context)
    assert [one.score.recipient_id for one in card.recipients] == [one.id for one in world.datamap.recipients]
    assert {one.score.asked for one in card.recipients} == {0}
    assert {one.score.recipient_id: one.told_by for one in card.recipients if one.told_by != "staff"} == {
        NEWSLETTERS: "machine"
    }


@pytest.mark.parametrize(("days", "late"), [(Limits().confirm_days, 0), (Limits().confirm_days + 1, 1)])
async def test_a_mail_without_an_answer_is_unconfirmed_and_then_overdue(days, late):
    world = populated(connected=(), datamap=reachable())
    moment = noon(world, days)
    await done(world, BUYER, Right.ERASURE)
    world.clock.moment = moment
    assert await numbers(world) == {"asked": 1, "unconfirmed": 1} | ({"overdue": 1} if late else {})
    assert (await score_of(world)).told_by == "mail"


@pytest.mark.parametrize(("days", "late"), [(Limits().notice_days, 0), (Limits().notice_days + 1, 1)])
async def test_what_staff_have_to_tell_or_to_finish_is_overdue_after_a_week(days, late):
    world = populated()
    moment = noon(world, days)
    await done(world, BUYER, Right.ERASURE)
    world.clock.moment = moment
    overdue = {"overdue": 1} if late else {}
    assert await numbers(world) == {"to_tell": 1} | overdue
    assert await numbers(world, NEWSLETTERS) == {"asked": 1, "unconfirmed": 1} | overdue


async def test_the_median_is_from_the_asking_to_the_confirmation():
    world = populated(connected=(), datamap=reachable())
    request_id = await done(world, BUYER, Right.ERASURE)
    world.clock.advance(days=3)
    await note(world, request_id)
    assert await numbers(world) == {"asked": 1, "confirmed": 1, "median_days": 3.0}


async def test_what_was_impossible_was_not_asked():
    world = populated(connected=())
    request_id = await done(world, BUYER, Right.ERASURE)
    await note(world, request_id, "impossible", why="it went out of business")
    assert await numbers(world) == {"impossible": 1}


@pytest.mark.parametrize(("days", "asked"), [(SCORED_DAYS - 1, 1), (SCORED_DAYS + 1, 0)])
async def test_cases_closed_more_than_a_year_ago_are_not_counted(days, asked):
    world = populated(connected=())
    request_id = await done(world, BUYER, Right.ERASURE)
    await note(world, request_id)
    world.clock.moment += timedelta(days=days)
    assert (await numbers(world)).get("asked", 0) == asked


async def test_a_recipient_that_only_the_ledger_knows_is_counted_too():
    world = populated(connected=())
    for row in world.documents.bodies("disclosures"):
        world.documents.put("disclosures", "/subject_key", {**row, "recipient": "bring"})
    await done(world, BUYER, Right.ERASURE)
    found = await score_of(world, "bring")
    assert (found.is_known, found.kind, found.score.to_tell) == (False, "not_stated", 1)
