"""The scorecard of recipients: who was told, who confirmed and how fast, and who is overdue.

Source: GDPR articles 19, 28(3)(h).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.datamap.models import NOT_STATED, Recipient
from shared.domain.outcomes import Notice
from shared.domain.recipients import NoticeState
from shared.domain.request_states import FINAL, RequestState
from shared.domain.scorecard import Score, scored
from shared.domain.times import copenhagen_day, start_of
from shared.ports.cases import CaseRow
from shared.services.context import Context
from shared.services.overview import every_row
from shared.services.reminding import is_late_at

SCORED_DAYS = 365
ToldBy = Literal["machine", "mail", "staff"]


@dataclass(frozen=True, kw_only=True)
class RecipientScore:
    """A recipient of the map, or one only the ledger knows (`is_known` false), and how it answers."""

    score: Score
    name: str
    kind: str
    told_by: ToldBy
    has_contract: bool
    is_known: bool


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """Every recipient in the order of the map. `is_complete` false: there were more cases than were read."""

    recipients: tuple[RecipientScore, ...]
    since: datetime
    is_complete: bool


async def scorecard(context: Context) -> Scorecard:
    """Return how recipients answered in open cases and in those closed in the last year."""
    now = context.clock.now()
    since = now - timedelta(days=SCORED_DAYS)
    going_on = tuple(state for state in RequestState if state not in FINAL)
    open_rows, all_open = await every_row(context, states=going_on)
    closed_rows, all_closed = await every_row(context, states=tuple(FINAL), closed_since=since)
    notices = _by_recipient([*open_rows, *closed_rows])
    known = {one.id: one for one in context.datamap.recipients}
    return Scorecard(
        recipients=tuple(
            _scored(context, name, known.get(name), notices.get(name, []), now)
            for name in dict.fromkeys((*known, *sorted(notices)))
        ),
        since=since,
        is_complete=all_open and all_closed,
    )


def _by_recipient(rows: list[CaseRow]) -> dict[str, list[Notice]]:
    found: dict[str, list[Notice]] = {}
    for row in {row.request_id: row for row in rows}.values():  # one that closed meanwhile is read twice
        for notice in row.notices:
            found.setdefault(notice.recipient_id, []).append(notice)
    return found


def _scored(
    context: Context, name: str, recipient: Recipient | None, notices: list[Notice], now: datetime
) -> RecipientScore:
    told_by: ToldBy = "staff"
    if name in context.processors.connected():
        told_by = "machine"
    elif recipient is not None and recipient.kind != "processor" and recipient.contact != NOT_STATED:
        told_by = "mail"
    return RecipientScore(
        score=scored(name, notices, is_overdue=lambda one: _is_overdue(context, one, now)),
        name=recipient.name if recipient else name,
        kind=recipient.kind if recipient else NOT_STATED,
        told_by=told_by,
        has_contract=recipient is not None and recipient.contract_ref != NOT_STATED,
        is_known=recipient is not None,
    )


def _is_overdue(context: Context, notice: Notice, now: datetime) -> bool:
    """Whether a notice waits for longer than it may; what staff finish may wait as what they have to tell."""
    late = is_late_at(context, notice)
    if notice.state is NoticeState.AWAITING_STAFF:
        late = start_of(copenhagen_day(notice.at) + timedelta(days=context.limits.notice_days + 1))
    return late is not None and late <= now
