"""Mail by every way it travels: memory, the outbox of local runs, and Graph on its stand-in."""

import logging
import uuid
from contextlib import asynccontextmanager

import pytest

from devtools.free_ports import free_port
from devtools.stand_ins.graph import MAILBOX, Fault, GraphStandIn
from shared.adapters import graph_mail
from shared.adapters.blob_outbox import BlobOutbox
from shared.adapters.graph_mail import MAIL_ID_PROPERTY, GraphNotifier
from shared.adapters.graph_tokens import GraphTokens
from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.ports.notifier import NOT_ACCEPTED, OUTCOME_UNKNOWN, Mail
from tests.contract.conftest import local_settings
from tests.fakes.messaging import MAIL_CALL_SECONDS, MemoryNotifier

pytestmark = pytest.mark.platform
TO = "ane@people.example"


@pytest.fixture
def mail_id():
    """An id nobody else uses."""
    return f"r-{uuid.uuid4().hex}-letter-verify-0"


def mail(mail_id, **changes):
    """Return a made-up mail."""
    parts = {"to": TO, "subject": "Hello", "text": "x", "html": "<p>x</p>", "language": "en"}
    return Mail(mail_id=mail_id, **{**parts, **changes})


@asynccontextmanager
async def served(monkeypatch):
    """Run the stand-in, with the identity it serves in the environment as Azure puts it there."""
    async with GraphStandIn() as running:
        monkeypatch.setenv("IDENTITY_ENDPOINT", running.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", running.identity_header)
        yield running


@pytest.fixture
async def graph(monkeypatch):
    """The stand-in."""
    async with served(monkeypatch) as running:
        yield running


def notifier_on(url, mailbox=MAILBOX):
    """Return the adapter, with msal's own client of a managed identity."""
    settings = local_settings(graph_mailbox=mailbox, graph_url=url, graph_client_id="identity")
    return GraphNotifier(settings, GraphTokens(settings))


@pytest.fixture
async def through_graph(graph):
    """The adapter on the stand-in."""
    opened = notifier_on(graph.url)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "outbox", "graph"])
async def notifier(request, monkeypatch):
    """The port."""
    if request.param == "memory":
        yield MemoryNotifier()
    elif request.param == "graph":
        async with served(monkeypatch) as running:
            opened = notifier_on(running.url)
            yield opened
            await opened.close()
    else:
        storage = request.getfixturevalue("storage_sync")
        container = storage.container("outbox")
        if not await container.exists():
            await container.create_container()
        yield BlobOutbox(storage, sender=MAILBOX)
        await storage.close()


# every notifier


async def test_a_mail_that_was_sent_is_known_by_its_id(notifier, mail_id):
    """And no other."""
    await notifier.send(mail(mail_id))
    assert await notifier.was_sent(mail_id) is True
    assert await notifier.was_sent(f"{mail_id}0") is False
    assert await notifier.was_sent(mail_id[:-1]) is False


async def test_a_mail_that_was_not_sent_is_not_known(notifier, mail_id):
    """A plain no."""
    assert await notifier.was_sent(mail_id) is False


# Graph


async def test_graph_gets_one_recipient_the_page_and_the_id(graph, through_graph, mail_id):
    """And keeps a copy, to be found by."""
    await through_graph.send(mail(mail_id))
    (sent,) = graph.delivered
    assert sent["toRecipients"] == [{"emailAddress": {"address": TO}}]
    assert sent["body"] == {"contentType": "HTML", "content": "<p>x</p>"}
    assert sent["singleValueExtendedProperties"] == [{"id": MAIL_ID_PROPERTY, "value": mail_id}]
    assert len(graph.sent_items) == 1
    assert "ccRecipients" not in sent
    assert "bccRecipients" not in sent


async def test_one_token_serves_many_calls(graph, through_graph, mail_id):
    """Kept by msal."""
    await through_graph.send(mail(mail_id))
    await through_graph.was_sent(mail_id)
    assert graph.calls == ["token", "sendMail", "messages"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(call="sendMail", status=429, code="ApplicationThrottled", headers={"Retry-After": "7"}),
        Fault(call="sendMail", status=503, code="ErrorServerBusy", headers={"Retry-After": "7"}),
        Fault(call="sendMail", status=429, headers={"Retry-After": "7"}),
    ],
    ids=str,
)
async def test_a_call_too_many_waits_as_long_as_asked(graph, through_graph, mail_id, fault):
    """Certainly not sent, and nothing more is asked of Graph before that."""
    graph.faults.append(fault)
    for _ in range(2):
        with pytest.raises(Retryable) as caught:
            await through_graph.send(mail(mail_id))
        assert caught.value.code == NOT_ACCEPTED
        assert caught.value.retry_after_seconds == 7
    assert graph.calls.count("sendMail") == 1
    with pytest.raises(Retryable):
        await through_graph.was_sent(mail_id)
    assert graph.delivered == []


