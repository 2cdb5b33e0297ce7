"""People come and go on both sides of a newsletter, while the processor tells of it badly and workers die."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from shared.datamap.loader import load
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import Evidence, present_state
from shared.domain.errors import ComplianceError
from shared.domain.messages import (
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    RECONCILIATION_QUEUE,
    ApplyNewsletterChange,
    ProcessWebhook,
    Reconcile,
    decode,
)
from shared.domain.newsletters import has_left
from shared.domain.reconciliations import Reconciliation
from shared.services import leaving, newsletter_changes, newsletter_webhooks, reconciling
from shared.services.ending import FOUND
from shared.services.joining import Joining, join
from tests.factories import World
from tests.fakes.newsletters import NEWS
from tests.simulation.simulator import LIMITS, Message, Run, Simulation
from tests.simulation.watching import NEVER, Violation
from tests.unit.services.newsletter_world import PURPOSE, body, event, key

DATAMAP = load()
PEOPLE = ("ane@people.example", "bo@people.example")
ACTS = (
    *("signs_up", "signs_up", "leaves_here", "leaves_there", "deleted_there", "joins_there"),
    *("entered_by_staff", "bounces", "compared"),
)
APART_SECONDS = 360
"""Between two acts: then the processor's times say which came first."""
RESUMED_SECONDS = 600
"""For so long a sign-up that stopped half way is gone on with, as the sweep does."""
HOST_SECONDS = 600
"""For so long a message may be worked on."""
TRIES = 30


class Watch:
    """Looks at every addition as it takes effect."""

    def __init__(self, world: World):
        self.world = world
        self.step = 0
        self.run: Any = None
        self.left_there: dict[str, int] = {}  # since which step, if they said nothing since
        self.raced: set[str] = set()  # came and went there while an addition was on its way
        add = world.newsletters.add

        async def watched(list_id: str, email: str, *, name: str, returns: bool) -> str | None:
            state = world.newsletters.state(list_id, email)
            if state is not None and has_left(state) and email in self.left_there:
                if self.left_there[email] >= self.run.began_at:  # a call was on its way all the time
                    self.raced.add(email)
                    return await add(list_id, email, name=name, returns=returns)
                raise Violation(f"{email} left there and is added once more")
            came = await add(list_id, email, name=name, returns=returns)
            if self.left_there.get(email, NEVER) >= self.run.began_at:
                self.raced.add(email)
            return came

        world.newsletters.add = watched

    def took_effect(self, place: str) -> None:
        """Nothing is looked at here."""


class NewsletterSimulation(Simulation):
    """The services of the newsletter under the same scheduler."""

    def _made(self) -> tuple[World, Watch]:
        limits = replace(LIMITS, newsletter_attempts=3)
        world = World(datamap=DATAMAP, turn=self._turn, limits=limits)
        return world, Watch(world)

    async def _sweeping(self) -> None:
        await newsletter_changes.sweep(self.world.context)
        await newsletter_webhooks.sweep(self.world.context)
        if self._compares:
            await reconciling.begin(self.world.context)

    @property
    def _compares(self) -> bool:
        runs = (
            Reconciliation.model_validate_json(text) for _, text in self.world.reconciliations.rows.values()
        )
        return any(not one.is_over for one in runs)

    def _advance(self, run: Run) -> None:
        """As ever; but the host ends whoever takes longer than it allows."""
        if run.message is not None and self._now() - run.began_seconds > HOST_SECONDS:
            self.log.append(f"{self.step} {run.name} took too long")
            run.coroutine.close()
            self.runs.remove(run)
            return
        super()._advance(run)

    async def _handler(self, message: Message) -> None:
        context = self.world.context
        if message.queue == NEWSLETTER_CHANGE_QUEUE:
            change = decode(ApplyNewsletterChange, message.body)
            await newsletter_changes.apply(context, change.subject_key, change.list_id)
        elif message.queue == NEWSLETTER_WEBHOOK_QUEUE:
            await newsletter_webhooks.process(context, decode(ProcessWebhook, message.body).body_id)
        elif message.queue == RECONCILIATION_QUEUE:
            await reconciling.proceed(context, decode(Reconcile, message.body).run_id)

    def _go_on(self) -> bool:
        """Move on to the next moment at which something is due; False when nothing ever will be."""
        is_open = (
            any(not one.deleted for one in self.messages)
            or bool(self.world.webhooks.bodies)
            or any(not one.change.attention for one in self.world.newsletter_changes.all())
            or self._compares
        )
        if is_open:
            self.world.clock.advance(seconds=LIMITS.wake_seconds)
            self.start("sweep", self._sweeping())
        return is_open


