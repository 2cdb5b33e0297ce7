"""Leave newsletters: from this moment nothing may be sent, and everything else follows.

Source: GDPR articles 7(3), 21(3); policy 4.8, 5.2.
"""

from collections.abc import Collection
from datetime import datetime

from shared.domain.consent_ledger import Channel
from shared.domain.newsletter_changes import NO_LIST, Leaving
from shared.services import newsletter_changes
from shared.services.context import Context
from shared.services.ending import end_here


async def leave(
    context: Context, email: str, purpose_ids: Collection[str], *, at: datetime, channel: Channel
) -> None:
    """End what an address consented to, for some purposes. A second call does what the first left.

    That somebody leaves is saved first, so that whoever dies leaves it to the queue. Then the gate is
    closed, the sign-ups are ended, and the processor is brought in line. A sign-up's record and what proves
    the consent go with the next scheduled deletion, which asks for holds. What was given after `at` stays.

    Raises:
        Conflict, Retryable: leave again with the same `at`.
    """
    wanted = set(purpose_ids)
    leaving = Leaving(purpose_ids=tuple(sorted(wanted)), at=at, channel=channel)
    lists = [one.list_id for one in context.newsletters.lists if not wanted.isdisjoint(one.purpose_ids)]
    messages = await newsletter_changes.save(context, email, lists or [NO_LIST], leaving=leaving)
    await end_here(context, email, leaving)
    await context.queue.send(messages)
