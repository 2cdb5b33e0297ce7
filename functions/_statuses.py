"""The status and the title that each error is answered with."""

from http import HTTPStatus

from shared.domain.errors import (
    CannotTell,
    ComplianceError,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Permanent,
    Retryable,
)

_OF_KIND: dict[type[ComplianceError], tuple[int, str]] = {
    Invalid: (400, "The request is not valid."),
    NotAllowed: (403, "That is not allowed."),
    NotFound: (404, "There is no such thing."),
    Conflict: (409, "Something else changed it at the same time. Try again."),
    Retryable: (503, "That cannot be done just now. Try again in a minute."),
    Permanent: (500, "That went wrong. An operator was told."),
    CannotTell: (500, "That went wrong. An operator was told."),
}
_OF_STATE = (
    *("extended_already", "identity_not_open", "joined_to_wider", "lifting_announced"),
    *("meaning_known", "meaning_unknown", "no_decision_needed", "no_question_open", "not_pausable"),
    *("not_restricted", "not_stopped", "nothing_to_refuse", "plan_changed", "question_open"),
    *("request_closed", "too_late"),
)
"""Who asks may ask this, and of another request or at another time it would be done."""
_OF_CODE = {
    **dict.fromkeys(_OF_STATE, 409),
    "staff_token_missing": 401,
    "staff_token_invalid": 401,
    "staff_token_expired": 401,
    "too_many_requests": 429,
    "body_too_large": 413,
    "media_type": 415,
    "package_gone": 410,
    "system_key_wrong": 401,
    "system_key_not_configured": 501,
    "opendsr_not_configured": 501,
}


def status_of(kind: type[ComplianceError], code: str) -> int:
    """Return the status an error is answered with."""
    return _OF_CODE.get(code, _OF_KIND[kind][0])


def title_of(kind: type[ComplianceError], code: str) -> str:
    """Return what an error is called, the same for all of a kind."""
    if kind is NotAllowed and status_of(kind, code) == HTTPStatus.CONFLICT:
        return "It stands in a way that does not allow this."
    return _OF_KIND[kind][1]
