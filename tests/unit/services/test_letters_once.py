"""A letter goes out at most once, whatever happens between the claim and the answer of the mail service."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.adapters.graph_mail import CALL_SECONDS
from shared.domain.case_documents import LetterDocument
from shared.domain.errors import CannotTell, Conflict, NotAllowed, NotFound, Permanent, Retryable
from shared.domain.limits import Limits
from shared.domain.messages import LETTER_QUEUE, SendLetter
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.times import after
from shared.ports.notifier import NOT_ACCEPTED, OUTCOME_UNKNOWN
from shared.services.attention import pause, retry, stop
from shared.services.poison import put_aside
from shared.services.sending import resolve_letter, send_letter
from shared.services.sweeping import sweep
from tests.factories import World
from tests.unit.services.driving import ENDED, ask, deliver, rest, stored, submit

ANSWER = "letter-erased-0"
LIMITS = Limits()


@dataclass
class Answering:
    """A request whose answer waits to be sent."""

    world: World
    request_id: str

    async def send(self) -> None:
        await send_letter(self.world.context, self.request_id, ANSWER)

    async def lose(self, place: str = "notifier.send!") -> None:
        """Let one attempt end without anybody knowing how."""
        self.fault(place, Retryable(OUTCOME_UNKNOWN))
        with pytest.raises(Retryable):
            await self.send()

    def fault(self, place: str, error: Exception) -> None:
        self.world.notifier.faults.append((place, error))

    @property
    def letter(self) -> LetterDocument:
        return LetterDocument.model_validate(self.world.cases.partitions[self.request_id][ANSWER][1])

    @property
    def state(self) -> RequestState:
        return self.world.cases.request(self.request_id).state

    @property
    def times(self) -> int:
        return self.world.notifier.times_sent.get(f"{self.request_id}-{ANSWER}", 0)

    @property
    def alarms(self) -> list[str]:
        return [code for code, _, _ in self.world.operators.alarms]


@pytest.fixture
async def answering() -> Answering:
    """An erasure done to its letter, with an empty queue."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await deliver(world, until=LETTER_QUEUE)
    world.queue.sent.clear()
    return Answering(world, request_id)


