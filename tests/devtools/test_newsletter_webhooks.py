"""The stand-in's webhooks: calls that manage them, and deliveries with all that can go wrong."""

from collections import Counter

import httpx
import pytest
from aiohttp import web

from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn
from devtools.stand_ins.newsletter_account import API_KEY, STATES
from devtools.stand_ins.newsletter_crowd import Crowd, live
from devtools.stand_ins.newsletter_delivery import Weather, bodies
from devtools.stand_ins.newsletter_webhooks import Event

LIST, OTHER = "a1" * 16, "b2" * 16
DAY_SECONDS = 86_400
ALL = ["Subscribe", "Update", "Deactivate"]


class Receiver:
    """Somebody's webhook."""

    def __init__(self):
        self.status = 200
        self.bodies = []
        self.types = []

    async def answer(self, request):
        self.types.append(request.headers["Content-Type"])
        self.bodies.append(await request.json())
        return web.Response(status=self.status)

    @property
    def events(self):
        """Return every event told, as often as it was."""
        return [event for body in self.bodies for event in body["Events"]]


@pytest.fixture
async def receiver():
    """It listens."""
    made = Receiver()
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def vendor():
    """An account with two lists."""
    async with CampaignMonitorStandIn() as running:
        for list_id in (LIST, OTHER):
            running.api.account.list_of(list_id)
        yield running


@pytest.fixture
async def client(vendor):
    """Somebody with the key."""
    async with httpx.AsyncClient(base_url=f"{vendor.url}/lists/{LIST}", auth=(API_KEY, "x")) as made:
        yield made


@pytest.fixture
async def webhook_id(client, receiver):
    """The receiver is registered for everything."""
    return (await register(client, receiver.url)).json()


async def register(client, url, events=ALL, payload_format="json"):
    """Register a URL."""
    body = {"Events": list(events), "Url": url, "PayloadFormat": payload_format}
    return await client.post("/webhooks.json", json=body)


def sign_up(vendor, count=1, list_id=LIST):
    """Let people sign up."""
    found = vendor.api.account.list_of(list_id)
    have = len(found.subscribers)
    for number in range(have, have + count):
        vendor.api.changes.enter(found, f"p{number}@people.example")


async def status_of(client):
    """Return the status of the one webhook."""
    (only,) = (await client.get("/webhooks.json")).json()
    return only["Status"]


async def test_a_webhook_is_registered_and_listed(client, receiver, webhook_id):
    """Under the id of the answer; the format reads back with a capital."""
    found = (await client.get("/webhooks.json")).json()
    assert found == [
        {
            "WebhookID": webhook_id,
            "Events": ALL,
            "Url": receiver.url,
            "Status": "Active",
            "PayloadFormat": "Json",
        }
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "ftp://127.0.0.1/x"}, 601),
        ({"url": "https://elsewhere.example/x"}, 601),
        ({"payload_format": "xml"}, 602),
        ({"events": ["Open"]}, 603),
        ({"events": []}, 603),
    ],
)
async def test_what_cannot_be_registered_is_refused(client, changes, code):
    """Nothing leaves this machine, either."""
    response = await register(client, **{"url": "http://127.0.0.1:1/x", **changes})
    assert (response.status_code, response.json()["Code"]) == (400, code)


async def test_the_test_call_sends_no_events(client, receiver, webhook_id):
    """Of a list that nobody has."""
    response = await client.get(f"/webhooks/{webhook_id}/test.json")
    assert (response.status_code, response.content) == (200, b"")
    assert receiver.bodies == [{"ListID": "0" * 32, "Events": []}]


async def test_a_failed_test_call_says_what_came_back(client, receiver, webhook_id):
    """Code 610."""
    receiver.status = 500
    response = await client.get(f"/webhooks/{webhook_id}/test.json")
    assert (response.status_code, response.json()["Code"]) == (400, 610)
    assert response.json()["ResultData"]["FailureResponseCode"] == 500


async def test_one_that_is_off_hears_nothing_of_what_happened_meanwhile(vendor, client, receiver, webhook_id):
    """Also later."""
    await client.put(f"/webhooks/{webhook_id}/deactivate.json")
    sign_up(vendor)
    await client.put(f"/webhooks/{webhook_id}/activate.json")
    sign_up(vendor)
    await vendor.deliveries.flush()
    assert [one["EmailAddress"] for one in receiver.events] == ["p1@people.example"]
    assert [one.untold for one in vendor.webhooks.journal] == [True, False]


async def test_one_that_is_deleted_is_gone(vendor, client, receiver, webhook_id):
    """A second time it is not found."""
    assert (await client.delete(f"/webhooks/{webhook_id}.json")).status_code == 200
    assert (await client.delete(f"/webhooks/{webhook_id}.json")).status_code == 404
    sign_up(vendor)
    await vendor.deliveries.flush()
    assert receiver.bodies == []


async def test_a_webhook_hears_of_its_list_and_its_types_only(vendor, client, receiver):
    """As it was registered."""
    await register(client, receiver.url, ["Deactivate"])
    sign_up(vendor)
    sign_up(vendor, list_id=OTHER)
    found = vendor.api.account.lists[LIST]
    vendor.api.changes.leave(found, found.subscribers["p0@people.example"])
    await vendor.deliveries.flush()
    (body,) = receiver.bodies
    assert (body["ListID"], [one["Type"] for one in body["Events"]]) == (LIST, ["Deactivate"])
    assert receiver.types == ["application/json; charset=utf-8"]


