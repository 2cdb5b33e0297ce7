"""Drives the real services over a World: people at the doors, and a queue that delivers until quiet."""

import io
import json
import zipfile

from shared.domain.controls import Hold, Restriction
from shared.domain.identifiers import EMAIL
from shared.domain.messages import (
    CALLBACK_QUEUE,
    FINISH_QUEUE,
    LETTER_QUEUE,
    PLAN_QUEUE,
    TASK_QUEUE,
    FinishStage,
    PlanRequest,
    RunTasks,
    SendCallback,
    SendLetter,
    decode,
)
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tokens import issue
from shared.services import intake
from shared.services.calling_back import call_back
from shared.services.execution import run_lane
from shared.services.finishing import finish_stage
from shared.services.intake import Submission
from shared.services.links import CANCEL, PACKAGE, VERIFY, verification_ends
from shared.services.planning import plan
from shared.services.sending import send_letter
from shared.services.sweeping import sweep
from tests.factories import KEYS, World

MOST_DELIVERIES = 2_000
ENDED = {RequestState.COMPLETED, RequestState.COMPLETED_WITH_RETENTION}
ERASED_RECORDS = 9  # of one person of the World: person, 3 events, invoice, team row, 2 lines, file


async def handle(world: World, queue: str, body: bytes) -> None:
    """Call the service a message is for."""
    if queue == PLAN_QUEUE:
        await plan(world.context, decode(PlanRequest, body).request_id)
    elif queue == TASK_QUEUE:
        work = decode(RunTasks, body)
        await run_lane(world.context, work.request_id, work.lane)
    elif queue == FINISH_QUEUE:
        await finish_stage(world.context, decode(FinishStage, body).request_id)
    elif queue == LETTER_QUEUE:
        letter = decode(SendLetter, body)
        await send_letter(world.context, letter.request_id, letter.letter_id)
    elif queue == CALLBACK_QUEUE:
        await call_back(world.context, decode(SendCallback, body).request_id)


async def deliver(world: World, *, only: str | None = None, until: str | None = None) -> int:
    """Deliver messages in the order sent until none is left, and return how many.

    `only`: of this queue; others stay. `until`: stop before the first of this queue. A delay moves the
    clock. An error goes through to the test.
    """
    for count in range(MOST_DELIVERIES):
        waiting = [one for one in world.queue.sent if only in (None, one[0])]
        if not waiting or waiting[0][0] == until:
            return count
        world.queue.sent.remove(waiting[0])
        queue, body, delay = waiting[0]
        if delay:
            world.clock.advance(seconds=delay)
        await handle(world, queue, body)
    raise AssertionError("the queue never gets quiet")


async def step(world: World) -> None:
    """Deliver the first waiting message."""
    queue, body, _ = world.queue.sent.pop(0)
    await handle(world, queue, body)


async def submit(world: World, email: str, *rights: Right, **changes) -> str:
    """File a request and leave its messages in the queue."""
    submission = Submission(
        **{"email": email, "rights": rights, "language": "en", "client": "203.0.113.9", **changes}
    )
    return await intake.submit(world.context, submission)


async def confirm(world: World, request_id: str) -> RequestState:
    """Press the button of the verification mail."""
    return await intake.verify(world.context, request_id, token(world, request_id, VERIFY))


async def ask(world: World, email: str, *rights: Right, **changes) -> str:
    """File and confirm a request, its planning still in the queue."""
    request_id = await submit(world, email, *rights, **changes)
    await deliver(world, only=LETTER_QUEUE)
    await confirm(world, request_id)
    return request_id


async def fulfil(world: World, email: str, *rights: Right, **changes) -> str:
    """File and confirm a request and see it through."""
    request_id = await ask(world, email, *rights, **changes)
    await deliver(world)
    return request_id


async def rest(world: World) -> None:
    """Let time pass and the sweep repair until all is done or waits for an operator."""
    for _ in range(60):
        await deliver(world)
        requests = [world.cases.request(request_id) for request_id in world.cases.partitions]
        if not any(
            one.wake_at is not None and not one.is_final and not one.waits_for_operator for one in requests
        ):
            return
        world.clock.advance(seconds=world.limits.wake_seconds)
        await sweep(world.context)
    raise AssertionError("it never comes to rest")


def token(world: World, request_id: str, purpose: str) -> str:
    """Return the token of a mail's link."""
    request = world.cases.request(request_id)
    ends = {VERIFY: verification_ends(world.context, request), CANCEL: world.clock.now().replace(year=2030)}
    if purpose == PACKAGE:
        assert request.package is not None
        ends[PACKAGE] = request.package.expires_at
    return issue(KEYS, purpose=purpose, request_id=request_id, expires_at=ends[purpose])


def opened(world: World, request_id: str) -> dict[str, bytes]:
    """Return the files of a published copy, after the archive's own checks."""
    with zipfile.ZipFile(io.BytesIO(world.packages.contents[request_id])) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def letters(world: World, request_id: str) -> dict[str, object]:
    """Return the mails of a request by the id of their letter."""
    start = f"{request_id}-"
    return {name[len(start) :]: mail for name, mail in world.notifier.mails.items() if name.startswith(start)}


def traces(world: World, marks: dict[str, str]) -> list[str]:
    """Return everything in the systems of record that carries one of a person's marks, older copies too."""
    wanted = [mark.lower() for mark in marks.values()]
    found = []
    for container, rows in world.documents.rows.items():
        for _, _, body in rows.values():
            records = body["people"] if container == "teams" else [body]
            found += [
                f"{container} {json.dumps(one, sort_keys=True)}"
                for one in records
                if marked(json.dumps(one), wanted)
            ]
    copies = {(place, name): data for (place, name, _), data in world.blobs.copies.items()}
    for blobs in ({key: data for key, (_, data) in world.blobs.current.items()}, copies):
        for (container, name), data in blobs.items():
            found += [f"{container} {line}" for line in data.decode().splitlines() if marked(line, wanted)]
            if marked(name, wanted):
                found.append(f"{container} {name}")
    return sorted(found)


def marked(content: str, marks: list[str]) -> bool:
    """Tell whether one of the marks stands in the content, in any case."""
    folded = content.lower()
    return any(mark.lower() in folded for mark in marks)


def stored(world: World, request_id: str) -> str:
    """Return everything stored with a request, as text."""
    return json.dumps([row for _, row in world.cases.partitions[request_id].values()])


def hold(world: World, email: str, **changes) -> None:
    """Place a legal hold on a person, as an operator would."""
    placed = Hold(
        **{
            "hold_id": "h-1",
            "activity_id": None,
            "ground": "legal_claim",
            "reason": "a dispute",
            "placed_at": world.clock.now(),
            "review_on": world.clock.now().date(),
            **changes,
        }
    )
    _change_controls(world, email, holds=(placed,))


def restrict(world: World, email: str) -> None:
    """Restrict the processing of a person's data."""
    placed = Restriction(restriction_id="r-1", ground="accuracy", placed_at=world.clock.now())
    _change_controls(world, email, restrictions=(placed,))


def _change_controls(world: World, email: str, **changes) -> None:
    one = world.controls.stored(KEYS.subject_key(EMAIL, email))
    world.controls.put(one.controls.model_copy(update=changes))
