"""Two things at once on one person: what the simulation came upon, each as a case of its own."""

import json
from datetime import timedelta

import pytest

from shared.domain.controls import Claim, Consent
from shared.domain.errors import Conflict, NotAllowed, Retryable
from shared.domain.limits import Limits
from shared.domain.messages import FINISH_QUEUE, LETTER_QUEUE, PLAN_QUEUE, TASK_QUEUE
from shared.domain.recipients import NoticeState
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import deciding, holding, intake, marking
from shared.services.instructing import SIGNED_UP_ANEW
from shared.services.links import CANCEL
from shared.services.sweeping import sweep
from tests.simulation.rights_world import LETTERS, MAILER, RightsWorld
from tests.unit.services.driving import ask, confirm, deliver, fulfil, hold, rest, step, submit, token, traces

ANE = "ane@people.example"
KEYS_OF_A_PERSON = 3


def _world(**changes) -> RightsWorld:
    world = RightsWorld(**{"connected": (), **changes})
    world.add_person("ane")
    return world


def _controls(world, request_id):
    return [world.controls.stored(key).controls for key in world.cases.request(request_id).subject_keys]


async def _approve(world, request_id) -> None:
    digest = world.cases.request(request_id).plan.digest
    await deciding.approve(
        world.context, request_id, plan_digest=digest, decided_by="officer-1", reason="It was weighed"
    )


# filing


@pytest.mark.clause("4.7.1", "4.8")
async def test_who_presses_again_after_an_error_is_heard_at_once():
    """The first press was saved and died before its marks; the second one writes them, and files nothing."""
    failing = [True]

    async def turn(name):
        if name == "cases.commit!" and failing:
            failing.clear()
            raise Retryable("service_busy", name)

    world = _world(turn=turn)
    rights = (Right.MARKETING_OBJECTION, Right.WITHDRAWAL)
    with pytest.raises(Retryable):
        await submit(world, ANE, *rights, repeat_key="once")
    request_id = await submit(world, ANE, *rights, repeat_key="once")
    assert list(world.cases.partitions) == [request_id]
    (controls,) = _controls(world, request_id)
    assert controls.stops_marketing
    assert controls.withdrawn_at == world.cases.request(request_id).received_at


# cancelling beside planning


@pytest.mark.parametrize("died", [False, True], ids=["planner lives", "planner dies"])
async def test_a_cancelled_request_leaves_nobody_restricted(died):
    """It was cancelled while its restriction was being written, on one pseudonym after the other."""
    cancelled: list[bool] = []

    async def turn(name):
        if name == "controls.write" and planning and not cancelled:
            cancelled.append(False)
            await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
            cancelled.append(True)
        elif died and True in cancelled and name == "cases.commit" and planning:
            raise Retryable("service_busy", name)

    planning: list[bool] = []
    world = _world(turn=turn)
    request_id = await ask(world, ANE, Right.OBJECTION)
    planning.append(True)
    with pytest.raises(Retryable if died else Conflict):
        await deliver(world, only=PLAN_QUEUE)
    planning.clear()
    assert len(_controls(world, request_id)) == KEYS_OF_A_PERSON
    if died:
        assert any(one.is_restricted for one in _controls(world, request_id))
        world.clock.advance(seconds=3600)
        await sweep(world.context)
    assert not any(one.is_restricted for one in _controls(world, request_id))
    assert world.cases.request(request_id).wake_at is None or not died


# holds


@pytest.mark.clause("5.3")
async def test_a_hold_released_while_the_answer_is_on_its_way_defers_nothing():
    """Nobody releases it a second time, so whoever makes the request stand looks once more."""
    world = _world()
    hold(world, ANE)
    request_id = await ask(world, ANE, Right.ERASURE)
    await deliver(world, until=LETTER_QUEUE)
    assert world.cases.request(request_id).state is RequestState.ANSWERING
    assert (await holding.release(world.context, "h-1", released_by="officer-1")).taken_up == 0
    await rest(world)
    assert world.cases.request(request_id).outcomes[Right.ERASURE].by_store["events"] == 3
    assert not world.documents.bodies("people")


@pytest.mark.clause("5.3")
async def test_the_sweep_takes_up_what_nobody_lived_to_take_up():
    """The hold is gone, and whoever should have looked died between two awaits."""
    world = _world()
    hold(world, ANE)
    request_id = await fulfil(world, ANE, Right.ERASURE)
    hold(world, ANE, released_at=world.clock.now())
    world.clock.advance(seconds=world.limits.wake_seconds)
    assert await sweep(world.context) == 1
    assert world.cases.request(request_id).state is RequestState.VERIFIED
    await rest(world)
    assert not world.documents.bodies("people")


