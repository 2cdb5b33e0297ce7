"""Correction notes: what the person says is wrong where facts of use are not rewritten.

A note is a row of our own beside the record it is about, shown in the person's copy, gone with an erasure.
Source: GDPR article 16; policy 4.3.
"""

from collections.abc import Sequence

from shared.domain.cases import SubjectRequest
from shared.domain.times import utc_text
from shared.services.context import Context
from shared.services.drafting import in_scope

NOTES = "correction_notes"  # the store of the notes themselves, for one that is about no other


async def attach(context: Context, request: SubjectRequest, store_ids: Sequence[str]) -> tuple[str, ...]:
    """Write the note of this request, once, and return the stores it is about. Empty: there is none.

    It holds the person's statement and, for stores that keep a wrong fact by duty, the right values.
    """
    wishes = request.wishes
    stores = [*store_ids]
    if wishes.statement:
        stores += [
            store.id
            for activity, store in in_scope(context, request)
            if activity.id in wishes.objects_to and store.id not in stores
        ]
    if not wishes.statement and not store_ids:
        return ()
    await context.own_records.put(
        "notes",
        {
            "id": f"note-{request.request_id}",
            "subject_key": request.subject_keys[0],
            "request_id": request.request_id,
            "stores": stores,
            "statement": wishes.statement,
            "corrections": dict(wishes.corrections) if store_ids else {},
            "by": request.requester.kind,
            "noted_at": utc_text(request.received_at),
        },
    )
    return tuple(stores) or (NOTES,)
