"""Delete documents of a case that have done their service, however many there are."""

from collections.abc import Sequence

from shared.domain.errors import Conflict
from shared.services.context import Context

_IN_BATCH = 90  # a batch takes 100


async def forget(context: Context, request_id: str, document_ids: Sequence[str]) -> None:
    """Delete documents of one case, batch by batch. Those a twin of this message has deleted are gone."""
    for start in range(0, len(document_ids), _IN_BATCH):
        try:
            await context.cases.commit(request_id, [], deletes=document_ids[start : start + _IN_BATCH])
        except Conflict:
            continue  # a twin was here; what it left is found by the next look at the request
