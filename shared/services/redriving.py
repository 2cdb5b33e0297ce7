"""Messages that failed for good are taken up again, after their cause was removed."""

import base64
import binascii
from dataclasses import dataclass
from typing import cast

from shared.domain.errors import CannotTell, NotFound, Permanent
from shared.domain.messages import (
    NEWSLETTER_CHANGE_QUEUE,
    QUEUE_OF,
    Message,
    RequestMessage,
    decode,
)
from shared.ports.cases import Write
from shared.services import newsletter_changes
from shared.services.attention import retry_all
from shared.services.context import Context

_KIND_OF = {queue: kind for kind, queue in QUEUE_OF.items()}


@dataclass(frozen=True, kw_only=True)
class Redriven:
    """What came of it: cases taken up, kept messages sent again, and kept ones that are still of no use."""

    cases: int
    messages: int
    left: int


async def redrive(context: Context, queue: str, *, decided_by: str) -> Redriven:
    """Take up every case that stopped because a message of this queue failed, and send kept messages again.

    A kept message is sent when it can be read now and its case is known; else it stays. A second call finds
    what is left.

    Raises:
        NotFound: `queue_unknown`.
    """
    if queue not in _KIND_OF:
        raise NotFound("queue_unknown")
    if queue == NEWSLETTER_CHANGE_QUEUE:
        cases = await newsletter_changes.retry_all(context)
    else:
        cases = await retry_all(context, f"{queue.removeprefix('request-')}_poisoned", decided_by=decided_by)
    sent = left = 0
    cursor: str | None = None
    while True:
        names, cursor = await context.quarantine.page(f"{queue}/", cursor=cursor)
        for name in names:
            if await _send_again(context, queue, name, decided_by):
                sent += 1
            else:
                left += 1
        if cursor is None:
            return Redriven(cases=cases, messages=sent, left=left)


async def _send_again(context: Context, queue: str, name: str, decided_by: str) -> bool:
    try:
        message = await _kept(context, queue, name)
        if not isinstance(message, RequestMessage):
            await context.queue.send([message])
            await context.quarantine.remove(name)
            return True
        case = await context.cases.load(message.request_id)
    except (NotFound, Permanent):
        return False
    noted, event = case.request.noted(context.clock.now(), "redriven", queue=queue, decided_by=decided_by)
    await context.cases.commit(
        message.request_id,
        [Write(document=noted, etag=case.etags[noted.id]), Write(document=event, etag=None)],
    )
    await context.queue.send([message])
    # Removed last: sent twice does no harm, not at all would.
    await context.quarantine.remove(name)
    return True


async def _kept(context: Context, queue: str, name: str) -> Message:
    found = await context.quarantine.read(name)
    try:
        body = base64.b64decode(found["body_base64"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise CannotTell("quarantine_unreadable") from None
    return cast("Message", decode(_KIND_OF[queue], body))  # the table holds these and no others
