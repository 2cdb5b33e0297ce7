"""Which addresses a copy may be sent to, and which of them is connected to."""

import httpx
import pytest

from shared.adapters.https_transfers import HttpsTransfers
from shared.adapters.outbound import Outbound
from shared.domain.errors import NotAllowed, Retryable
from tests.fakes.messaging import TestClock
from tests.unit.adapters.transfers_world import DATA, Resolver, content, refused, sent

PUBLIC, OTHER_PUBLIC = "93.184.215.14", "2606:4700:4700::1111"


class Network:
    """Stands in for connections to public addresses: keeps what was tried, answers for each address."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.requests = []

    def __call__(self, _context):
        return httpx.MockTransport(self.handle)

    async def handle(self, request):
        self.requests.append((request, await request.aread()))
        outcome = self.outcomes.pop(0) if self.outcomes else 200
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome)


def over(network, resolver):
    """Return the adapter as it is in Azure, over a stand-in for the network."""
    return HttpsTransfers(Outbound("transfer", resolve=resolver, transport=network), TestClock())


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.1.2.3"],
        ["64:ff9b::7f00:1"],
        [PUBLIC, "10.1.2.3"],
        ["10.1.2.3", PUBLIC],
        [PUBLIC, OTHER_PUBLIC, "1.1.1.1", "9.9.9.9", "192.168.0.1"],
    ],
)
async def test_a_name_that_leads_to_one_private_address_is_refused(addresses):
    """Before anything is connected to."""
    network = Network()
    error = await refused(over(network, Resolver(addresses)), "https://controller.example/in")
    assert (type(error), error.code) == (NotAllowed, "transfer_refused_address")
    assert network.requests == []


async def test_a_name_is_looked_up_once_and_the_checked_address_connected_to():
    """A name server that turns private a moment later is not asked again."""
    network, resolver = Network(), Resolver([PUBLIC], ["127.0.0.1"])
    receipt = await sent(over(network, resolver), "https://controller.example/in?x=1")
    assert resolver.asked == [("controller.example", 443)]
    ((request, body),) = network.requests
    assert str(request.url) == f"https://{PUBLIC}/in?x=1"
    assert request.headers["host"] == "controller.example"
    assert request.extensions["sni_hostname"] == "controller.example"
    assert body == DATA
    assert receipt.host == "controller.example"


async def test_an_address_that_cannot_be_reached_gives_way_to_the_next():
    """All of them checked; no more than three are tried."""
    down = httpx.ConnectError("controller.example is down")
    network, resolver = (
        Network(down, httpx.ConnectTimeout("x"), 200),
        Resolver([OTHER_PUBLIC, PUBLIC, "1.1.1.1"]),
    )
    assert (await sent(over(network, resolver), "https://controller.example/in")).status == 200
    hosts = [request.url.host for request, _ in network.requests]
    assert hosts == [OTHER_PUBLIC, PUBLIC, "1.1.1.1"]

    network = Network(down, down, down, 200)
    error = await refused(
        over(network, Resolver([PUBLIC, "1.1.1.1", "9.9.9.9", "8.8.8.8"])), "https://controller.example/in"
    )
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")
    assert len(network.requests) == 3


async def test_a_connection_that_breaks_later_is_not_tried_at_the_next_address():
    """Part of the copy may have arrived."""
    network = Network(httpx.ReadError("x"), 200)
    error = await refused(over(network, Resolver([PUBLIC, "1.1.1.1"])), "https://controller.example/in")
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")
    assert len(network.requests) == 1


@pytest.mark.parametrize("answer", [OSError("controller.example"), []])
async def test_a_name_nobody_knows_is_tried_again(answer):
    """A name server may be down."""

    async def resolve(host, port):
        if isinstance(answer, OSError):
            raise answer
        return answer

    error = await refused(over(Network(), resolve), "https://controller.example/in")
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


async def test_a_public_address_needs_no_name():
    """And a private one is refused as text, without a look-up."""
    network, resolver = Network(), Resolver(["127.0.0.1"])
    await sent(over(network, resolver), f"https://[{OTHER_PUBLIC}]/in")
    assert network.requests[0][0].headers["host"] == f"[{OTHER_PUBLIC}]"
    error = await refused(over(network, resolver), "https://10.0.0.1/in")
    assert error.code == "transfer_url_address"
    assert resolver.asked == []


async def test_the_local_authority_is_believed_for_the_local_receiver_only(authority, monkeypatch):
    """Its certificate for anybody else is worth nothing."""
    contexts = []
    outbound = Outbound(
        "transfer",
        local_ca_file=str(authority.ca_file),
        resolve=Resolver([PUBLIC]),
        transport=lambda context: (
            contexts.append(context) or httpx.MockTransport(lambda _: httpx.Response(200))
        ),
    )
    adapter = HttpsTransfers(outbound, TestClock(), local_receiver="https://1.1.1.1:9443")
    await sent(adapter, "https://controller.example/in", content(b""))
    await sent(adapter, "https://1.1.1.1:9443/in", content(b""))
    own = authority.certificate.subject.rfc4514_string().partition("=")[2]
    believed = [
        [dict(part for [part] in one["subject"]).get("commonName") for one in context.get_ca_certs()]
        for context in contexts
    ]
    assert own not in believed[0]
    assert len(believed[0]) > 50
    assert own in believed[1]
