"""The proof of an erasure: written once, when its letter is out, from the outcome that was saved."""

from typing import Any

from shared.domain.cases import SubjectRequest
from shared.domain.outcomes import Outcome
from shared.domain.rights import Right
from shared.domain.times import utc_text
from shared.services import marking
from shared.services.context import Context

ERASING = frozenset({Right.ERASURE, Right.OBJECTION, Right.WITHDRAWAL, Right.MARKETING_OBJECTION})


async def prove(context: Context, request: SubjectRequest) -> None:
    """Record the proof of the present right if it erased. A second call finds the same proof there.

    A request that is taken up again after a hold has a proof of its own for each life.
    """
    outcome = request.outcomes.get(request.right)
    if request.right in ERASING and outcome is not None and outcome.result != "refused":
        life = f"-{request.revivals}" if request.revivals else ""
        name = f"{request.request_id}/{request.right}-{request.phase}{life}.json"
        await context.evidence.record(name, _proof(context, request, outcome))


def _proof(context: Context, request: SubjectRequest, outcome: Outcome) -> dict[str, Any]:
    """Return what proves the erasure: counts, times, rules and keyed pseudonyms, nothing of the person."""
    return {
        "request_id": request.request_id,
        "right": request.right,
        "channel": request.channel,
        "scope": request.scope.model_dump(mode="json", exclude={"records"}),
        "subject_keys": list(marking.marked_keys(context, request, request.subject_keys)),
        "map_digest": request.plan.map_digest if request.plan else None,
        "plan_digest": request.plan.digest if request.plan else None,
        "received_at": utc_text(request.received_at),
        "begun_at": utc_text(request.begun_at) if request.begun_at else None,
        "proved_at": utc_text(outcome.at),
        "looks": request.looks,
        "erased_by_store": outcome.by_store,
        "kept": [one.model_dump(mode="json") for one in outcome.kept],
    }
