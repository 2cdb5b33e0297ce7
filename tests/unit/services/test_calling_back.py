"""A platform learns where its request stands: each change, signed, at least once, the last one last."""

import json
from dataclasses import replace

import pytest

from shared.domain.errors import NotAllowed, Permanent, Retryable
from shared.domain.messages import CALLBACK_QUEUE, LETTER_QUEUE, SendCallback
from shared.domain.opendsr import DsrStatus
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import intake, opendsr
from shared.services.calling_back import call_back
from shared.services.links import CANCEL
from shared.services.poison import put_aside
from shared.services.sweeping import sweep
from tests.factories import World
from tests.fakes.opendsr import CALLBACK, DOMAIN, PLATFORM, TRUSTED, filed, processor
from tests.unit.services.driving import ask, confirm, deliver, fulfil, letters, rest, token

DOWN = Retryable("callback_unreachable")
SECOND = "https://hooks.platform.example/second"


async def made(turn=None, **changes):
    """Return a World in which platforms may file, with one person."""
    world = World(turn=turn) if turn else World()
    world.add_person("ane")
    world.context = replace(world.context, opendsr=processor(world.turn, **changes))
    return world, world.context.opendsr.callbacks


async def submitted(world, controller_id=TRUSTED, **changes):
    """File a request as a platform does; return our id and its own."""
    body = json.dumps(filed(**changes)).encode()
    accepted = await opendsr.submit(world.context, world.context.opendsr, controller_id, body)
    (request_id,) = (
        one
        for one in world.cases.partitions
        if (by := world.cases.request(one).opendsr) and by.subject_request_id == accepted.subject_request_id
    )
    return request_id, accepted.subject_request_id


async def test_each_change_is_told_once_and_signed():
    """In the platform's own ids, with the address in the notice that it was posted to."""
    world, callbacks = await made()
    request_id, own_id = await submitted(world)
    await deliver(world)
    assert callbacks.statuses == ["in_progress", "completed"]
    url, content, headers = callbacks.posted[-1]
    assert url == CALLBACK
    assert content == {
        "controller_id": TRUSTED,
        "subject_request_id": own_id,
        "request_status": "completed",
        "expected_completion_time": "2026-02-02T22:59:59Z",
        "status_callback_url": CALLBACK,
    }
    assert headers["X-OpenDSR-Processor-Domain"] == DOMAIN
    assert "X-OpenDSR-Signature" in headers
    request = world.cases.request(request_id)
    assert request.opendsr.last_status_sent is DsrStatus.COMPLETED
    await call_back(world.context, request_id)
    assert len(callbacks.posted) == 2


async def test_the_first_version_is_called_back_by_its_own_names():
    """The platform may know no others."""
    world, callbacks = await made()
    await submitted(world, api_version="1.0")
    await deliver(world)
    _, _, headers = callbacks.posted[-1]
    assert set(headers) == {"X-OpenGDPR-Processor-Domain", "X-OpenGDPR-Signature"}


async def test_a_platform_without_address_is_not_called():
    """It asks for itself."""
    world, callbacks = await made()
    await submitted(world, status_callback_urls=[])
    await deliver(world)
    assert callbacks.posted == []
    assert not [queue for queue, _, _ in world.queue.sent if queue == CALLBACK_QUEUE]


async def test_what_the_person_does_not_confirm_is_told_as_cancelled_and_why():
    """Whether the address is known makes no difference to it."""
    told = []
    for email in ("ane@people.example", "nobody@people.example"):
        world, callbacks = await made()
        identity = {"identity_type": "email", "identity_value": email, "identity_format": "raw"}
        await submitted(world, PLATFORM, subject_identities=[identity])
        await deliver(world)
        assert callbacks.posted == []
        world.clock.advance(days=world.limits.verification_days, seconds=1)
        await sweep(world.context)
        await deliver(world)
        told.append([(one["request_status"], one["extensions"]) for _, one, _ in callbacks.posted])
    assert told == [[("cancelled", {DOMAIN: {"reason": "not_confirmed"}})]] * 2


async def test_a_message_says_ids_only():
    """Neither address nor person."""
    world, _ = await made()
    await submitted(world)
    await deliver(world, until=CALLBACK_QUEUE)
    body = next(body for queue, body, _ in world.queue.sent if queue == CALLBACK_QUEUE)
    assert set(json.loads(body)) == {"v", "request_id"}


