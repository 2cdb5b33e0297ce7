"""Transfers to third countries over time: what holds now, what held before, and the days nothing did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from shared.datamap.models import NOT_STATED, Recipient, Transfer

_FIRST_DAY = date.min
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class TransferSpan:
    """Some days of transfers to one importer. `mechanism` None: none is recorded for these days.

    `valid_from` None: since before the record begins; `valid_to` None: open end.
    """

    country: str
    importer: str
    mechanism: str | None
    valid_from: date | None
    valid_to: date | None
    evidence: str | None
    status: Literal["now", "past", "future"]


def transfer_spans(recipient: Recipient, *, today: date) -> tuple[TransferSpan, ...]:
    """Return a recipient's transfers in order of time, the days without a mechanism among them.

    Days before the first row are nobody's statement and give no gap. Empty: no transfer is recorded.
    """
    routes = dict.fromkeys((row.country, row.importer) for row in recipient.transfers)
    return tuple(
        span
        for country, importer in routes
        for span in _route(
            [row for row in recipient.transfers if (row.country, row.importer) == (country, importer)],
            today=today,
        )
    )


def _route(rows: Sequence[Transfer], *, today: date) -> list[TransferSpan]:
    stated = sorted(
        (row for row in rows if row.mechanism != NOT_STATED), key=lambda row: row.valid_from or _FIRST_DAY
    )
    spans = [
        _span(
            row,
            row.mechanism,
            row.valid_from,
            row.valid_to,
            today,
            None if row.evidence == NOT_STATED else row.evidence,
        )
        for row in stated
    ]
    next_needed = min(row.valid_from or _FIRST_DAY for row in rows)
    for row in stated:
        starts_on = row.valid_from or _FIRST_DAY
        if starts_on > next_needed and next_needed <= today:
            spans.append(_gap(row, next_needed, starts_on - _DAY, today))
        if row.valid_to is None:
            break
        next_needed = max(next_needed, row.valid_to + _DAY)
    else:
        if next_needed <= today:
            spans.append(_gap(rows[0], next_needed, None, today))
    return sorted(spans, key=lambda span: span.valid_from or _FIRST_DAY)


def _gap(row: Transfer, starts_on: date, ends_on: date | None, today: date) -> TransferSpan:
    return _span(row, None, None if starts_on == _FIRST_DAY else starts_on, ends_on, today, None)


def _span(
    row: Transfer,
    mechanism: str | None,
    valid_from: date | None,
    valid_to: date | None,
    today: date,
    evidence: str | None,
) -> TransferSpan:
    if valid_from is not None and valid_from > today:
        status: Literal["now", "past", "future"] = "future"
    else:
        status = "past" if valid_to is not None and valid_to < today else "now"
    return TransferSpan(
        country=row.country,
        importer=row.importer,
        mechanism=mechanism,
        valid_from=valid_from,
        valid_to=valid_to,
        evidence=evidence,
        status=status,
    )
