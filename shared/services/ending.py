"""End here what somebody consented to: the gate first, then the records of the sign-up.

Source: GDPR article 7(3); policy 4.8, 5.2.
"""

from shared.domain.consent_ledger import Channel
from shared.domain.identifiers import EMAIL
from shared.domain.newsletter_changes import Leaving
from shared.services import consent_ledger, sign_ups
from shared.services.context import Context

FOUND: frozenset[Channel] = frozenset({"processor", "reconciliation"})
"""Where an end is found by a look at the processor, and is no word that the person said to us."""


async def end_here(context: Context, email: str, leaving: Leaving) -> None:
    """Close the gate for some purposes and end their sign-ups. A second call changes nothing.

    What was given after `leaving.at` stays.

    Raises:
        Conflict, Retryable: do it again.
    """
    key = context.keys.subject_key(EMAIL, email)
    now = context.clock.now()
    for purpose_id in leaving.purpose_ids:
        if leaving.channel in FOUND:
            await consent_ledger.note_left(context, key, purpose_id, at=leaving.at, channel=leaving.channel)
            continue
        event = consent_ledger.withdrawal_event(
            key, purpose_id, at=leaving.at, noted_at=now, channel=leaving.channel
        )
        await consent_ledger.note(context, event)
    await sign_ups.end(context, email, leaving.purpose_ids, at=leaving.at)