async def test_a_platform_that_is_down_is_tried_again_and_later_each_time():
    """Up and told, the count begins anew."""
    world, callbacks = await made()
    request_id, _ = await submitted(world)
    callbacks.errors = [DOWN] * 3
    await deliver(world, until=CALLBACK_QUEUE)
    delays = []
    for _ in range(3):
        message = next(one for one in world.queue.sent if one[0] == CALLBACK_QUEUE)
        world.queue.sent.remove(message)
        await call_back(world.context, request_id)
        delays.append(next(delay for queue, _, delay in world.queue.sent if queue == CALLBACK_QUEUE))
    assert delays == sorted(set(delays))
    assert world.cases.request(request_id).opendsr.tries == 3
    await deliver(world)
    assert callbacks.statuses[-1] == "completed"
    assert world.cases.request(request_id).opendsr.tries == 0
    assert world.operators.alarms == []


async def test_a_platform_that_stays_down_is_given_up_and_an_operator_told():
    """The case itself is none the worse; the next change is tried again."""
    world, callbacks = await made()
    callbacks.errors = [DOWN] * 6
    request_id, _ = await submitted(world)
    await deliver(world)
    assert ("callback_unreachable", request_id, "") in world.operators.alarms
    assert world.cases.request(request_id).state is RequestState.COMPLETED_WITH_RETENTION
    assert callbacks.statuses == []
    await rest(world)
    assert world.cases.request(request_id).opendsr.last_status_sent is DsrStatus.COMPLETED


@pytest.mark.parametrize(
    "error", [Permanent("callback_refused", "404"), NotAllowed("callback_refused_address")]
)
async def test_a_refusal_is_told_to_an_operator_and_not_repeated(error):
    """Repeating it cannot help."""
    world, callbacks = await made()
    callbacks.errors = [error]
    request_id, _ = await submitted(world)
    await deliver(world)
    assert (error.code, request_id, "") in world.operators.alarms
    assert callbacks.statuses == ["completed"]


async def test_every_address_is_called_though_one_fails():
    """Each for itself."""
    world, callbacks = await made()
    await submitted(world, status_callback_urls=[CALLBACK, SECOND])
    callbacks.errors = [Permanent("callback_refused", "404")]
    await deliver(world)
    assert [(url, one["request_status"]) for url, one, _ in callbacks.posted] == [
        (SECOND, "in_progress"),
        (CALLBACK, "completed"),
        (SECOND, "completed"),
    ]


async def test_a_domain_taken_off_the_list_is_not_called_any_more():
    """It is asked again at the moment of calling."""
    world, callbacks = await made()
    request_id, _ = await submitted(world)
    other = processor(callback_domains=("elsewhere.example",))
    world.context = replace(world.context, opendsr=replace(other, callbacks=callbacks))
    await deliver(world)
    assert callbacks.posted == []
    assert ("callback_not_listed", request_id, "") in world.operators.alarms


