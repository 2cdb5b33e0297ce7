"""The doors about newsletters for staff, and the clock's."""

import json

import azure.functions as func
import pytest

from functions import http_operations_newsletter as doors
from functions import queue_newsletters, queue_poison, timer_reconciliation
from shared.datamap.loader import load
from shared.domain.messages import RECONCILIATION_QUEUE
from shared.domain.staff import StaffRole
from shared.services import consent_ledger, leaving, newsletter_changes, poison, reconciling
from tests.factories import WEBHOOK_SECRET, World
from tests.fakes.newsletters import NEWS
from tests.fakes.staff import MemoryStaffTokens
from tests.triggers.conftest import call, content, problem, wire


class _Timer(func.TimerRequest):
    past_due = False


@pytest.fixture
def world(monkeypatch):
    """A World with the shipped policy, in the app's place."""
    made = World(datamap=load())
    wire(monkeypatch, made)
    return made


@pytest.fixture
def operator(monkeypatch, world):
    """The token of an operator, in the app's place."""
    tokens = MemoryStaffTokens()
    wire(monkeypatch, world, staff_tokens=tokens)
    return f"Bearer {tokens.add('operator', StaffRole.OPERATOR)}"


async def test_before_anything_happened_nothing_is_shown(operator):
    """And that is no error."""
    found = content(await call(doors.newsletter, method="GET", authorization=operator))
    assert (found["run"], found["webhooks"], found["changes"], found["bodies"]) == (None, None, [], [])
    assert found["dead_letters"] == {
        "newsletter-mail": 0,
        "newsletter-change": 0,
        "newsletter-webhook": 0,
        "newsletter-reconciliation": 0,
    }


async def test_what_is_shown_names_nobody(world, operator):
    """A run that found somebody, a change that waits, and a message that failed."""
    world.newsletters.known = world.newsletters.known[:1]
    world.newsletters.put(NEWS, "ane@people.example")
    await timer_reconciliation.begin_reconciliation(_Timer())
    await timer_reconciliation.watch_webhooks(_Timer())
    while world.queue.sent:
        queue, body, _ = world.queue.sent.pop(0)
        if queue == RECONCILIATION_QUEUE:
            await queue_newsletters.newsletter_reconciliation(func.QueueMessage(id="m", body=body))
    await newsletter_changes.poisoned(
        world.context, world.context.keys.subject_key("email", "ane@people.example"), NEWS
    )
    await queue_poison.poison_reconciliation(func.QueueMessage(id="m", body=b"not json"))
    response = await call(doors.newsletter, method="GET", authorization=operator)
    found = content(response)
    assert b"people.example" not in response.get_body()
    assert found["run"]["extent"] == "whole"
    assert found["webhooks"]["lists"] == [{"list_id": NEWS, "state": "missing", "others": 0}]
    assert found["dead_letters"]["newsletter-reconciliation"] == 1


async def test_registering_shows_no_secret(world, operator):
    """Neither in the answer nor in an alarm."""
    response = await call(doors.register_webhooks, body={"secret": WEBHOOK_SECRET}, authorization=operator)
    assert content(response)["well"] is True
    assert WEBHOOK_SECRET.encode() not in response.get_body()
    assert WEBHOOK_SECRET not in json.dumps(world.operators.alarms)


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ("short", "field_invalid"),
        ("with/slash-0123456789", "field_invalid"),
        ("x" * 20, "webhook_secret_unknown"),
    ],
)
async def test_another_secret_is_refused(operator, secret, code):
    """And not repeated."""
    response = await call(doors.register_webhooks, body={"secret": secret}, authorization=operator)
    problem(response, 400, code)
    assert secret.encode() not in response.get_body()


async def test_a_poisoned_run_is_marked_and_sent_again(world):
    """By the clock."""
    run_id = await reconciling.begin(world.context)
    _, body, _ = world.queue.sent.pop()
    await poison.put_aside(world.context, RECONCILIATION_QUEUE, body)
    await timer_reconciliation.begin_reconciliation(_Timer())
    assert [(queue, json.loads(text)["run_id"]) for queue, text, _ in world.queue.sent] == [
        (RECONCILIATION_QUEUE, run_id)
    ]


async def test_an_address_leaves_the_list_on_its_persons_wish(monkeypatch, world):
    """However it is written; a second call changes nothing, and no other mark goes."""
    tokens = MemoryStaffTokens()
    wire(monkeypatch, world, staff_tokens=tokens)
    approver = f"Bearer {tokens.add('approver', StaffRole.APPROVER)}"
    email = "ane@people.example"
    now = world.clock.now()
    await leaving.leave(world.context, email, ["member_newsletter"], at=now, channel="form")
    assert await consent_ledger.is_suppressed(world.context, email)
    for _ in range(2):
        response = await call(doors.unlist, body={"email": email.upper()}, authorization=approver)
        assert (response.status_code, response.get_body()) == (204, b"")
    assert not await consent_ledger.is_suppressed(world.context, email)
    (stored,) = await world.controls.read((world.context.keys.subject_key("email", email),))
    assert [one.purpose_id for one in stored.controls.withdrawals] == ["member_newsletter"]
