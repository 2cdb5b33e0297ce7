"""Days of scheduled deletion under the hostile scheduler: people use and hold while runs die and repeat.

Two timers go at once, the clock is moved, messages come twice, late and in any order. At every destruction
the slow checker says whether it came too early; in the end, when all is quiet, whether anything was left.
"""

from datetime import date, timedelta
from functools import cache
from typing import Any

from devtools.demo.retention.civil import moment_at
from shared.datamap.loader import load
from shared.datamap.models import DataMap
from shared.domain.messages import RETENTION_QUEUE
from shared.domain.times import copenhagen_day
from shared.services import retention
from tests.factories import World
from tests.fakes.messaging import TestClock
from tests.simulation.retention_watching import RetentionWatcher
from tests.simulation.simulator import LIMITS, SEEN_AFTER_SECONDS, Message, Simulation
from tests.simulation.together import moved_by_hand
from tests.simulation.watching import Violation
from tests.unit.services.retention_histories import History, fill, store, written
from tests.unit.services.retention_stories import Delays, act
from tests.unit.services.systems import EMAIL_OF, put

FIRST = date(2026, 3, 2)
DAYS, STEPS = 4, 110
ACTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("use", ("A", "B")),
    ("event", ("feature", "heartbeat")),
    ("late event", (1, 400, 800)),
    ("login", (0, 1)),
    ("suspend", (0,)),
    ("reactivate", (0,)),
    ("revoke", (0, 1)),
    ("withdraw", (0, 1)),
    ("renew", (1, 400)),
    ("hold", (None, "usage", "members", "licences")),
    ("release", (None, "usage", "members", "licences")),
    ("restrict", (None,)),
    ("lift", (None,)),
    ("go back", (1, 2)),
)


@cache
def policy_map() -> DataMap:
    """Return the real map, read once."""
    return load()


class RetentionSimulation(Simulation):
    """One seeded story of some days; `bo` is in the same files and notices nothing."""

    def __post_init__(self) -> None:
        """Fill the systems with people of whom some fall due in these days."""
        super().__post_init__()
        clock = TestClock(moment_at(FIRST, 7))
        self.world = World(datamap=policy_map(), clock=clock, limits=LIMITS, connected=("campaign_monitor",))
        self.world.notifier.seen_after_seconds = SEEN_AFTER_SECONDS
        self._settle_in()
        self.delays = Delays(self.world)
        self.watcher = RetentionWatcher(self.world, self.delays)
        for fake in vars(self.world).values():
            if hasattr(fake, "turn"):
                fake.turn = self._turn

    async def _turn(self, place: str) -> None:
        self.watcher.step = self.step
        self.watcher.gave_way(place)
        await super()._turn(place)

    async def _handler(self, message: Message) -> None:
        if message.queue == RETENTION_QUEUE:
            await retention.go_on(self.world.context)
        else:
            await super()._handler(message)

    def play(self) -> None:
        """Go through the days with faults, then through one without, and look at what is left."""
        with moved_by_hand(self.random):
            odds = self.odds
            for number in range(DAYS):
                self.world.clock.moment = moment_at(FIRST + timedelta(days=number), 7)
                self.watcher.look(self.step)
                self.odds = odds
                self._day()
            for number in (DAYS, DAYS + 1):  # what an old case was in the way of goes on the day after
                self.world.clock.moment = moment_at(FIRST + timedelta(days=number), 7)
                self.watcher.look(self.step)
                self.rest()
            self.watcher.at_rest()

    def _day(self) -> None:
        acts = {self.random.randrange(STEPS) for _ in range(self.random.randint(0, 3))}
        timers = {0, *(self.random.randrange(STEPS) for _ in range(3))}
        for step in range(STEPS):
            self._take_in()
            if step in timers:
                for _ in range(self.random.randint(1, 2)):
                    self.start("timer", retention.tick(self.world.context))
            if step in acts:
                self._act()
            self._one_step()

    def _act(self) -> None:
        name, values = self.random.choice(ACTS)
        value = self.random.choice(values)
        self.log.append(f"{self.step} act {name} {value}")
        current, self.watcher.run = self.watcher.run, None
        self.run_to_end(act(self.world, self.delays, name, value))
        self.watcher.run = current
        self.watcher.look(self.step)

    def _go_on(self) -> bool:
        """Let cases and messages go on; then let the timer come until the day's run is done."""
        if super()._go_on():
            return True
        stored = self.run_to_end(self.world.retention_runs.latest())
        today = copenhagen_day(self.world.clock.now())
        if stored is not None and stored.run.is_done and stored.run.day >= today:
            return False
        self.world.clock.advance(seconds=300)
        self.start("timer", retention.tick(self.world.context))
        return True

    # who is there

    def _settle_in(self) -> None:
        history = History(
            installations=[
                {"installation_id": where, "last_used_at": self._near(1), "first_seen_at": self._near(1)}
                for where in self.random.sample("AB", self.random.randint(0, 2))
            ],
            events=[
                {"installation_id": "A", "at": self._near(1), "kind": kind}
                for kind in self.random.choices(("start", "heartbeat"), k=self.random.randint(0, 2))
            ],
            memberships=[
                {"joined_at": self._near(5), "last_login_at": self._near(3), "state": "active"}
                for _ in range(self.random.randint(0, 2))
            ],
            sign_ups=self.random.choices(("subscribed", "withdrawn"), k=self.random.randint(0, 2)),
            licences=[
                self.random.choice((self._near(5)[:10], self._near(5)[:10], "yesterday"))
                for _ in range(self.random.randint(0, 2))
            ],
            is_linked=self.random.random() < 0.5,
            is_archived=self.random.random() < 0.5,
        )
        fill(self.world, history)
        for name in ("dan", "eva"):  # who may share a case with others, and a file
            used_at = self._near(1)
            body = {
                "id": f"A-{name}",
                "user_id": f"user-{name}",
                "installation_id": "A",
                "customer_id": "c-1",
            }
            store(self.world, "installations", {**body, "last_used_at": used_at, "first_seen_at": used_at})
            member = {"id": f"member-{name}", "email": EMAIL_OF.format(name), "state": "active"}
            login = {"joined_at": self._near(5), "last_login_at": self._near(3)}
            store(self.world, "members", {**member, "name": name, **login})
        came_at = moment_at(self._last_day(1), 12)
        came = {"installation_id": "A", "at": written(came_at), "_ts": int(came_at.timestamp())}
        beat = {"id": "beat", "user_id": "user-fay", "kind": "heartbeat"}  # of no known use
        for body in (beat, {"id": "nobody", "kind": "start"}):
            put(self.world, "usage_events", {**body, **came})

    def _last_day(self, years: int) -> date:
        """Return a day some years ago whose data falls due in these days, or just before or after them."""
        day = FIRST + timedelta(days=self.random.randint(-2, DAYS + 1))
        return day.replace(year=day.year - years)

    def _near(self, years: int) -> str:
        return written(moment_at(self._last_day(years), self.random.choice((4, 12, 23))))


def play_retention(seed: int, **changes: Any) -> RetentionSimulation:
    """Play one seed and check it; the error names the seed and replays with it."""
    simulation = RetentionSimulation(seed, **changes)
    try:
        simulation.play()
    except Violation as violation:
        raise Violation(f"retention seed {seed}: {violation}") from violation
    finally:
        for run in simulation.runs:
            run.coroutine.close()
    return simulation
