"""When a consent counts, and what a new opt-in leaves behind. Pure."""

from datetime import datetime

from shared.domain.controls import (
    EVERY_PURPOSE,
    Consent,
    Controls,
    Suppression,
    SuppressionReason,
    Withdrawal,
)


def consent_in_force(controls: Controls, purpose_id: str, *, now: datetime) -> Consent | None:
    """Return the newest consent to exactly this purpose that counts at `now`; None: there is none.

    One counts that was given after the latest withdrawal and after every objection to marketing in force:
    to sign up anew says more than an older no, and says it for this one purpose. The objection goes on for
    all others. A purchase is no word on mail: whoever ever refused a purpose is not mailed for it by the
    exception for customers, however new the purchase.
    Source: GDPR articles 4(11), 7(3), 21(3); Danish Marketing Practices Act § 10(2); policy 4.7.1, 4.8.
    """
    counting = [
        one
        for one in controls.consents
        if one.purpose_id == purpose_id
        and one.withdrawn_at is None
        and one.given_at <= now
        and _is_latest_word(controls, purpose_id, one.given_at)
        and not (one.basis == "exception" and _ever_refused(controls, purpose_id))
    ]
    return max(counting, key=lambda one: one.given_at, default=None)


def opted_in(controls: Controls, consent: Consent, *, now: datetime) -> Controls:
    """Return the controls with a consent noted, or as they were where it adds nothing.

    It adds nothing when it was noted before, or when a later withdrawal or objection overtook it. Of several
    to the same purpose and text that count, the first and the last are kept: the first says since when, the
    last which withdrawal came before it, even one that is told later. An ended consent stays as the record it
    is; a new opt-in is a new record. Source: GDPR article 7(1); policy 5.2.
    """
    if any(one.consent_id == consent.consent_id for one in controls.consents):
        return controls
    if not _is_latest_word(controls, consent.purpose_id, consent.given_at):
        return controls
    same = [one for one in controls.consents if _says_the_same(one, consent) and one.given_at <= now]
    between = sorted((*same, consent), key=lambda one: one.given_at)[1:-1]
    if consent in between:
        return controls
    kept = tuple(one for one in controls.consents if one not in between)
    listed = controls.suppression if consent.basis == "exception" else None
    return controls.model_copy(update={"consents": (*kept, consent), "suppression": listed})


def ended_for(controls: Controls, purpose_id: str, at: datetime) -> Controls:
    """Return the controls with every consent to a purpose ended that was given up to then; later ones stay.

    `purpose_id` `EVERY_PURPOSE`: of all. Saying it again, or late, changes nothing that came after it.
    Source: GDPR article 7(3).
    """
    reached = (
        one.model_copy(update={"withdrawn_at": at})
        if one.withdrawn_at is None and one.given_at <= at and purpose_id in (EVERY_PURPOSE, one.purpose_id)
        else one
        for one in controls.consents
    )
    if purpose_id == EVERY_PURPOSE:
        latest: dict[str, object] = {"withdrawn_at": max(at, controls.withdrawn_at or at)}
    else:
        known = {one.purpose_id: one.at for one in controls.withdrawals}
        known[purpose_id] = max(at, known.get(purpose_id, at))
        ends = tuple(Withdrawal(purpose_id=one, at=known[one]) for one in sorted(known))
        latest = {"withdrawals": ends}
    return controls.model_copy(update={"consents": tuple(reached), **latest})


def last_end(controls: Controls, purpose_id: str) -> datetime | None:
    """Return when a purpose was last withdrawn from, by itself or with all. None: never."""
    ends = [one.at for one in controls.withdrawals if one.purpose_id == purpose_id]
    return max(ends if controls.withdrawn_at is None else [*ends, controls.withdrawn_at], default=None)


def begun_between(controls: Controls, purpose_id: str, start: datetime, end: datetime) -> bool:
    """Whether a consent that counts was given to a purpose after `start` and up to `end`."""
    return any(
        one.purpose_id == purpose_id and one.withdrawn_at is None and start < one.given_at <= end
        for one in controls.consents
    )


def is_given_before(controls: Controls, consent: Consent) -> bool:
    """Whether an older consent to the same purpose counts as well."""
    return any(
        one.purpose_id == consent.purpose_id
        and one.withdrawn_at is None
        and one.given_at < consent.given_at
        and _is_latest_word(controls, one.purpose_id, one.given_at)
        for one in controls.consents
    )


def listed(controls: Controls, *, at: datetime, reason: SuppressionReason) -> Controls:
    """Return the controls with the address on the list of those not to write to; the first entry stays.

    A consent that was given after `at` is the later word, and nothing is put on the list.
    """
    later = any(one.withdrawn_at is None and one.given_at > at for one in controls.consents)
    if controls.suppression is not None or later:
        return controls
    return controls.model_copy(update={"suppression": Suppression(since=at, reason=reason)})


def left(controls: Controls, purpose_id: str, at: datetime, *, reason: SuppressionReason) -> Controls:
    """Return the controls after a person left: consent ended, and on the list if nothing of it is left.

    Whoever still consents to something is written to for that, so is not on the list of those who are not.
    """
    ended = ended_for(controls, purpose_id, at)
    if ended.suppression is not None or any(one.withdrawn_at is None for one in ended.consents):
        return ended
    return ended.model_copy(update={"suppression": Suppression(since=at, reason=reason)})


def _says_the_same(one: Consent, other: Consent) -> bool:
    """Whether both stand, to the same purpose and words."""
    compared = ("purpose_id", "policy_version", "basis")
    return one.withdrawn_at is None and all(getattr(one, name) == getattr(other, name) for name in compared)


def _ever_refused(controls: Controls, purpose_id: str) -> bool:
    """Whether mail for a purpose was refused at any time, before or after a purchase."""
    withdrew = controls.withdrawn_at is not None or any(
        one.purpose_id == purpose_id for one in controls.withdrawals
    )
    return withdrew or controls.stops_marketing


def _is_latest_word(controls: Controls, purpose_id: str, given_at: datetime) -> bool:
    """Whether nothing was withdrawn or objected to at that moment or since."""
    objected = (one.placed_at for one in controls.objections if one.kind == "marketing" and one.in_force)
    withdrawn = () if controls.withdrawn_at is None else (controls.withdrawn_at,)
    ended = (one.at for one in controls.withdrawals if one.purpose_id == purpose_id)
    return all(at < given_at for at in (*objected, *withdrawn, *ended))
