"""The comparison through the real adapter, with a vendor on loopback that has a bad day."""

import asyncio
from dataclasses import replace

import pytest

from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn, Fault
from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID
from devtools.stand_ins.newsletter_faults import RateLimit
from shared.adapters.campaign_monitor_api import CampaignMonitorApi
from shared.adapters.campaign_monitor_lists import CampaignMonitorLists
from shared.domain.errors import Conflict
from shared.domain.messages import RECONCILIATION_QUEUE, Reconcile, decode
from shared.services import newsletter_changes, reconciling, webhook_registration
from tests.contract.conftest import local_settings
from tests.factories import WEBHOOK_SECRET
from tests.fakes.newsletters import AUTHORS, NEWS
from tests.unit.services.newsletter_world import consents, sign_up, world

AGREEING, LEFT, DELETED, MISSING, STRANGERS = 12, 6, 5, 4, 3
_COUNTED_SECONDS = 0.1


def people(what: str, number: int) -> list[str]:
    """Return made-up addresses, with all that an address may have."""
    return [f"{what}+{one}.O'Neil@people.example" for one in range(number)]


class Day:
    """A World on the stand-in, whose webhooks told nothing."""

    def __init__(self, stand_in):
        self.account = stand_in.api.account
        settings = local_settings(
            campaign_monitor_url=stand_in.url,
            campaign_monitor_client_id=CLIENT_ID,
            campaign_monitor_api_key=API_KEY,
        )
        self.seconds = 0.0
        self.api = CampaignMonitorApi(settings, sleep=self._sleep, clock=lambda: self.seconds)
        self.made = world()
        lists = CampaignMonitorLists(self.api, self.made.newsletters.lists, has_contract=True)
        self.context = self.made.context = replace(self.made.context, newsletters=lists)
        self.rounds = 0

    async def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(_COUNTED_SECONDS)

    async def sign_up(self, emails, state) -> None:
        for email in emails:
            await sign_up(self.made, email, state=None)
        self.put(emails, state)

    def put(self, emails, state, *, on=NEWS) -> None:
        rows = [{"ListID": on, "EmailAddress": email, "State": state} for email in emails]
        self.account.put(rows if state else [])

    def states(self, emails, *, on=NEWS) -> set[str | None]:
        held = self.account.lists[on].subscribers
        return {(found := held.get(email.lower())) and found.state for email in emails}

    async def compare(self):
        """Make a run, with the clock's and the sweep's help, until nothing is left to do."""
        run_id = await reconciling.begin(self.context)
        for self.rounds in range(60):
            sent, self.made.queue.sent[:] = list(self.made.queue.sent), []
            for queue, text, _ in sent:
                if queue == RECONCILIATION_QUEUE:
                    await reconciling.proceed(self.context, decode(Reconcile, text).run_id)
            for one in self.made.newsletter_changes.all():
                change = one.change
                if not change.attention and change.wake_at <= self.made.clock.now():
                    await newsletter_changes.apply(self.context, change.subject_key, change.list_id)
            run = (await self.made.reconciliations.read(run_id)).run
            if run.is_over and not self.made.newsletter_changes.all():
                return run
            self.made.clock.advance(seconds=self.made.limits.wake_seconds)
            self.seconds += self.made.limits.wake_seconds
            await reconciling.begin(self.context)
        raise AssertionError("it does not end")


@pytest.fixture
async def stand_in():
    """The vendor."""
    async with CampaignMonitorStandIn() as running:
        yield running


@pytest.fixture
async def day(stand_in):
    """What differs after a week without webhooks."""
    made = Day(stand_in)
    await made.sign_up(people("agreeing", AGREEING), "Active")
    await made.sign_up(people("left", LEFT), "Unsubscribed")
    await made.sign_up(people("deleted", DELETED), "Deleted")
    await made.sign_up(people("missing", MISSING), None)
    made.put(people("stranger", STRANGERS), "Active", on=AUTHORS)
    yield made
    await made.api.close()


async def agree(day) -> None:
    """Check both sides by themselves."""
    assert day.states(people("agreeing", AGREEING)) == {"Active"}
    assert day.states(people("missing", MISSING)) == {"Active"}
    assert day.states(people("left", LEFT)) == {"Unsubscribed"}
    assert day.states(people("deleted", DELETED)) == {"Deleted"}
    assert day.states(people("stranger", STRANGERS), on=AUTHORS) == {"Unsubscribed"}
    for what, number, wanted in (
        ("agreeing", AGREEING, True),
        ("missing", MISSING, True),
        ("left", LEFT, False),
        ("deleted", DELETED, False),
    ):
        assert {await consents(day.made, email) for email in people(what, number)} == {wanted}, what


async def test_a_week_without_webhooks_is_made_up_for(day, stand_in):
    """Both ways; who agrees costs no call, and the next run finds nothing."""
    run = await day.compare()
    assert (run.repaired, run.diverging) == (LEFT + DELETED + MISSING + STRANGERS, 0)
    await agree(day)
    stand_in.calls.clear()
    day.made.clock.advance(days=1)
    again = await day.compare()
    assert (again.repaired, again.diverging) == (0, 0)
    assert "GET subscribers" not in stand_in.calls


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "code": 500},
        {"status": 502},
        {"status": 200},
        {"half": True},
        {"drop": True},
        {"drop": True, "after": True},
        {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
        {"status": 429, "code": 429, "headers": {"X-RateLimit-Reset": "3"}},
        {"status": 429, "code": 429, "headers": {"X-RateLimit-Reset": "900"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("call", ["GET active", "GET deleted", "GET subscribers", "POST subscribers"])
async def test_a_bad_day_of_the_vendor_loses_nobody(day, stand_in, fault, call):
    """Several times in a row; nothing is done twice either."""
    stand_in.faults = [Fault(call=call, times=4, **fault)]
    run = await day.compare()
    await agree(day)
    assert run.diverging <= 4  # an address whose answer nobody could read is left to the next run
    day.made.clock.advance(days=7)
    assert (await day.compare()).diverging == 0
    await agree(day)


async def test_a_vendor_that_counts_calls_is_not_pressed(day, stand_in):
    """It says when to come again, and is left alone until then."""
    stand_in.rate_limit = RateLimit(calls=8, seconds=_COUNTED_SECONDS)
    await day.compare()
    await agree(day)


async def test_a_webhook_is_registered_with_the_vendor(day, stand_in):
    """Whose test call nobody answers here, so that it is not taken for one that works."""
    with pytest.raises(Conflict, match="webhook_test_failed"):
        await webhook_registration.register(day.context, WEBHOOK_SECRET)
    seen = await webhook_registration.watch(day.context)
    assert [one.state for one in seen.lists] == ["active", "missing"]
