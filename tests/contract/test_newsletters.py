"""Addresses in lists, listings and webhooks: on the fake, and on the adapter with a stand-in."""

from datetime import date, datetime

import pytest

from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn, Fault
from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID
from shared.adapters.campaign_monitor_api import CampaignMonitorApi
from shared.adapters.campaign_monitor_lists import CampaignMonitorLists
from shared.domain.errors import Permanent, Retryable
from shared.domain.newsletters import Lists, MailingList
from tests.contract.conftest import local_settings
from tests.fakes.messaging import TestClock
from tests.fakes.newsletters import AUTHORS, NEWS, MemoryNewsletters

ANE = "ane+news@people.example"
EVER = date(2000, 1, 1)
KNOWN = (
    MailingList(list_id=NEWS, purpose_ids=("member_newsletter",), confirmed_opt_in=True),
    MailingList(list_id=AUTHORS, purpose_ids=("author_newsletter",)),
)


class MemoryTarget:
    """The fake, and what to look at around it."""

    def __init__(self):
        self.fake = self.port = MemoryNewsletters(clock=TestClock())

    def put(self, email, state="Active", *, on=NEWS):
        self.fake.put(on, email, state)

    def state(self, email, *, on=NEWS):
        return self.fake.state(on, email)

    def suppress(self, email):
        self.fake.suppressed.add(email)

    def switch_off(self, list_id):
        self.fake.hooks[list_id] = [
            one.model_copy(update={"is_active": False}) for one in self.fake.hooks[list_id]
        ]

    def be_unreachable(self):
        self.fake.is_unreachable = True


class StandInTarget:
    """The adapter on the stand-in."""

    def __init__(self, stand_in):
        self.stand_in = stand_in
        settings = local_settings(
            campaign_monitor_url=stand_in.url,
            campaign_monitor_client_id=CLIENT_ID,
            campaign_monitor_api_key=API_KEY,
        )
        self.api = CampaignMonitorApi(settings)
        self.port = CampaignMonitorLists(self.api, Lists(KNOWN), has_contract=True)
        for list_id in (NEWS, AUTHORS):
            self.put("somebody@people.example", "Deleted", on=list_id)  # so that the list is there

    def put(self, email, state="Active", *, on=NEWS):
        self.stand_in.api.account.put([{"ListID": on, "EmailAddress": email, "State": state}])

    def state(self, email, *, on=NEWS):
        found = self.stand_in.api.account.lists[on].subscribers.get(email.lower())
        return found and found.state

    def suppress(self, email):
        self.stand_in.api.account.suppress(email)

    def switch_off(self, list_id):
        for one in self.stand_in.webhooks.of(list_id):
            one.switch_off()

    def be_unreachable(self):
        self.stand_in.faults = [Fault(status=503, times=None)]


@pytest.fixture(params=["memory", "stand-in"])
async def target(request):
    """The port, and what to look at around it."""
    if request.param == "memory":
        yield MemoryTarget()
        return
    async with CampaignMonitorStandIn() as stand_in:
        made = StandInTarget(stand_in)
        yield made
        await made.api.close()


async def listed(target, state) -> list[str]:
    """Return every address of a listing, page by page."""
    found, page = [], 1
    while page is not None:
        answer = await target.port.page(NEWS, state, since=EVER, page=page)
        assert {one.state.lower() for one in answer.entries} <= {state}
        found += [one.email for one in answer.entries]
        page = answer.next_page
    return sorted(found)


@pytest.mark.parametrize("state", ["Active", "Unconfirmed", "Unsubscribed", "Bounced"])
async def test_an_address_is_shown_as_it_stands(target, state):
    """In whatever case it is written; a plus sign is a plus sign."""
    target.put(ANE, state)
    assert (await target.port.entry(NEWS, ANE.upper())).state == state
    assert await target.port.entry(NEWS, ANE.replace("+", " ")[-18:]) is None
    assert await target.port.entry(AUTHORS, ANE) is None


async def test_when_a_state_changed_is_shown_without_a_zone(target):
    """Of one address and in a listing."""
    target.put(ANE, "Unsubscribed")
    shown = (await target.port.entry(NEWS, ANE)).changed
    assert datetime.fromisoformat(shown).tzinfo is None
    page = await target.port.page(NEWS, "unsubscribed", since=EVER, page=1)
    assert [one.changed for one in page.entries if one.email == ANE] == [shown]


