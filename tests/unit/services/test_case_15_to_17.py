"""The specification's cases 15 to 17: what must stay, one click, a processor that does not answer."""

from datetime import date

import pytest

from shared.domain.recipients import Instruction, NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.services.sweeping import sweep
from tests.unit.services.cases_world import (
    BUYER,
    MEMBER,
    NEWSLETTERS,
    alarms,
    controls,
    done,
    everybody_else,
    file,
    held,
    letter_words,
    outcome,
    populated,
    seen,
    words,
)
from tests.unit.services.driving import deliver, letters, step, submit


@pytest.mark.case(15)
@pytest.mark.clause("4.4", "4.4.1", "3.1")
async def test_case_15_an_erasure_leaves_the_books_until_their_day_and_the_letter_names_both():
    """The membership goes; of the order only what the books need stays, out of everybody's reach."""
    world = populated(invoice_on="2026-03-10")
    others = everybody_else(world, BUYER)
    request_id = await done(world, BUYER, Right.ERASURE)
    assert held(world, BUYER) == {"orders": 1}
    assert everybody_else(world, BUYER) == others
    (order,) = world.documents.bodies("orders")
    assert set(order) == {
        "id",
        "customer_id",
        "order_no",
        "invoice_no",
        "invoice_on",
        "amount",
        "currency",
        "addressee",
    }
    assert set(order["addressee"]) == {"name", "street", "postcode", "city", "country"}
    found = outcome(world, request_id, Right.ERASURE)
    assert found.result == "erased_with_retention"
    (books,) = [one for one in found.kept if one.store_id == "orders"]
    assert (books.until, books.records) == (date(2031, 12, 31), 1)
    answer = letter_words(world, request_id, "letter-erased-0")
    for part in (
        "Member profile: 1 record",
        "Newsletter sign-ups: 1 record",
        "Orders",
        "31 December 2031",
        "17(3)(b)",
    ):
        assert part in answer, part
    assert {(one.recipient_id, one.state) for one in seen(world, request_id).notices} == {
        ("postnord", NoticeState.DUE),
        (NEWSLETTERS, NoticeState.AWAITING_STAFF),
    }


@pytest.mark.case(15)
@pytest.mark.clause("4.4")
@pytest.mark.parametrize(("today", "left"), [("2031-12-31T12:00", {"orders": 1}), ("2032-01-01T00:30", {})])
async def test_case_15_the_books_stay_to_the_last_day_of_the_fifth_year(today, left):
    """On the day they stay, and on the day after nothing does."""
    world = populated(today, invoice_on="2026-03-10")
    await done(world, BUYER, Right.ERASURE)
    assert held(world, BUYER) == left


@pytest.mark.case(16)
@pytest.mark.clause("4.8", "4.8.1", "5.2")
async def test_case_16_one_click_ends_the_newsletter_and_nothing_else():
    """No login and no confirmation: the sign-up is erased, the membership goes on."""
    world = populated()
    before = held(world, MEMBER)
    request_id = await submit(world, MEMBER.email, Right.WITHDRAWAL)
    assert controls(world, MEMBER.email).withdrawn_at == world.clock.now(), "before any message is delivered"
    await deliver(world)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    assert request.verified_at is None
    assert not world.processors.mails(MEMBER.email)
    assert (NEWSLETTERS, Instruction.UNSUBSCRIBE, (MEMBER.email,)) in world.processors.told
    del before["newsletter_signups"]
    assert held(world, MEMBER) == before
    (profile,) = [body for body in world.documents.bodies("members") if body["id"] == MEMBER.member_id]
    assert profile["newsletter"] is False
    assert set(letters(world, request_id)) == {"letter-withdrawn-0"}
    answer = letter_words(world, request_id, "letter-withdrawn-0")
    assert "your membership goes on" in answer
    assert not controls(world, MEMBER.email).stops_marketing, "a withdrawal is no objection"


@pytest.mark.case(17)
@pytest.mark.clause("4.4", "3.2")
async def test_case_17_an_unreachable_processor_keeps_the_case_open_and_is_not_claimed():
    """It is asked again, operators are told, and no letter goes out meanwhile."""
    world = populated()
    world.processors.is_unreachable = True
    request_id = await file(world, MEMBER, Right.ERASURE)
    await deliver(world, until="request-finish")
    for _ in range(12):
        await deliver_some(world)
    request = seen(world, request_id)
    assert (request.state, request.stage) == (RequestState.IN_PROGRESS, Stage.INSTRUCT)
    assert "processor_unreachable" in alarms(world, request_id)
    assert letters(world, request_id) == {}
    assert request.notices == ()
    assert Right.ERASURE not in request.outcomes

    world.processors.is_unreachable = False
    await deliver(world)
    request = seen(world, request_id)
    assert request.state is RequestState.STANDING, "there a person has to finish it"
    assert [(one.recipient_id, one.state) for one in request.notices if one.recipient_id == NEWSLETTERS] == [
        (NEWSLETTERS, NoticeState.AWAITING_STAFF)
    ]
    (mail,) = letters(world, request_id).values()
    assert "Campaign Monitor: has not finished yet" in words(mail)
    assert "Campaign Monitor: has confirmed" not in words(mail)


@pytest.mark.case(17)
@pytest.mark.clause("4.4", "3.2")
async def test_case_17_a_lost_message_does_not_lose_the_processor():
    """The sweep takes the case up where it waits."""
    world = populated()
    world.processors.is_unreachable = True
    request_id = await file(world, MEMBER, Right.ERASURE)
    for _ in range(12):
        await deliver_some(world)
    world.queue.sent.clear()
    world.processors.is_unreachable = False
    world.clock.advance(seconds=2 * world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert outcome(world, request_id, Right.ERASURE).records > 0
    assert [one[1] for one in world.processors.told] == [Instruction.ERASE]


async def deliver_some(world) -> None:
    """Deliver one message, if there is one, after its delay."""
    if world.queue.sent:
        world.clock.advance(seconds=world.queue.sent[0][2])
        await step(world)
