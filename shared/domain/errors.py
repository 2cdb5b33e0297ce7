"""The errors of the product: one branch for each thing a caller can do about it.

ComplianceError
├── Invalid        the caller can correct it and ask again
├── NotAllowed     the caller may not do this, now or at all
├── NotFound       there is no such thing; for a delete that means done
├── Conflict       somebody else changed it first: read again, decide again
├── Retryable      a passing fault or a claim held elsewhere: let the queue deliver again
└── Permanent      repeating cannot help: mark it, tell a person
    └── CannotTell a question about somebody's data could not be answered; never read it as "no"
"""


class ComplianceError(Exception):
    """Base of all errors; `code` is stable, machine-readable and free of personal data."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Invalid(ComplianceError):
    """The input is wrong; `field` names the offending one where there is one."""

    def __init__(self, code: str, detail: str = "", *, field: str | None = None) -> None:
        super().__init__(code, detail)
        self.field = field


class NotAllowed(ComplianceError):
    """Refused: a token that does not fit, a limit reached, a state that forbids it."""

    def __init__(self, code: str, detail: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds


class NotFound(ComplianceError):
    """There is no such thing."""


class Conflict(ComplianceError):
    """A conditional write lost against another one; read again and decide again."""


class Retryable(ComplianceError):
    """A passing fault; the same call may succeed later, after `retry_after_seconds` where that was said."""

    def __init__(self, code: str, detail: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds


class Permanent(ComplianceError):
    """Repeating cannot help; a person has to look at it."""


class CannotTell(Permanent):
    """The answer is unknown, which is never the same as "nothing there" or "no hold"."""