async def test_a_deleted_one_may_not_be_shown(target):
    """Its listing has it."""
    target.put(ANE, "Deleted")
    assert await target.port.entry(NEWS, ANE) is None
    assert ANE in await listed(target, "deleted")


async def test_somebody_new_is_added(target):
    """And twice is once."""
    for _ in range(2):
        assert await target.port.add(NEWS, ANE, name="Ane", returns=False) is None
    assert target.state(ANE) == "Active"


async def test_whoever_left_comes_back_only_when_it_is_said(target):
    """Only a consent given since allows that."""
    target.put(ANE, "Unsubscribed")
    assert await target.port.add(NEWS, ANE, name="Ane", returns=False) == "unsubscribed"
    assert target.state(ANE) == "Unsubscribed"
    assert await target.port.add(NEWS, ANE, name="Ane", returns=True) is None
    assert target.state(ANE) == "Active"


async def test_a_deleted_one_comes_back_without_a_word(target):
    """So that whoever adds looks at the listing of deleted ones before."""
    target.put(ANE, "Deleted")
    assert await target.port.add(NEWS, ANE, name="Ane", returns=False) is None
    assert target.state(ANE) == "Active"


async def test_a_suppressed_address_is_added_by_nobody(target):
    """It is the account's own no."""
    target.suppress(ANE)
    assert await target.port.add(NEWS, ANE, name="Ane", returns=True) == "suppressed"
    assert target.state(ANE) is None


@pytest.mark.parametrize("state", ["Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted", None])
async def test_to_be_stopped_is_to_get_no_mail(target, state):
    """Whatever came before, and twice."""
    if state:
        target.put(ANE, state)
    for _ in range(2):
        await target.port.stop(NEWS, ANE)
    assert target.state(ANE) not in ("Active", "Unconfirmed")


async def test_a_listing_has_everybody_once(target):
    """Over several pages, those of one state and list."""
    people = [f"p{number:03}@people.example" for number in range(205)]
    for email in people:
        target.put(email, "Unsubscribed")
    target.put(ANE, "Active")
    target.put("other@people.example", "Unsubscribed", on=AUTHORS)
    assert await listed(target, "unsubscribed") == people
    assert await listed(target, "active") == [ANE]
    assert await listed(target, "bounced") == []


async def test_a_webhook_is_registered_switched_on_and_removed(target):
    """For its list alone."""
    url = "http://127.0.0.1:1/api/webhooks/campaign-monitor/a-secret-for-this-test"
    webhook_id = await target.port.register(NEWS, url)
    (found,) = await target.port.registrations(NEWS)
    assert (found.webhook_id, found.url, found.is_active, found.is_json) == (webhook_id, url, True, True)
    assert set(found.events) == {"Subscribe", "Deactivate", "Update"}
    assert await target.port.registrations(AUTHORS) == ()
    target.switch_off(NEWS)
    assert not (await target.port.registrations(NEWS))[0].is_active
    await target.port.activate(NEWS, webhook_id)
    assert (await target.port.registrations(NEWS))[0].is_active
    await target.port.remove(NEWS, webhook_id)
    assert await target.port.registrations(NEWS) == ()


async def test_nobody_is_there(target):
    """Which is never "not held", and never an empty listing."""
    target.put(ANE)
    target.be_unreachable()
    for asked in (
        target.port.entry(NEWS, ANE),
        target.port.page(NEWS, "active", since=EVER, page=1),
        target.port.registrations(NEWS),
        target.port.stop(NEWS, ANE),
        target.port.add(NEWS, ANE, name="", returns=False),
    ):
        with pytest.raises(Retryable):
            await asked


async def test_a_test_call_that_nobody_answers_fails():
    """At the stand-in, which calls for real."""
    async with CampaignMonitorStandIn() as stand_in:
        made = StandInTarget(stand_in)
        webhook_id = await made.port.register(NEWS, "http://127.0.0.1:1/api/webhooks/campaign-monitor/x")
        assert not await made.port.test(NEWS, webhook_id)
        with pytest.raises(Permanent):
            await made.port.activate(NEWS, "unknown")
        await made.api.close()
