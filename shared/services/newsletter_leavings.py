"""Remember for some days that somebody was seen to be gone from a list, by the processor's own time.

Its times carry no zone, so whoever leaves and signs up here within hours may be taken for somebody who signed
up and left. Source: GDPR article 7(3); policy 4.8, 5.2.
"""

from shared.domain.newsletter_leavings import Seen, tells_one_leaving
from shared.services.context import Context


async def note_gone(context: Context, subject_key: str, list_id: str, changed: str) -> None:
    """Note that the processor shows somebody as gone from a list, while nothing is consented to.

    Whoever signs up after that is then known to have left before it, however near the times of both are.
    `changed`: when they went, as the processor writes it; what tells no leaving from another, and a list that
    is none of ours, is not noted. A second call for one leaving keeps what the first one noted.

    Raises:
        Retryable: it may not have been noted; note it again.
    """
    mailing_list = context.newsletters.lists.find(list_id)
    if mailing_list is None or not tells_one_leaving(changed, mailing_list.time_zone):
        return
    known = await context.newsletter_leavings.read(subject_key, mailing_list.list_id)
    if known is not None and known.changed == changed:
        return
    now = context.clock.now()
    seen = Seen(list_id=mailing_list.list_id, subject_key=subject_key, changed=changed, seen_at=now)
    await context.newsletter_leavings.write(seen)
