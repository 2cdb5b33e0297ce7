"""How newsletters stand with their processor, for staff: the last comparison, the webhooks, what waits.

No address is among it: staff find a person by pseudonym with the look-up of cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.messages import (
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_MAIL_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    RECONCILIATION_QUEUE,
)
from shared.domain.newsletter_changes import NewsletterChange
from shared.domain.reconciliations import Reconciliation, Watch
from shared.domain.webhook_bodies import Receipt
from shared.services.context import Context

MOST_SHOWN = 100

_QUEUES = (
    NEWSLETTER_MAIL_QUEUE,
    NEWSLETTER_CHANGE_QUEUE,
    NEWSLETTER_WEBHOOK_QUEUE,
    RECONCILIATION_QUEUE,
)


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What staff see. `run` and `watch` None: there was none yet.

    `changes` and `bodies` wait for staff, the first `MOST_SHOWN` of each. `dead_letters`: messages kept in
    quarantine by queue, as far as one page shows.
    """

    run: Reconciliation | None
    watch: Watch | None
    changes: Sequence[NewsletterChange]
    bodies: Sequence[Receipt]
    dead_letters: dict[str, int]


async def overview(context: Context) -> Overview:
    """Return how it stands now; it asks the processor nothing.

    Raises:
        Retryable: a store did not answer; ask again.
    """
    runs = await context.reconciliations.latest(limit=1)
    waiting = await context.newsletter_changes.waiting_for_staff(limit=MOST_SHOWN)
    dead: dict[str, int] = {}
    for queue in (
        NEWSLETTER_MAIL_QUEUE,
        NEWSLETTER_CHANGE_QUEUE,
        NEWSLETTER_WEBHOOK_QUEUE,
        RECONCILIATION_QUEUE,
    ):
        names, _ = await context.quarantine.page(f"{queue}/", cursor=None)
        dead[queue] = len(names)
    return Overview(
        run=runs[0].run if runs else None,
        watch=await context.reconciliations.watched(),
        changes=[one.change for one in waiting],
        bodies=await context.webhooks.to_look_at(limit=MOST_SHOWN),
        dead_letters=dead,
    )