@pytest.mark.parametrize(("count", "sizes"), [(999, [999]), (1000, [1000]), (1001, [1000, 1])])
async def test_a_body_has_a_thousand_events_at_most(vendor, receiver, webhook_id, count, sizes):
    """The rest follows."""
    sign_up(vendor, count)
    assert await vendor.deliveries.flush() == {"bodies": len(sizes), "events": count, "refused": 0}
    assert [len(one["Events"]) for one in receiver.bodies] == sizes


async def test_a_body_that_is_refused_comes_again(vendor, receiver, webhook_id):
    """After a minute of the account's time, and then not again."""
    receiver.status = 503
    sign_up(vendor)
    await vendor.deliveries.flush()
    receiver.status = 204
    for ahead, count in ((59, 1), (61, 2), (122, 2)):
        vendor.api.account.clock.ahead_seconds = ahead
        await vendor.deliveries.flush()
        assert len(receiver.bodies) == count
    assert (vendor.webhooks.journal[0].accepted, vendor.webhooks.journal[0].refused) == (1, 1)


@pytest.mark.parametrize("status", [199, 302, 400, 401, 404, 500])
async def test_only_2xx_is_taken(vendor, receiver, webhook_id, status):
    """A redirect is not followed."""
    receiver.status = status if status >= 200 else 0
    sign_up(vendor)
    if status < 200:
        receiver.url = ""
        for webhook in vendor.webhooks:
            webhook.url = "http://127.0.0.1:1/nobody-listens"
    assert (await vendor.deliveries.flush())["refused"] == 1


@pytest.mark.parametrize(("days", "status"), [(6.9, "Active"), (7.1, "Deactivated")])
async def test_one_that_fails_for_a_week_is_switched_off(vendor, client, receiver, webhook_id, days, status):
    """What waits for it is lost."""
    receiver.status = 500
    sign_up(vendor)
    await vendor.deliveries.flush()
    vendor.api.account.clock.ahead_seconds = days * DAY_SECONDS
    await vendor.deliveries.flush()
    assert await status_of(client) == status
    assert vendor.webhooks.journal[0].untold is (status != "Active")


async def test_a_week_of_failures_with_one_success_in_it_is_none(vendor, client, receiver, webhook_id):
    """It has to keep failing."""
    for day, answer in ((0, 500), (5, 200), (6, 500), (12, 500)):
        receiver.status = answer
        vendor.api.account.clock.ahead_seconds = day * DAY_SECONDS
        sign_up(vendor)
        await vendor.deliveries.flush()
    assert await status_of(client) == "Active"


def made(count):
    """Return events in the order of things."""
    return [Event(number=number, list_id=LIST, body={"Type": "Update"}) for number in range(1, count + 1)]


def numbers(sent):
    """Return the numbers of the events of bodies."""
    return [event.number for body in sent for event in body]


def test_calm_weather_tells_each_event_once_and_in_order():
    """Which is what nobody may rely on."""
    events = made(25)
    assert numbers(bodies(events, Weather(batch=10))) == list(range(1, 26))


def test_the_same_seed_makes_the_same_bodies_and_another_one_others():
    """So that a run can be had again."""
    rough = {"batch": 10, "dropped": 0.1, "repeated": 0.2, "resent": 0.3, "reach": 20}
    first, second, other = (numbers(bodies(made(200), Weather(seed=seed, **rough))) for seed in (1, 1, 2))
    assert first == second != other


def test_rough_weather_loses_repeats_and_mixes():
    """Whatever was not lost comes at least once."""
    events = made(2000)
    sent = numbers(bodies(events, Weather(seed=3, batch=100, dropped=0.05, repeated=0.1, reach=300)))
    counts = Counter(sent)
    lost = {one.number for one in events if one.dropped}
    assert set(counts) | lost == set(range(1, 2001))
    assert not set(counts) & lost
    assert 50 < len(lost) < 150
    assert 100 < sum(1 for count in counts.values() if count > 1) < 300
    assert sent != sorted(sent)


def test_a_body_is_sent_again_as_it_is():
    """Byte for byte, since its events are the same objects in the same order."""
    sent = bodies(made(100), Weather(seed=5, batch=10, resent=0.5))
    assert 10 < len(sent) <= 20
    assert sum(1 for one in sent if sent.count(one) == 2) == 2 * (len(sent) - 10)


async def test_a_crowd_lives_by_seed_and_every_change_is_told(vendor):
    """Dates go by seconds up to now, and nobody is in no state."""
    crowd = Crowd(list_ids=[LIST, OTHER], seed=7, people=60, changes=900)
    done = live(vendor.api.changes, crowd)
    assert set(done) == {"sign_up", "import", "leave", "edit", "move", "bounce", "complain", "delete"}
    assert done.total() <= 900
    dates = [one.body["Date"] for one in vendor.webhooks.journal]
    assert dates == sorted(dates)
    assert vendor.api.account.clock.stands_at is None
    everybody = [one for found in vendor.api.account.lists.values() for one in found.subscribers.values()]
    assert {one.state for one in everybody} <= set(STATES)
    for found in vendor.api.account.lists.values():
        assert all(key == one.email.lower() for key, one in found.subscribers.items())


async def test_an_import_by_staff_wakes_nobody_who_left(vendor):
    """Only one who was deleted comes back by it."""
    found = vendor.api.account.lists[LIST]
    states = {
        f"person{number}@crowd.example": state for number, state in zip((4, 5, 6), STATES[2:], strict=True)
    }
    vendor.api.account.put(
        [{"ListID": LIST, "EmailAddress": email, "State": state} for email, state in states.items()]
    )
    acts = {state: {"import": 1.0} for state in STATES}
    live(vendor.api.changes, Crowd(list_ids=[LIST], people=3, first=4, changes=30, acts=acts))
    assert [found.subscribers[email].state for email in states] == ["Unsubscribed", "Bounced", "Active"]
