"""Scheduled deletion under the hostile scheduler; `play_retention(seed)` plays a seed again.

`RETENTION_SEEDS` plays that many more.
"""

import os

import pytest

from shared.services import erasing, erasing_lines, retention_cases
from tests.fakes.retention_runs import MemoryRetentionRuns
from tests.simulation.retention_days import play_retention
from tests.simulation.simulator import Odds
from tests.simulation.watching import Violation

pytestmark = pytest.mark.clause("5.1", "5.2", "5.3", "5.4")
SEEDS = 20 + int(os.environ.get("RETENTION_SEEDS", "0"))
HARSH = Odds(kill=0.06, fail_before=0.08, fail_after=0.06, lose_lease=0.06, duplicate=0.2)


def test_nothing_goes_too_early_nothing_due_is_left_and_no_case_comes_twice():
    """Whatever happens to the runs, and whatever people and staff do between them."""
    for seed in range(SEEDS):
        play_retention(seed, odds=HARSH if seed % 5 == 0 else Odds())


def test_a_part_of_a_split_case_asks_for_uses_that_came_before_the_split():
    """Seed 99: it was filed just now, by a worker that had asked nobody."""
    play_retention(99)


def test_a_day_without_faults_is_played_and_played_alike():
    """The ordinary way works, too, and a seed gives the same run."""
    play_retention(3, odds=None)
    assert play_retention(4).log == play_retention(4).log


def _sees(wanted: str, seeds: int) -> bool:
    for seed in range(seeds):
        try:
            play_retention(seed)
        except Violation as violation:
            if wanted in str(violation):
                return True
    return False


def test_the_simulator_sees_destruction_that_asks_nobody(monkeypatch):
    """A planted bug: holds, restrictions and late uses are looked at when planning only."""

    async def trusting(*_):
        return None

    monkeypatch.setattr(erasing, "ask_again", trusting)
    monkeypatch.setattr(erasing_lines, "ask_again", trusting)
    assert _sees("without asking", 5)


def test_the_simulator_sees_a_run_that_forgets_whom_it_kept(monkeypatch):
    """A planted bug: nobody is looked at again."""

    async def forgets(self, watched):
        await self.turn("retention_runs.watch")

    monkeypatch.setattr(MemoryRetentionRuns, "watch", forgets)
    assert _sees("nobody is told of", 15)


def test_the_simulator_sees_a_second_case_about_the_same(monkeypatch):
    """A planted bug: whoever files does not look whether a case is at work."""

    async def blind(*_):
        return None

    monkeypatch.setattr(retention_cases, "_find_at_work", blind)
    assert _sees("two cases about one person", 15)
