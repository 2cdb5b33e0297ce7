"""Campaign Monitor's stand-in: the calls, states and codes of the vendor."""

import time

import httpx
import pytest

from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn
from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID, STATES
from devtools.stand_ins.newsletter_faults import Fault, RateLimit

LIST, CONFIRMING = "a1" * 16, "b2" * 16
ANE = "ane+news@people.example"
BO = "bo@people.example"


@pytest.fixture
async def vendor():
    """An account with two lists, one that asks everybody to confirm."""
    async with CampaignMonitorStandIn() as running:
        running.api.account.list_of(LIST)
        running.api.account.list_of(CONFIRMING).confirms = True
        yield running


@pytest.fixture
async def client(vendor):
    """Somebody with the key."""
    async with httpx.AsyncClient(base_url=vendor.url, auth=(API_KEY, "x")) as made:
        yield made


def known(vendor, state, email=ANE, list_id=LIST):
    """Let somebody be in a state, and return them."""
    vendor.api.account.put([{"ListID": list_id, "EmailAddress": email, "State": state}])
    return vendor.api.account.lists[list_id].subscribers[email]


def row(email=ANE, **changes):
    """Return what an addition needs."""
    return {"EmailAddress": email, "Name": "Ane", "ConsentToTrack": "Unchanged", **changes}


async def add(client, *, to=LIST, **changes):
    """Add Ane; return status and the vendor's code, None where there is none."""
    return answer_of(await client.post(f"/subscribers/{to}.json", json=row(**changes)))


def answer_of(response):
    """Return status and the vendor's code, None where there is none."""
    body = response.json() if response.content else None
    return response.status_code, body.get("Code") if isinstance(body, dict) else None


def kinds(vendor):
    """Return type and state of every event."""
    return [(one.body["Type"], one.body.get("State")) for one in vendor.webhooks.journal]


async def test_somebody_new_is_added_and_told(vendor, client):
    """The answer is the address."""
    response = await client.post(f"/subscribers/{LIST}.json", json=row())
    assert (response.status_code, response.json()) == (201, ANE)
    assert vendor.api.account.lists[LIST].subscribers[ANE].state == "Active"
    assert kinds(vendor) == [("Subscribe", None)]


async def test_a_list_that_confirms_tells_nobody_before(vendor, client):
    """An unconfirmed one is shown by its own list."""
    assert await add(client, to=CONFIRMING) == (201, None)
    found = (await client.get(f"/lists/{CONFIRMING}/unconfirmed.json")).json()
    assert [one["EmailAddress"] for one in found["Results"]] == [ANE]
    assert kinds(vendor) == []


@pytest.mark.parametrize(
    ("state", "answer", "after"),
    [
        ("Active", (201, None), "Active"),
        ("Unsubscribed", (400, 206), "Unsubscribed"),
        ("Bounced", (400, 207), "Bounced"),
        ("Unconfirmed", (400, 208), "Unconfirmed"),
        ("Deleted", (201, None), "Active"),
    ],
)
async def test_who_left_comes_back_only_on_request(vendor, client, state, answer, after):
    """Except one who was deleted: nothing there remembers a deletion."""
    subscriber = known(vendor, state)
    assert await add(client) == answer
    assert subscriber.state == after
    assert await add(client, Resubscribe=True) == (201, None)
    assert subscriber.state == "Active"


@pytest.mark.parametrize(("given", "code"), [(None, 214), ("", 214), ("Perhaps", 215)])
async def test_the_wish_about_tracking_is_mandatory(vendor, client, given, code):
    """In each call that writes somebody."""
    known(vendor, "Active")
    assert await add(client, ConsentToTrack=given) == (400, code)
    response = await client.put(
        f"/subscribers/{LIST}.json", params={"email": ANE}, json=row(ConsentToTrack=given)
    )
    assert answer_of(response) == (400, code)


async def test_who_is_suppressed_is_not_added(vendor, client):
    """Until the suppression ends."""
    await client.post(f"/clients/{CLIENT_ID}/suppress.json", json={"EmailAddresses": [ANE]})
    assert await add(client, Resubscribe=True) == (400, 204)
    ended = await client.put(f"/clients/{CLIENT_ID}/unsuppress.json", params={"email": ANE})
    again = await client.put(f"/clients/{CLIENT_ID}/unsuppress.json", params={"email": ANE})
    assert (ended.status_code, answer_of(again)) == (200, (400, 176))
    assert await add(client) == (201, None)


async def test_an_import_says_who_could_not_come(vendor, client):
    """The others are there at once."""
    known(vendor, "Unsubscribed")
    body = {"Subscribers": [row(), row(BO)], "Resubscribe": False}
    response = await client.post(f"/subscribers/{LIST}/import.json", json=body)
    assert answer_of(response) == (400, 210)
    result = response.json()["ResultData"]
    assert [(one["EmailAddress"], one["Code"]) for one in result["FailureDetails"]] == [(ANE, 206)]
    assert result["TotalNewSubscribers"] == 1
    assert vendor.api.account.lists[LIST].subscribers[BO].state == "Active"


@pytest.mark.parametrize(("count", "status"), [(999, 201), (1000, 201), (1001, 400)])
async def test_an_import_takes_a_thousand(client, count, status):
    """No more."""
    rows = [row(f"p{number}@people.example") for number in range(count)]
    response = await client.post(f"/subscribers/{LIST}/import.json", json={"Subscribers": rows})
    assert response.status_code == status
    assert status == 201 or response.json()["Code"] == 209


