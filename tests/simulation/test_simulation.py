"""The services under a hostile scheduler: thousands of runs, each from a seed that replays it.

`SIMULATION_SEEDS` runs that many more; `SIMULATION_FIRST_SEED` starts elsewhere. A failing seed is named in
the error, and `run_seed(seed)` runs it again step by step.
"""

import os
import sys
from dataclasses import replace

import pytest

from shared.domain.controls import Controls
from shared.domain.messages import RunTasks
from shared.domain.rights import Right
from shared.services import fencing, planning
from shared.services.fencing import Fence
from tests.fakes.cases import MemoryCases
from tests.fakes.messaging import MemoryNotifier
from tests.simulation import simulator
from tests.simulation.scenario import THEMES, run_seed
from tests.simulation.simulator import LIMITS, Odds, Violation

CHUNKS = 8
SEEDS = 2_000 + int(os.environ.get("SIMULATION_SEEDS", "0"))
FIRST = int(os.environ.get("SIMULATION_FIRST_SEED", "0"))
HARSH = Odds(kill=0.06, fail_before=0.08, fail_after=0.06, lose_lease=0.06, duplicate=0.2)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_invariant_holds_for_every_seed(chunk):
    """Duplicated, late, reordered, killed and throttled messages lose nothing and do nothing twice."""
    for seed in range(FIRST + chunk, FIRST + SEEDS, CHUNKS):
        run_seed(seed, odds=HARSH if seed % 5 == 0 else Odds())


def test_a_run_without_faults_ends_every_request():
    """The ordinary way works, too."""
    for seed in range(70):
        run_seed(seed, odds=None)


def test_a_seed_replays_the_same_run():
    """A violation can be looked at again."""
    assert run_seed(7).log == run_seed(7).log


COPIES, CORRECTIONS, CONSENTS, RESTRICTIONS, OBJECTIONS, HOLDS, EVERYTHING = range(len(THEMES))


# Two runs that meet at one moment, undisturbed: faults would only part them.
RACES_ONLY = Odds(kill=0, fail_before=0, fail_after=0, lose_lease=0, duplicate=0, switch=0.98)


def _sees(wanted: str, seeds: int, *, theme: int | None = None, odds: Odds | None = None) -> bool:
    """Whether so many seeds, of one theme or of all, come upon a violation that says this."""
    step = 1 if theme is None else len(THEMES)
    for seed in range(theme or 0, seeds * step, step):
        try:
            run_seed(seed, odds=odds or Odds())
        except Violation as violation:
            if wanted in str(violation):
                return True
    return False


def test_the_simulator_sees_an_erasure_without_a_fence(monkeypatch):
    """A planted bug: rights on one person are not ordered."""

    async def no_claim(context, request, keys, known):
        return Fence.HELD

    def always_held(request, controls):
        return True

    monkeypatch.setattr(fencing, "claim", no_claim)
    monkeypatch.setattr(fencing, "is_held", always_held)
    assert _sees("published after the erasure began", 150, theme=COPIES)


def test_every_theme_is_played():
    """Each pair of rights that meet on one person has seeds of its own."""
    rights = {right for choices, _ in THEMES for choice in choices for right in choice}
    assert rights == set(Right)
    acts = {act for _, acts in THEMES for act in acts}
    assert acts == {
        *("rename", "use", "subscribe", "enter", "schedule", "lift", "hold", "release", "throw", "reset"),
    }
    assert RESTRICTIONS < HOLDS < EVERYTHING


