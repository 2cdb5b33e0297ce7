"""What came of a right: its outcome, what was kept, what a person decided, what recipients were told."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.recipients import Instruction, NoticeState
from shared.domain.rights import Right
from shared.domain.times import UtcTime


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KeptRecords(BaseModel):
    """Records of a store that an erasure left, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    store_id: str
    reason: str  # `keep` with the map's words, `hold` or `copy_awaits_download`
    provision: str
    until: date | None
    records: int


def summed(kept: Iterable[KeptRecords]) -> tuple[KeptRecords, ...]:
    """Return the same with records of one store, reason and day counted together, in the order given."""
    counts: Counter[KeptRecords] = Counter()
    for one in kept:
        counts[one.model_copy(update={"records": 0})] += one.records
    return tuple(one.model_copy(update={"records": records}) for one, records in counts.items())


Result = Literal[
    "answered",
    "nothing_held",
    "erased",
    "erased_with_retention",
    "rectified",
    "restricted",
    "transferred",
    "objection_upheld",
    "marketing_stopped",
    "withdrawn",
    "informed",
    "refused",
    "split",
]


class Outcome(_Frozen):
    """What one right of a request came to."""

    result: Result
    at: UtcTime
    records: int = 0  # collected, erased, or corrected
    by_store: dict[str, int] = {}
    kept: tuple[KeptRecords, ...] = ()  # what an erasure or a correction left as it is
    facts: tuple[str, ...] = ()  # names of the facts that were corrected, not their values
    noted: tuple[str, ...] = ()  # stores to which a correction note was attached
    transfer_problem: str | None = None  # why a transfer that was asked for was given up
    not_covered: tuple[str, ...] = ()  # activities with data that portability does not cover


class Decision(_Frozen):
    """What a person decided about one right, with the reason and the provision the letter names."""

    right: Right
    result: Literal["approved", "refused", "upheld"]
    decided_by: str
    decided_at: UtcTime
    reason: str
    provision: str
    hint: str = ""  # what would allow to find the person's data; articles 11(2), 12(2)
    plan_digest: str | None = None


class Notice(_Frozen):
    """What a recipient was told of an erasure, a correction or a restriction. Source: GDPR article 19.

    `awaiting_staff` and `due` are open. `why`: why telling is impossible, or what stopped it. `at`: when it
    came into this state. What nobody confirmed by the end of `chase_on` is called to mind.
    """

    recipient_id: str
    right: Right
    instruction: Instruction
    state: NoticeState
    at: UtcTime
    by: str | None = None  # the member of staff who did or decided it; None: the app
    why: str = ""
    letter_id: str | None = None  # the mail that tells it; None: a person or a machine does
    asked_at: UtcTime | None = None  # when it was told or instructed; None: it was not, or nobody noted it
    chase_on: date | None = None
    receipt_at: UtcTime | None = None  # when it received the instruction, by its own clock

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in (NoticeState.DUE, NoticeState.AWAITING_STAFF)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether nobody knows yet what the recipient did."""
        return self.is_open or self.state in (NoticeState.NOTIFIED, NoticeState.ACCEPTED)
