"""What is asked: by whom, for what part of the data, with which values and questions."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.controls import RestrictionGround
from shared.domain.rights import Right
from shared.domain.standing import RequesterKind, Standing, Verdict, standing
from shared.domain.times import UtcTime


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RecordsOf(_Frozen):
    """Some records of one store: those whose value at `path` is one of `values`. Personal data."""

    store_id: str
    path: str
    values: tuple[str, ...]


class Scope(_Frozen):
    """What part of a person's data a request is about. Everything empty: all of it.

    With a `customer_id` only records of that customer's installations, and no other data of the person.
    Scheduled deletion names its `rule_ids`, and the `records` where not all of a store goes by them; then
    `is_partial` says that the person has more that stays. What a restored copy brought back has none, and
    goes only where it was `created_before` it was erased.
    """

    activity_ids: tuple[str, ...] = ()
    store_ids: tuple[str, ...] = ()
    customer_id: str | None = None
    rule_ids: tuple[str, ...] = ()
    records: tuple[RecordsOf, ...] = ()
    is_partial: bool = False
    created_before: UtcTime | None = None

    def of(self, store_id: str) -> RecordsOf | None:
        """Return which records of a store it is about; None: all."""
        return next((one for one in self.records if one.store_id == store_id), None)


class Requester(_Frozen):
    """Who asks. `mandate`: how a mandate of the person was checked, never a copy of it."""

    kind: Literal["subject", "customer", "representative", "controller"] = "subject"
    customer_id: str | None = None
    customer_name: str = ""
    mandate: str | None = None

    def standing(self, right: Right) -> Standing:
        """Return what they may have of a right. The controller acts for nobody but the law."""
        if self.kind == "controller":
            return Standing(verdict=Verdict.ALLOWED)
        return standing(RequesterKind(self.kind), right, has_mandate=bool(self.mandate))

    def refusal(self, right: Right) -> str | None:
        """Return the code of why this right is not theirs to ask for; None: it is. A person decides it."""
        found = self.standing(right)
        if found.verdict is Verdict.HINT:
            return "customer_hint"
        return found.code if found.verdict is Verdict.REFUSED else None


class Wishes(_Frozen):
    """What the person asks for, in the person's own values. Personal data, gone when the request closes.

    `corrections`: a fact of the policy's map, such as `name`, to its right value. `objects_to`: ids of
    activities or purposes; empty: everything that rests on letter f. `tell`: whom a customer's request
    concerns, so that the person is told. `about`: the person's address as a representative wrote it.
    """

    corrections: dict[str, str] = {}
    statement: str = ""
    ground: RestrictionGround | None = None
    objects_to: tuple[str, ...] = ()
    transfer_url: str | None = None
    tell: str | None = None
    about: str = ""


class Question(_Frozen):
    """A question to the person. It pauses the clock from the day it was sent to the day it was answered.

    `text` and `answer` are gone when the request closes.
    """

    number: int
    kind: Literal["identity", "clarification"]
    text: str
    asked_by: str
    created_at: UtcTime
    asked_at: UtcTime | None = None
    answered_at: UtcTime | None = None
    answer: str = ""
