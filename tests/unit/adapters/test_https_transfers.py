"""A copy on its way to another controller: real TLS on loopback, and addresses that must not be reached."""

import asyncio
import base64
import hashlib
import io
import logging
import zipfile
from dataclasses import replace

import pytest

from shared.adapters.https_transfers import HttpsTransfers
from shared.adapters.outbound import Outbound, Times
from shared.domain.errors import NotFound, Permanent, Retryable
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.wishes import Wishes
from shared.ports.packages import Content
from tests.factories import World, people_store, small_map
from tests.fakes.messaging import TestClock
from tests.fakes.receiver import NAME, Authority, running
from tests.unit.adapters.transfers_world import DATA, Resolver, content, refused, sent
from tests.unit.services.driving import fulfil, stored

PATH = "/inbox?for=someone"


def transfers(authority, receiver, **times):
    """Return the adapter, with the receiver let through as in a local run."""
    outbound = Outbound(
        "transfer",
        local_ca_file=str(authority.ca_file),
        resolve=Resolver(["127.0.0.1"]),
        times=Times(**{"connect_seconds": 2.0, "silence_seconds": 2.0, "overall_seconds": 5.0, **times}),
    )
    return HttpsTransfers(outbound, TestClock(), local_receiver=receiver.origin)


@pytest.mark.clause("4.6")
async def test_a_copy_is_put_there_whole_with_its_digest(authority, caplog):
    """Under its name in TLS and in the Host header, though the connection goes to the address."""
    caplog.set_level(logging.DEBUG)
    async with running(authority.server_context(NAME)) as receiver:
        adapter = transfers(authority, receiver)
        receipt = await sent(adapter, receiver.origin + PATH)
    assert (receipt.status, receipt.host, receipt.at) == (201, NAME, TestClock().now())
    assert receiver.head.startswith(f"PUT {PATH} HTTP/1.1\r\n")
    assert receiver.body == DATA
    assert receiver.server_names == [NAME]
    expected = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    assert {
        name: receiver.header(name)
        for name in (
            "host",
            "content-type",
            "content-length",
            "content-digest",
            "content-disposition",
            "transfer-encoding",
            "cookie",
            "authorization",
        )
    } == {
        "host": f"{NAME}:{receiver.port}",
        "content-type": "application/zip",
        "content-length": str(len(DATA)),
        "content-digest": f"sha-256=:{expected}:",
        "content-disposition": 'attachment; filename="copy.zip"',
        "transfer-encoding": None,
        "cookie": None,
        "authorization": None,
    }
    assert NAME not in caplog.text
    assert "inbox" not in caplog.text


async def test_a_receiver_may_be_an_address_with_a_certificate_of_its_own(authority):
    """As in a local run."""
    async with running(authority.server_context("127.0.0.1")) as receiver:
        origin = f"https://127.0.0.1:{receiver.port}"
        outbound = Outbound("transfer", local_ca_file=str(authority.ca_file))
        adapter = HttpsTransfers(outbound, TestClock(), local_receiver=origin)
        assert (await sent(adapter, f"{origin}/in")).status == 201
    assert receiver.body == DATA


