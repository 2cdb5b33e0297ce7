"""Hand a copy straight to another controller the person names. Source: GDPR article 20(2); policy 4.6.

The copy is published first and stays fetchable: an address that is refused, slow or wrong costs the person
nothing. It also keeps the case open, for somebody to ask for another address or to answer with the link.
"""

from collections.abc import Sequence

from shared.domain.errors import Invalid, NotAllowed, NotFound, Permanent, Retryable
from shared.domain.messages import FinishStage
from shared.domain.outcomes import Outcome
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tasks import Stage
from shared.domain.times import after
from shared.ports.cases import Case, Write
from shared.rendering.letters import LetterKind
from shared.services.answering import Answer, answer
from shared.services.attention import stop
from shared.services.context import Context

_MOST_TRIES = 5


async def begin_transfer(context: Context, case: Case, outcome: Outcome, *, deletes: Sequence[str]) -> None:
    """Save the published copy and send the message that transfers it. `case.request` carries the package."""
    now = context.clock.now()
    begun, event = case.request.with_(
        stage=Stage.TRANSFER,
        outcomes={**case.request.outcomes, Right.PORTABILITY: outcome},
        deferrals=0,
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "transfer_begun", records=outcome.records)
    await context.cases.commit(
        begun.request_id,
        [Write(document=begun, etag=case.etags[begun.id]), Write(document=event, etag=None)],
        deletes=deletes,
    )
    await context.queue.send([FinishStage(request_id=begun.request_id)])


async def transfer_copy(context: Context, case: Case) -> None:
    """Send the copy, and answer with where it went. A crash after sending sends it again: the same bytes.

    What lasts is an operator's: `transfer_…` tells why, without the address.
    """
    request = case.request
    url = request.wishes.transfer_url
    if url is None:
        await answer_with_link(context, case)
        return
    try:
        content = await context.packages.read(request.copy_id)
        receipt = await context.transfers.send(
            url,
            content.chunks,
            size_bytes=content.size_bytes,
            content_type="application/zip",
            file_name=f"my-data-{request.request_id[:8]}.zip",
        )
    except Retryable:
        await _again_later(context, case)
        return
    except (Invalid, NotAllowed, NotFound, Permanent) as error:
        code = error.code if error.code.startswith("transfer_") else "transfer_failed"
        await stop(context, case, code)
        return
    outcome = request.outcomes[Right.PORTABILITY].model_copy(
        update={"result": "transferred", "at": context.clock.now()}
    )
    transferred = Answer(
        outcome=outcome,
        letter=LetterKind.TRANSFERRED,
        event="transferred",
        details={"status": receipt.status, "size_bytes": content.size_bytes},
    )
    await answer(context, case, transferred)


async def answer_with_link(context: Context, case: Case) -> None:
    """Answer a transfer that is given up with the link to the copy. Repeating it changes nothing."""
    outcome = case.request.outcomes[Right.PORTABILITY]
    await answer(
        context,
        case,
        Answer(outcome=outcome, letter=LetterKind.PORTABILITY_READY, event="transfer_given_up", details={}),
    )


async def _again_later(context: Context, case: Case) -> None:
    request = case.request
    if request.deferrals >= _MOST_TRIES:
        await stop(context, case, "transfer_unreachable")
        return
    now = context.clock.now()
    delay = min(context.limits.fence_retry_seconds * 2**request.deferrals, context.limits.wake_seconds)
    waiting = request.with_(
        deferrals=request.deferrals + 1,
        wake_at=after(now, seconds=delay + context.limits.wake_seconds),
    )
    await context.cases.commit(request.request_id, [Write(document=waiting, etag=case.etags[waiting.id])])
    await context.queue.send([FinishStage(request_id=request.request_id)], delay_seconds=delay)


async def change_transfer(
    context: Context, request_id: str, *, transfer_url: str | None, decided_by: str
) -> None:
    """Try another address the person gave, or give up and answer with the link (None).

    Raises:
        Invalid: `transfer_url_…`: that is no address that may be tried.
        NotAllowed: `no_transfer_stopped`: the case did not stop at a transfer.
    """
    if transfer_url is not None:
        context.transfers.parse(transfer_url)
    case = await context.cases.load(request_id)
    request = case.request
    stopped = (request.attention or "").startswith("transfer_")
    if request.state is not RequestState.NEEDS_ATTENTION or not stopped:
        raise NotAllowed("no_transfer_stopped")
    outcomes = dict(request.outcomes)
    if transfer_url is None:  # the letter says why
        outcomes[Right.PORTABILITY] = outcomes[Right.PORTABILITY].model_copy(
            update={"transfer_problem": request.attention}
        )
    now = context.clock.now()
    resumed, event = request.moved_to(
        RequestState.IN_PROGRESS,
        attention=None,
        stage=Stage.TRANSFER,
        deferrals=0,
        outcomes=outcomes,
        wishes=request.wishes.model_copy(update={"transfer_url": transfer_url}),
        wake_at=after(now, seconds=context.limits.wake_seconds),
    ).noted(now, "transfer_changed", decided_by=decided_by)
    await context.cases.commit(
        request_id, [Write(document=resumed, etag=case.etags[resumed.id]), Write(document=event, etag=None)]
    )
    await context.queue.send([FinishStage(request_id=request_id)])
