"""A request that repeats an open one: one answer to both, and nothing asked for is lost unseen."""

import pytest

from shared.domain.errors import NotAllowed
from shared.domain.limits import Limits
from shared.domain.messages import PlanRequest
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Wishes
from shared.services import entering, intake
from shared.services.links import CANCEL
from tests.factories import World
from tests.unit.services.driving import (
    ask,
    confirm,
    deliver,
    fulfil,
    marked,
    opened,
    step,
    stored,
    submit,
    token,
    traces,
)


def _world(**changes) -> tuple[World, dict[str, str]]:
    world = World(**changes)
    return world, world.add_person("ane")


async def test_a_duplicate_joins_the_open_request():
    """One answer to both; its status is that of the one it joined."""
    world, ane = _world()
    first = await ask(world, ane["email"], Right.ACCESS)
    second = await submit(world, ane["email"].upper(), Right.ACCESS)
    assert await confirm(world, second) is RequestState.JOINED
    await deliver(world)
    assert world.cases.request(second).joined_to == first
    assert (await intake.status(world.context, second)).state is RequestState.COMPLETED
    assert list(world.packages.contents) == [first]
    assert not marked(stored(world, second), list(ane.values()))


async def test_a_request_for_less_than_the_open_one_joins_and_for_more_does_not():
    """Nothing asked for is lost."""
    world, ane = _world()
    await ask(world, ane["email"], Right.ACCESS, Right.ERASURE)
    less = await submit(world, ane["email"], Right.ERASURE)
    assert await confirm(world, less) is RequestState.JOINED
    world, ane = _world()
    await ask(world, ane["email"], Right.ACCESS)
    more = await submit(world, ane["email"], Right.ACCESS, Right.ERASURE)
    assert await confirm(world, more) is RequestState.VERIFIED


async def test_a_right_that_was_answered_is_open_no_more():
    """While the erasure still waits, a copy asked for anew is made anew; the erasure is joined."""
    world, ane = _world(limits=Limits(grace_seconds=3600))
    first = await ask(world, ane["email"], Right.ACCESS, Right.ERASURE)
    while world.cases.request(first).phase == 0:
        await step(world)
    for rights, state in [
        ((Right.ACCESS,), RequestState.VERIFIED),
        ((Right.ACCESS, Right.ERASURE), RequestState.VERIFIED),
        ((Right.ERASURE,), RequestState.JOINED),
    ]:
        request_id = await submit(world, ane["email"], *rights)
        assert await confirm(world, request_id) is state


async def test_an_answer_on_its_way_answers_nothing_asked_after_it():
    """It shows the data of before."""
    world, ane = _world()
    first = await ask(world, ane["email"], Right.ACCESS)
    await deliver(world, until="request-letter")
    assert world.cases.request(first).state is RequestState.ANSWERING
    second = await submit(world, ane["email"], Right.ACCESS)
    assert await confirm(world, second) is RequestState.VERIFIED
    await deliver(world)
    assert set(world.packages.contents) == {first, second}


async def test_a_request_after_the_first_ended_is_a_new_one():
    """Asking again is a right."""
    world, ane = _world()
    await fulfil(world, ane["email"], Right.ACCESS)
    second = await ask(world, ane["email"], Right.ACCESS)
    assert world.cases.request(second).state is RequestState.VERIFIED


async def test_an_unconfirmed_request_is_no_open_one():
    """Anybody may type an address: it must not swallow the person's own request."""
    world, ane = _world()
    await submit(world, ane["email"], Right.ACCESS)
    second = await ask(world, ane["email"], Right.ACCESS)
    assert world.cases.request(second).state is RequestState.VERIFIED


# cancelling


async def _joined(world: World, email: str, first: tuple[Right, ...], second: tuple[Right, ...]):
    """Return the ids of an erasure that waits and of a request that joined it."""
    earlier = await ask(world, email, *first)
    later = await submit(world, email, *second)
    assert await confirm(world, later) is RequestState.JOINED
    world.queue.sent.clear()
    return earlier, later