def test_the_simulator_sees_a_message_sent_before_its_state_is_saved(monkeypatch):
    """A planted bug: the message goes first, and the state remembers nothing to send again."""
    begin = planning._begin

    async def hasty(context, case, request, made, controls):
        await context.queue.send([RunTasks(request_id=request.request_id, lane=0)])
        sent = list(context.queue.sent)
        await begin(context, case, request, made, controls)
        context.queue.sent[:] = sent[: len(context.queue.sent) - 1]

    commit = MemoryCases.commit

    async def forgetful(self, request_id, writes, deletes=()):
        forgotten = [
            type(write)(document=write.document.with_(wake_at=None), etag=write.etag)
            if write.document.id == "request" and write.document.state == "in_progress"
            else write
            for write in writes
        ]
        return await commit(self, request_id, forgotten, deletes)

    monkeypatch.setattr(planning, "_begin", hasty)
    monkeypatch.setattr(MemoryCases, "commit", forgetful)
    assert _sees("never ended", 60)


def test_the_simulator_sees_a_sweep_that_does_nothing(monkeypatch):
    """A planted bug: whoever dies between saving and sending is never repaired."""

    async def blind(self, now, *, limit):
        await self.turn("cases.waking")
        return ()

    monkeypatch.setattr(MemoryCases, "waking", blind)
    assert _sees("", 40, odds=HARSH)


def test_the_simulator_sees_destruction_that_does_not_ask_for_holds(monkeypatch):
    """A planted bug: holds are looked at when planning only."""
    from shared.services import erasing, erasing_lines

    async def trusting(context, request, activity):
        return None

    monkeypatch.setattr(erasing, "ask_again", trusting)
    monkeypatch.setattr(erasing_lines, "ask_again", trusting)
    assert _sees("without asking", 20)


def test_the_simulator_sees_a_count_lost_in_a_crash(monkeypatch):
    """A planted bug: what a dead worker erased is not counted."""
    from shared.services import erasing

    def forget(task, judged):
        return task.with_(claimed=())

    monkeypatch.setattr(erasing, "_count_interrupted", forget)
    assert _sees("proofs count", 300, odds=HARSH)


def test_the_simulator_sees_a_letter_sent_without_a_claim(monkeypatch):
    """A planted bug: the mail goes out and nothing was saved before."""
    from shared.services import sending

    async def no_claim(context, case, letter):
        return case, letter

    monkeypatch.setattr(sending, "_claim", no_claim)
    assert _sees("sent twice", 60, odds=HARSH)


def test_the_simulator_sees_a_no_that_came_too_early(monkeypatch):
    """A planted bug: what is not seen among the sent mails yet counts as not sent."""
    hasty = replace(LIMITS, letter_settle_seconds=0)
    monkeypatch.setattr(simulator, "LIMITS", hasty)
    assert _sees("sent twice", 60, odds=HARSH)


def test_the_simulator_sees_a_claim_taken_for_a_letter_sent(monkeypatch):
    """A planted bug: whoever finds a claim believes that the mail is out."""

    async def always(self, mail_id):
        return True

    monkeypatch.setattr(MemoryNotifier, "was_sent", always)
    assert _sees("never sent", 60, odds=HARSH)


@pytest.mark.clause("4.5")
def test_the_simulator_sees_scheduled_deletion_that_does_not_ask_for_restrictions(monkeypatch):
    """A planted bug: what is restricted goes when its time is up."""
    from shared.services import erasing

    in_the_way = erasing.in_the_way

    def blind(restriction, request, activity_id):
        return not request.is_internal and in_the_way(restriction, request, activity_id)

    monkeypatch.setattr(erasing, "in_the_way", blind)
    monkeypatch.setattr(Controls, "restricts", lambda *_: False)
    assert _sees("under a restriction by erasure retention", 40, theme=RESTRICTIONS)


@pytest.mark.clause("4.8")
def test_the_simulator_sees_a_withdrawal_that_takes_a_newer_sign_up(monkeypatch):
    """A planted bug: a late message unsubscribes who signed up anew."""
    from shared.datamap import stopping

    monkeypatch.setattr(stopping, "_is_newer", lambda *_: False)
    assert _sees("newer sign-up was erased", 60, theme=CONSENTS)


