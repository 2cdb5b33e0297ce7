"""Schedules, and timers on a clock that the test moves."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from devtools.functions_host.ncrontab import fires_more_than_once_a_minute, parse_schedule
from devtools.functions_host.retries import RetryPolicy
from devtools.functions_host.timers import TimerStatus, TimerStatusFile

STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
START = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
HOURLY = """
@app.timer_trigger(arg_name="t", schedule="0 0 * * * *")
async def hourly(t: func.TimerRequest, context) -> None:
    calls.append((t.past_due, t.schedule_status, context.retry_context.retry_count))
"""


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._moved = asyncio.Condition()

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._now >= moment)

    async def move_to(self, moment: datetime) -> None:
        await self._let_others_run()
        async with self._moved:
            self._now = moment
            self._moved.notify_all()
        await self._let_others_run()

    @staticmethod
    async def _let_others_run() -> None:
        """Let everybody who is ready run to the next wait."""
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 */5 * * * *", "2026-03-01T12:00:00", "2026-03-01T12:05:00"),
        ("*/5 * * * *", "2026-03-01T12:00:00", "2026-03-01T12:05:00"),
        ("30 0 3 * * *", "2026-03-01T03:00:30", "2026-03-02T03:00:30"),
        ("0 0 12 13 * FRI", "2026-03-01T00:00:00", "2026-03-13T12:00:00"),
        ("0 0 12 13 * FRI", "2026-03-13T12:00:00", "2026-11-13T12:00:00"),
        ("0 0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 * * 0", "2026-03-02T00:00:00", "2026-03-08T00:00:00"),
        ("0 0 0 * * sun", "2026-03-02T00:00:00", "2026-03-08T00:00:00"),
        ("0 0 0 1 December *", "2026-03-02T00:00:00", "2026-12-01T00:00:00"),
        ("0 0 9-17/4 * * *", "2026-03-01T09:00:00", "2026-03-01T13:00:00"),
        ("0 50/4 * * * *", "2026-03-01T12:54:00", "2026-03-01T12:58:00"),
        ("0 0 8,20 * * *", "2026-03-01T08:00:00", "2026-03-01T20:00:00"),
        ("0 0 0 * * 5-1", "2026-03-01T00:00:00", "2026-03-02T00:00:00"),
        ("00:05:00", "2026-03-01T12:00:01", "2026-03-01T12:05:01"),
    ],
)
def test_next_due_time(schedule, after, expected):
    base = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert parse_schedule(schedule).next_after(base) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * *",
        "0 0 0 * * 7",
        "60 * * * * *",
        "0 0 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 0 0 30 2 *",
        "x * * * * *",
        "0 0 0 * * someday",
        "00:00:00",
        "-1 * * * * *",
    ],
)
def test_schedule_that_means_nothing_is_refused(schedule):
    with pytest.raises(ValueError, match=r".+"):
        parse_schedule(schedule)


def test_schedules_that_fire_often_are_recognised():
    assert fires_more_than_once_a_minute(parse_schedule("*/30 * * * * *"), START)
    assert not fires_more_than_once_a_minute(parse_schedule("0 * * * * *"), START)


async def test_new_timer_waits_for_its_next_tick(app, tmp_path):
    app.source(HOURLY)
    clock = HandClock(START)
    async with app.served(environment=STORAGE, clock=clock, timer_status=tmp_path / "t.json"):
        await clock.move_to(START + timedelta(minutes=59))
        assert app.module.calls == []
        await clock.move_to(START + timedelta(minutes=60))
        ((past_due, status, _),) = app.module.calls
        assert past_due is False
        assert status["Next"] == "2026-03-01T13:00:00+00:00"
        await clock.move_to(START + timedelta(minutes=120))
        assert len(app.module.calls) == 2


async def test_missed_ticks_run_once_as_past_due_after_a_restart(app, tmp_path):
    app.source(HOURLY)
    path = tmp_path / "t.json"
    async with app.served(environment=STORAGE, clock=HandClock(START), timer_status=path):
        await asyncio.sleep(0.01)
    late = HandClock(START + timedelta(hours=5))
    async with app.served(environment=STORAGE, clock=late, timer_status=path):
        await late.move_to(late.now())
        assert [past_due for past_due, _, _ in app.module.calls] == [True]
    status = TimerStatusFile(path).get("hourly")
    assert status is not None
    assert status.next == datetime(2026, 3, 1, 18, tzinfo=UTC)
    async with app.served(environment=STORAGE, clock=late, timer_status=path):
        await late.move_to(late.now())
        assert app.module.calls == []


async def test_changed_schedule_is_not_past_due(app, tmp_path):
    app.source(HOURLY)
    path = tmp_path / "t.json"
    async with app.served(environment=STORAGE, clock=HandClock(START), timer_status=path):
        await asyncio.sleep(0.01)
    app.source(HOURLY.replace("0 0 * * * *", "0 30 * * * *"))
    late = HandClock(START + timedelta(hours=5))
    async with app.served(environment=STORAGE, clock=late, timer_status=path):
        await late.move_to(late.now())
        assert app.module.calls == []
        await late.move_to(START + timedelta(hours=5, minutes=30))
        assert [past_due for past_due, _, _ in app.module.calls] == [False]


async def test_run_on_startup_runs_at_every_start(app, tmp_path):
    app.source(HOURLY.replace('* *")', '* *", run_on_startup=True)'))
    for _ in range(2):
        clock = HandClock(START)
        async with app.served(environment=STORAGE, clock=clock, timer_status=tmp_path / "t.json"):
            await clock.move_to(START)
            assert len(app.module.calls) == 1


async def test_failed_run_is_not_repeated_before_the_next_tick(app, tmp_path):
    app.source(HOURLY + "    raise RuntimeError('no')\n")
    clock = HandClock(START)
    async with app.served(environment=STORAGE, clock=clock, timer_status=tmp_path / "t.json"):
        await clock.move_to(START + timedelta(hours=1))
        await clock.move_to(START + timedelta(hours=1, minutes=1))
        assert len(app.module.calls) == 1
        await clock.move_to(START + timedelta(hours=2))
        assert len(app.module.calls) == 2


async def test_ticks_during_a_long_run_are_skipped(app, tmp_path):
    app.source("""
