"""Leave newsletters and choose among them, by a link of a mail or by typing an address.

Leaving asks for no login, no reason and no proof: it harms nobody, and holds from that moment.
Source: GDPR articles 7(3), 21(3); policy 4.7.1, 4.8; RFC 8058.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from shared.datamap.versions import current_on
from shared.domain.consent_ledger import Evidence
from shared.domain.errors import Invalid, NotFound
from shared.domain.identifiers import parse_email
from shared.domain.times import copenhagen_day
from shared.services import consent_ledger, intake, newsletter_links, sign_ups
from shared.services.context import Context
from shared.services.joining import Joining, join, known_marketing, marketing, marketing_choices
from shared.services.leaving import leave
from shared.services.newsletter_links import PREFERENCES, UNSUBSCRIBE, NewsletterLinks

WORDING_VERSION = "preferences-1"
SOURCE = "preferences page"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One purpose on the page, and whether its mail is wanted now."""

    purpose_id: str
    title: str
    is_on: bool


async def links_for(context: Context, email: str, purpose_id: str) -> NewsletterLinks:
    """Return the links for a mail to an address for a purpose, as a mailing system puts them in.

    Raises:
        Invalid: `email_invalid` or `purpose_unknown`.
        NotFound: `sign_up_unknown`: we have no sign-up of that address to it; do not mail it.
    """
    email = parse_email(email)
    if not known_marketing(context, [purpose_id]):
        raise Invalid("purpose_unknown", marketing_choices(context), field="purpose")
    for body in await sign_ups.of_address(context, email):
        if body.get("purpose") == purpose_id and newsletter_links.LINKABLE.fullmatch(str(body.get("id"))):
            return newsletter_links.links(context, str(body["id"]))
    raise NotFound("sign_up_unknown")


def check_unsubscribe(context: Context, sign_up_id: str, token: object) -> None:
    """Return when the link to leave is ours.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`: type the address to leave.
    """
    newsletter_links.check(context, sign_up_id, token, purpose=UNSUBSCRIBE)


async def unsubscribe(context: Context, sign_up_id: str, token: object) -> None:
    """End what a sign-up is for. One that has ended and is gone is no mistake; a second call changes nothing.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        Conflict, Retryable: press again.
    """
    check_unsubscribe(context, sign_up_id, token)
    body = await sign_ups.find(context, sign_up_id)
    if body is None:
        return
    email, purpose_id = parse_email(body.get("email")), str(body.get("purpose"))
    state = await consent_ledger.state_of(context, email, [purpose_id])
    if state[purpose_id] is not None or not sign_ups.has_ended(body):
        await leave(context, email, (purpose_id,), at=context.clock.now(), channel="form")


async def unsubscribe_address(context: Context, email: str, client: str) -> None:
    """End every newsletter of a typed address. Everybody gets the same answer, subscribed or not.

    Nobody has to prove anything; whoever was signed off by somebody else signs up again.

    Raises:
        Invalid: `email_invalid`.
        NotAllowed: `too_many_requests`, of buckets that no other door fills.
    """
    email = parse_email(email)
    await intake.count_client(context, client, "leaving-")
    await intake.count_mailbox(context, email, "leaving-")
    newsletters = [one.id for one in context.datamap.activity(sign_ups.ACTIVITY).purposes]
    await leave(context, email, newsletters, at=context.clock.now(), channel="form")


async def choices(context: Context, sign_up_id: str, token: object, language: str) -> tuple[Choice, ...]:
    """Return every purpose of marketing and whether it is on, for whoever has the link. Changes nothing.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
        NotFound: `sign_up_unknown`: the sign-up has ended and is gone; sign up anew.
    """
    email = await _address(context, sign_up_id, token)
    offered = marketing(context)
    state = await consent_ledger.state_of(context, email, [one.id for one in offered])
    return tuple(
        Choice(purpose_id=one.id, title=one.title.in_language(language), is_on=state[one.id] is not None)
        for one in offered
    )


async def choose(
    context: Context, sign_up_id: str, token: object, purpose_ids: Collection[str], language: str
) -> None:
    """Make exactly these purposes the ones that are on. It holds at once; a second call changes nothing.

    What is switched on is a consent: the link went to the address, and its box was empty.

    Raises:
        Invalid: `purpose_unknown`.
        NotAllowed, NotFound: as `choices`.
        Conflict, Retryable: send it again.
    """
    offered = {one.purpose_id: one for one in await choices(context, sign_up_id, token, language)}
    if not offered.keys() >= set(purpose_ids):
        raise Invalid("purpose_unknown", "choose from those of the page", field="purposes")
    email = await _address(context, sign_up_id, token)
    now = context.clock.now()
    off = [one.purpose_id for one in offered.values() if one.is_on and one.purpose_id not in purpose_ids]
    on = [one for one in offered.values() if not one.is_on and one.purpose_id in purpose_ids]
    if off:
        await leave(context, email, off, at=now, channel="form")
    if not on:
        return
    version = current_on(context.datamap, copenhagen_day(now), language) or current_on(
        context.datamap, copenhagen_day(now), "en"
    )
    shown = "\n".join(one.title for one in on)
    await join(
        context,
        Joining(
            email=email,
            purpose_ids=tuple(one.purpose_id for one in on),
            at=now,
            channel="form",
            source=SOURCE,
            language=language,
            event_id=f"chosen-{int(now.timestamp() * 1_000_000)}",
            evidence=Evidence(
                policy_version="" if version is None else version.number,
                wording_version=f"{WORDING_VERSION}-{language}",
                wording_sha256=hashlib.sha256(shown.encode()).hexdigest(),
                box_before="empty",
                confirmed_at=now,
            ),
        ),
    )


async def _address(context: Context, sign_up_id: str, token: object) -> str:
    newsletter_links.check(context, sign_up_id, token, purpose=PREFERENCES)
    body = await sign_ups.find(context, sign_up_id)
    if body is None:
        raise NotFound("sign_up_unknown")
    return parse_email(body.get("email"))
