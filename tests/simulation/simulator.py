"""A seeded scheduler that runs the real services on fakes and does its worst to them.

Handlers are coroutines moved by hand. At every port call the scheduler may go on, switch to another
handler, kill this one, let a call fail before or after its effect, lose the message's lease so that a twin
starts, or move the clock. When the faults end, clock and sweep bring everything to rest, and the invariants
of DESIGN's section 4 are checked, some of them at every step. The same seed gives the same run.
"""

import random
import types
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.domain.cases import SubjectRequest
from shared.domain.errors import ComplianceError, NotAllowed, Retryable
from shared.domain.limits import Limits
from shared.domain.messages import (
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    TASK_QUEUE,
    FinishStage,
    PlanRequest,
    RunTasks,
    SendLetter,
    decode,
)
from shared.domain.recipients import NoticeState
from shared.domain.request_states import RequestState
from shared.services.attention import retry
from shared.services.execution import run_lane
from shared.services.finishing import finish_stage
from shared.services.planning import plan
from shared.services.poison import put_aside
from shared.services.sending import resolve_letter, send_letter
from shared.services.sweeping import sweep
from tests.simulation.rights_world import RightsWorld
from tests.simulation.watching import NEVER, Violation, Watcher

MAX_DEQUEUE = 5
INVISIBLE_SECONDS = 600
SEEN_AFTER_SECONDS = 400  # a mail is among those sent so much later
FAULT_STEPS = 250
REST_STEPS = 6_000
LIMITS = Limits(
    page_documents=2,
    page_keys=2,
    blobs_per_page=2,
    read_bytes=120,
    message_documents=6,
    lanes=2,
    fence_retry_seconds=5,
    requests_per_address_hour=1_000,
    requests_per_client_hour=1_000,
)


@types.coroutine
def _turn(name: str):
    yield name


@dataclass
class Message:
    queue: str
    body: bytes
    visible_at: float
    dequeued: int = 0
    deleted: bool = False
    leases: int = 0  # number of the newest lease; an older holder can neither delete nor release it


@dataclass
class Run:
    name: str
    coroutine: Coroutine[Any, Any, Any]
    message: Message | None = None
    lease: int = 0
    began_at: int = NEVER
    began_seconds: float = 0.0
    controls_read_at: int = NEVER
    failing: bool = False


@dataclass
class Odds:
    """How often the scheduler does harm, per port call."""

    kill: float = 0.02
    fail_before: float = 0.03
    fail_after: float = 0.02
    lose_lease: float = 0.02
    switch: float = 0.5
    duplicate: float = 0.05


