"""See to it that the newsletter processor tells us what happens: register, watch, switch on again.

It switches a webhook off that could not be delivered for a week, and tells nobody. The URL carries the
secret, of which we keep the hash alone: a registration of ours is told by it, and whoever registers brings
the secret along. Source: https://www.campaignmonitor.com/api/v3-3/webhooks/.
"""

import hashlib
import hmac
from collections.abc import Sequence

from shared.domain.errors import Conflict, Invalid, Permanent, Retryable
from shared.domain.newsletters import MailingList
from shared.domain.reconciliations import Registered, Watch
from shared.domain.webhook_bodies import TYPES
from shared.ports.newsletters import Registration
from shared.services.context import Context
from shared.telemetry import NEWSLETTER_WEBHOOK_ACTIVE

DOOR = "webhooks/campaign-monitor"
_ALARMS = {
    "activated": "webhook_deactivated",
    "missing": "webhook_missing",
    "unfit": "webhook_unfit",
    "unknown": "webhook_unknown_state",
}


async def watch(context: Context) -> Watch:
    """Look at the webhooks of every list, switch on what was switched off, and keep what was found.

    Whatever is not as it should be is told to an operator, at each look.

    Raises:
        Retryable: our store did not answer; the next look comes in an hour.
    """
    found = tuple([await _watched(context, one) for one in context.newsletters.lists])
    seen = Watch(at=context.clock.now(), lists=found)
    await context.reconciliations.keep_watch(seen)
    context.operators.measure(NEWSLETTER_WEBHOOK_ACTIVE, int(all(one.state == "active" for one in found)))
    for one in found:
        if one.state in _ALARMS:
            await context.operators.alarm(_ALARMS[one.state], details=one.list_id)
    return seen


async def register(context: Context, secret: str) -> Watch:
    """Register our door with this secret for every list, and remove what was registered for it before.

    A second call finds what the first did. While both secrets are valid nothing is lost between the two.

    Raises:
        Invalid: `webhook_secret_unknown`: no setting has its hash; put it there first.
        Conflict: `webhook_test_failed`: the processor cannot reach the door; what was there stays.
        Retryable, Permanent: the processor did not answer, or refused; register again.
    """
    if not _is_valid(context, secret):
        raise Invalid("webhook_secret_unknown", "add its hash to the settings first", field="secret")
    url = f"{context.public_url}/{DOOR}/{secret}"
    for mailing_list in context.newsletters.lists:
        await _registered(context, mailing_list.list_id, url)
    return await watch(context)


async def _registered(context: Context, list_id: str, url: str) -> None:
    known = [one for one in await context.newsletters.registrations(list_id) if _is_ours(context, one)]
    fit = [one for one in known if one.url == url and _fits(one)]
    if fit:
        webhook_id = fit[0].webhook_id
        if not fit[0].is_active:
            await context.newsletters.activate(list_id, webhook_id)
    else:
        webhook_id = await context.newsletters.register(list_id, url)
    if not await context.newsletters.test(list_id, webhook_id):
        raise Conflict("webhook_test_failed", list_id)
    for one in known:
        if one.webhook_id != webhook_id:
            await context.newsletters.remove(list_id, one.webhook_id)


async def _watched(context: Context, mailing_list: MailingList) -> Registered:
    list_id = mailing_list.list_id
    try:
        ours = [one for one in await context.newsletters.registrations(list_id) if _is_ours(context, one)]
        valid = [one for one in ours if _is_valid(context, _secret_of(one))]
        if not valid:
            return Registered(list_id=list_id, state="missing", others=len(ours))
        fit = [one for one in valid if _fits(one)]
        if not fit:
            return Registered(list_id=list_id, state="unfit", others=len(ours))
        if any(one.is_active for one in fit):
            return Registered(list_id=list_id, state="active", others=len(ours) - 1)
        await context.newsletters.activate(list_id, fit[0].webhook_id)
        return Registered(list_id=list_id, state="activated", others=len(ours) - 1)
    except (Retryable, Permanent):
        return Registered(list_id=list_id, state="unknown")


def _fits(one: Registration) -> bool:
    return one.is_json and set(one.events) >= TYPES


def _is_ours(context: Context, one: Registration) -> bool:
    return one.url.startswith(f"{context.public_url}/{DOOR}/")


def _secret_of(one: Registration) -> str:
    return one.url.rpartition("/")[2]


def _is_valid(context: Context, secret: str) -> bool:
    given = hashlib.sha256(secret.encode()).hexdigest()
    known: Sequence[bool] = [hmac.compare_digest(given, one) for one in context.webhook_secrets_sha256]
    return any(known)
