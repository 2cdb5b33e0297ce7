"""Let a consent that somebody gave take effect: the ledger, the sign-up's record, the processor.

Source: GDPR article 7(1); policy 2.3.1, 2.4.1, 4.8.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.datamap.models import Purpose
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import Channel, ConsentEvent, EventKind, Evidence
from shared.domain.identifiers import EMAIL
from shared.services import consent_ledger, newsletter_changes, sign_ups
from shared.services.context import Context
from shared.services.newsletter_links import sign_up_id


@dataclass(frozen=True, kw_only=True)
class Joining:
    """A consent to some purposes. `event_id` names its events, with the purpose; the same is noted once."""

    email: str
    purpose_ids: tuple[str, ...]
    at: datetime
    channel: Channel
    source: str
    evidence: Evidence
    event_id: str
    name: str = ""
    language: str = ""
    kind: EventKind = EventKind.GIVEN


async def join(context: Context, joining: Joining) -> tuple[str, ...]:
    """Note a consent for each purpose and begin its sign-ups; return the purposes that count now.

    The ledger is first, then the record; whoever withdraws meanwhile closes the gate first and ends records
    after, so one of the two sees the other. A second call changes nothing and does what the first left.

    Raises:
        Conflict, Retryable: join again with the same values.
    """
    counting = []
    list_ids: list[str] = []
    for purpose_id in joining.purpose_ids:
        event = _event(context, joining, purpose_id)
        controls = await consent_ledger.note(context, event)
        if consent_in_force(controls, purpose_id, now=context.clock.now()) is None:
            continue
        mailing_lists = _lists(context, purpose_id, joining.language)
        for list_id in mailing_lists or ("",):
            await sign_ups.renew(context, _sign_up(context, joining, purpose_id, list_id))
        (stored,) = await context.controls.read((event.subject_key,))
        if consent_in_force(stored.controls, purpose_id, now=context.clock.now()) is None:
            await sign_ups.end(context, joining.email, (purpose_id,), at=joining.at)
            continue
        counting.append(purpose_id)
        list_ids += mailing_lists
    returns = joining.channel == "form"  # an old list, or a purchase, brings nobody back who left there
    await newsletter_changes.ask_for(context, joining.email, list_ids, name=joining.name, returns=returns)
    return tuple(counting)


def _lists(context: Context, purpose_id: str, language: str) -> tuple[str, ...]:
    return tuple(one.list_id for one in context.newsletters.lists.of_purpose(purpose_id, language))


def _event(context: Context, joining: Joining, purpose_id: str) -> ConsentEvent:
    return ConsentEvent(
        event_id=f"{joining.event_id}-{purpose_id}",
        subject_key=context.keys.subject_key(EMAIL, joining.email),
        purpose_id=purpose_id,
        kind=joining.kind,
        at=joining.at,
        noted_at=context.clock.now(),
        channel=joining.channel,
        evidence=joining.evidence,
    )


def _sign_up(context: Context, joining: Joining, purpose_id: str, list_id: str) -> sign_ups.SignUp:
    return sign_ups.SignUp(
        sign_up_id=sign_up_id(context, joining.email, purpose_id, list_id),
        email=joining.email,
        purpose_id=purpose_id,
        list_id=list_id,
        source=joining.source,
        at=joining.at,
        name=joining.name,
        wording_version=joining.evidence.wording_version,
        wording_sha256=joining.evidence.wording_sha256,
    )


def known_marketing(context: Context, purpose_ids: Iterable[str]) -> bool:
    """Whether every purpose is one of marketing, which a consent can be given to."""
    return {one.id for one in marketing(context)}.issuperset(purpose_ids)


def marketing_choices(context: Context) -> str:
    """Return which purposes may be named, for whoever named another."""
    return "choose from: " + ", ".join(one.id for one in marketing(context))


def marketing(context: Context) -> list[Purpose]:
    """Return every purpose of marketing, in the map's order."""
    return [one for activity in context.datamap.activities for one in activity.purposes if one.marketing]
