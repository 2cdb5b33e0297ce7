"""The proof of an erasure: written once, when its letter is out, from the outcome that was saved."""

from typing import Any

from shared.domain.cases import Outcome, SubjectRequest
from shared.domain.rights import Right
from shared.domain.times import utc_text
from shared.services.context import Context


async def prove(context: Context, request: SubjectRequest) -> None:
    """Record the proof of the present right if it is an erasure. A second call finds the same proof there."""
    outcome = request.outcomes.get(request.right)
    if request.right is Right.ERASURE and outcome is not None:
        name = f"{request.request_id}/erasure-{request.phase}.json"
        await context.evidence.record(name, _proof(request, outcome))


def _proof(request: SubjectRequest, outcome: Outcome) -> dict[str, Any]:
    """Return what proves the erasure: counts, times, rules and keyed pseudonyms, nothing of the person."""
    return {
        "request_id": request.request_id,
        "right": request.right,
        "subject_keys": list(request.subject_keys),
        "map_digest": request.plan.map_digest if request.plan else None,
        "plan_digest": request.plan.digest if request.plan else None,
        "received_at": utc_text(request.received_at),
        "begun_at": utc_text(request.begun_at) if request.begun_at else None,
        "proved_at": utc_text(outcome.at),
        "looks": request.looks,
        "erased_by_store": outcome.by_store,
        "kept": [one.model_dump(mode="json") for one in outcome.kept],
    }
