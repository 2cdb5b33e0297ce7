"""Lists and webhooks at the vendor: what is sent, and what any answer means."""

from datetime import date

import httpx
import pytest

from shared.adapters.campaign_monitor_api import CampaignMonitorApi
from shared.adapters.campaign_monitor_lists import CampaignMonitorLists
from shared.domain.errors import Permanent, Retryable
from shared.domain.newsletters import Lists, MailingList
from tests.contract.conftest import local_settings
from tests.unit.adapters.conftest import ANE, LIST, Sleeps

HOOK = {
    "WebhookID": "ee1",
    "Events": ["Subscribe", "Deactivate", "Update"],
    "Url": "https://x.example/api/webhooks/campaign-monitor/made-up-secret",
    "Status": "Active",
    "PayloadFormat": "Json",
}


class Vendor:
    """Answers in turn, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.seconds = 0.0

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def lists(self, **changes) -> CampaignMonitorLists:
        """Return the port on it."""
        settings = local_settings(
            campaign_monitor_url="http://127.0.0.1:1/api",
            campaign_monitor_client_id="c" * 32,
            campaign_monitor_api_key="made-up",
        )
        api = CampaignMonitorApi(
            settings, transport=httpx.MockTransport(self), sleep=Sleeps(), clock=lambda: self.seconds
        )
        known = Lists([MailingList(list_id=LIST, purpose_ids=("member_newsletter",))])
        return CampaignMonitorLists(api, known, **{"has_contract": True, **changes})


def ok(content) -> httpx.Response:
    """Return a success."""
    return httpx.Response(200, json=content)


def page(number: int, pages: int, *emails: str) -> httpx.Response:
    """Return a page of a listing."""
    rows = [{"EmailAddress": email, "Name": "", "Date": "2026-01-01 00:00:00"} for email in emails]
    return ok({"Results": rows, "PageNumber": number, "NumberOfPages": pages})


async def test_a_page_says_what_it_is_asked_for():
    """Since a day, the longest there first; the state where the row has none."""
    vendor = Vendor(page(1, 2, ANE))
    found = await vendor.lists().page(LIST, "unsubscribed", since=date(2026, 11, 24), page=1)
    assert [(one.email, one.state) for one in found.entries] == [(ANE, "Unsubscribed")]
    assert found.next_page == 2
    query = dict(vendor.requests[0].url.params)
    assert query == {
        "date": "2026-11-24",
        "page": "1",
        "pagesize": "200",
        "orderfield": "date",
        "orderdirection": "asc",
    }


@pytest.mark.parametrize(("number", "pages"), [(1, 0), (1, 1), (2, 2), (3, 2)])
async def test_the_last_page_is_the_last(number, pages):
    """An empty listing has none."""
    found = (
        await Vendor(page(number, pages)).lists().page(LIST, "active", since=date(2000, 1, 1), page=number)
    )
    assert found.next_page is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"Code": 500}),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(200, html="<h1>Maintenance</h1>"),
        httpx.Response(200, content=b'{"Results": [{"EmailAddr'),
        httpx.Response(200, content=b""),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx.ReadTimeout("nothing for a minute"),
        httpx.RemoteProtocolError("half a page"),
        httpx.Response(429, json={"Code": 429}),
    ],
)
async def test_whatever_is_no_answer_is_asked_for_again_later(answer):
    """Of the queue, and never followed elsewhere or taken for an empty list."""
    vendor = Vendor(answer)
    lists = vendor.lists()
    with pytest.raises(Retryable) as caught:
        await lists.page(LIST, "deleted", since=date(2000, 1, 1), page=1)
    with pytest.raises(Retryable):
        await lists.entry(LIST, ANE)
    assert len(vendor.requests) == 2
    assert caught.value.__cause__ is None
    assert "people.example" not in repr(caught.value)


async def test_after_five_silences_nobody_calls_for_a_while():
    """Then one call finds that the vendor is there again."""
    vendor = Vendor(*[httpx.ConnectError("down")] * 5, ok([]))
    lists = vendor.lists()
    for _ in range(7):
        with pytest.raises(Retryable, match="processor_unreachable"):
            await lists.registrations(LIST)
    assert len(vendor.requests) == 5
    vendor.seconds = 30.0
    assert await lists.registrations(LIST) == ()
    assert await lists.registrations(LIST) == ()


async def test_a_refusal_is_an_answer():
    """Five of them open nothing."""
    vendor = Vendor(httpx.Response(401, json={"Code": 100}))
    lists = vendor.lists()
    for _ in range(7):
        with pytest.raises(Permanent, match="processor_refused"):
            await lists.registrations(LIST)
    assert len(vendor.requests) == 7


async def test_a_long_wait_that_is_asked_for_is_kept_by_everybody():
    """No other call of this worker goes there meanwhile."""
    limited = httpx.Response(429, json={"Code": 429}, headers={"X-RateLimit-Reset": "90"})
    vendor = Vendor(limited, ok([]))
    lists = vendor.lists()
    with pytest.raises(Retryable):
        await lists.entry(LIST, ANE)
    vendor.seconds = 89.0
    with pytest.raises(Retryable) as caught:
        await lists.registrations(LIST)
    assert (len(vendor.requests), caught.value.retry_after_seconds) == (1, 1)
    vendor.seconds = 90.0
    assert await lists.registrations(LIST) == ()


async def test_a_short_one_is_waited_for():
    """And the call made again."""
    limited = httpx.Response(429, json={"Code": 429}, headers={"X-RateLimit-Reset": "5"})
    vendor = Vendor(limited, ok([]))
    assert await vendor.lists().registrations(LIST) == ()


async def test_webhooks_are_read_as_they_are():
    """Their secret is in no text of them."""
    vendor = Vendor(ok([HOOK, {**HOOK, "Status": "Deactivated", "PayloadFormat": "Xml"}]))
    found = await vendor.lists().registrations(LIST)
    assert [(one.is_active, one.is_json) for one in found] == [(True, True), (False, False)]
    assert "made-up-secret" not in repr(found)


async def test_one_is_registered_switched_on_tested_and_removed():
    """Each by its own call."""
    vendor = Vendor(httpx.Response(201, json="ee1"), ok({}))
    lists = vendor.lists()
    assert await lists.register(LIST, HOOK["Url"]) == "ee1"
    await lists.activate(LIST, "ee1")
    assert await lists.test(LIST, "ee1")
    await lists.remove(LIST, "ee1")
    base = f"/api/lists/{LIST}/webhooks"
    assert [(one.method, one.url.path) for one in vendor.requests] == [
        ("POST", f"{base}.json"),
        ("PUT", f"{base}/ee1/activate.json"),
        ("GET", f"{base}/ee1/test.json"),
        ("DELETE", f"{base}/ee1.json"),
    ]
    assert httpx.Response(200, content=vendor.requests[0].content).json() == {
        "Events": ["Subscribe", "Deactivate", "Update"],
        "Url": HOOK["Url"],
        "PayloadFormat": "json",
    }


async def test_a_test_that_fails_is_no_error():
    """Its answer may repeat the URL, and is not shown."""
    failed = {"Code": 610, "Message": HOOK["Url"], "ResultData": {"FailureStatus": "ConnectionFailure"}}
    assert not await Vendor(httpx.Response(400, json=failed)).lists().test(LIST, "ee1")


async def test_without_a_contract_nobody_is_handed_over():
    """Whatever was asked."""
    vendor = Vendor(ok({}))
    with pytest.raises(Permanent, match="contract_missing"):
        await vendor.lists(has_contract=False).add(LIST, ANE, name="Ane", returns=False)
    assert vendor.requests == []


@pytest.mark.parametrize("returns", [True, False])
async def test_who_may_come_back_is_said_in_the_call(returns):
    """And nobody's reading is tracked by it."""
    vendor = Vendor(ok({}))
    assert await vendor.lists().add(LIST, ANE, name="Ane", returns=returns) is None
    body = httpx.Response(200, content=vendor.requests[0].content).json()
    assert (body["Resubscribe"], body["ConsentToTrack"]) == (returns, "Unchanged")


async def test_half_of_an_answer_that_says_not_in_the_list_is_asked_for_again():
    """A person would look at it for nothing, and nobody would look at the address any more."""
    whole = b'{"Code": 203, "Message": "Subscriber not in list or has already been removed from the list."}'
    lists = Vendor(httpx.Response(400, content=whole[:40]), httpx.Response(400, content=whole)).lists()
    with pytest.raises(Retryable, match="processor_unreadable"):
        await lists.entry(LIST, ANE)
    assert await lists.entry(LIST, ANE) is None
