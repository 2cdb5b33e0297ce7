"""Controls of one pseudonym: the fence that orders rights on one person, holds and restrictions."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.rights import Right
from shared.domain.times import UtcTime

EXCLUSIVE = frozenset({Right.ERASURE, Right.RECTIFICATION})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Claim(_Frozen):
    """A request at work on this person. Exclusive rights bear no other beside them."""

    request_id: str
    right: Right
    since: UtcTime

    def conflicts(self, right: Right) -> bool:
        """Whether another request with `right` has to wait for this one."""
        return self.right in EXCLUSIVE or right in EXCLUSIVE


class OpenRequest(_Frozen):
    """A confirmed request that is not closed, so that a duplicate joins it."""

    request_id: str
    rights: tuple[Right, ...]


class Hold(_Frozen):
    """A legal hold: keeps an activity's data (None: all) from being erased, until it is released.

    Source: policy 5.3; GDPR article 17(3).
    """

    hold_id: str
    activity_id: str | None
    ground: Literal["policy_5_3", "law", "legal_claim"]
    reason: str
    placed_at: UtcTime
    review_on: date
    released_at: UtcTime | None = None

    def covers(self, activity_id: str) -> bool:
        """Whether the hold keeps data of this activity now."""
        return self.released_at is None and self.activity_id in (None, activity_id)


class Restriction(_Frozen):
    """A restriction of processing: the data stays and is not used. Source: GDPR article 18."""

    restriction_id: str
    ground: Literal["accuracy", "unlawful", "claims", "objection"]
    placed_at: UtcTime
    lifted_at: UtcTime | None = None


class Controls(_Frozen):
    """Everything to ask about one pseudonym, in one point read."""

    subject_key: str
    claims: tuple[Claim, ...] = ()
    open_requests: tuple[OpenRequest, ...] = ()
    holds: tuple[Hold, ...] = ()
    restrictions: tuple[Restriction, ...] = ()

    @property
    def is_restricted(self) -> bool:
        """Whether a restriction is in force."""
        return any(restriction.lifted_at is None for restriction in self.restrictions)
