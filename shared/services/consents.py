"""Note a new opt-in, so that mail for its purpose may go out. Withdrawing is in `marking.withdraw`."""

from datetime import datetime

from shared.datamap.processing import known_purpose
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence
from shared.domain.errors import Invalid
from shared.domain.identifiers import EMAIL, parse_email
from shared.domain.times import after, start_of
from shared.services import consent_ledger
from shared.services.context import Context

MOST_AHEAD_SECONDS = 300
"""How far the clock of the asking system may be ahead of ours."""


async def record_consent(
    context: Context, email: str, purpose_id: str, policy_version: str, given_at: datetime
) -> bool:
    """Note a consent to one purpose under the pseudonym of its address; return whether it counts now.

    `given_at`: when the person gave it. A time a little ahead of ours is taken as now, so that a withdrawal
    that follows is the later word. False: a withdrawal or an objection to marketing came at that moment or
    since; nothing is noted and nothing may be sent. An older objection goes on for every other purpose.
    A second call changes nothing. Source: GDPR article 7(1); policy 2.4.2, 4.8.

    Raises:
        Invalid: `email_invalid`, `purpose_unknown`, `purpose_without_consent`, `policy_version_unknown`,
            `given_at_invalid`.
        Conflict: somebody else kept writing; send it again.
    """
    address = parse_email(email)
    _, purpose = known_purpose(context.datamap, purpose_id)
    if not (purpose.marketing or purpose.needs_consent):
        raise Invalid("purpose_without_consent", "it does not rest on consent", field="purpose")
    version = next((one for one in context.datamap.policy.versions if one.number == policy_version), None)
    if version is None:
        raise Invalid("policy_version_unknown", "the data map has no such version", field="policy_version")
    now = context.clock.now()
    latest = after(now, seconds=MOST_AHEAD_SECONDS)
    if given_at.tzinfo is None or not start_of(version.valid_from) <= given_at <= latest:
        raise Invalid("given_at_invalid", "a time from that version's first day to now", field="given_at")
    at = min(given_at, now)
    event = ConsentEvent(
        event_id=f"{purpose.id}-{int(given_at.timestamp() * 1_000_000)}",
        subject_key=context.keys.subject_key(EMAIL, address),
        purpose_id=purpose.id,
        kind=EventKind.GIVEN,
        at=at,
        noted_at=now,
        channel="system",
        evidence=Evidence(policy_version=policy_version),
    )
    controls = await consent_ledger.note(context, event)
    return consent_in_force(controls, purpose.id, now=now) is not None