async def test_a_letter_is_claimed_before_it_is_sent(answering):
    """Whoever dies while sending leaves a trace."""
    answering.fault("notifier.send", RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        await answering.send()
    letter = answering.letter
    now = answering.world.clock.now()
    assert (letter.claimed_at, letter.attempts, letter.is_in_doubt) == (now, 1, True)
    assert letter.not_before == after(now, seconds=LIMITS.letter_settle_seconds)


async def test_two_at_once_send_one_letter(answering):
    """One of them loses the claim."""

    async def give_way(name):
        await asyncio.sleep(0)

    answering.world.cases.turn = answering.world.notifier.turn = give_way
    ends = await asyncio.gather(answering.send(), answering.send(), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [Conflict]
    assert (answering.times, answering.state in ENDED) == (1, True)


# the outcome of a call is not known


async def test_a_letter_seen_among_the_sent_closes_without_being_sent_again(answering):
    """At once: being seen is certain."""
    await answering.lose()
    await answering.send()
    assert (answering.times, answering.state in ENDED) == (1, True)
    assert answering.world.evidence.records[f"{answering.request_id}/erasure-0.json"]
    assert "ane@people.example" not in stored(answering.world, answering.request_id)


async def test_redeliveries_of_a_letter_under_way_end_quietly(answering):
    """Five of them do not poison it, and none sends it."""
    answering.world.notifier.seen_after_seconds = 400
    await answering.lose()
    for _ in range(5):
        answering.world.clock.advance(seconds=10)
        await answering.send()
    assert (answering.times, answering.letter.attempts, answering.alarms) == (1, 1, [])
    assert answering.state is RequestState.ANSWERING


@pytest.mark.parametrize(("seconds", "times"), [(-1, 0), (0, 1), (1, 1)])
async def test_not_seen_means_not_sent_only_when_it_has_settled(answering, seconds, times):
    """Then it is sent."""
    await answering.lose("notifier.sending")
    answering.world.clock.advance(seconds=LIMITS.letter_settle_seconds + seconds)
    await answering.send()
    assert answering.times == times


async def test_the_sweep_comes_back_to_a_letter_nobody_finished(answering):
    """Without any message left."""
    await answering.lose("notifier.sending")
    await rest(answering.world)
    assert (answering.times, answering.state in ENDED) == (1, True)


async def test_an_error_of_no_known_code_counts_as_unknown(answering):
    """Only a clear refusal frees the letter."""
    answering.fault("notifier.send", Retryable("service_busy"))
    with pytest.raises(Retryable):
        await answering.send()
    assert answering.letter.is_in_doubt


@pytest.mark.parametrize("error", [Retryable("mail_unreachable"), CannotTell("sent_items_unreadable")])
async def test_no_answer_is_never_a_no(answering, error):
    """Nothing is sent, however old the claim."""
    await answering.lose("notifier.sending")
    answering.world.clock.advance(days=2)
    answering.fault("notifier.was_sent", error)
    with pytest.raises(type(error)):
        await answering.send()
    assert (answering.times, answering.letter.attempts) == (0, 1)


async def test_a_worker_that_wakes_long_after_its_claim_does_not_send(answering):
    """Somebody else may be looking into it by then."""
    world = answering.world

    async def stall(name):
        if name == "cases.commit!":
            world.clock.advance(seconds=LIMITS.lease_seconds)

    world.cases.turn = stall
    with pytest.raises(Retryable) as caught:
        await answering.send()
    assert (caught.value.code, answering.times) == ("letter_claim_late", 0)


async def test_a_worker_that_wakes_just_in_time_sends(answering):
    """One second before."""
    world = answering.world

    async def stall(name):
        if name == "cases.commit!":
            world.clock.advance(seconds=LIMITS.lease_seconds - 1)

    world.cases.turn = stall
    await answering.send()
    assert answering.times == 1


def test_a_claim_settles_only_when_no_worker_can_still_send_under_it():
    """A lease, then the longest call, then five minutes until it is seen."""
    assert LIMITS.letter_settle_seconds >= LIMITS.lease_seconds + CALL_SECONDS + 300
    assert LIMITS.letter_settle_seconds > LIMITS.wake_seconds


# the service refuses


async def test_a_refusal_frees_the_letter_and_tries_again_later(answering):
    """For as long as the service asked, and not before."""
    answering.fault("notifier.send", Retryable(NOT_ACCEPTED, retry_after_seconds=120))
    await answering.send()
    letter = answering.letter
    assert (letter.is_in_doubt, letter.attempts, letter.refusals) == (False, 0, 1)
    assert [(queue, delay) for queue, _, delay in answering.world.queue.sent] == [(LETTER_QUEUE, 120)]
    answering.world.clock.advance(seconds=119)
    await answering.send()
    assert answering.times == 0
    answering.world.clock.advance(seconds=1)
    await answering.send()
    assert (answering.times, answering.state in ENDED) == (1, True)


async def test_an_outage_of_hours_stops_no_request(answering):
    """Operators hear of it now and then, and when mail works again the letter goes, once."""
    for _ in range(50):
        answering.fault("notifier.send", Retryable(NOT_ACCEPTED))
    began = answering.world.clock.now()
    await answering.send()
    await deliver(answering.world)
    assert (answering.times, answering.state in ENDED) == (1, True)
    assert answering.alarms == [NOT_ACCEPTED] * (50 // LIMITS.letter_attempts)
    assert answering.world.clock.now() - began < timedelta(seconds=50 * LIMITS.wake_seconds)


async def test_messages_do_not_multiply_in_an_outage(answering):
    """Each refusal sends one, and one that comes too early sends none."""
    answering.fault("notifier.send", Retryable(NOT_ACCEPTED))
    await answering.send()
    for _ in range(3):
        await answering.send()
    assert len(answering.world.queue.sent) == 1


async def test_a_refusal_for_good_frees_the_letter_and_stops_the_request(answering):
    """An operator corrects the address; the request is worked out anew and its letter goes once."""
    for _ in range(5):
        answering.fault("notifier.send", Permanent("address_unusable"))
        with pytest.raises(Permanent):
            await answering.send()
    assert (answering.letter.is_in_doubt, answering.letter.attempts) == (False, 0)
    await _poison(answering)
    assert answering.state is RequestState.NEEDS_ATTENTION
    await retry(answering.world.context, answering.request_id, decided_by="operator")
    await rest(answering.world)
    assert (answering.state in ENDED, sum(answering.world.notifier.times_sent.values())) == (True, 2)


async def test_a_request_whose_answer_may_be_out_is_not_worked_out_anew(answering):
    """A poisoned message is an alarm; the sweep finds the letter."""
    await answering.lose()
    await _poison(answering)
    assert (answering.state, answering.alarms) == (RequestState.ANSWERING, ["letter_poisoned"])
    await rest(answering.world)
    assert (answering.times, answering.state in ENDED) == (1, True)


async def test_whoever_read_the_request_before_the_claim_does_not_stop_it_after(answering):
    """The claim changes the request, too."""
    read_before = await answering.world.cases.load(answering.request_id)
    await answering.lose()
    with pytest.raises(Conflict):
        await stop(answering.world.context, read_before, "letter_poisoned")
    assert answering.state is RequestState.ANSWERING


async def _poison(answering: Answering) -> None:
    message = SendLetter(request_id=answering.request_id, letter_id=ANSWER)
    await put_aside(answering.world.context, LETTER_QUEUE, message.model_dump_json().encode())


# nobody can tell


async def _given_up(answering: Answering, place: str = "notifier.sending") -> None:
    answering.world.notifier.seen_after_seconds = 10**9
    for _ in range(LIMITS.letter_attempts):
        await answering.lose(place)
        answering.world.clock.advance(seconds=LIMITS.letter_settle_seconds)
    await answering.send()


async def test_a_letter_in_doubt_too_often_waits_for_an_operator(answering):
    """Who is told once a day."""
    await _given_up(answering)
    for _ in range(3):
        answering.world.clock.advance(seconds=LIMITS.wake_seconds)
        await answering.send()
    assert (answering.alarms, answering.times) == (["letter_unconfirmed"], 0)
    answering.world.clock.advance(days=1)
    await answering.send()
    assert answering.alarms == ["letter_unconfirmed"] * 2


async def test_one_attempt_fewer_is_sent_again(answering):
    """The last that is made by itself."""
    for _ in range(LIMITS.letter_attempts - 1):
        await answering.lose("notifier.sending")
        answering.world.clock.advance(seconds=LIMITS.letter_settle_seconds)
    await answering.send()
    assert (answering.alarms, answering.times, answering.state in ENDED) == ([], 1, True)


async def test_a_letter_seen_late_still_closes_its_request(answering):
    """Nobody has to decide then."""
    await _given_up(answering)
    answering.world.notifier.seen_after_seconds = 0
    answering.world.notifier._sent_at[f"{answering.request_id}-{ANSWER}"] = answering.world.clock.now()
    await answering.send()
    assert (answering.times, answering.state in ENDED) == (0, True)


async def test_an_operator_who_found_it_closes_the_request(answering):
    """With the decision in the audit trail, and the proof written."""
    await _given_up(answering)
    await _resolve(answering, was_sent=True)
    assert (answering.times, answering.state in ENDED) == (0, True)
    assert "letter_resolved" in answering.world.cases.what_happened(answering.request_id)
    assert answering.world.evidence.records[f"{answering.request_id}/erasure-0.json"]
    with pytest.raises(NotAllowed):
        await _resolve(answering, was_sent=True)


async def test_an_operator_who_did_not_find_it_has_it_sent(answering):
    """With all its attempts anew."""
    await _given_up(answering)
    await _resolve(answering, was_sent=False)
    assert (answering.letter.attempts, answering.letter.is_in_doubt) == (0, False)
    await deliver(answering.world)
    assert (answering.times, answering.state in ENDED) == (1, True)


async def test_a_letter_that_may_be_under_way_is_not_settled_by_hand(answering):
    """A worker may be sending it right now."""
    await answering.lose("notifier.sending")
    answering.world.clock.advance(seconds=LIMITS.letter_settle_seconds - 1)
    with pytest.raises(NotAllowed) as caught:
        await _resolve(answering, was_sent=False)
    assert (caught.value.code, caught.value.retry_after_seconds) == ("letter_under_way", 2)
    answering.world.clock.advance(seconds=1)
    await _resolve(answering, was_sent=False)


async def test_there_is_nothing_to_settle_before_a_letter_was_tried(answering):
    """Nor for one that does not exist."""
    with pytest.raises(NotAllowed) as caught:
        await _resolve(answering, was_sent=True)
    assert caught.value.code == "letter_not_in_doubt"
    with pytest.raises(NotFound):
        await resolve_letter(
            answering.world.context, answering.request_id, "letter-other-0", was_sent=True, decided_by="x"
        )


async def _resolve(answering: Answering, *, was_sent: bool) -> None:
    await resolve_letter(
        answering.world.context, answering.request_id, ANSWER, was_sent=was_sent, decided_by="operator"
    )


# a letter that answers nothing


async def test_a_verification_mail_is_reconciled_the_same_way():
    """Seen is sent; the request goes on waiting for its person."""
    world = World()
    request_id = await submit(world, "ane@people.example", Right.ACCESS)
    world.queue.sent.clear()
    world.notifier.faults.append(("notifier.send!", Retryable(OUTCOME_UNKNOWN)))
    with pytest.raises(Retryable):
        await send_letter(world.context, request_id, "letter-verify-0")
    world.clock.advance(seconds=LIMITS.wake_seconds)
    await sweep(world.context)
    await deliver(world)
    assert world.notifier.times_sent == {f"{request_id}-letter-verify-0": 1}
    assert world.cases.partitions[request_id]["letter-verify-0"][1]["sent_at"] is not None
    assert world.cases.request(request_id).state is RequestState.RECEIVED


async def test_staff_pause_no_case_whose_answer_may_be_out():
    """Paused and refused, the person would get two answers that contradict each other."""
    world = World()
    ane = world.add_person("ane")
    request_id = await ask(world, ane["email"], Right.ACCESS)
    await deliver(world, until=LETTER_QUEUE)
    world.notifier.faults.append(("notifier.send!", Retryable(OUTCOME_UNKNOWN)))
    with pytest.raises(Retryable):
        await deliver(world)
    with pytest.raises(NotAllowed, match="not_pausable"):
        await pause(world.context, request_id, decided_by="operator")
    await rest(world)
    assert world.cases.request(request_id).state is RequestState.COMPLETED
    assert set(world.notifier.times_sent.values()) == {1}
