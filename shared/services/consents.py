"""Note a new opt-in, or a purchase that allows mail, as other systems tell. Leaving is in `leaving`."""

from dataclasses import dataclass
from datetime import datetime

from shared.datamap.processing import known_purpose
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence
from shared.domain.errors import Invalid
from shared.domain.identifiers import EMAIL, parse_email
from shared.domain.times import after, start_of
from shared.services import consent_ledger
from shared.services.context import Context
from shared.services.joining import Joining, join

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


@dataclass(frozen=True, kw_only=True)
class Sale:
    """A purchase in which somebody gave an address, as the selling system tells.

    `refusal_offered`: mail could be refused then, free and easily. `similar`: what is advertised is our own
    and of the kind that was bought. `reference`: the order, by which it can be shown.
    """

    email: str
    purpose_id: str
    sold_at: datetime
    reference: str
    refusal_offered: bool
    similar: bool


async def record_exception(context: Context, sale: Sale) -> bool:
    """Note that a customer may be mailed without having consented; return whether that counts now.

    False: the person refused such mail at some time; nothing may be sent. A second call changes nothing.
    Source: Danish Marketing Practices Act § 10(2); GDPR article 5(2).

    Raises:
        Invalid: `email_invalid`, `purpose_unknown`, `purpose_without_consent`, `exception_unproven`: without
            the offer to refuse, or for other goods, there is no exception; `given_at_invalid`.
        Conflict: somebody else kept writing; send it again.
    """
    address = parse_email(sale.email)
    _, purpose = known_purpose(context.datamap, sale.purpose_id)
    if not purpose.marketing:
        raise Invalid("purpose_without_consent", "it is no marketing", field="purpose")
    if not (sale.refusal_offered and sale.similar and sale.reference.strip()):
        raise Invalid("exception_unproven", "only with a refusal offered, for similar goods, with its order")
    now = context.clock.now()
    if sale.sold_at.tzinfo is None or sale.sold_at > after(now, seconds=MOST_AHEAD_SECONDS):
        raise Invalid("given_at_invalid", "a time up to now", field="sold_at")
    joining = Joining(
        email=address,
        purpose_ids=(purpose.id,),
        at=min(sale.sold_at, now),
        channel="system",
        source="sale",
        kind=EventKind.EXCEPTED,
        event_id=f"sale-{int(sale.sold_at.timestamp() * 1_000_000)}",
        evidence=Evidence(sale_reference=sale.reference.strip(), refusal_offered=True),
    )
    return bool(await join(context, joining))
