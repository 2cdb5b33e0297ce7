"""Leave newsletters: from this moment nothing may be sent, and everything else follows.

Source: GDPR articles 7(3), 21(3); policy 4.8, 5.2.
"""

from collections.abc import Collection
from datetime import datetime

from shared.domain.consent_ledger import Channel
from shared.domain.identifiers import EMAIL
from shared.services import consent_ledger, newsletter_changes, sign_ups
from shared.services.context import Context


async def leave(
    context: Context, email: str, purpose_ids: Collection[str], *, at: datetime, channel: Channel
) -> None:
    """End what an address consented to, for some purposes. A second call does what the first left.

    The gate is closed first. Then the sign-ups are ended, and the processor is brought in line; a sign-up's
    record and what proves the consent go with the next scheduled deletion, which asks for holds. What was
    given after `at` stays.

    Raises:
        Conflict, Retryable: leave again with the same `at`.
    """
    key = context.keys.subject_key(EMAIL, email)
    now = context.clock.now()
    for purpose_id in purpose_ids:
        event = consent_ledger.withdrawal_event(key, purpose_id, at=at, noted_at=now, channel=channel)
        await consent_ledger.note(context, event)
    await sign_ups.end(context, email, purpose_ids, at=at)
    lists = [
        one.list_id for one in context.newsletters.lists if not set(purpose_ids).isdisjoint(one.purpose_ids)
    ]
    await newsletter_changes.ask_for(context, email, lists)