async def test_a_call_too_many_without_a_time_is_still_a_refusal(graph, through_graph, mail_id):
    """The caller chooses the time."""
    graph.faults.append(Fault(call="sendMail", status=429, code="ApplicationThrottled"))
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert (caught.value.code, caught.value.retry_after_seconds) == (NOT_ACCEPTED, None)
    await through_graph.send(mail(mail_id))


async def test_a_wait_of_days_is_cut_to_an_hour(graph, through_graph, mail_id):
    """Whoever wrote it."""
    fault = Fault(call="sendMail", status=429, code="x", headers={"Retry-After": "999999999"})
    graph.faults.append(fault)
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert caught.value.retry_after_seconds == 3_600


@pytest.mark.parametrize(
    "fault",
    [
        Fault(call="sendMail", drop=True, after=True),
        Fault(call="sendMail", status=504, after=True),
        Fault(call="sendMail", status=500, code="ErrorInternalServerError", after=True),
        Fault(call="sendMail", status=503, after=True),
        Fault(call="sendMail", status=200, code="odd", after=True),
        Fault(call="sendMail", status=302, headers={"Location": "/elsewhere"}, after=True),
    ],
    ids=str,
)
async def test_an_answer_that_got_lost_is_found_out_afterwards(graph, through_graph, mail_id, fault):
    """It was sent, and only Sent Items tell."""
    graph.faults.append(fault)
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert caught.value.code == OUTCOME_UNKNOWN
    assert await through_graph.was_sent(mail_id) is True
    assert len(graph.delivered) == 1


@pytest.mark.parametrize("fault", [Fault(call="sendMail", drop=True), Fault(call="sendMail", status=502)])
async def test_a_request_that_got_lost_is_found_out_too(graph, through_graph, mail_id, fault):
    """It looks the same from here."""
    graph.faults.append(fault)
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert caught.value.code == OUTCOME_UNKNOWN
    assert await through_graph.was_sent(mail_id) is False


async def test_an_answer_that_takes_too_long_is_unknown(graph, through_graph, mail_id, monkeypatch):
    """The call ends."""
    monkeypatch.setattr(graph_mail, "CALL_SECONDS", 0.5)
    graph.faults.append(Fault(call="sendMail", delay_seconds=1.5, after=True))
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert caught.value.code == OUTCOME_UNKNOWN


def test_the_fake_s_calls_take_as_long_as_the_adapter_s():
    """One number for the simulation and for the truth."""
    assert MAIL_CALL_SECONDS == graph_mail.CALL_SECONDS


async def test_nobody_there_is_certainly_not_sent(graph, mail_id):
    """Nothing left the machine."""
    away = notifier_on(f"http://127.0.0.1:{free_port()}/v1.0")
    with pytest.raises(Retryable) as caught:
        await away.send(mail(mail_id))
    assert caught.value.code == NOT_ACCEPTED
    with pytest.raises(Retryable):
        await away.was_sent(mail_id)
    await away.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(call="token", status=500, code="x"),
        Fault(call="token", status=502),
        Fault(call="token", drop=True),
    ],
    ids=str,
)
async def test_without_a_token_nothing_is_sent(graph, through_graph, mail_id, fault):
    """The next call asks again."""
    graph.faults.append(fault)
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert caught.value.code == NOT_ACCEPTED
    assert "sendMail" not in graph.calls


async def test_a_mailbox_that_may_not_be_used_keeps_its_letters(graph, mail_id):
    """Operators repair the grant; the letters wait, and nobody reads a refusal as a no."""
    other = notifier_on(graph.url, "somebody@controller.example")
    with pytest.raises(Retryable) as caught:
        await other.send(mail(mail_id))
    assert (caught.value.code, caught.value.detail) == (NOT_ACCEPTED, "graph.send 403 ErrorAccessDenied")
    with pytest.raises(CannotTell):
        await other.was_sent(mail_id)
    await other.close()


