"""The links a letter may carry: the request's id and signed tokens, nothing else."""

from datetime import datetime

from shared.domain import tokens
from shared.domain.cases import SubjectRequest
from shared.domain.times import after
from shared.services.context import Context

VERIFY, CANCEL, PACKAGE, ANSWER = "verify", "cancel", "package", "answer"
PORTABLE = "portable"  # what is taken along, where a copy has the link of its own
_CANCEL_DAYS = 120  # longer than any request stays open


def check_link(context: Context, request_id: str, token: object, *, purpose: str) -> None:
    """Return when the token of a mailed link is ours, for this purpose and request, and not too old.

    It reads no case: whether there is one, nobody learns without a link of ours.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
    """
    tokens.check(context.keys, token, purpose=purpose, request_id=request_id, now=context.clock.now())


def verification_ends(context: Context, request: SubjectRequest) -> datetime:
    """Return the last moment the address can be confirmed."""
    return after(request.filed_at or request.received_at, days=context.limits.verification_days)


def answer_ends(context: Context, request: SubjectRequest) -> datetime:
    """Return the last moment a question can be answered by its link."""
    written = max((one.created_at for one in request.questions), default=request.received_at)
    return after(written, days=context.limits.answer_days)


def links(context: Context, request: SubjectRequest) -> dict[str, str]:
    """Return the links a letter of this request may carry, by name. The same request gives the same links."""
    base = f"{context.public_url}/requests/{request.request_id}"

    def link(purpose: str, path: str, expires_at: datetime) -> str:
        token = tokens.issue(
            context.keys, purpose=purpose, request_id=request.request_id, expires_at=expires_at
        )
        return f"{base}/{path}?token={token}"

    made = {
        "status": base,
        VERIFY: link(VERIFY, "verification", verification_ends(context, request)),
        CANCEL: link(CANCEL, "cancellation", after(request.received_at, days=_CANCEL_DAYS)),
    }
    package = request.copies.get(request.copy_id)
    if package is not None and package.deleted_at is None:
        purpose = PACKAGE if request.copy_id == request.request_id else PORTABLE
        made[PACKAGE] = link(purpose, "package", package.expires_at)
    if any(one.answered_at is None for one in request.questions):
        made[ANSWER] = link(ANSWER, "answer", answer_ends(context, request))
    return made
