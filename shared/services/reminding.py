"""Remind staff of recipients that a person still has to tell, of cases that are answered too.

The answer goes out before everybody is told, and says that telling goes on. So that it does, a case wakes up
for what is due even when it is closed. Source: GDPR article 19.
"""

from datetime import datetime, timedelta

from shared.domain.cases import SubjectRequest
from shared.domain.recipients import NoticeState
from shared.domain.times import after, copenhagen_day, start_of
from shared.services.context import Context

NOTICES_DUE = "notices_due"


def late_at(context: Context, request: SubjectRequest) -> datetime | None:
    """Return when the oldest notice that is due has waited longer than it may; None: none is due.

    The day it became due is not counted, and the last one it may wait is over.
    """
    due = [one.at for one in request.notices if one.state is NoticeState.DUE]
    if not due:
        return None
    return start_of(copenhagen_day(min(due)) + timedelta(days=context.limits.notice_days + 1))


def next_look(context: Context, request: SubjectRequest) -> datetime | None:
    """Return when an answered request is looked at for a notice or a copy; None: there is neither.

    What is late is called to mind at once, and then once a day.
    """
    now = context.clock.now()
    late = late_at(context, request)
    if late is not None and late <= now and request.attention == NOTICES_DUE:
        late = after(now, seconds=context.limits.alarm_repeat_seconds)
    return min((at for at in (late, request.copy_ends_at) if at is not None), default=None)


async def remind(context: Context, request: SubjectRequest) -> SubjectRequest:
    """Tell operators of a notice that is late, and return the request so marked that lists find it.

    A second call tells them again; its caller sees to it that a day lies between.
    """
    late = late_at(context, request)
    if late is None or context.clock.now() < late:
        return request
    await context.operators.alarm(NOTICES_DUE, request_id=request.request_id)
    return request.with_(attention=NOTICES_DUE)


def unmarked(request: SubjectRequest) -> SubjectRequest:
    """Return the request without the mark, once nothing is due any more."""
    is_due = any(one.state is NoticeState.DUE for one in request.notices)
    return request if is_due or request.attention != NOTICES_DUE else request.with_(attention=None)