async def test_a_first_look_at_what_stands_tells_nobody():
    """It is there to find a hold that ended; operators are reminded when the review comes."""
    world = _world()
    hold(world, ANE)
    request_id = await fulfil(world, ANE, Right.ERASURE)
    alarms = list(world.operators.alarms)
    world.clock.advance(seconds=world.limits.wake_seconds)
    assert await sweep(world.context) == 1
    assert world.operators.alarms == alarms
    request = world.cases.request(request_id)
    review_at = request.outcomes[Right.ERASURE].at + timedelta(days=world.limits.standing_review_days)
    assert (request.state, request.wake_at) == (RequestState.STANDING, review_at)


async def test_one_of_two_holds_released_takes_up_nothing():
    """The other keeps it all: no second letter says the same."""
    world = _world()
    hold(world, ANE)
    first = world.controls.stored(world.context.keys.subject_key("email", ANE))
    second = first.controls.holds[0].model_copy(update={"hold_id": "h-2"})
    world.controls.put(first.controls.model_copy(update={"holds": (*first.controls.holds, second)}))
    request_id = await fulfil(world, ANE, Right.ERASURE)
    assert (await holding.release(world.context, "h-1", released_by="officer-1")).taken_up == 0
    assert world.cases.request(request_id).state is RequestState.STANDING
    assert (await holding.release(world.context, "h-2", released_by="officer-1")).taken_up == 1


async def test_a_hold_after_a_look_that_found_something_ends_the_erasure_as_deferred():
    """What was found left then is held now, and not looked for for ever."""
    world = _world()
    request_id = await ask(world, ANE, Right.ERASURE)
    await deliver(world, until=FINISH_QUEUE)
    world.documents.put("events", "/user_id", {"id": "late", "user_id": "user-ane", "what": "x"})
    while world.cases.request(request_id).looks == 0 or world.queue.sent[0][0] != TASK_QUEUE:
        await step(world)
    await step(world)  # looks, and finds the late one
    await step(world)  # so it erases once more
    hold(world, ANE)
    await deliver(world)
    request = world.cases.request(request_id)
    assert request.state is RequestState.STANDING
    assert [body["id"] for body in world.documents.bodies("events")] == ["late"]
    held = {one.store_id for one in request.outcomes[Right.ERASURE].kept if one.reason == "hold"}
    assert "events" in held


# decisions


@pytest.mark.clause("4.7", "4.5")
async def test_an_upheld_objection_meets_anothers_restriction_only_by_decision():
    """The person may need what the objection would erase: both are weighed in one decision."""
    world = _world()
    await fulfil(world, ANE, Right.RESTRICTION)
    request_id = await fulfil(world, ANE, Right.OBJECTION)
    assert world.cases.request(request_id).plan.needs_decision == ("objection", "restricted")
    await _approve(world, request_id)
    await deliver(world)
    assert world.cases.request(request_id).outcomes[Right.OBJECTION].result == "objection_upheld"
    assert not world.documents.bodies("people")


async def test_a_restriction_after_the_approval_is_decided_again():
    """What was approved knew nothing of it; nothing goes meanwhile."""
    world = _world()
    request_id = await fulfil(world, ANE, Right.OBJECTION)
    await _approve(world, request_id)
    await fulfil(world, ANE, Right.RESTRICTION)
    await deliver(world)
    request = world.cases.request(request_id)
    assert request.state is RequestState.AWAITING_APPROVAL
    assert request.plan.needs_decision == ("objection", "restricted")
    assert world.documents.bodies("people")


@pytest.mark.clause("4.4")
async def test_what_has_erased_something_is_not_refused_any_more():
    """A refusal would say that nothing was done; the rest can be approved."""
    world = _world(limits=Limits(page_documents=1, page_keys=1, message_documents=1))
    request_id = await ask(world, ANE, Right.ERASURE)
    await deliver(world, only=PLAN_QUEUE)
    before = len(traces(world, {"email": ANE, "user_id": "user-ane"}))
    while len(traces(world, {"email": ANE, "user_id": "user-ane"})) == before:
        await step(world)
    other = await submit(world, ANE, Right.RESTRICTION)
    await confirm(world, other)
    await deliver(world)
    assert world.cases.request(request_id).state is RequestState.AWAITING_APPROVAL
    with pytest.raises(NotAllowed) as caught:
        await deciding.refuse(
            world.context, request_id, decided_by="op", reason="A reason", provision="GDPR article 17(3)"
        )
    assert caught.value.code == "too_late"
    await _approve(world, request_id)
    await deliver(world)
    assert world.cases.request(request_id).outcomes[Right.ERASURE].result == "erased_with_retention"


