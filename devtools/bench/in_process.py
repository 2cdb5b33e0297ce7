"""The app's services over the real adapters in this process; messages are delivered by calling them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from shared import bootstrap
from shared.domain import tokens
from shared.domain.cases import SubjectRequest
from shared.domain.errors import Conflict
from shared.domain.messages import (
    QUEUE_OF,
    ApplyNewsletterChange,
    FinishStage,
    GoOnWithRun,
    Message,
    PlanRequest,
    ProcessWebhook,
    RunTasks,
    SendLetter,
)
from shared.domain.retention_runs import Run
from shared.domain.rights import Right
from shared.ports.queue import Depth
from shared.services import intake, newsletter_changes, newsletter_webhooks, retention
from shared.services.context import Context
from shared.services.execution import run_lane
from shared.services.finishing import finish_stage
from shared.services.intake import Submission
from shared.services.links import VERIFY, verification_ends
from shared.services.planning import plan
from shared.services.sending import send_letter
from shared.settings import read

_AT_ONCE = 8  # messages of one instance, as host.json has it
_MOST_TICKS = 1_000


class DirectQueue:
    """A queue that keeps its messages until somebody delivers them. Delays are not waited for."""

    def __init__(self) -> None:
        self.waiting: deque[Message] = deque()
        self.sent = asyncio.Event()

    def forget_letters(self) -> None:
        """Drop letters nobody needs to send."""
        self.waiting = deque(one for one in self.waiting if not isinstance(one, SendLetter))

    async def send(self, messages: Sequence[Message], *, delay_seconds: int = 0) -> None:  # noqa: ARG002 - as the port has it
        """Keep messages."""
        self.waiting.extend(messages)
        self.sent.set()

    async def depth(self, queue: str) -> Depth:
        """Return how many messages of a queue are kept; none of them has an age."""
        return Depth(messages=sum(QUEUE_OF[type(one)] == queue for one in self.waiting), oldest_seconds=0)


class LocalApp:
    """The app in this process."""

    def __init__(self, context: Context, queue: DirectQueue) -> None:
        self.context = context
        self._queue = queue

    async def confirmed_request(self, email: str, right: Right) -> str:
        """File and confirm a request without its mail, and return its id; none of its work is done yet."""
        submission = Submission(
            email=email, rights=(right,), language="en", client=email
        )  # one caller a person: no rate limit is met
        request_id = await intake.submit(self.context, submission)
        case = await self.context.cases.load(request_id)
        token = tokens.issue(
            self.context.keys,
            purpose=VERIFY,
            request_id=request_id,
            expires_at=verification_ends(self.context, case.request),
        )
        self._queue.forget_letters()
        await intake.verify(self.context, request_id, token)
        return request_id

    async def take_in(self, body: bytes) -> None:
        """Take in a webhook's body; none of its events is worked on yet."""
        await newsletter_webhooks.receive(self.context, body)

    async def work(self) -> None:
        """Deliver messages, the ones they lead to as well, until none is left."""
        while self._queue.waiting:
            await self._deliver(self._queue.waiting.popleft())

    async def run_of_the_day(self) -> Run:
        """Do what the timer and the queues do until today's run of scheduled deletion is done.

        Raises:
            RuntimeError: it does not come to an end.
        """
        for _ in range(_MOST_TICKS):
            await retention.tick(self.context)
            if not self._queue.waiting:
                stored = await self.context.retention_runs.latest()
                if stored is not None:
                    return stored.run
            await self._work_side_by_side()
        raise RuntimeError("the run does not end")

    async def _work_side_by_side(self) -> None:
        """Deliver messages as they come, so many at once, until none is left."""
        at_work: set[asyncio.Task[None]] = set()
        while self._queue.waiting or at_work:
            while self._queue.waiting and len(at_work) < _AT_ONCE:
                at_work.add(asyncio.create_task(self._deliver(self._queue.waiting.popleft())))
            sent = asyncio.create_task(self._queue.sent.wait())
            ended, _ = await asyncio.wait({*at_work, sent}, return_when=asyncio.FIRST_COMPLETED)
            sent.cancel()
            self._queue.sent.clear()
            for one in ended & at_work:
                one.result()
            at_work -= ended

    async def finished(self, request_id: str) -> SubjectRequest:
        """Return a request that has to be closed by now.

        Raises:
            RuntimeError: it is not; figures would mean nothing.
        """
        request = (await self.context.cases.load(request_id)).request
        if not request.is_final:
            raise RuntimeError(f"the request is {request.state} and not closed")
        return request

    async def _deliver(self, message: Message) -> None:
        try:
            match message:
                case PlanRequest():
                    await plan(self.context, message.request_id)
                case RunTasks():
                    await run_lane(self.context, message.request_id, message.lane)
                case FinishStage():
                    await finish_stage(self.context, message.request_id)
                case ProcessWebhook():
                    await newsletter_webhooks.process(self.context, message.body_id)
                case ApplyNewsletterChange():
                    await newsletter_changes.apply(self.context, message.subject_key, message.list_id)
                case GoOnWithRun():
                    await retention.go_on(self.context)
                case SendLetter():
                    await send_letter(self.context, message.request_id, message.letter_id)
        except Conflict:
            self._queue.waiting.append(message)  # as a queue would deliver it again


@asynccontextmanager
async def local_app(environment: Mapping[str, str]) -> AsyncIterator[LocalApp]:
    """Wire the app to the stores that the settings name."""
    app = bootstrap.build(read(environment))
    queue = DirectQueue()
    try:
        yield LocalApp(dataclasses.replace(app.context, queue=queue), queue)
    finally:
        await app.close()
