"""What every store of comparisons must do."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import Conflict
from shared.domain.reconciliations import EVER, Failure, Reconciliation, Registered, Step, Watch
from shared.ports.reconciliations import StoredRun

pytestmark = pytest.mark.platform
NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def new(days: int = 0, **changes) -> StoredRun:
    """Return a run of some days later."""
    began = NOW + timedelta(days=days)
    run = Reconciliation(
        run_id=began.date().isoformat(),
        extent="whole",
        since=EVER,
        steps=(Step(what="deleted", list_id="a" * 32), Step(what="sign_ups")),
        started_at=began,
        wake_at=began,
    )
    return StoredRun(run=run.model_copy(update=changes), etag=None)


async def test_a_run_is_as_it_was_saved(reconciliations):
    """And one that is not there is none."""
    assert await reconciliations.read("2020-01-01") is None
    saved = new(
        cursor='{"token":"a+b/c=="}',
        counts={"agrees": 3},
        diverging=1,
        subject_keys=("k1-" + "0" * 64,),
        failures=(Failure(step=Step(what="active", list_id="b" * 32), code="processor_refused"),),
        attempts=2,
    )
    etag = await reconciliations.write(saved)
    assert await reconciliations.read(saved.run.run_id) == StoredRun(run=saved.run, etag=etag)


async def test_of_two_workers_one_gives_way(reconciliations):
    """Both begin, or both go on."""
    await reconciliations.write(new(100))
    with pytest.raises(Conflict):
        await reconciliations.write(new(100))
    stored = await reconciliations.read(new(100).run.run_id)
    going_on = stored.run.model_copy(update={"ended_at": NOW})
    await reconciliations.write(StoredRun(run=going_on, etag=stored.etag))
    with pytest.raises(Conflict):
        await reconciliations.write(stored)


async def test_the_newest_come_first(reconciliations):
    """As many as asked for; the look at the webhooks is no run."""
    await reconciliations.keep_watch(Watch(at=NOW))
    for days in (3_001, 3_000, 3_002):
        await reconciliations.write(new(days))
    found = await reconciliations.latest(limit=2)
    assert [one.run.run_id for one in found] == [new(days).run.run_id for days in (3_002, 3_001)]


async def test_the_last_look_takes_the_place_of_the_one_before(reconciliations):
    """Whoever writes last."""
    for state in ("missing", "active"):
        seen = Watch(at=NOW, lists=(Registered(list_id="a" * 32, state=state, others=1),))
        await reconciliations.keep_watch(seen)
        assert await reconciliations.watched() == seen