async def test_a_lost_message_is_sent_again_by_the_sweep():
    """Of an open case and of a closed one, whose copy stays until its day."""
    world, callbacks = await made()
    request_id, _ = await submitted(world, subject_request_type="access")
    while world.queue.sent:
        await deliver(world, until=CALLBACK_QUEUE)
        world.queue.sent[:] = [one for one in world.queue.sent if one[0] != CALLBACK_QUEUE]
    assert world.cases.request(request_id).is_final
    assert callbacks.posted == []
    world.clock.advance(seconds=world.limits.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert callbacks.statuses == ["completed"]
    request = world.cases.request(request_id)
    assert request.wake_at == request.package.expires_at
    assert request_id in world.packages.contents
    world.clock.moment = request.package.expires_at
    await rest(world)
    await sweep(world.context)
    assert request_id not in world.packages.contents


async def test_a_closed_case_that_has_told_all_is_cleaned_up_and_sleeps():
    """Nothing wakes it any more."""
    world, _ = await made()
    request_id, _ = await submitted(world)
    await deliver(world)
    for _ in range(3):
        world.clock.advance(seconds=world.limits.cleanup_seconds)
        await sweep(world.context)
    assert world.cases.request(request_id).wake_at is None


async def test_a_state_that_changes_while_it_is_told_is_told_after_it():
    """The last notice to arrive is the present state."""
    world, callbacks = await made()
    request_id, _ = await submitted(world)
    await deliver(world, until=CALLBACK_QUEUE)
    message = next(one for one in world.queue.sent if one[0] == CALLBACK_QUEUE)
    world.queue.sent.remove(message)
    slow = callbacks.post
    slowed = []

    async def post(url, body, headers):
        if not slowed:
            slowed.append(url)
            await deliver(world)  # all the rest happens, and the platform learns it is completed
        await slow(url, body, headers)

    callbacks.post = post
    await call_back(world.context, request_id)
    assert callbacks.statuses == ["completed", "in_progress", "completed"]
    assert world.cases.request(request_id).opendsr.last_status_sent is DsrStatus.COMPLETED


@pytest.mark.parametrize("place", ["callbacks.post", "callbacks.post!", "cases.commit", "cases.commit!"])
async def test_a_worker_that_dies_while_it_tells_leaves_it_to_the_next(place):
    """At least once."""
    dies = []

    async def turn(name):
        if dies and name == dies[0]:
            dies.clear()
            raise Retryable("killed")

    world, callbacks = await made(turn)
    request_id, _ = await submitted(world)
    await deliver(world, until=CALLBACK_QUEUE)
    dies.append(place)
    try:
        await call_back(world.context, request_id)
    except Retryable:
        await call_back(world.context, request_id)
    await deliver(world)
    assert callbacks.statuses[-1] == "completed"
    assert set(callbacks.statuses) == {"in_progress", "completed"}


async def test_a_poisoned_message_gives_up_the_notice_and_not_the_case():
    """The work goes on."""
    world, callbacks = await made()
    request_id, _ = await submitted(world)
    await deliver(world, until=CALLBACK_QUEUE)
    world.queue.sent[:] = [one for one in world.queue.sent if one[0] != CALLBACK_QUEUE]
    body = SendCallback(request_id=request_id).model_dump_json().encode()
    await put_aside(world.context, CALLBACK_QUEUE, body)
    assert world.cases.request(request_id).state is RequestState.IN_PROGRESS
    assert ("callback_poisoned", request_id, "") in world.operators.alarms
    await deliver(world)
    assert callbacks.statuses == ["completed"]


async def test_a_platform_s_case_joins_none_and_none_joins_it():
    """It has an answer and a cancellation of its own, and so has the person's."""
    world, _ = await made()
    own = await ask(world, "ane@people.example", Right.ERASURE)
    by_platform, own_id = await submitted(world, PLATFORM)
    await deliver(world, only=LETTER_QUEUE)
    assert await confirm(world, by_platform) is RequestState.VERIFIED
    later = await ask(world, "ane@people.example", Right.ERASURE)
    assert world.cases.request(later).joined_to == own
    await opendsr.cancel(world.context, PLATFORM, own_id)
    await deliver(world)
    assert world.cases.request(by_platform).state is RequestState.CANCELLED
    assert world.cases.request(own).state is RequestState.COMPLETED_WITH_RETENTION


async def test_the_person_s_own_cancellation_is_told_to_the_platform():
    """By the link in the mail."""
    world, callbacks = await made()
    request_id, _ = await submitted(world, PLATFORM)
    await deliver(world, only=LETTER_QUEUE)
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    assert callbacks.statuses == ["cancelled"]


async def test_a_case_of_a_web_form_calls_nobody():
    """It came from nobody's platform."""
    world, callbacks = await made()
    await fulfil(world, "ane@people.example", Right.ERASURE)
    assert callbacks.posted == []


async def test_the_person_gets_the_letters_that_everybody_gets():
    """The mail that asks, when the platform has proven nothing; and the answer."""
    for controller_id, expected in ((PLATFORM, True), (TRUSTED, False)):
        world, _ = await made()
        request_id, _ = await submitted(world, controller_id)
        await deliver(world)
        assert ("letter-verify-0" in letters(world, request_id)) is expected
        if expected:
            assert await confirm(world, request_id) is RequestState.VERIFIED
            await deliver(world)
        assert world.cases.request(request_id).state is RequestState.COMPLETED_WITH_RETENTION
        assert any(name.startswith("letter-erased") for name in letters(world, request_id))
