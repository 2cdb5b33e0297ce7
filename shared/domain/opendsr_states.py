"""From our states to the four of OpenDSR, in one place."""

from shared.domain.cases import SubjectRequest
from shared.domain.opendsr import DsrStatus
from shared.domain.request_states import RequestState

_S = RequestState
_STATUS = {
    _S.RECEIVED: DsrStatus.PENDING,
    _S.VERIFIED: DsrStatus.PENDING,
    _S.AWAITING_APPROVAL: DsrStatus.PENDING,
    _S.PLANNED: DsrStatus.PENDING,
    _S.NEEDS_ATTENTION: DsrStatus.PENDING,
    _S.STANDING: DsrStatus.COMPLETED,  # answered; what keeps it open is between the person and us
    _S.COMPLETED: DsrStatus.COMPLETED,
    _S.COMPLETED_WITH_RETENTION: DsrStatus.COMPLETED,  # that something had to stay is for the person's letter
    _S.REJECTED: DsrStatus.CANCELLED,  # nothing was done, so it cannot be called completed
    _S.CANCELLED: DsrStatus.CANCELLED,
    _S.EXPIRED: DsrStatus.CANCELLED,
}
_REASON = {
    _S.REJECTED: "refused",  # the person's letter tells why and what can be done about it
    _S.EXPIRED: "not_confirmed",  # nobody at the address said that the request was theirs
}


def status_of(request: SubjectRequest) -> DsrStatus:
    """Return where a request stands in OpenDSR's words; work that has begun is never pending again."""
    status = _STATUS.get(request.state, DsrStatus.IN_PROGRESS)
    begun = status is DsrStatus.PENDING and request.begun_at is not None
    return DsrStatus.IN_PROGRESS if begun else status


def extensions_of(request: SubjectRequest, domain: str) -> dict[str, dict[str, str]] | None:
    """Return what the status alone cannot say, below our domain; None: nothing."""
    reason = _REASON.get(request.state)
    return {domain: {"reason": reason}} if reason else None


def is_owed(request: SubjectRequest) -> bool:
    """Whether the platform that filed the request has not been told where it stands now."""
    filed = request.opendsr
    return (
        filed is not None
        and bool(filed.status_callback_urls)
        and filed.last_status_sent != status_of(request)
    )