async def test_a_token_that_is_not_accepted_sends_nothing(graph, through_graph, mail_id):
    """Until there is a better one."""
    await through_graph.was_sent(mail_id)
    graph.revoke_tokens()
    with pytest.raises(Retryable) as caught:
        await through_graph.send(mail(mail_id))
    assert (caught.value.code, graph.delivered) == (NOT_ACCEPTED, [])


@pytest.mark.parametrize("status", [400, 413])
async def test_a_mail_refused_for_what_it_is_never_goes(graph, through_graph, mail_id, status):
    """The vendor's code is told, its words are not."""
    graph.faults.append(Fault(call="sendMail", status=status, code="ErrorInvalidRecipients"))
    with pytest.raises(Permanent) as caught:
        await through_graph.send(mail(mail_id))
    assert str(caught.value) == f"mail_refused: graph.send {status} ErrorInvalidRecipients"


async def test_a_code_that_is_none_is_not_repeated(graph, through_graph, mail_id):
    """It might be an address."""
    graph.faults.append(Fault(call="sendMail", status=400, code=f"no mailbox {TO}"))
    with pytest.raises(Permanent) as caught:
        await through_graph.send(mail(mail_id))
    assert str(caught.value) == "mail_refused: graph.send 400"


@pytest.mark.parametrize("to", ["a@people.example, b@people.example", "Ane <a@people.example>", ""])
async def test_graph_never_sees_an_address_that_reads_as_another(graph, through_graph, mail_id, to):
    """The same rule as for files."""
    with pytest.raises(Permanent) as caught:
        await through_graph.send(mail(mail_id, to=to))
    assert str(caught.value) == "address_unusable: graph.send"
    assert graph.calls == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(call="messages", status=429, code="ApplicationThrottled"), Retryable),
        (Fault(call="messages", status=503), Retryable),
        (Fault(call="messages", drop=True), Retryable),
        (Fault(call="messages", status=403, code="ErrorAccessDenied"), CannotTell),
        (Fault(call="messages", status=400, code="ErrorInvalidUrlQueryFilter"), CannotTell),
        (Fault(call="messages", status=200), CannotTell),  # a page of HTML
        (Fault(call="messages", status=200, code="odd"), CannotTell),
    ],
    ids=str,
)
async def test_no_answer_from_sent_items_is_never_a_no(graph, through_graph, mail_id, fault, error):
    """Nor is an odd one."""
    await through_graph.send(mail(mail_id))
    graph.faults.append(fault)
    with pytest.raises(error):
        await through_graph.was_sent(mail_id)
    assert await through_graph.was_sent(mail_id) is True


async def test_an_empty_page_is_not_the_end(graph, through_graph, mail_id):
    """Graph may filter page by page."""
    await through_graph.send(mail(mail_id))
    graph.empty_pages = 3
    assert await through_graph.was_sent(mail_id) is True
    assert await through_graph.was_sent(f"{mail_id}0") is False
    graph.empty_pages = 19
    assert await through_graph.was_sent(mail_id) is True
    graph.empty_pages = 20
    with pytest.raises(CannotTell):
        await through_graph.was_sent(mail_id)


async def test_a_page_elsewhere_is_not_followed(graph, through_graph, mail_id, monkeypatch):
    """The token stays with Graph."""
    monkeypatch.setattr(graph_mail, "_next_page", lambda _: "http://127.0.0.1:9/v1.0/users")
    with pytest.raises(CannotTell):
        await through_graph.was_sent(mail_id)
    assert graph.calls == ["token", "messages"]


async def test_an_id_with_a_quote_asks_for_that_id(graph, through_graph):
    """Nothing is read as part of the filter."""
    odd = "x' or ep/value ne '"
    await through_graph.send(mail("other"))
    assert await through_graph.was_sent(odd) is False
    await through_graph.send(mail(odd))
    assert await through_graph.was_sent(odd) is True


async def test_logs_hold_nothing_of_the_person_nor_a_token(graph, through_graph, mail_id, caplog):
    """As the worker sets them up."""
    from shared import bootstrap

    settings = local_settings(graph_mailbox=MAILBOX, graph_url=graph.url)
    await bootstrap.build(settings).close()
    with caplog.at_level(logging.INFO):
        graph.faults.append(Fault(call="sendMail", status=500, code="x"))
        with pytest.raises(Retryable) as caught:
            await through_graph.send(mail(mail_id))
        await through_graph.send(mail(mail_id, subject="A secret subject"))
        await through_graph.was_sent(mail_id)
    logged = caplog.text + repr(caught.value)
    for secret in (TO, "secret subject", "Bearer", *graph._tokens):
        assert secret not in logged
    assert "sendMail" not in logged
