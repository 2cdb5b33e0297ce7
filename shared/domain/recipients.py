"""What recipients and processors are told, and what came of it. Source: GDPR articles 17(2), 19, 28(3)."""

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
    AWAITING_STAFF = "awaiting_staff"  # done as far as its API goes; a person has to finish it there


class NoticeState(StrEnum):
    """Where telling one recipient stands."""

    DUE = "due"  # a person has to tell it
    NOTIFIED = "notified"  # by mail; what it did is not known yet
    ACCEPTED = "accepted"  # a processor took it on, does it later and sends no message then
    TOLD = "told"
    NOT_HELD = "not_held"  # it had nothing of this person
    AWAITING_STAFF = "awaiting_staff"
    IMPOSSIBLE = "impossible"  # or disproportionate; the reason is recorded
