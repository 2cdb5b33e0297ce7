"""How far a comparison with the newsletter processor goes, and in which order."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.reconciliations import (
    EVER,
    Failure,
    Reconciliation,
    Registered,
    Step,
    Watch,
    next_extent,
    steps_of,
)

TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


def run(days_ago: int, extent: str = "whole", *, over: bool = True, **changes) -> Reconciliation:
    """Return a run that began some days ago."""
    began = NOW - timedelta(days=days_ago)
    return Reconciliation(
        run_id=began.date().isoformat(),
        extent=extent,
        since=EVER,
        steps=(),
        started_at=began,
        wake_at=began,
        ended_at=began if over else None,
        **changes,
    )


def test_the_first_run_is_whole():
    """There is nothing to go on from."""
    assert next_extent([], TODAY) == ("whole", EVER)


@pytest.mark.parametrize(("days", "extent"), [(6, "recent"), (7, "whole"), (8, "whole")])
def test_a_whole_run_comes_every_week(days, extent):
    """And recent ones between."""
    assert next_extent([run(days)], TODAY)[0] == extent


def test_a_recent_run_looks_back_over_the_last_complete_one():
    """By two days more, as days are counted in another zone there."""
    runs = [run(1, "recent"), run(5), run(2, "recent")]
    assert next_extent(runs, TODAY) == ("recent", TODAY - timedelta(days=3))


@pytest.mark.parametrize(
    "useless",
    [
        run(1, "recent", over=False),
        run(1, "recent", failures=(Failure(step=Step(what="active", list_id="a" * 32), code="x"),)),
    ],
)
def test_a_run_that_missed_something_counts_for_nothing(useless):
    """The next looks as far back as it did."""
    assert next_extent([useless, run(3)], TODAY) == ("recent", TODAY - timedelta(days=5))


def test_a_whole_run_that_missed_something_is_made_again():
    """It is no whole one."""
    missed = run(1, failures=(Failure(step=Step(what="sign_ups"), code="x"),))
    assert next_extent([missed], TODAY) == ("whole", EVER)


def test_who_left_is_looked_for_before_who_is_missing():
    """Or one that left there would be added there again."""
    whole = [one.what for one in steps_of(["a", "b"], "whole")]
    assert whole == ["unsubscribed"] * 2 + ["deleted"] * 2 + ["bounced"] * 2 + ["active"] * 2 + ["sign_ups"]
    assert "sign_ups" not in [one.what for one in steps_of(["a"], "recent")]
    assert steps_of([], "whole") == ()


@pytest.mark.parametrize(
    ("state", "well"),
    [("active", True), ("activated", True), ("missing", False), ("unfit", False), ("unknown", False)],
)
def test_a_watch_is_well_if_every_list_tells_us(state, well):
    """One that does not is enough."""
    lists = (Registered(list_id="a", state="active"), Registered(list_id="b", state=state))
    assert Watch(at=NOW, lists=lists).is_well is well
