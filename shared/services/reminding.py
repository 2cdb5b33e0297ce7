"""Remind staff of recipients that a person has to tell, and of those that do not say what they did.

The answer goes out before everybody is told, and says that telling goes on. So that it does, a case wakes up
for what is due or unconfirmed even when it is closed. Source: GDPR article 19.
"""

from datetime import datetime, timedelta

from shared.domain.cases import SubjectRequest
from shared.domain.outcomes import Notice
from shared.domain.recipients import Instruction, NoticeState
from shared.domain.times import after, copenhagen_day, start_of
from shared.services.context import Context

NOTICES_DUE = "notices_due"
UNCONFIRMED = "notices_unconfirmed"
REMINDERS = (NOTICES_DUE, UNCONFIRMED)


def is_late_at(context: Context, notice: Notice) -> datetime | None:
    """Return when a notice has waited longer than it may; None: it waits for nobody who is called to mind.

    The day it became due is not counted, and the last one it may wait is over.
    """
    if _waits_for_staff(notice):
        return start_of(copenhagen_day(notice.at) + timedelta(days=context.limits.notice_days + 1))
    if notice.state in (NoticeState.NOTIFIED, NoticeState.ACCEPTED) and notice.chase_on is not None:
        return start_of(notice.chase_on + timedelta(days=1))
    return None


def _waits_for_staff(notice: Notice) -> bool:
    """Whether a person has to tell a recipient, or to finish there what its API cannot do.

    What is restricted there stays so until the restriction is lifted, which has a review of its own.
    """
    finish = notice.state is NoticeState.AWAITING_STAFF and notice.instruction is not Instruction.RESTRICT
    return notice.state is NoticeState.DUE or finish


def late_at(context: Context, request: SubjectRequest) -> datetime | None:
    """Return when the first notice has waited longer than it may; None: none waits."""
    return min((at for one in request.notices if (at := is_late_at(context, one)) is not None), default=None)


def next_look(context: Context, request: SubjectRequest) -> datetime | None:
    """Return when an answered request is looked at for a notice or a copy; None: there is neither.

    What is late is called to mind at once, and then once a day. A notice whose mail is not out is looked at
    before that, for whoever should have sent it may have died.
    """
    now = context.clock.now()
    late = late_at(context, request)
    is_late = late is not None and late <= now
    if is_late and request.attention in REMINDERS:
        late = after(now, seconds=context.limits.alarm_repeat_seconds)
    mailed = any(one.state is NoticeState.DUE and one.letter_id is not None for one in request.notices)
    unsent = after(now, seconds=context.limits.letter_settle_seconds) if mailed and not is_late else None
    return min((at for at in (late, unsent, request.copy_ends_at) if at is not None), default=None)


async def remind(context: Context, request: SubjectRequest) -> SubjectRequest:
    """Tell operators of a notice that is late, and return the request so marked that lists find it.

    A second call tells them again; its caller sees to it that a day lies between.
    """
    now = context.clock.now()
    late = [one for one in request.notices if (at := is_late_at(context, one)) is not None and at <= now]
    if not late:
        return request
    code = NOTICES_DUE if any(_waits_for_staff(one) for one in late) else UNCONFIRMED
    await context.operators.alarm(code, request_id=request.request_id)
    return request.with_(attention=code)


def unmarked(request: SubjectRequest) -> SubjectRequest:
    """Return the request without the mark, once nothing is waited for any more."""
    waits = any(
        _waits_for_staff(one) or (one.is_unconfirmed and one.state is not NoticeState.AWAITING_STAFF)
        for one in request.notices
    )
    return request if waits or request.attention not in REMINDERS else request.with_(attention=None)
