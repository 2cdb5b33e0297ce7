"""Scheduled deletion under the hostile scheduler; `play_retention(seed)` plays a seed again."""

from tests.simulation.retention_days import play_retention
from tests.simulation.simulator import Odds

SEEDS = 60
HARSH = Odds(kill=0.06, fail_before=0.08, fail_after=0.06, lose_lease=0.06, duplicate=0.2)


def test_nothing_goes_too_early_and_nothing_due_is_left():
    """Whatever happens to the runs, and whatever people and staff do between them."""
    for seed in range(SEEDS):
        play_retention(seed, odds=HARSH if seed % 5 == 0 else Odds())
