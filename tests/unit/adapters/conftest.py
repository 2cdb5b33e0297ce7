"""Campaign Monitor's adapter on a stand-in or on one answer; certificates; a tenant's keys."""

import httpx
import pytest

from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn
from devtools.stand_ins.newsletter_account import API_KEY, CLIENT_ID
from shared.adapters.campaign_monitor import CampaignMonitor
from tests.contract.conftest import local_settings
from tests.fakes.messaging import TestClock
from tests.fakes.receiver import Authority
from tests.fakes.staff import KeyEndpoint, Signer
from tests.unit.adapters.entra_world import made

ME = "campaign_monitor"
ANE = "ane+news@people.example"
PLAIN = "ane@people.example"
LIST, OTHER_LIST = "a1" * 16, "b2" * 16


def row(**changes):
    """Return a subscriber as the stand-in takes it."""
    return {"ListID": LIST, "EmailAddress": ANE, "Name": "Ane", **changes}


class Sleeps(list):
    """Keeps how long was waited."""

    async def __call__(self, seconds):
        self.append(seconds)


def connected(url, *, sleep=None, transport=None, **changes):
    """Return the adapter for an address."""
    settings = local_settings(
        campaign_monitor_url=url,
        **{"campaign_monitor_client_id": CLIENT_ID, "campaign_monitor_api_key": API_KEY, **changes},
    )
    return CampaignMonitor(
        settings, has_contract=True, sleep=Sleeps() if sleep is None else sleep, transport=transport
    )


@pytest.fixture
async def stand_in():
    """The vendor, with one subscriber."""
    async with CampaignMonitorStandIn() as running:
        running.api.account.put(
            [row(CustomFields=[{"Key": "[Tags]", "Value": "a"}, {"Key": "[Tags]", "Value": "b"}])]
        )
        yield running


@pytest.fixture
async def port(stand_in):
    """The adapter on it."""
    made = connected(stand_in.url)
    yield made
    await made.close()


def nothing_held(request):
    """Answer as a vendor with no list and no address would."""
    is_page = request.url.path.endswith("/suppressionlist.json")
    return httpx.Response(200, json={"Results": [], "NumberOfPages": 0} if is_page else [])


def answering(answer):
    """Return the adapter on a vendor that gives one answer to everything; a function gets the request."""
    make = answer if callable(answer) else lambda _: answer
    return connected("http://127.0.0.1:1/api", transport=httpx.MockTransport(make))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Issues the receivers' certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def signer():
    """The tenant's key."""
    return Signer("key-1")


@pytest.fixture
def clock():
    """One that stands still."""
    return TestClock()


@pytest.fixture
def endpoint(signer):
    """The tenant's key endpoint."""
    return KeyEndpoint(signer)


@pytest.fixture
async def tokens(clock, endpoint):
    """The checker as it is in a local run, but for the tenant."""
    found = made(clock, endpoint)
    yield found
    await found.close()
