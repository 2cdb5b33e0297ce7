"""The services under a hostile scheduler: thousands of runs, each from a seed that replays it.

`SIMULATION_SEEDS` runs that many more; `SIMULATION_FIRST_SEED` starts elsewhere. A failing seed is named in
the error, and `run_seed(seed)` runs it again step by step.
"""

import os
from dataclasses import replace

import pytest

from shared.domain.messages import RunTasks
from shared.services import fencing, planning
from shared.services.fencing import Fence
from tests.fakes.cases import MemoryCases
from tests.fakes.messaging import MemoryNotifier
from tests.simulation import simulator
from tests.simulation.scenario import run_seed
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
    for seed in range(50):
        run_seed(seed, odds=None)


def test_a_seed_replays_the_same_run():
    """A violation can be looked at again."""
    assert run_seed(7).log == run_seed(7).log


def _violations(seeds, **changes) -> list[str]:
    found = []
    for seed in seeds:
        try:
            run_seed(seed, **changes)
        except Violation as violation:
            found.append(str(violation))
    return found


def test_the_simulator_sees_an_erasure_without_a_fence(monkeypatch):
    """A planted bug: rights on one person are not ordered."""

    async def no_claim(context, request, keys, known):
        return Fence.HELD

    def always_held(request, controls):
        return True

    monkeypatch.setattr(fencing, "claim", no_claim)
    monkeypatch.setattr(fencing, "is_held", always_held)
    found = _violations(range(150))
    assert any("published after the erasure began" in one for one in found)


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
    assert any("never ended" in one for one in _violations(range(60)))


def test_the_simulator_sees_a_sweep_that_does_nothing(monkeypatch):
    """A planted bug: whoever dies between saving and sending is never repaired."""

    async def blind(self, now, *, limit):
        await self.turn("cases.waking")
        return ()

    monkeypatch.setattr(MemoryCases, "waking", blind)
    assert _violations(range(40), odds=HARSH)


def test_the_simulator_sees_destruction_that_does_not_ask_for_holds(monkeypatch):
    """A planted bug: holds are looked at when planning only."""
    from shared.services import erasing, erasing_lines

    async def trusting(context, request, activity):
        return None

    monkeypatch.setattr(erasing, "ask_again", trusting)
    monkeypatch.setattr(erasing_lines, "ask_again", trusting)
    assert any("without asking" in one for one in _violations(range(20)))


def test_the_simulator_sees_a_count_lost_in_a_crash(monkeypatch):
    """A planted bug: what a dead worker erased is not counted."""
    from shared.services import erasing

    def forget(task, judged):
        return task.with_(claimed=())

    monkeypatch.setattr(erasing, "_count_interrupted", forget)
    assert any("proofs count" in one for one in _violations(range(300), odds=HARSH))


def test_the_simulator_sees_a_letter_sent_without_a_claim(monkeypatch):
    """A planted bug: the mail goes out and nothing was saved before."""
    from shared.services import sending

    async def no_claim(context, case, letter):
        return case, letter

    monkeypatch.setattr(sending, "_claim", no_claim)
    assert any("sent twice" in one for one in _violations(range(60), odds=HARSH))


def test_the_simulator_sees_a_no_that_came_too_early(monkeypatch):
    """A planted bug: what is not seen among the sent mails yet counts as not sent."""
    hasty = replace(LIMITS, letter_settle_seconds=0)
    monkeypatch.setattr(simulator, "LIMITS", hasty)
    assert any("sent twice" in one for one in _violations(range(60), odds=HARSH))


def test_the_simulator_sees_a_claim_taken_for_a_letter_sent(monkeypatch):
    """A planted bug: whoever finds a claim believes that the mail is out."""

    async def always(self, mail_id):
        return True

    monkeypatch.setattr(MemoryNotifier, "was_sent", always)
    assert any("never sent" in one or "answers for" in one for one in _violations(range(60), odds=HARSH))
