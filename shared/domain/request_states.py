"""The states of a request, and the only ways between them."""

from enum import StrEnum


class RequestState(StrEnum):
    """Where a request stands. The transitions below are the only ones there are."""

    RECEIVED = "received"  # waits for the person to confirm the address
    VERIFIED = "verified"  # waits to be planned, or planned anew
    AWAITING_APPROVAL = "awaiting_approval"  # a person must decide
    PLANNED = "planned"  # waits for its start, can still be cancelled
    IN_PROGRESS = "in_progress"
    ANSWERING = "answering"  # the work is done, the letter is on its way
    NEEDS_ATTENTION = "needs_attention"  # stopped; an operator was told
    STANDING = "standing"  # answered; a restriction, a hold or a recipient keeps it open
    COMPLETED = "completed"
    COMPLETED_WITH_RETENTION = "completed_with_retention"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    JOINED = "joined"  # the same request of the same person was already open


_S = RequestState


TRANSITIONS: dict[RequestState, frozenset[RequestState]] = {
    _S.RECEIVED: frozenset({_S.VERIFIED, _S.CANCELLED, _S.EXPIRED, _S.JOINED, _S.ANSWERING, _S.STANDING}),
    _S.VERIFIED: frozenset(
        {_S.AWAITING_APPROVAL, _S.PLANNED, _S.IN_PROGRESS, _S.CANCELLED, _S.NEEDS_ATTENTION, _S.STANDING}
    ),
    _S.AWAITING_APPROVAL: frozenset(
        {_S.VERIFIED, _S.PLANNED, _S.IN_PROGRESS, _S.ANSWERING, _S.CANCELLED, _S.STANDING}
    ),
    _S.PLANNED: frozenset(
        {_S.AWAITING_APPROVAL, _S.IN_PROGRESS, _S.CANCELLED, _S.NEEDS_ATTENTION, _S.STANDING}
    ),
    _S.IN_PROGRESS: frozenset({_S.VERIFIED, _S.ANSWERING, _S.CANCELLED, _S.NEEDS_ATTENTION, _S.STANDING}),
    _S.ANSWERING: frozenset(
        {
            *(_S.RECEIVED, _S.VERIFIED),  # the next right; one that needs an identity check waits for it
            *(_S.COMPLETED, _S.COMPLETED_WITH_RETENTION, _S.REJECTED, _S.STANDING, _S.NEEDS_ATTENTION),
        }
    ),
    _S.NEEDS_ATTENTION: frozenset({_S.VERIFIED, _S.IN_PROGRESS, _S.ANSWERING, _S.CANCELLED, _S.STANDING}),
    _S.STANDING: frozenset({_S.VERIFIED, _S.COMPLETED, _S.COMPLETED_WITH_RETENTION, _S.REJECTED}),
    _S.COMPLETED: frozenset(),
    _S.COMPLETED_WITH_RETENTION: frozenset(),
    _S.REJECTED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.JOINED: frozenset(),
}


FINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)