async def test_an_address_moves_and_the_event_names_both(vendor, client):
    """The old one is not in the list any more."""
    known(vendor, "Active")
    await client.put(f"/subscribers/{LIST}.json", params={"email": ANE}, json=row(BO))
    (event,) = vendor.webhooks.journal
    assert (event.body["OldEmailAddress"], event.body["EmailAddress"]) == (ANE, BO)
    assert event.body["State"] == "Active"
    gone = await client.get(f"/subscribers/{LIST}.json", params={"email": ANE})
    assert answer_of(gone) == (400, 203)


async def test_an_address_that_is_taken_cannot_be_moved_to(vendor, client):
    """Code 211."""
    known(vendor, "Active")
    known(vendor, "Active", BO)
    response = await client.put(f"/subscribers/{LIST}.json", params={"email": ANE}, json=row(BO))
    assert answer_of(response) == (400, 211)


@pytest.mark.parametrize("told", [True, False])
async def test_a_deletion_is_told_or_not(vendor, client, told):
    """The vendor does not say which."""
    known(vendor, "Active")
    vendor.api.changes.tells_deletions = told
    await client.delete(f"/subscribers/{LIST}.json", params={"email": ANE})
    assert kinds(vendor) == [("Deactivate", "Deleted")] * told


@pytest.mark.parametrize("state", STATES)
async def test_each_state_has_its_list_since_a_day(vendor, client, state):
    """By when somebody came to it."""
    known(vendor, state)
    vendor.api.account.lists[LIST].subscribers[ANE].date = "2026-03-01 00:00:00"
    for since, count in (("2026-02-28", 1), ("2026-03-01", 1), ("2026-03-02", 0)):
        page = await client.get(f"/lists/{LIST}/{state.lower()}.json", params={"date": since})
        assert page.json()["TotalNumberOfRecords"] == count


@pytest.mark.parametrize(("size", "status"), [(9, 400), (10, 200), (1000, 200), (1001, 400)])
async def test_pages_have_ten_to_a_thousand(client, size, status):
    """Others are refused."""
    page = await client.get(f"/lists/{LIST}/active.json", params={"pagesize": size})
    assert page.status_code == status


async def test_pages_hold_everybody_once(vendor, client):
    """In the order that was asked for."""
    vendor.api.account.put(
        [{"ListID": LIST, "EmailAddress": f"p{number:02}@people.example"} for number in range(25)]
    )
    found = []
    for number in (1, 2, 3):
        query = {"page": number, "pagesize": 10, "orderfield": "date", "orderdirection": "desc"}
        page = (await client.get(f"/lists/{LIST}/active.json", params=query)).json()
        assert page["NumberOfPages"] == 3
        found += [one["EmailAddress"] for one in page["Results"]]
    assert found == [f"p{number:02}@people.example" for number in reversed(range(25))]


async def test_tracking_is_shown_when_asked_for(vendor, client):
    """And not otherwise."""
    known(vendor, "Active")
    for query, is_shown in (({}, False), ({"includetrackingpreference": "true"}, True)):
        found = await client.get(f"/subscribers/{LIST}.json", params={"email": ANE, **query})
        assert ("ConsentToTrack" in found.json()) is is_shown


async def test_a_blank_in_an_address_is_an_unencoded_plus(client):
    """It is no address."""
    response = await client.get(f"/subscribers/{LIST}.json?email={ANE}")
    assert answer_of(response) == (400, 1)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/lists/{'0' * 32}/active.json", 101),
        (f"/clients/{'0' * 32}/lists.json", 102),
        (f"/lists/{'0' * 32}/webhooks.json", 101),
    ],
)
async def test_ids_of_somebody_else_are_401(client, path, code):
    """As a wrong key is."""
    assert answer_of(await client.get(path)) == (401, code)


async def test_a_wrong_key_is_401(vendor):
    """Code 100."""
    async with httpx.AsyncClient(base_url=vendor.url, auth=("wrong", "x")) as other:
        assert answer_of(await other.get(f"/lists/{LIST}/active.json")) == (401, 100)


async def test_half_an_answer_is_no_json(vendor, client):
    """As a gateway leaves it."""
    vendor.faults = [Fault(call="GET active", half=True)]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        (await client.get(f"/lists/{LIST}/active.json")).json()
    assert (await client.get(f"/lists/{LIST}/active.json")).json()["Results"] == []


async def test_one_call_too_many_is_told_when_to_come_again(vendor, client):
    """The next period serves again."""
    vendor.rate_limit = RateLimit(calls=2, seconds=0.2)
    path = f"/lists/{LIST}/active.json"
    assert [(await client.get(path)).status_code for _ in range(3)] == [200, 200, 429]
    refused = await client.get(path)
    assert refused.json()["Code"] == 429
    assert refused.headers["X-RateLimit-Reset"] == "1"
    time.sleep(0.25)  # noqa: ASYNC251 - nobody else runs here
    assert (await client.get(path)).status_code == 200


async def test_what_is_not_there_behind_the_scenes_is_404_and_what_cannot_be_400(vendor, client):
    """So that a scenario with a mistake in it does not go on."""
    base = vendor.url.partition("/api/")[0] + "/stand-in"
    assert (await client.get(f"{base}/nothing")).status_code == 404
    assert (await client.put(f"{base}/weather", json={"batch": 1001})).status_code == 400
    assert (await client.put(f"{base}/weather", json={"sun": 1})).status_code == 400
