"""The scorecard of recipients as staff see it."""

from datetime import datetime
from typing import Literal

from functions._bodies import Shown
from shared.services.scoring import RecipientScore, Scorecard, ToldBy


class RecipientLine(Shown):
    """How one recipient answers what it is told; numbers of notices, nothing of any person.

    `told_by`: whether a machine, a mail or staff tell it. `has_contract`: whether the data map has a
    reference to one; without it nothing new is handed to a processor. `to_tell`: still to be told.
    `unconfirmed`: told, and not known what it did. `overdue`: of both, what waits for too long.
    `median_days`: until it confirmed.
    """

    recipient_id: str
    name: str
    kind: Literal["processor", "controller", "customer", "not_stated"]
    told_by: ToldBy
    has_contract: bool
    is_in_map: bool
    asked: int
    confirmed: int
    impossible: int
    to_tell: int
    unconfirmed: int
    overdue: int
    median_days: float | None

    @classmethod
    def of(cls, found: RecipientScore) -> "RecipientLine":
        """Return what a line shows."""
        return cls.model_validate(
            {
                "name": found.name,
                "kind": found.kind,
                "told_by": found.told_by,
                "has_contract": found.has_contract,
                "is_in_map": found.is_known,
                **vars(found.score),
            }
        )


class RecipientsAnswer(Shown):
    """Every recipient. `since`: cases closed before are not counted. `is_complete` false: nor are others."""

    recipients: tuple[RecipientLine, ...]
    since: datetime
    is_complete: bool

    @classmethod
    def of(cls, found: Scorecard) -> "RecipientsAnswer":
        """Return the scorecard as it is shown."""
        lines = tuple(RecipientLine.of(one) for one in found.recipients)
        return cls(recipients=lines, since=found.since, is_complete=found.is_complete)