async def test_no_proxy_and_no_netrc_of_the_environment_is_used(authority, monkeypatch, tmp_path):
    """They would lead the copy elsewhere, or sign it with somebody's password."""
    (tmp_path / "netrc").write_text(f"machine {NAME} login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with running(authority.server_context(NAME)) as receiver:
        assert (await sent(transfers(authority, receiver), receiver.origin)).status == 201
    assert receiver.header("authorization") is None


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        ("200 OK", None, None),
        ("204 No Content", None, None),
        ("299 Taken", None, None),
        ("300 Choose", Permanent, "transfer_refused"),
        ("301 Moved", Permanent, "transfer_refused"),
        ("302 Found", Permanent, "transfer_refused"),
        ("307 Elsewhere", Permanent, "transfer_refused"),
        ("308 Elsewhere", Permanent, "transfer_refused"),
        ("400 Bad", Permanent, "transfer_refused"),
        ("401 Who", Permanent, "transfer_refused"),
        ("403 No", Permanent, "transfer_refused"),
        ("404 Where", Permanent, "transfer_refused"),
        ("408 Slow", Retryable, "transfer_unreachable"),
        ("413 Large", Permanent, "transfer_refused"),
        ("429 Often", Retryable, "transfer_unreachable"),
        ("499 No", Permanent, "transfer_refused"),
        ("500 Oh", Retryable, "transfer_unreachable"),
        ("503 Busy", Retryable, "transfer_unreachable"),
        ("599 Oh", Retryable, "transfer_unreachable"),
    ],
)
async def test_what_the_receiver_answers_decides(authority, status, kind, code):
    """A redirect is never followed, wherever it points."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        location = f"Location: {receiver.origin}/elsewhere"
        if status.startswith("204"):
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            return
        await receiver.answering(writer, status, location, "Set-Cookie: a=b", body=b"someone's data")

    async with running(authority.server_context(NAME), behaviour) as receiver:
        adapter = transfers(authority, receiver)
        if kind is None:
            assert (await sent(adapter, receiver.origin + PATH)).status == int(status[:3])
        else:
            error = await refused(adapter, receiver.origin + PATH)
            assert (type(error), error.code) == (kind, code)
        assert receiver.connections == 1


async def test_an_answer_without_end_is_not_read(authority):
    """The status is all there is to know."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()

    async with running(authority.server_context(NAME), behaviour) as receiver:
        assert (await sent(transfers(authority, receiver), receiver.origin)).status == 200


async def test_headers_without_end_are_given_up(authority):
    """Before they fill the memory."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Filler: " + b"x" * 8_192 + b"\r\n")
            await writer.drain()

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(transfers(authority, receiver), receiver.origin)
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Le", b"SSH-2.0-x\r\n"])
async def test_a_broken_answer_is_none(authority, answer):
    """The queue tries again."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        writer.write(answer)

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(transfers(authority, receiver), receiver.origin)
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


