"""Letters to members under the hostile scheduler; `play_warnings(seed)` plays a seed again.

`WARNING_SEEDS` plays that many more.
"""

import os

import pytest

from shared.domain.controls import Controls
from shared.domain.limits import Limits
from shared.services import warning_members
from tests.fakes.documents import MemoryDocuments
from tests.simulation import warning_hours
from tests.simulation.simulator import Odds
from tests.simulation.warning_hours import play_warnings
from tests.simulation.watching import Violation

pytestmark = pytest.mark.clause("5.4")
SEEDS = 25 + int(os.environ.get("WARNING_SEEDS", "0"))
HARSH = Odds(kill=0.06, fail_before=0.08, fail_after=0.06, lose_lease=0, duplicate=0)


def test_a_member_is_told_once_never_after_leaving_and_not_while_the_data_stays():
    """Whatever happens to the workers, and whatever members and staff do between the letters."""
    told = 0
    for seed in range(SEEDS):
        told += len(play_warnings(seed, odds=HARSH if seed % 5 == 0 else Odds()).mailed)
    assert told > SEEDS


def test_hours_without_faults_are_played_and_played_alike():
    """The ordinary way works, too, and a seed gives the same run."""
    play_warnings(3, odds=None)
    assert play_warnings(4).log == play_warnings(4).log


def _sees(wanted: str, seeds: int) -> bool:
    for seed in range(seeds):
        try:
            play_warnings(seed)
        except Violation as violation:
            if wanted in str(violation):
                return True
    return False


def test_the_simulator_sees_a_letter_sent_without_a_claim(monkeypatch):
    """A planted bug: nothing is saved before the letter goes out."""

    async def unsaved(context, warning, etag, **changes):
        await context.membership_warnings.read(warning.subject_key, warning.warning_id)
        return warning.model_copy(update=changes), etag or ""

    monkeypatch.setattr(warning_members, "_write", unsaved)
    assert _sees("sent twice", 20)


def test_the_simulator_sees_a_no_that_came_too_early(monkeypatch):
    """A planted bug: what is not seen among the sent mails yet counts as not sent."""
    hasty = Limits(membership_warning_days=warning_hours.DAYS_BEFORE, letter_settle_seconds=0)
    monkeypatch.setattr(warning_hours, "LIMITS", hasty)
    assert _sees("sent twice", 60)


def test_the_simulator_sees_a_letter_by_a_record_read_long_ago(monkeypatch):
    """A planted bug: whoever left since is told all the same."""
    get = MemoryDocuments.get
    known = {}

    async def stale(self, store, partition, document_id):
        found = await get(self, store, partition, document_id)
        return known.setdefault((id(self), document_id), found)

    monkeypatch.setattr(MemoryDocuments, "get", stale)
    assert _sees("after leaving", 60)


def test_the_simulator_sees_a_letter_in_spite_of_a_restriction(monkeypatch):
    """A planted bug: restrictions are not asked for."""
    monkeypatch.setattr(Controls, "restricts", lambda *_: False)
    assert _sees("while the data stays", 60)