@pytest.mark.clause("4.8")
def test_the_simulator_sees_a_withdrawal_that_takes_back_a_newer_consent(monkeypatch):
    """A planted bug: every consent ends, whenever it was given."""
    from shared.services import marking

    withdraw = marking.withdraw

    async def sweeping(context, request, subject_keys):
        await withdraw(context, request, subject_keys)
        at = request.received_at

        def ended(controls):
            consents = [one.model_copy(update={"withdrawn_at": at}) for one in controls.consents]
            return controls.model_copy(update={"consents": tuple(consents)})

        await marking.change(context, subject_keys, ended)

    monkeypatch.setattr(marking, "withdraw", sweeping)
    assert _sees("after the withdrawal was taken back", 60, theme=CONSENTS)


@pytest.mark.clause("4.8")
def test_the_simulator_sees_a_processor_that_stops_a_newer_sign_up(monkeypatch):
    """A planted bug: the processor is told whatever the person said since."""
    from shared.services import instructing

    async def never(context, request, recipient_id):
        return False

    monkeypatch.setattr(instructing, "_signed_up_anew", never)
    assert _sees("stopped at the processor", 100, theme=CONSENTS)


@pytest.mark.clause("4.3")
def test_the_simulator_sees_a_correction_without_a_look(monkeypatch):
    """A planted bug: what was written once is taken for right."""
    from shared.domain.tasks import Stage
    from shared.services import concluding, finishing

    async def conclude(context, case):
        await concluding.conclude(context, case)

    monkeypatch.setitem(finishing._NEXT, Stage.CORRECT, conclude)
    assert _sees("answered as right and is not", 60, theme=CORRECTIONS)


@pytest.mark.clause("5.3")
def test_the_simulator_sees_a_release_that_forgets_what_it_deferred(monkeypatch):
    """A planted bug: the hold is gone, and the data stays."""
    from shared.services import closing, holding, sweeping

    async def forgets(context, request_id):
        return False

    for module in (closing, holding, sweeping):
        monkeypatch.setattr(module, "take_up_deferred", forgets)
    assert _sees("stands for no reason", 20, theme=HOLDS)


@pytest.mark.clause("5.3")
def test_the_simulator_sees_a_release_that_misses_the_answer_on_its_way(monkeypatch):
    """A planted bug: who makes a request stand does not look whether its hold was released meanwhile."""
    from shared.services import closing, sweeping

    async def forgets(context, request_id):
        return False

    for module in (closing, sweeping):
        monkeypatch.setattr(module, "take_up_deferred", forgets)
    assert _sees("stands for no reason", 300, theme=HOLDS, odds=RACES_ONLY)


@pytest.mark.clause("4.7", "4.7.1")
@pytest.mark.parametrize("theme", [OBJECTIONS, CONSENTS])
def test_the_simulator_sees_an_objection_that_is_not_noted_before_its_answer(monkeypatch, theme):
    """A planted bug: the person is told that it stopped, and nothing stops it."""
    from shared.services import marking

    async def forgets(context, request, subject_keys):
        return None

    monkeypatch.setattr(marking, "object_to", forgets)
    wanted = "what was confirmed is not there" if theme == OBJECTIONS else "did not count at once"
    assert _sees(wanted, 30, theme=theme)


def test_the_simulator_sees_a_mark_left_by_a_request_that_was_cancelled(monkeypatch):
    """A planted bug: nobody takes back the restriction of an objection that was cancelled."""
    from shared.services import marking

    async def leaves(context, request):
        return None

    monkeypatch.setattr(marking, "take_back", leaves)
    assert _sees("restricted by a request that was cancelled", 150, theme=OBJECTIONS)


def test_the_simulator_sees_destruction_while_the_switch_is_thrown(monkeypatch):
    """A planted bug: the kill switch is asked for when planning only."""
    from shared.services import switching

    thrown = switching.is_thrown

    def only_when_planning(controls):
        caller = sys._getframe(1).f_code.co_name
        return caller == "plan" and thrown(controls)

    monkeypatch.setattr(switching, "is_thrown", only_when_planning)
    assert _sees("while erasing was stopped", 250, theme=EVERYTHING)