# the fence


@pytest.mark.parametrize("waits", [RequestState.RECEIVED, RequestState.STANDING, RequestState.COMPLETED])
async def test_a_claim_left_by_a_request_that_is_not_at_work_keeps_nobody_waiting(waits):
    """Its worker died before giving it back."""
    world = _world()
    if waits is RequestState.RECEIVED:
        left = await submit(world, ANE, Right.ERASURE)
        world.queue.sent.clear()
    elif waits is RequestState.STANDING:
        left = await fulfil(world, ANE, Right.RESTRICTION)
    else:
        left = await fulfil(world, ANE, Right.ACCESS)
    assert world.cases.request(left).state is waits
    key = world.context.keys.subject_key("email", ANE)
    stored = world.controls.stored(key).controls
    claim = Claim(request_id=left, right=world.cases.request(left).right, since=world.clock.now())
    world.controls.put(stored.model_copy(update={"claims": (claim,)}))
    copy = await ask(world, ANE, Right.WITHDRAWAL)
    await deliver(world, only=PLAN_QUEUE)
    assert world.cases.request(copy).state is RequestState.IN_PROGRESS
    assert [one.request_id for one in world.controls.stored(key).controls.claims] == [copy]


async def test_a_claim_of_a_request_at_work_keeps_others_waiting():
    """As it always did."""
    world = _world()
    await ask(world, ANE, Right.ERASURE)
    await deliver(world, only=PLAN_QUEUE)
    waiting = await ask(world, ANE, Right.WITHDRAWAL)
    await step_plan(world)
    assert world.cases.request(waiting).state is RequestState.VERIFIED


async def step_plan(world) -> None:
    """Deliver the first message to plan."""
    found = next(one for one in world.queue.sent if one[0] == PLAN_QUEUE)
    world.queue.sent.remove(found)
    world.queue.sent.insert(0, found)
    await step(world)


# sign-ups


async def _sign_up(world) -> None:
    """Sign up anew, as a product would: the consent first, then its own record and the processor's."""
    given_at = world.clock.now()
    consent = Consent(consent_id="c-1", purpose_id=LETTERS, given_at=given_at, policy_version="1")

    def noted(controls):
        return controls.model_copy(update={"consents": (*controls.consents, consent)})

    await marking.change(world.context, (world.context.keys.subject_key("email", ANE),), noted)
    world.sign_up("ane")


@pytest.mark.clause("4.8", "5.2")
@pytest.mark.parametrize("right", [Right.WITHDRAWAL, Right.MARKETING_OBJECTION])
async def test_who_signs_up_anew_is_not_unsubscribed_by_a_late_message(right):
    """Nowhere: not in the controls, not in the product, not at the processor, where a person looks."""
    world = _world(connected=(MAILER,))
    request_id = await submit(world, ANE, right)
    world.clock.advance(seconds=60)
    await _sign_up(world)
    await deliver(world)
    request = world.cases.request(request_id)
    assert [body["email"] for body in world.documents.bodies("signups")] == [ANE]
    assert request.outcomes[right].by_store == {}
    controls = world.controls.stored(world.context.keys.subject_key("email", ANE)).controls
    assert controls.consents[0].withdrawn_at is None
    assert world.processors.mails(ANE)
    (notice,) = request.notices
    assert (notice.recipient_id, notice.state, notice.why) == (
        MAILER,
        NoticeState.AWAITING_STAFF,
        SIGNED_UP_ANEW,
    )


@pytest.mark.clause("4.8")
async def test_who_signed_up_before_is_unsubscribed_everywhere():
    """The moment of receipt itself counts as before."""
    world = _world(connected=(MAILER,))
    await _sign_up(world)
    await fulfil(world, ANE, Right.WITHDRAWAL)
    assert world.documents.bodies("signups") == []
    assert not world.processors.mails(ANE)


async def test_a_sign_up_written_anew_under_a_claim_is_not_counted_as_erased():
    """The worker wrote down what would go, and the product was faster."""
    raced: list[bool] = []

    async def turn(name):
        if name == "documents.change" and not raced:
            raced.append(True)
            world.clock.advance(seconds=60)
            world.sign_up("ane")

    world = _world(turn=turn)
    request_id = await fulfil(world, ANE, Right.WITHDRAWAL)
    assert raced
    assert len(world.documents.bodies("signups")) == 1
    assert world.cases.request(request_id).outcomes[Right.WITHDRAWAL].records == 0
    assert "s-ane" not in json.dumps(world.evidence.records)
