"""People at the newsletter doors, over the shipped policy."""

import re

from shared.datamap.loader import load
from shared.domain.consent import consent_in_force
from shared.services import sign_up_mail, signing_up
from shared.services.signing_up import SignUpForm
from tests.factories import KEYS, World

METTE = "mette@people.example"
MEMBERS, AUTHORS = "member_newsletter", "author_newsletter"
_LINK = re.compile(r"/subscriptions/([0-9a-f]{32})/confirmation\?token=(\S+)")


def made_world(**changes) -> World:
    """Return a World with the policy that ships."""
    return World(datamap=load(), **changes)


def form(**changes) -> SignUpForm:
    """Return what a form sends."""
    return SignUpForm(
        **{
            "email": METTE,
            "purpose_ids": (MEMBERS,),
            "language": "en",
            "policy_version": "1",
            "wording_version": "2026-1",
            "wording_sha256": "a" * 64,
            "client": "192.0.2.1",
            **changes,
        }
    )


async def send_mails(world: World) -> None:
    """Let every mail that is asked for go out."""
    for stored in world.pending_sign_ups.all():
        await sign_up_mail.send(world.context, stored.sign_up.sign_up_id)


def links(world: World) -> list[tuple[str, str]]:
    """Return id and token of each mail's link, in the order sent."""
    found = (_LINK.search(mail.text) for mail in world.notifier.mails.values())
    return [one.groups() for one in found if one]


async def signed_up(world: World, **changes) -> tuple[str, str]:
    """Sign somebody up and confirm it; return the link that did."""
    await signing_up.ask(world.context, form(**changes))
    await send_mails(world)
    link = links(world)[-1]
    await signing_up.confirm(world.context, *link)
    return link


async def is_on(world: World, purpose_id: str = MEMBERS, email: str = METTE) -> bool:
    """Return whether mail for a purpose may go to an address."""
    (stored,) = await world.controls.read((KEYS.subject_key("email", email),))
    return consent_in_force(stored.controls, purpose_id, now=world.clock.now()) is not None


async def events(world: World, email: str = METTE):
    """Return what the ledger says of an address, in order of time."""
    found = await world.consent_ledger.of_person((KEYS.subject_key("email", email),))
    return sorted(found, key=lambda one: (one.at, one.event_id))
