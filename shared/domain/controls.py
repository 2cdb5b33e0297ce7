"""Controls of one pseudonym: the fence that orders rights on one person, and what must not be done to it.

Whoever mails, profiles, reports, ships or erases asks here first: one point read by keyed pseudonym.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.rights import Right
from shared.domain.times import UtcTime

EXCLUSIVE = frozenset(
    {Right.ERASURE, Right.RECTIFICATION, Right.OBJECTION, Right.MARKETING_OBJECTION, Right.WITHDRAWAL}
)
UNFENCED = frozenset({Right.RESTRICTION, Right.COMPLAINT})
"""Rights that change no data: they wait for nobody."""

SWITCH_KEY = "switch-erasing"
"""The pseudonym of nobody: controls under it stop all destruction. A hold on it is the kill switch."""

RETENTION_SWITCH_KEY = "switch-retention"
"""As the switch, of scheduled deletion alone."""

RestrictionGround = Literal["accuracy", "unlawful", "claims", "objection", "unclear"]
EVERY_PURPOSE = ""
"""As the purpose of a withdrawal: all of them."""

HoldGround = Literal["policy_5_3", "law", "legal_claim"]
HELD_BY: dict[HoldGround, str] = {
    "policy_5_3": "GDPR article 17(3)",  # a hold of our policy's own ground does not say which letter
    "law": "GDPR article 17(3)(b)",
    "legal_claim": "GDPR article 17(3)(e)",
}
"""The provision each ground of a hold rests on."""


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
    ground: HoldGround
    reason: str
    placed_at: UtcTime
    placed_by: str = ""  # a member of staff, by id; empty in records of before it was noted
    review_on: date
    released_at: UtcTime | None = None
    released_by: str = ""
    release_reason: str = ""  # empty in records of before it was asked for

    def covers(self, activity_id: str) -> bool:
        """Whether the hold keeps data of this activity now."""
        return self.released_at is None and self.activity_id in (None, activity_id)


class Restriction(_Frozen):
    """A restriction of processing: the data stays and is not used, until it is lifted.

    `activity_ids` and `purpose_ids` limit it; both empty: everything. The ground `unclear` is ours: while a
    message whose meaning is asked for is open, the most protective reading holds. Source: GDPR article 18.
    """

    restriction_id: str
    ground: RestrictionGround
    activity_ids: tuple[str, ...] = ()
    purpose_ids: tuple[str, ...] = ()
    placed_at: UtcTime
    lifted_at: UtcTime | None = None

    def covers(self, activity_id: str) -> bool:
        """Whether the restriction forbids to erase data of this activity now.

        One that is limited to purposes forbids their use, not that the data goes when its time is up.
        """
        return self.lifted_at is None and (
            activity_id in self.activity_ids or not (self.activity_ids or self.purpose_ids)
        )

    def forbids(self, activity_id: str, purpose_id: str) -> bool:
        """Whether the restriction forbids to use data of this activity for this purpose now."""
        return self.covers(activity_id) or (self.lifted_at is None and purpose_id in self.purpose_ids)


class Objection(_Frozen):
    """An objection in force: against all direct marketing, or, upheld, against named activities or purposes.

    It outlives the data it was about. Source: GDPR article 21(1) to (3); policy 4.7.
    """

    objection_id: str
    kind: Literal["marketing", "general"]
    activity_ids: tuple[str, ...] = ()
    purpose_ids: tuple[str, ...] = ()
    placed_at: UtcTime
    ended_at: UtcTime | None = None  # a new opt-in, or the person's own wish

    @property
    def in_force(self) -> bool:
        """Whether it still counts."""
        return self.ended_at is None


class Consent(_Frozen):
    """A consent for one purpose, from its giving to its withdrawal. Evidence of its wording lies elsewhere.

    Source: GDPR article 7; policy 2.4.2, 4.8.
    """

    consent_id: str
    purpose_id: str
    given_at: UtcTime
    policy_version: str
    withdrawn_at: UtcTime | None = None
    basis: Literal["consent", "exception"] = "consent"  # Danish Marketing Practices Act § 10(2)


class Withdrawal(_Frozen):
    """The latest end of consent to one purpose. One to all of them is `Controls.withdrawn_at`."""

    purpose_id: str
    at: UtcTime


SuppressionReason = Literal["withdrawn", "objected", "erased"]


class Suppression(_Frozen):
    """An address that is not to be written to, after everything else about it may be gone.

    It is under a keyed pseudonym whose version is in the pseudonym, can only be compared, and is for nothing
    else. A new opt-in ends it. Source: GDPR article 21(3).
    """

    since: UtcTime
    reason: SuppressionReason
    review_on: date | None = None  # None: nobody decided when it is looked at again


class Controls(_Frozen):
    """Everything to ask about one pseudonym, in one point read."""

    subject_key: str
    claims: tuple[Claim, ...] = ()
    open_requests: tuple[OpenRequest, ...] = ()
    holds: tuple[Hold, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    objections: tuple[Objection, ...] = ()
    consents: tuple[Consent, ...] = ()
    withdrawn_at: UtcTime | None = None  # the latest withdrawal of all; a consent given after it counts
    withdrawals: tuple[Withdrawal, ...] = ()  # the latest one of single purposes
    suppression: Suppression | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether a restriction is in force."""
        return any(restriction.lifted_at is None for restriction in self.restrictions)

    def restricts(self, activity_id: str) -> bool:
        """Whether a restriction in force forbids to erase data of this activity."""
        return any(restriction.covers(activity_id) for restriction in self.restrictions)

    @property
    def stops_marketing(self) -> bool:
        """Whether an objection to direct marketing is in force."""
        return any(one.kind == "marketing" and one.in_force for one in self.objections)