async def test_a_good_answer_before_the_end_of_the_copy_is_no_receipt(authority):
    """Whoever says thank you after half of it has not got it."""

    async def behaviour(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await receiver.answering(writer, "200 OK", "Connection: close")

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(
            transfers(authority, receiver), receiver.origin, content(DATA * 8, pause_seconds=0.01)
        )
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


async def test_a_refusal_before_the_end_of_the_copy_is_one(authority):
    """Such as: too large."""

    async def behaviour(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await receiver.answering(writer, "413 Too Large", "Connection: close")
        while await reader.read(65_536):
            pass  # read to the end, as polite servers do: a reset would swallow the answer

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(
            transfers(authority, receiver), receiver.origin, content(DATA * 4, pause_seconds=0.01)
        )
    assert (type(error), error.code) == (Permanent, "transfer_refused")


async def test_a_receiver_that_says_nothing_is_left(authority):
    """After the bound on silence."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        await reader.read()

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(transfers(authority, receiver, silence_seconds=0.2), receiver.origin)
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


async def test_a_receiver_that_does_not_read_is_left(authority):
    """Its window is full and stays so."""

    async def behaviour(reader, writer):
        reader._transport.pause_reading()
        await asyncio.sleep(1)

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(
            transfers(authority, receiver, silence_seconds=0.3), receiver.origin, content(DATA * 32)
        )
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


async def test_a_receiver_that_takes_for_ever_is_too_slow(authority):
    """A byte now and then is no way around the bound on the whole."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: x\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with running(authority.server_context(NAME), behaviour) as receiver:
        error = await refused(transfers(authority, receiver, overall_seconds=0.4), receiver.origin)
    assert (type(error), error.code) == (Permanent, "transfer_too_slow")


async def test_nobody_there_is_tried_again(authority):
    """The port is closed."""
    async with running(authority.server_context(NAME)) as receiver:
        pass
    error = await refused(transfers(authority, receiver), receiver.origin)
    assert (type(error), error.code) == (Retryable, "transfer_unreachable")


@pytest.mark.parametrize(("names", "days"), [(("other.test",), 1), (("127.0.0.1",), 1), ((NAME,), -1)])
async def test_a_receiver_that_cannot_prove_its_name_gets_nothing(authority, names, days):
    """A certificate for another name, for the address alone, or one that has expired."""
    async with running(authority.server_context(*names, days=days)) as receiver:
        error = await refused(transfers(authority, receiver), receiver.origin)
    assert (type(error), error.code) == (Permanent, "transfer_certificate")
    assert receiver.body == b""


async def test_a_certificate_of_an_unknown_authority_proves_nothing(authority, tmp_path):
    """The local authority is not the one that issued it."""
    async with running(Authority(tmp_path).server_context(NAME)) as receiver:
        error = await refused(transfers(authority, receiver), receiver.origin)
    assert (type(error), error.code) == (Permanent, "transfer_certificate")


@pytest.mark.parametrize("size_bytes", [len(DATA) - 1, len(DATA) + 1])
async def test_a_copy_of_another_length_than_it_said_is_not_sent_as_whole(authority, size_bytes):
    """One byte less, one byte more."""
    async with running(authority.server_context(NAME)) as receiver:
        error = await refused(transfers(authority, receiver), receiver.origin, content(size_bytes=size_bytes))
    assert (type(error), error.code) == (Permanent, "transfer_source_changed")


async def test_a_copy_that_is_gone_is_said_to_be_gone(authority):
    """Its own error, not the network's."""

    async def chunks():
        if reads:
            raise NotFound("package_gone")
        reads.append(1)
        yield DATA

    reads = []
    async with running(authority.server_context(NAME)) as receiver:
        with pytest.raises(NotFound):
            await sent(
                transfers(authority, receiver), receiver.origin, Content(size_bytes=len(DATA), chunks=chunks)
            )


def _world():
    """Return a World in which a person's name may be taken along."""
    people = people_store()
    fields = tuple(one.model_copy(update={"portable": one.path == "/name"}) for one in people.fields)
    made = small_map((people.model_copy(update={"fields": fields}),))
    (activity,) = made.activities
    applies = activity.portability.model_copy(update={"applies": True})
    activity = activity.model_copy(update={"portability": applies})
    world = World(datamap=made.model_copy(update={"activities": (activity,)}))
    world.documents.put("people", "/id", {"id": "person-ane", "email": "ane@people.example", "name": "Ane"})
    return world


@pytest.mark.clause("4.6")
async def test_a_portability_request_ends_at_the_other_controller(authority):
    """From the form to the receiver's disk, the very copy that the person could fetch."""
    world = _world()
    async with running(authority.server_context(NAME)) as receiver:
        world.context = replace(world.context, transfers=transfers(authority, receiver))
        wishes = Wishes(transfer_url=f"{receiver.origin}{PATH}")
        request_id = await fulfil(world, "ane@people.example", Right.PORTABILITY, wishes=wishes)
    assert world.cases.request(request_id).outcomes[Right.PORTABILITY].result == "transferred"
    assert receiver.body == world.packages.contents[request_id]
    assert receiver.header("content-type") == "application/zip"
    assert zipfile.is_zipfile(io.BytesIO(receiver.body))
    assert "receiver" not in stored(world, request_id)


async def test_a_portability_request_with_a_bad_receiver_waits_for_an_operator(authority):
    """The copy is there to fetch all the same."""

    async def behaviour(reader, writer):
        await receiver.take(reader)
        await receiver.answering(writer, "302 Found", "Location: https://127.0.0.1/")

    world = _world()
    async with running(authority.server_context(NAME), behaviour) as receiver:
        world.context = replace(world.context, transfers=transfers(authority, receiver))
        wishes = Wishes(transfer_url=f"{receiver.origin}{PATH}")
        request_id = await fulfil(world, "ane@people.example", Right.PORTABILITY, wishes=wishes)
    request = world.cases.request(request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "transfer_refused")
    assert request_id in world.packages.contents
