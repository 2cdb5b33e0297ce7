"""The fence: rights on one person in order, whatever addresses and messages they came by.

A request claims every pseudonym of its person before it works. A copy and an erasure never hold claims
at the same time, so no copy is published after the erasure of that person began. Claims are taken in one
order and all or none; a claim of a request that is not at work counts for nothing, for who died before giving
it back must keep nobody waiting.
"""

from collections.abc import Sequence
from enum import StrEnum

from shared.domain.cases import SubjectRequest
from shared.domain.controls import Claim, Controls, OpenRequest
from shared.domain.errors import Conflict, NotFound
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.ports.controls import StoredControls
from shared.services.context import Context

_WRITE_ATTEMPTS = 4


class Fence(StrEnum):
    """What came of asking for the person's claims."""

    HELD = "held"
    BUSY = "busy"  # another right is at work on this person: wait


async def claim(
    context: Context, request: SubjectRequest, keys: Sequence[str], known: Sequence[StoredControls]
) -> Fence:
    """Claim every pseudonym for the request's present right, all or none. Repeating it changes nothing.

    `known` are the controls as just read; their ETags tell whether that still holds.
    """
    for attempt in range(_WRITE_ATTEMPTS):
        stored = known if attempt == 0 else await context.controls.read(keys)
        busy = [
            other
            for one in stored
            for other in one.controls.claims
            if other.request_id != request.request_id and other.conflicts(request.right)
        ]
        for other in busy:
            if not await _is_over(context, other):
                await release(context, request, keys, keep_open=True)
                return Fence.BUSY
        closed = {other.request_id for other in busy}
        mine = Claim(request_id=request.request_id, right=request.right, since=context.clock.now())
        try:
            for one in stored:
                await _put(context, one, _claimed(one.controls, mine, closed))
        except Conflict:
            if attempt == _WRITE_ATTEMPTS - 1:
                break
            continue
        return Fence.HELD
    await release(context, request, keys, keep_open=True)
    return Fence.BUSY


def is_held(request: SubjectRequest, controls: Sequence[StoredControls]) -> bool:
    """Tell whether the request's claim for its present right stands on every one of these pseudonyms."""
    return all(
        any(
            claim.request_id == request.request_id and claim.right is request.right
            for claim in one.controls.claims
        )
        for one in controls
    )


async def release(
    context: Context, request: SubjectRequest, keys: Sequence[str], *, keep_open: bool = False
) -> None:
    """Give back the request's claims, and its place as the open request. Repeating it changes nothing."""
    for attempt in range(_WRITE_ATTEMPTS):
        try:
            for one in await context.controls.read(keys):
                await _put(context, one, _released(one.controls, request.request_id, keep_open=keep_open))
        except Conflict:
            if attempt == _WRITE_ATTEMPTS - 1:
                raise
        else:
            return


async def register_open(context: Context, request: SubjectRequest) -> str | None:
    """Note the request as open for its address, or return the id of the open one that it repeats.

    It repeats another only where that one still owes the answer to everything asked, in the same words: what
    was answered before may have been fetched, deleted or overtaken long ago, and asking anew is a right.
    """
    for attempt in range(_WRITE_ATTEMPTS):
        (stored,) = await context.controls.read(request.subject_keys[:1])
        kept = []
        for other in stored.controls.open_requests:
            if other.request_id == request.request_id:
                return None
            asks_less = set(request.rights) <= set(other.rights)
            if asks_less and await _owes(context, other.request_id, request):
                return other.request_id
            kept.append(other)
        mine = OpenRequest(request_id=request.request_id, rights=request.rights)
        try:
            await _put(context, stored, stored.controls.model_copy(update={"open_requests": (*kept, mine)}))
        except Conflict:
            if attempt == _WRITE_ATTEMPTS - 1:
                raise
        else:
            return None
    raise Conflict("controls_busy")


async def _owes(context: Context, request_id: str, asked: SubjectRequest) -> bool:
    """Tell whether a request is open, none of these rights of it is answered yet, and it wants the same."""
    try:
        request = (await context.cases.load(request_id)).request
    except NotFound:
        return False
    answered = any(right in request.outcomes for right in asked.rights)
    return not request.is_final and not answered and _wants_the_same(request, asked)


def _wants_the_same(request: SubjectRequest, asked: SubjectRequest) -> bool:
    """Tell whether the answer of an open request is the answer to another, for the same requester.

    Two corrections of two facts are two wishes, and words that a person reads are read once each.
    """
    mine, theirs = asked.wishes, request.wishes
    differing = {
        Right.RECTIFICATION: (mine.corrections, mine.objects_to) != (theirs.corrections, theirs.objects_to),
        Right.RESTRICTION: mine.ground != theirs.ground,
        Right.OBJECTION: mine.objects_to != theirs.objects_to,
        Right.PORTABILITY: mine.transfer_url != theirs.transfer_url,
    }
    says_more = mine.statement not in ("", theirs.statement)
    same_requester = asked.requester == request.requester
    return same_requester and not says_more and not any(differing.get(right) for right in asked.rights)


async def _is_over(context: Context, claim: Claim) -> bool:
    """Whether the claim's request does nothing for it any more: it ended, or was answered and waits."""
    try:
        request = (await context.cases.load(claim.request_id)).request
    except NotFound:
        return True
    waits = request.state in (RequestState.RECEIVED, RequestState.STANDING)
    return request.is_final or waits or request.right is not claim.right


async def _put(context: Context, stored: StoredControls, controls: Controls) -> None:
    if controls != stored.controls:
        await context.controls.write(StoredControls(controls=controls, etag=stored.etag))


def _claimed(controls: Controls, mine: Claim, closed: set[str]) -> Controls:
    # always anew: whoever took a claim left behind for one that is over must not write after this
    given_up = {*closed, mine.request_id}
    others = tuple(claim for claim in controls.claims if claim.request_id not in given_up)
    return controls.model_copy(update={"claims": (*others, mine)})


def _released(controls: Controls, request_id: str, *, keep_open: bool) -> Controls:
    claims = tuple(claim for claim in controls.claims if claim.request_id != request_id)
    still_open = tuple(
        other for other in controls.open_requests if keep_open or other.request_id != request_id
    )
    return controls.model_copy(update={"claims": claims, "open_requests": still_open})