@dataclass
class Job:
    """What somebody does until it is done: who sees an error tries again."""

    name: str
    act: Callable[[], Awaitable[object]]
    done: bool = False


class Story:
    """One run's acts, planned from its seed, and what each person said last."""

    def __init__(self, simulation: NewsletterSimulation):
        self.simulation = simulation
        self.world = simulation.world
        self.random = simulation.random
        self.jobs: list[Job] = []
        self.told: list[bytes] = []
        self.asked = 0  # people whom staff had to ask
        self.said: dict[str, bool | None] = {}  # None: it counts if its webhook arrives
        count = self.random.randint(3, 12)
        steps = sorted(self.random.randint(0, 200) for _ in range(count))
        self.plans = [(step, self.random.choice(ACTS), self.random.choice(PEOPLE)) for step in steps]

    def during(self, _simulation: Simulation) -> None:
        """Do what is planned for this step; the processor tells of it sooner or later, or never."""
        while self.plans and self.plans[0][0] <= self.simulation.step:
            _, act, email = self.plans.pop(0)
            self.world.clock.advance(seconds=APART_SECONDS)
            self._act(act, email)
        if self.random.random() < 0.05:
            self._tell()
        if self.random.random() < 0.05:
            self._go_on_with_jobs()

    def _go_on_with_jobs(self) -> None:
        for job in [one for one in self.jobs if not one.done and one.name not in self._running()]:
            self.simulation.start(job.name, self._until_done(job))

    def _running(self) -> set[str]:
        return {run.name for run in self.simulation.runs}

    def _act(self, act: str, email: str) -> None:
        newsletters = self.world.newsletters
        state = newsletters.state(NEWS, email)
        if act == "signs_up":
            self._begin(partial(self._sign_up, email, []))
        elif act == "leaves_here":
            self._begin(partial(self._leave, email))
        elif act == "compared":
            self._begin(partial(reconciling.begin, self.world.context))
        elif act in ("leaves_there", "deleted_there") and state == "Active":
            newsletters.put(NEWS, email, "Unsubscribed" if act == "leaves_there" else "Deleted")
            self.told.append(body(event("Deactivate", email, State="Unsubscribed")))
            self._say(email, yes=False)
            self.simulation.watcher.left_there[email] = self.simulation.step
        elif act == "entered_by_staff" and state is None:
            newsletters.put(NEWS, email, "Active")
            self.told.append(body(event("Subscribe", email, SignupIPAddress="TypeManual")))
        elif act == "bounces" and state == "Active":
            newsletters.put(NEWS, email, "Bounced")
            self.told.append(body(event("Deactivate", email, State="Bounced")))
        elif act == "joins_there" and state in (None, "Unsubscribed"):
            newsletters.put(NEWS, email, "Active")
            self.told.append(body(event("Subscribe", email, SignupIPAddress="192.0.2.10")))
            self._say(email, yes=None)

    def _say(self, email: str, *, yes: bool | None) -> None:
        self.said[email] = yes
        self.simulation.watcher.left_there.pop(email, None)
        self.simulation.watcher.raced.discard(email)

    async def _sign_up(self, email: str, pressed: list[datetime]) -> None:
        """Press the button of the mail. What stops is gone on with, or pressed anew after some minutes."""
        now = self.world.clock.now()
        if not pressed or now - pressed[-1] > timedelta(seconds=RESUMED_SECONDS):
            self.world.clock.advance(seconds=APART_SECONDS)
            pressed.append(self.world.clock.now())
            self._say(email, yes=True)
        joining = Joining(
            email=email,
            purpose_ids=(PURPOSE,),
            at=pressed[-1],
            channel="form",
            source="form",
            evidence=Evidence(policy_version="1"),
            event_id=f"form-{int(pressed[-1].timestamp())}",
        )
        await join(self.world.context, joining)

    async def _leave(self, email: str) -> None:
        """Press the button, and once more after an error: each time is a word of its own."""
        self.world.clock.advance(seconds=APART_SECONDS)
        self._say(email, yes=False)
        now = self.world.clock.now()
        await leaving.leave(self.world.context, email, (PURPOSE,), at=now, channel="form")

    def _tell(self) -> None:
        told, self.told = self.told, []
        told = [one for one in told if self.random.random() > 0.25]
        told += [one for one in told if self.random.random() < 0.3]
        self.random.shuffle(told)
        for one in told:
            self._begin(partial(newsletter_webhooks.receive, self.world.context, one))

    def _begin(self, act: Callable[[], Awaitable[object]]) -> None:
        job = Job(f"somebody {len(self.jobs)}", act)
        self.jobs.append(job)
        self.simulation.start(job.name, self._until_done(job))

    async def _until_done(self, job: Job) -> None:
        for _ in range(TRIES):
            try:
                await job.act()
            except ComplianceError:
                continue
            job.done = True
            return

    def settle(self) -> bool:
        """Do what people and staff still have to do when nothing moves; whether there was something."""
        undone = [one for one in self.jobs if not one.done]
        for job in undone:
            self.simulation.run_to_end(self._until_done(job))
        return bool(undone) or self._bodies_again() or self._look_after_changes()

    def _bodies_again(self) -> bool:
        """Send bodies again whose messages failed too often."""
        receipts = self.simulation.run_to_end(self.world.webhooks.to_look_at(limit=100))
        kept = [self.world.webhooks.bodies[one.body_id][0] for one in receipts]
        for data in kept:
            self.simulation.run_to_end(newsletter_webhooks.receive(self.world.context, data))
        return bool(kept)

    def _look_after_changes(self) -> bool:
        """Ask whoever nobody can tell apart what they said last, and take up all that waits."""
        waiting = [one.change for one in self.world.newsletter_changes.all() if one.change.attention]
        for change in waiting:
            if change.attention == "newsletter_left_unclear" and self.said[change.email]:
                self.world.newsletters.put(NEWS, change.email, "Active")
                self.asked += 1
            elif change.attention == "newsletter_left_unclear":
                now = self.world.clock.now()
                end = leaving.leave(self.world.context, change.email, (PURPOSE,), at=now, channel="staff")
                self.simulation.run_to_end(end)
                self.asked += 1
        if waiting:
            self.simulation.run_to_end(newsletter_changes.retry_all(self.world.context))
        return bool(waiting)

    def end(self) -> None:
        """Compare both sides once more, check, and compare again: then there is nothing left to find."""
        self._tell()
        self.simulation.rest(settle=self.settle)
        self._compare()
        self._check()
        run = self._compare()
        if (run.repaired, run.diverging) != (0, 0):
            raise Violation(f"a second comparison found {run.repaired} and {run.diverging}")

    def _compare(self):
        self.world.clock.advance(days=7)
        run_id = self.simulation.run_to_end(reconciling.begin(self.world.context))
        self.simulation.rest(settle=self.settle)
        run = self.simulation.run_to_end(self.world.reconciliations.read(run_id)).run
        if not run.is_complete:
            raise Violation("a comparison without faults is not complete")
        return run

    def _check(self) -> None:
        world = self.world
        if world.newsletter_changes.all() or world.webhooks.bodies:
            raise Violation("something is open")
        for email in PEOPLE:
            controls = world.controls.stored(key(email)).controls
            is_open = consent_in_force(controls, PURPOSE, now=world.clock.now()) is not None
            events = self.simulation.run_to_end(world.consent_ledger.of_person((key(email),)))
            if is_open != present_state(events, PURPOSE).in_force:
                raise Violation(f"{email}: the gate says something else than the ledger")
            state, yes = world.newsletters.state(NEWS, email), self.said.get(email)
            if yes is False and (is_open or state == "Active") and email not in self.simulation.watcher.raced:
                raise Violation(f"{email} said no last: {is_open}, {state}")
            if yes and not is_open:
                raise Violation(f"{email} said yes last and is lost: {state}")
            if is_open != (state == "Active") and not (is_open and state == "Bounced"):
                raise Violation(f"{email}: both sides differ: {is_open}, {state}")
            said = [one for one in events if one.begins or one.ends]
            for one, following in pairwise(sorted(said, key=lambda one: (one.at, one.ends))):
                if one.ends and following.ends and {one.channel, following.channel} <= FOUND:
                    raise Violation(f"{email}: what was found is noted twice")


def run_newsletter(seed: int, **changes: Any) -> NewsletterSimulation:
    """Run one seed and check it; the error names the seed and replays with it."""
    simulation = NewsletterSimulation(seed, **changes)
    story = Story(simulation)
    try:
        simulation.run(during=story.during, settle=story.settle)
        story.end()
    except Violation as violation:
        raise Violation(f"seed {seed}: {violation}") from violation
    finally:
        for run in simulation.runs:
            run.coroutine.close()
    return simulation