@dataclass
class Simulation:
    """One seeded run. `odds` None: no faults at all."""

    seed: int
    odds: Odds | None = field(default_factory=Odds)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.world, self.watcher = self._made()
        self.messages: list[Message] = []
        self.runs: list[Run] = []
        self.current: Run | None = None
        self.step = 0
        self.log: list[str] = []
        self.every_body: list[bytes] = []
        self.world.notifier.seen_after_seconds = SEEN_AFTER_SECONDS

    def _made(self) -> tuple[Any, Any]:
        """Return the world and who watches it."""
        world = RightsWorld(turn=self._turn, limits=LIMITS)
        return world, Watcher(world)

    def _sweeping(self) -> Coroutine[Any, Any, Any]:
        return sweep(self.world.context)

    async def _turn(self, place: str) -> None:
        if place.endswith("!"):
            self.watcher.step = self.step
            self.watcher.took_effect(place)
        await _turn(place)

    # what people and operators do

    def start(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Begin something that is no queue message: a person at a form, an operator."""
        self.runs.append(Run(name=name, coroutine=coroutine))

    def run_to_end(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine without faults and return its result."""
        try:
            while True:
                coroutine.send(None)
        except StopIteration as stop:
            return stop.value

    # the scheduler

    def run(self, *, during: Any = None, settle: Any = None) -> None:
        """Run with faults, then without, until nothing is left to do.

        `during` is called before every step with faults; `settle` when nothing moves, to do what people still
        have to do, and says whether it did something.
        """
        for _ in range(FAULT_STEPS):
            self._take_in()
            if during is not None:
                during(self)
            self._one_step()
        self.rest(settle=settle)

    def rest(self, *, settle: Any = None) -> None:
        """Run without faults until nothing is left to do."""
        self.odds = None
        for _ in range(REST_STEPS):
            self._take_in()
            if self.runs or self._visible():
                self._one_step()
            elif not ((settle is not None and settle()) or self._go_on()):
                return
        raise Violation("it never comes to rest")

    def _take_in(self) -> None:
        for queue, body, delay in self.world.queue.sent:
            self.every_body.append(body)
            self.messages.append(Message(queue, body, self._now() + delay))
            if self.odds and self.random.random() < self.odds.duplicate:
                self.messages.append(Message(queue, body, self._now() + delay + self.random.randint(0, 90)))
        self.world.queue.sent.clear()

    def _now(self) -> float:
        return self.world.clock.moment.timestamp()

    def _visible(self) -> list[Message]:
        return [one for one in self.messages if not one.deleted and one.visible_at <= self._now()]

    def _one_step(self) -> None:
        self.step += 1
        visible = self._visible()
        if visible and len(self.runs) < 3 and (not self.runs or self.random.random() < 0.3):
            self._deliver(self.random.choice(visible))
        elif self.runs:
            if self.current not in self.runs or (self.odds and self.random.random() < self.odds.switch):
                self.current = self.random.choice(self.runs)
            assert self.current is not None
            self._advance(self.current)
        if self.odds and self.random.random() < 0.1:
            self.world.clock.advance(seconds=self.random.choice([1, 7, 60, 400]))
        if self.odds and self.random.random() < 0.02:
            self.start("sweep", self._sweeping())

    def _deliver(self, message: Message) -> None:
        message.dequeued += 1
        message.leases += 1
        message.visible_at = self._now() + INVISIBLE_SECONDS
        name = f"{message.queue} {message.body.decode()}"
        if message.dequeued > MAX_DEQUEUE:
            message.deleted = True
            handler = put_aside(self.world.context, message.queue, message.body)
            self.log.append(f"{self.step} poison {name}")
            self.runs.append(Run(f"poison {name}", handler))
            return
        self.log.append(f"{self.step} deliver {name}")
        run = Run(name, self._handler(message), message, message.leases, began_at=self.step)
        run.began_seconds = self._now()
        self.runs.append(run)

    async def _handler(self, message: Message) -> None:
        context = self.world.context
        if message.queue == PLAN_QUEUE:
            await plan(context, decode(PlanRequest, message.body).request_id)
        elif message.queue == TASK_QUEUE:
            work = decode(RunTasks, message.body)
            await run_lane(context, work.request_id, work.lane)
        elif message.queue == FINISH_QUEUE:
            await finish_stage(context, decode(FinishStage, message.body).request_id)
        elif message.queue == LETTER_QUEUE:
            letter = decode(SendLetter, message.body)
            await send_letter(context, letter.request_id, letter.letter_id)

    def _advance(self, run: Run) -> None:
        self.watcher.run, self.watcher.step = run, self.step
        try:
            if run.failing:
                run.failing = False
                place = run.coroutine.throw(Retryable("service_busy", "simulated"))
            else:
                place = run.coroutine.send(None)
        except StopIteration:
            self._ended(run, failed=False)
            return
        except ComplianceError as error:
            self.log.append(f"{self.step} {run.name} raised {error.code}")
            self._ended(run, failed=True)
            return
        self.log.append(f"{self.step} {run.name[:60]} at {place}")
        if place == "controls.read":
            run.controls_read_at = self.step
        if self.odds:
            self._harm(run, place)

    def _harm(self, run: Run, place: str) -> None:
        assert self.odds is not None
        luck = self.random.random()
        fail = self.odds.fail_after if place.endswith("!") else self.odds.fail_before
        if luck < self.odds.kill:
            self.log.append(f"{self.step} killed at {place}")
            run.coroutine.close()
            self.runs.remove(run)
        elif luck < self.odds.kill + fail:
            run.failing = True
        elif luck < self.odds.kill + fail + self.odds.lose_lease and run.message is not None:
            run.message.visible_at = self._now()

    def _ended(self, run: Run, *, failed: bool) -> None:
        self.runs.remove(run)
        message = run.message
        if message is None or message.leases != run.lease:
            return
        if failed:
            message.visible_at = self._now() + 10
        else:
            message.deleted = True

    def _go_on(self) -> bool:
        """Move to the next moment at which something is due; False when nothing ever will be."""
        waiting = [one.visible_at for one in self.messages if not one.deleted]
        for request_id in list(self.world.cases.partitions):
            request = self.world.cases.request(request_id)
            if request.state is RequestState.NEEDS_ATTENTION and request.attention != "records_undecidable":
                self.run_to_end(retry(self.world.context, request_id, decided_by="operator"))
                return True
            if self._settle_letter(request_id):
                return True
            if request.wake_at is not None and not self._rests(request):
                waiting.append(request.wake_at.timestamp())
        if not waiting:
            return False
        seconds = max(1.0, min(waiting) - self._now())
        self.world.clock.advance(seconds=seconds)
        self.start("sweep", self._sweeping())
        return True

    def _rests(self, request: SubjectRequest) -> bool:
        """Whether nothing comes of it any more but the end of a copy, or a review of what stands."""
        if any(one.state is NoticeState.DUE and one.letter_id for one in request.notices):
            return False  # its mail is still to go out
        if request.state is RequestState.STANDING:
            review = timedelta(days=LIMITS.standing_review_days - 1)
            far = request.wake_at is not None and request.wake_at - self.world.clock.now() > review
            return far or (
                request.lifts_on is None
                and (request.copy_ends_at == request.wake_at or self._reminds(request))
            )
        return request.is_final and (request.state is not RequestState.CANCELLED or self._reminds(request))

    def _reminds(self, request: SubjectRequest) -> bool:
        """Whether it wakes up only to call a recipient to mind, whom staff have to tell or who is silent."""
        waits = (NoticeState.DUE, NoticeState.NOTIFIED)
        is_due = any(one.state in waits for one in request.notices)
        soon = timedelta(seconds=LIMITS.cleanup_seconds)
        return is_due and request.wake_at is not None and request.wake_at - self.world.clock.now() > soon

    def _settle_letter(self, request_id: str) -> bool:
        """Do what an operator does who looked whether a letter nobody is sure of went out."""
        world = self.world
        for _, row in list(world.cases.partitions[request_id].values()):
            if row["type"] != "letter" or row["sent_at"] or row["attempts"] < LIMITS.letter_attempts:
                continue
            was_sent = f"{request_id}-{row['id']}" in world.notifier.mails
            decision = resolve_letter(
                world.context, request_id, row["id"], was_sent=was_sent, decided_by="operator"
            )
            try:
                self.run_to_end(decision)
            except NotAllowed:
                continue  # not settled yet, or closed meanwhile
            return True
        return False
