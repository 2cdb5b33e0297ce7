"""The links of newsletters: an id that says nothing of anybody, and a signature.

The id of a sign-up follows from the address' pseudonym, the purpose and the list, so that a link in an old
mail still reaches the sign-up its person has today.
"""

import re
from dataclasses import dataclass

from shared.domain import tokens
from shared.domain.identifiers import EMAIL
from shared.domain.sign_ups import PendingSignUp
from shared.domain.times import after
from shared.services.context import Context

CONFIRM, PREFERENCES, UNSUBSCRIBE = "sign-up-confirm", "newsletter-preferences", "newsletter-unsubscribe"
LINKABLE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class NewsletterLinks:
    """What a mail of a newsletter carries; the first is for `List-Unsubscribe` too (RFC 8058)."""

    unsubscribe: str
    preferences: str


def sign_up_id(context: Context, email: str, purpose_id: str, list_id: str) -> str:
    """Return the id of the sign-up of an address to a purpose by a list; 32 hexadecimal digits."""
    key = context.keys.subject_key(EMAIL, email)
    return context.keys.sign("newsletter-sign-up", key, purpose_id, list_id)[:32]


def confirm_link(context: Context, pending: PendingSignUp) -> str:
    """Return the link that a sign-up is confirmed by; the same sign-up gives the same link."""
    token = tokens.issue(
        context.keys, purpose=CONFIRM, request_id=pending.sign_up_id, expires_at=pending.ends_at
    )
    return f"{context.public_url}/newsletter/subscriptions/{pending.sign_up_id}/confirmation?token={token}"


def links(context: Context, of_sign_up: str) -> NewsletterLinks:
    """Return the links to leave and to choose, good for `Limits.newsletter_link_days`."""
    ends_at = after(context.clock.now(), days=context.limits.newsletter_link_days)

    def link(path: str, purpose: str) -> str:
        token = tokens.issue(context.keys, purpose=purpose, request_id=of_sign_up, expires_at=ends_at)
        return f"{context.public_url}/newsletter/{path}/{of_sign_up}?token={token}"

    return NewsletterLinks(
        unsubscribe=link("unsubscribe", UNSUBSCRIBE), preferences=link("preferences", PREFERENCES)
    )


def check(context: Context, of_sign_up: str, token: object, *, purpose: str) -> None:
    """Return when the token of a link is ours, for this sign-up and purpose, and not too old.

    Raises:
        NotAllowed: `token_invalid` or `token_expired`.
    """
    tokens.check(context.keys, token, purpose=purpose, request_id=of_sign_up, now=context.clock.now())
