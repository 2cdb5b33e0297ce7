"""The newsletter under a hostile scheduler: whoever said no last gets no mail, nobody who said yes is lost.

`SIMULATION_SEEDS` runs more seeds, an eighth of what the rights get; `run_newsletter(seed)` runs one again.
"""

import os

import pytest

from shared.domain.newsletter_leavings import Order
from shared.services import consent_ledger, newsletter_changes, newsletter_events, newsletter_looks
from tests.fakes.newsletter_changes import MemoryNewsletterChanges
from tests.simulation.newsletter import run_newsletter
from tests.simulation.simulator import Odds
from tests.simulation.watching import Violation

CHUNKS = 4
SEEDS = 300 + int(os.environ.get("SIMULATION_SEEDS", "0")) // 8
FIRST = int(os.environ.get("SIMULATION_FIRST_SEED", "0"))
HARSH = Odds(kill=0.06, fail_before=0.08, fail_after=0.06, lose_lease=0.06, duplicate=0.2)


def odds(seed: int) -> Odds:
    return HARSH if seed % 5 == 0 else Odds()


@pytest.mark.clause("4.8", "5.2")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_invariant_holds_for_every_seed(chunk):
    """Webhooks repeated, lost and out of order, deaths at every await, two workers, people on both sides."""
    for seed in range(FIRST + chunk, FIRST + SEEDS, CHUNKS):
        run_newsletter(seed, odds=odds(seed))


def test_a_run_without_faults_comes_to_rest():
    """The ordinary way works, too."""
    for seed in range(40):
        run_newsletter(seed, odds=None)


def test_a_seed_replays_the_same_run():
    """A violation can be looked at again."""
    assert run_newsletter(7).log == run_newsletter(7).log


def _sees(wanted: str, seeds: int) -> bool:
    for seed in range(seeds):
        try:
            run_newsletter(seed, odds=odds(seed))
        except Violation as violation:
            if wanted in str(violation):
                return True
    return False


def test_the_simulator_sees_an_addition_of_somebody_who_left_there(monkeypatch):
    """A planted bug: whoever is shown as having left did so before they signed up."""

    async def before(*_):
        return Order.BEFORE

    monkeypatch.setattr(newsletter_looks, "_order", before)
    assert _sees("left there and is added once more", 300)


def test_the_simulator_sees_that_the_deleted_ones_are_not_looked_for(monkeypatch):
    """A planted bug: what the list does not show never was there."""

    async def none(*_, **__):
        return None

    monkeypatch.setattr(newsletter_looks, "_deleted", none)
    assert _sees("left there and is added once more", 300)


def test_the_simulator_sees_a_sweep_that_does_nothing(monkeypatch):
    """A planted bug: whoever dies between saving and sending is never repaired."""

    async def blind(self, now, *, limit):
        await self.turn("newsletter_changes.waking")
        return []

    monkeypatch.setattr(MemoryNewsletterChanges, "waking", blind)
    assert _sees("never comes to rest", 20)


def test_the_simulator_sees_a_word_that_is_noted_twice(monkeypatch):
    """A planted bug: each look that finds an end notes one."""

    async def always(context, subject_key, purpose_id, *, at, channel):
        now = context.clock.now()
        event = consent_ledger.withdrawal_event(subject_key, purpose_id, at=at, noted_at=now, channel=channel)
        await consent_ledger.note(context, event)

    monkeypatch.setattr(consent_ledger, "note_left", always)
    assert _sees("noted twice", 300)


def test_the_simulator_sees_a_gate_that_is_not_closed(monkeypatch):
    """A planted bug: whoever left there goes on as if they had not."""

    async def nothing(*_, **__):
        return None

    monkeypatch.setattr(newsletter_events.leaving, "leave", nothing)
    monkeypatch.setattr(newsletter_changes, "_end", nothing)
    assert _sees("said no last", 60)
