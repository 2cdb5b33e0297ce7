"""What recipients and processors are told, and what came of it. Source: GDPR articles 17(2), 19, 28(3)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Instruction(StrEnum):
    """What a recipient is told to do."""

    UNSUBSCRIBE = "unsubscribe"  # consent was withdrawn
    SUPPRESS = "suppress"  # no marketing to this person any more
    ERASE = "erase"
    CORRECT = "correct"
    RESTRICT = "restrict"


class Confirmation(StrEnum):
    """What a processor answers to an instruction."""

    NOT_HELD = "not_held"
    DONE = "done"
    ACCEPTED = "accepted"  # it took the instruction on, does it later and sends no message then
    AWAITING_STAFF = "awaiting_staff"  # done as far as its API goes; a person has to finish it there


NO_IDENTIFIER = "no_identifier_held"
"""Why nothing is held there: we hold nothing by which it could find the person. A valid end."""

NOT_POSSIBLE = "not_possible_by_machine"
"""Why staff have to do it: its API knows no such call."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a processor answered. `receipt_at`: when it received the instruction, by its own clock.

    `gone_by`: the day by which what it accepted is to be done. `why`: a code of ours; empty: all is said.
    """

    confirmation: Confirmation
    why: str = ""
    receipt_at: datetime | None = None
    gone_by: date | None = None


class NoticeState(StrEnum):
    """Where telling one recipient stands."""

    DUE = "due"  # a person has to tell it
    NOTIFIED = "notified"  # by mail; what it did is not known yet
    ACCEPTED = "accepted"  # a processor took it on, does it later and sends no message then
    TOLD = "told"
    NOT_HELD = "not_held"  # it had nothing of this person
    AWAITING_STAFF = "awaiting_staff"
    IMPOSSIBLE = "impossible"  # or disproportionate; the reason is recorded
