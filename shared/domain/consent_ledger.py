"""What the ledger of consents says: one event each time somebody gave or ended one, never changed after.

Events come late, twice and in any order; what stands follows from when they happened, not from when they
came.
Source: GDPR article 7(1), 7(3), 21(3); policy 2.3.1, 2.4.2, 4.7.1, 4.8; Danish Marketing Practices Act § 10.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.consent import left, opted_in
from shared.domain.controls import EVERY_PURPOSE, Consent, Controls
from shared.domain.times import UtcTime


class EventKind(StrEnum):
    """What happened. Sign-ups that nobody confirmed yet count for nothing."""

    ASKED = "asked"  # somebody typed the address; a link was mailed to it
    GIVEN = "given"
    EXCEPTED = "excepted"  # § 10(2): the address came with a sale, and could be refused then and in each mail
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"  # to direct marketing
    UNREACHABLE = "unreachable"  # it bounced, or the processor took it off: no word of the person


Channel = Literal["form", "system", "processor", "reconciliation", "request", "staff", "import"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Evidence(_Frozen):
    """What shows that a consent was given, and to which words. Empty where it was not recorded.

    `box_before`: how the box stood before the person ticked it; anything but `empty` is no consent.
    `sold_on` and `refusal_offered` are those of the exception. No network address is kept.
    """

    policy_version: str = ""
    wording_version: str = ""
    wording_sha256: str = ""
    form_version: str = ""
    box_before: Literal["empty", ""] = ""
    asked_at: UtcTime | None = None  # the sign-up that a mail asked to confirm
    confirmed_at: UtcTime | None = None
    list_id: str = ""
    sale_reference: str = ""
    refusal_offered: bool | None = None


class ConsentEvent(_Frozen):
    """One event about one pseudonym. The same event has the same `event_id`, whoever notes it."""

    event_id: str = Field(min_length=1, max_length=200)
    subject_key: str
    purpose_id: str  # EVERY_PURPOSE for an end of all
    kind: EventKind
    at: UtcTime  # when it happened, as far as anybody knows
    noted_at: UtcTime
    channel: Channel
    evidence: Evidence = Evidence()

    @property
    def ends(self) -> bool:
        """Whether it closes the gate."""
        return self.kind in {EventKind.WITHDRAWN, EventKind.OBJECTED}

    @property
    def begins(self) -> bool:
        """Whether it opens the gate for its purpose."""
        return self.kind in {EventKind.GIVEN, EventKind.EXCEPTED}


def applied(controls: Controls, event: ConsentEvent) -> Controls:
    """Return the controls with an event counted in; the order in which events are counted in is no matter.

    A beginning counts if nothing ended it at that moment or since. A withdrawal ends what was given up to its
    moment, for its purpose or for all. An objection to marketing is a mark of its own, which a later
    beginning overtakes for one purpose.
    """
    if event.begins:
        return opted_in(controls, _consent(event), now=event.noted_at)
    if event.kind is EventKind.WITHDRAWN:
        return left(controls, event.purpose_id, event.at, reason="withdrawn")
    return controls


def _consent(event: ConsentEvent) -> Consent:
    return Consent(
        consent_id=event.event_id,
        purpose_id=event.purpose_id,
        given_at=event.at,
        policy_version=event.evidence.policy_version,
        basis="exception" if event.kind is EventKind.EXCEPTED else "consent",
    )


class Standing(_Frozen):
    """What the ledger says of one purpose. `since` None: nothing was ever given."""

    in_force: bool
    since: UtcTime | None = None
    ended_at: UtcTime | None = None
    event_id: str = ""


def present_state(events: Iterable[ConsentEvent], purpose_id: str) -> Standing:
    """Return what stands for a purpose by events alone, in whatever order they are handed in.

    It is the slow way round: the gate asks the controls. Both say the same, which tests hold them to.
    """
    known = [one for one in events if one.purpose_id in (purpose_id, EVERY_PURPOSE)]
    ended_at = max((one.at for one in known if one.ends), default=None)
    begun = [
        one
        for one in known
        if one.begins
        and (ended_at is None or (one.at > ended_at and one.kind is not EventKind.EXCEPTED))  # § 10(2)
    ]
    if begun:
        first = min(begun, key=lambda one: (one.at, one.event_id))
        return Standing(in_force=True, since=first.at, event_id=first.event_id)
    last = max((one for one in known if one.begins), key=lambda one: (one.at, one.event_id), default=None)
    if last is None:
        return Standing(in_force=False, ended_at=ended_at)
    return Standing(in_force=False, since=last.at, ended_at=ended_at, event_id=last.event_id)
