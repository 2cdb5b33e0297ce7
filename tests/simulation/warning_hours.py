"""Hours of letters to members under the hostile scheduler: they log in, leave, are restricted meanwhile."""

from datetime import date, timedelta
from typing import Any

from devtools.demo.retention.civil import gone_from, moment_at
from shared.domain.controls import Hold, Restriction
from shared.domain.identifiers import EMAIL
from shared.domain.limits import Limits
from shared.services.warning_members import warn_members
from tests.factories import KEYS, World
from tests.fakes.messaging import TestClock
from tests.simulation.retention_days import policy_map
from tests.simulation.simulator import SEEN_AFTER_SECONDS, Simulation
from tests.simulation.watching import Violation
from tests.unit.services.systems import EMAIL_OF, member

FIRST = date(2026, 3, 2)
DAYS_BEFORE, YEARS = 30, 3
MEMBERS = ("ane", "bo", "cia", "dan", "eva")
STEPS, QUIET_HOURS = 220, 8
LIMITS = Limits(membership_warning_days=DAYS_BEFORE)


class WarningSimulation(Simulation):
    """One seeded run. A letter's worker asks, claims and sends; what happens in between it cannot know."""

    def __post_init__(self) -> None:
        """Let members be about to lose their membership, or nearly so."""
        super().__post_init__()
        self.world = World(
            datamap=policy_map(),
            clock=TestClock(moment_at(FIRST, 8)),
            limits=LIMITS,
        )
        self.world.notifier.seen_after_seconds = SEEN_AFTER_SECONDS
        self.logins: dict[str, date] = {}
        self.mailed: dict[str, str] = {}  # which letters went out, and to whom
        self.present_until: dict[str, int] = {}  # who left, and when
        self.kept: dict[str, list[tuple[int, bool]]] = {name: [(0, False)] for name in MEMBERS}
        self.asked: dict[int, int] = {}
        for name in MEMBERS:
            days = self.random.randint(-1, DAYS_BEFORE + 2)
            self._log_in(name, (FIRST + timedelta(days=days)).replace(year=FIRST.year - YEARS))
        self.quiet_hours = QUIET_HOURS
        self.watcher = self
        self.run_now: Any = None
        for fake in vars(self.world).values():
            if hasattr(fake, "turn"):
                fake.turn = self._turn

    async def _turn(self, place: str) -> None:
        who = id(self.run_now)
        if place == "documents.get":
            self.asked[who] = self.step
        if place == "notifier.send!":
            self._sent(self.asked.get(who))
        await super()._turn(place)

    def took_effect(self, place: str) -> None:
        """Nothing but letters is looked at."""

    def _advance(self, run: Any) -> None:
        self.run_now = run
        super()._advance(run)

    def _sent(self, asked: int | None) -> None:
        """Look at the letter that just went out."""
        if asked is None:
            raise Violation("sent without asking")
        new = self.world.notifier.times_sent.keys() - self.mailed.keys()
        twice = [name for name, times in self.world.notifier.times_sent.items() if times > 1]
        if twice:
            raise Violation("sent twice")
        for mail_id in new:
            name = self.world.notifier.mails[mail_id].to.partition("@")[0]
            if name in self.mailed.values():
                raise Violation(f"{name} was told twice of one clock")
            self.mailed[mail_id] = name
            if self.present_until.get(name, self.step) < asked:
                raise Violation(f"{name} was told after leaving")
            then = [is_kept for step, is_kept in self.kept[name] if step <= asked][-1]
            since = [is_kept for step, is_kept in self.kept[name] if step > asked]
            if then and all(since):
                raise Violation(f"{name} was told while the data stays")

    def play(self) -> None:
        """Go on for some hours with faults, then without."""
        acts = {self.random.randrange(STEPS) for _ in range(self.random.randint(0, 4))}
        for step in range(STEPS):
            if step % 40 == 0 or self.random.random() < 0.02:
                for _ in range(self.random.randint(1, 2)):
                    self.start("timer", warn_members(self.world.context))
            if step in acts:
                self._act()
            if self.random.random() < 0.02:
                self.world.clock.advance(seconds=900)
            self._one_step()
        self.rest()
        self._at_rest()

    def _act(self) -> None:
        name = self.random.choice(MEMBERS)
        act = self.random.choice((self._leave, self._restrict, self._free, self._hold, self._renew))
        self.log.append(f"{self.step} act {act.__name__} {name}")
        act(name)

    def _log_in(self, name: str, day: date) -> None:
        self.logins[name] = day
        member(self.world, name, day.isoformat())

    def _renew(self, name: str) -> None:
        if name not in self.present_until:
            self._log_in(name, FIRST)

    def _leave(self, name: str) -> None:
        self.world.documents.rows["members"].pop((f'"member-{name}-1"', f"member-{name}-1"), None)
        self.present_until.setdefault(name, self.step)

    def _restrict(self, name: str) -> None:
        placed = Restriction(restriction_id="r-1", ground="claims", placed_at=self.world.clock.now())
        self._control(name, restrictions=(placed,), holds=())

    def _hold(self, name: str) -> None:
        now = self.world.clock.now()
        placed = Hold(
            hold_id="h-1",
            activity_id="members",
            ground="legal_claim",
            reason="a dispute",
            placed_at=now,
            review_on=now.date(),
        )
        self._control(name, restrictions=(), holds=(placed,))

    def _free(self, name: str) -> None:
        self._control(name, restrictions=(), holds=())

    def _control(self, name: str, **changes: Any) -> None:
        stored = self.world.controls.stored(KEYS.subject_key(EMAIL, EMAIL_OF.format(name))).controls
        self.world.controls.put(stored.model_copy(update=changes))
        self.kept[name].append((self.step, any(changes.values())))

    def _go_on(self) -> bool:
        """Let the timer come every hour, until letters had time to be seen."""
        self.quiet_hours -= 1
        self.world.clock.advance(hours=1)
        self.start("timer", warn_members(self.world.context))
        return self.quiet_hours > 0

    def _at_rest(self) -> None:
        today = self.world.clock.now().date()
        alarms = {code for code, *_ in self.world.operators.alarms}
        for name, login in self.logins.items():
            days = (gone_from(login, YEARS) - today).days
            is_due = 0 < days <= DAYS_BEFORE and name not in self.present_until and not self.kept[name][-1][1]
            if is_due and name not in self.mailed.values() and "membership_warning_unconfirmed" not in alarms:
                raise Violation(f"{name} was not told")


def play_warnings(seed: int, **changes: Any) -> WarningSimulation:
    """Play one seed and check it; the error names the seed and replays with it."""
    simulation = WarningSimulation(seed, **changes)
    try:
        simulation.play()
    except Violation as violation:
        raise Violation(f"warning seed {seed}: {violation}") from violation
    finally:
        for run in simulation.runs:
            run.coroutine.close()
    return simulation
