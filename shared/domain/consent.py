"""When a consent counts, and what a new opt-in leaves behind. Pure."""

from datetime import datetime

from shared.domain.controls import Consent, Controls


def consent_in_force(controls: Controls, purpose_id: str, *, now: datetime) -> Consent | None:
    """Return the newest consent to exactly this purpose that counts at `now`; None: there is none.

    One counts that was given after the latest withdrawal and after every objection to marketing in force:
    to sign up anew says more than an older no, and says it for this one purpose. The objection goes on for
    all others. Source: GDPR articles 4(11), 7(3), 21(3); policy 4.7.1, 4.8.
    """
    counting = [
        one
        for one in controls.consents
        if one.purpose_id == purpose_id
        and one.withdrawn_at is None
        and one.given_at <= now
        and _is_latest_word(controls, one.given_at)
    ]
    return max(counting, key=lambda one: one.given_at, default=None)


def opted_in(controls: Controls, consent: Consent, *, now: datetime) -> Controls:
    """Return the controls with a consent noted, or as they were where it adds nothing.

    It adds nothing when it was noted before, when a later withdrawal or objection overtook it, or while
    another one to the same purpose and text counts: evidence is not collected twice. An ended consent stays
    as the record it is; a new opt-in is a new record. Source: GDPR article 7(1); policy 5.2.
    """
    if any(one.consent_id == consent.consent_id for one in controls.consents):
        return controls
    other = consent_in_force(controls, consent.purpose_id, now=now)
    repeated = other is not None and other.policy_version == consent.policy_version
    if repeated or not _is_latest_word(controls, consent.given_at):
        return controls
    return controls.model_copy(update={"consents": (*controls.consents, consent)})


def _is_latest_word(controls: Controls, given_at: datetime) -> bool:
    """Whether nothing was withdrawn or objected to at that moment or since."""
    objected = (one.placed_at for one in controls.objections if one.kind == "marketing" and one.in_force)
    withdrawn = () if controls.withdrawn_at is None else (controls.withdrawn_at,)
    return all(at < given_at for at in (*objected, *withdrawn))
