"""Doors for the clock: compare the newsletter lists once a day, and look at the webhooks every hour."""

import logging

import azure.functions as func

from shared import bootstrap
from shared.services import reconciling, webhook_registration

reconciliation = func.Blueprint()
_LOG = logging.getLogger("functions.reconciliation")


@reconciliation.function_name("reconciliation")
@reconciliation.timer_trigger("timer", "0 */10 * * * *", use_monitor=True)
async def begin_reconciliation(timer: func.TimerRequest) -> None:
    """Begin the day's comparison, or send word again of one that stopped."""
    run_id = await reconciling.begin(bootstrap.app().context)
    _LOG.info("reconciliation at work: %s, past due: %s", run_id or "none", timer.past_due)


@reconciliation.function_name("webhook_watch")
@reconciliation.timer_trigger("timer", "0 7 * * * *", use_monitor=True)
async def watch_webhooks(timer: func.TimerRequest) -> None:
    """See whether the newsletter processor still tells us, and switch on what it switched off."""
    seen = await webhook_registration.watch(bootstrap.app().context)
    _LOG.info("webhooks of %d lists, well: %s, past due: %s", len(seen.lists), seen.is_well, timer.past_due)