import asyncio
gate = asyncio.Event()
@app.timer_trigger(arg_name="t", schedule="0 0 * * * *")
async def hourly(t: func.TimerRequest) -> None:
    calls.append(t.past_due)
    await gate.wait()
""")
    clock = HandClock(START)
    async with app.served(environment=STORAGE, clock=clock, timer_status=tmp_path / "t.json"):
        await clock.move_to(START + timedelta(hours=1))
        await clock.move_to(START + timedelta(hours=4))
        assert app.module.calls == [False]
        app.module.gate.set()
        await clock.move_to(START + timedelta(hours=4, minutes=1))
        assert app.module.calls == [False]
        await clock.move_to(START + timedelta(hours=5))
        assert app.module.calls == [False, False]


async def test_frequent_timer_and_unmonitored_timer_have_no_status(app, tmp_path):
    app.source(
        HOURLY.replace("0 0 * * * *", "*/20 * * * * *")
        + HOURLY.replace('* *")', '* *", use_monitor=False)').replace("hourly", "unwatched")
    )
    path = tmp_path / "t.json"
    clock = HandClock(START)
    async with app.served(environment=STORAGE, clock=clock, timer_status=path):
        await clock.move_to(START + timedelta(hours=1))
        assert [(past_due, status) for past_due, status, _ in app.module.calls] == [(False, {})] * 2
    assert not path.exists()


async def test_retry_policy_repeats_a_failed_timer(app, tmp_path):
    app.source(
        HOURLY.replace(
            "@app.timer",
            '@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")\n@app.timer',
        )
        + "    raise RuntimeError('no')\n"
    )
    clock = HandClock(START)
    async with app.served(environment=STORAGE, clock=clock, timer_status=tmp_path / "t.json"):
        await clock.move_to(START + timedelta(hours=1))
        await asyncio.sleep(0.05)
        assert [retry for _, _, retry in app.module.calls] == [0, 1, 2]


def test_exponential_pauses_double_up_to_the_longest():
    policy = RetryPolicy.of(
        {
            "strategy": "exponential_backoff",
            "max_retry_count": "-1",
            "minimum_interval": "00:00:02",
            "maximum_interval": "00:00:10",
        }
    )
    assert [policy.pause_seconds(retry) for retry in (1, 2, 3, 4, 5000)] == [2, 4, 8, 10, 10]


async def test_timer_runs_by_hand_even_when_timers_are_off(app, eventually):
    app.source(HOURLY)
    clock = HandClock(START)
    async with app.served(environment=STORAGE, clock=clock, timers=False) as (_, session):
        await clock.move_to(START + timedelta(days=1))
        assert app.module.calls == []
        async with session.post("/admin/functions/hourly", json={"input": ""}) as answer:
            assert answer.status == 202
        await eventually(lambda: app.module.calls == [(False, {}, 0)])


def test_status_survives_in_its_file(tmp_path):
    path = tmp_path / "deep" / "t.json"
    status = TimerStatus(last=None, next=START, updated=START)
    TimerStatusFile(path).put("a", status)
    TimerStatusFile(path).put("b", TimerStatus(last=START, next=START, updated=START))
    assert TimerStatusFile(path).get("a") == status
    assert TimerStatusFile(path).get("c") is None
