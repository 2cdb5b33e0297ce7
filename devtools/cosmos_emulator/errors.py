"""The one error type that turns into an error reply of the service."""

from typing import Final

CODES: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    424: "FailedDependency",
    429: "TooManyRequests",
    449: "RetryWith",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}

NOT_SERVABLE: Final = 1004
"""Sub-status that makes an SDK ask for a query plan."""

PARTITION_KEY_MISMATCH: Final = 1001
SESSION_NOT_AVAILABLE: Final = 1002
PARENT_NOT_FOUND: Final = 1003
CONTAINER_RECREATED: Final = 1024
CONDITION_FALSE: Final = 1110
RATE_LIMITED: Final = 3200


class ServiceError(Exception):
    """Answer a request with an error status.

    Args:
        status: HTTP status, 4xx or 5xx (304 never comes this way).
        message: text for a developer; names what was wrong.
        sub_status: value of `x-ms-substatus`; 0 means none.
        charge: request units to report, because failed requests cost too.
        retry_after_ms: value of `x-ms-retry-after-ms`; None means the header is left out.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        sub_status: int = 0,
        charge: float = 1.0,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.sub_status = sub_status
        self.charge = charge
        self.retry_after_ms = retry_after_ms

    @property
    def code(self) -> str:
        return CODES.get(self.status, "Error")


def bad_request(message: str, *, sub_status: int = 0) -> ServiceError:
    """Build the 400 that says what was not understood or not allowed."""
    return ServiceError(400, message, sub_status=sub_status)