@pytest.mark.parametrize("pressed", [0, 1], ids=["the first", "the joined"])
async def test_either_link_of_two_joined_requests_stops_the_erasure(pressed):
    """Twice is once; both say that they are cancelled, and the same can be asked again."""
    world, ane = _world(limits=Limits(grace_seconds=3600))
    before = traces(world, ane)
    both = await _joined(world, ane["email"], (Right.ERASURE,), (Right.ERASURE,))
    key = token(world, both[pressed], CANCEL)
    for _ in range(2):
        assert await intake.cancel(world.context, both[pressed], key) is RequestState.CANCELLED
    assert [(await intake.status(world.context, one)).state for one in both] == ["cancelled"] * 2
    await deliver(world)
    assert traces(world, ane) == before
    again = await submit(world, ane["email"], Right.ERASURE)
    assert await confirm(world, again) is RequestState.VERIFIED


async def test_a_joined_request_does_not_cancel_one_that_asks_for_more():
    """The rest of it was never asked to stop; the answer says which link does."""
    world, ane = _world(limits=Limits(grace_seconds=3600))
    earlier, later = await _joined(world, ane["email"], (Right.ACCESS, Right.ERASURE), (Right.ACCESS,))
    with pytest.raises(NotAllowed) as caught:
        await intake.cancel(world.context, later, token(world, later, CANCEL))
    assert caught.value.code == "joined_to_wider"
    assert not world.cases.request(earlier).is_final
    assert await intake.cancel(world.context, earlier, token(world, earlier, CANCEL)) == "cancelled"


async def test_what_the_first_has_answered_does_not_count_for_cancelling():
    """The copy is out; the erasure is all that is left, and the joined request asked for it."""
    world, ane = _world(limits=Limits(grace_seconds=3600))
    earlier, later = await _joined(world, ane["email"], (Right.ACCESS, Right.ERASURE), (Right.ERASURE,))
    await world.queue.send([PlanRequest(request_id=earlier)])
    while world.cases.request(earlier).phase == 0:
        await step(world)
    assert await intake.cancel(world.context, later, token(world, later, CANCEL)) == "cancelled"
    assert world.cases.request(earlier).state is RequestState.CANCELLED
    assert opened(world, earlier)


async def test_a_joined_request_cannot_cancel_what_has_begun_to_erase():
    """Its own link says so as the first one's does."""
    world, ane = _world()
    earlier = await ask(world, ane["email"], Right.ERASURE)
    later = await submit(world, ane["email"], Right.ERASURE)
    await confirm(world, later)
    await deliver(world, only="request-plan")
    assert world.cases.request(earlier).is_irreversible
    with pytest.raises(NotAllowed) as caught:
        await intake.cancel(world.context, later, token(world, later, CANCEL))
    assert caught.value.code == "too_late"


@pytest.mark.parametrize(
    ("right", "first", "second"),
    [
        (Right.RECTIFICATION, Wishes(corrections={"name": "A"}), Wishes(corrections={"phone": "1"})),
        (Right.RECTIFICATION, Wishes(corrections={"name": "A"}), Wishes(corrections={"name": "B"})),
        (Right.RESTRICTION, Wishes(ground="accuracy"), Wishes(ground="claims")),
        (Right.RESTRICTION, Wishes(ground="unclear", statement="a"), Wishes(ground="unclear", statement="b")),
        (Right.OBJECTION, Wishes(objects_to=("usage",)), Wishes()),
        (Right.PORTABILITY, Wishes(), Wishes(transfer_url="https://receiver.example/in")),
        (Right.ACCESS, Wishes(), Wishes(statement="and tell me where you got it")),
    ],
)
async def test_the_same_right_with_another_wish_is_a_request_of_its_own(right, first, second):
    """It joins nothing, so that its wish is not answered with another one."""
    world, ane = _world()
    await ask(world, ane["email"], right, wishes=first)
    other = await submit(world, ane["email"], right, wishes=second)
    assert await confirm(world, other) is RequestState.VERIFIED
    again = await submit(world, ane["email"], right, wishes=second)
    assert await confirm(world, again) is RequestState.JOINED
    assert world.cases.request(again).joined_to == other


async def test_the_request_of_a_representative_is_not_answered_with_the_persons_own():
    """Each gets an answer of its own, at its own address."""
    world, ane = _world()
    await ask(world, ane["email"], Right.ACCESS)
    other = await entering.enter(
        world.context,
        entering.Entry(
            rights=(Right.ACCESS,),
            email="lawyer@firm.example",
            about=ane["email"],
            channel="post",
            received_at=world.clock.now(),
            language="en",
            entered_by="operator",
            requester="representative",
            mandate="original seen",
        ),
    )
    assert await confirm(world, other) is RequestState.VERIFIED
