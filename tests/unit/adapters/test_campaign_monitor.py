"""Campaign Monitor's adapter: what it calls, and which answer is which error."""

import httpx
import pytest

from devtools.stand_ins.campaign_monitor import Fault
from shared.adapters import campaign_monitor_api
from shared.adapters._campaign_monitor_errors import Code, refusal
from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.domain.recipients import Confirmation, Instruction
from tests.unit.adapters.conftest import ANE, LIST, ME, OTHER_LIST, PLAIN, Sleeps, answering, connected, row


@pytest.mark.parametrize("status", [300, 302, 399, 408, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_told_again(status):
    """By the queue."""
    error = refusal(status, None, "x")
    assert isinstance(error, Retryable)
    assert (error.code, error.detail) == ("processor_unreachable", f"x {status}")


def test_a_refusal_that_breaks_off_is_half_an_answer():
    """What it would have said may be no refusal at all, such as that a list does not have somebody."""
    error = refusal(400, None, "x")
    assert isinstance(error, Retryable)
    assert (error.code, error.detail) == ("processor_unreadable", "x 400")


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (400, 1, "x 400 code 1"),
        (400, 203, "x 400 code 203"),
        (401, 100, "x 401 code 100"),
        (401, 102, "x 401 code 102"),
        (401, None, "x 401"),
        (403, None, "x 403"),
        (404, None, "x 404"),
        (499, None, "x 499"),
    ],
)
def test_a_refusal_needs_a_person(status, code, detail):
    """Who is told the numbers and nothing else."""
    error = refusal(status, code, "x")
    assert isinstance(error, Permanent)
    assert (error.code, error.detail) == ("processor_refused", detail)


@pytest.mark.parametrize("code", [Code.NOT_IN_LIST, Code.DELETED, Code.UNSUBSCRIBED, Code.BOUNCED])
async def test_a_race_to_stop_is_won_by_anybody(stand_in, port, code):
    """Stopped by somebody else between the look and the call."""
    stand_in.faults = [Fault(call="POST unsubscribe", status=400, code=code, after=True)]
    assert await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE]) is Confirmation.DONE


@pytest.mark.parametrize("instruction", [one for one in Instruction if one is not Instruction.CORRECT])
async def test_a_list_that_is_said_not_to_hold_it_is_looked_behind(stand_in, port, instruction):
    """203 for a look is no list, and says nothing of deleted ones."""
    stand_in.api.account.put([row(State="Deleted")])
    stand_in.faults = [Fault(call="GET listsforemail", status=400, code=Code.NOT_IN_LIST, times=None)]
    assert await port.instruct(ME, instruction, [ANE]) is not Confirmation.NOT_HELD
    assert await port.instruct(ME, instruction, [PLAIN]) is Confirmation.NOT_HELD


@pytest.mark.parametrize("code", [Code.UNCONFIRMED, Code.SUPPRESSED])
async def test_what_cannot_be_unsubscribed_is_taken_off_the_list(stand_in, port, code):
    """No mail goes there any more."""
    stand_in.faults = [Fault(call="POST unsubscribe", status=400, code=code)]
    assert await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE]) is Confirmation.DONE
    assert [one.state for _, _, one in stand_in.api.account.of(ANE)] == ["Deleted"]


@pytest.mark.parametrize("code", [Code.NOT_IN_LIST, Code.DELETED])
async def test_deleted_by_somebody_else_is_done(stand_in, port, code):
    """203 counts as done."""
    stand_in.faults = [Fault(call="DELETE subscribers", status=400, code=code, after=True)]
    assert await port.instruct(ME, Instruction.ERASE, [ANE]) is Confirmation.AWAITING_STAFF


@pytest.mark.parametrize("code", [Code.SUPPRESSED, Code.UNSUBSCRIBED, Code.BOUNCED, Code.UNCONFIRMED])
async def test_another_code_for_a_deletion_needs_a_person(stand_in, port, code):
    """It says nothing about the deletion."""
    stand_in.faults = [Fault(call="DELETE subscribers", status=400, code=code)]
    with pytest.raises(Permanent, match=rf"^processor_refused: campaign_monitor\.delete 400 code {code}$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])


@pytest.mark.parametrize("code", list(Code))
async def test_a_name_that_cannot_be_overwritten_does_not_stop_an_erasure(stand_in, port, code):
    """Staff remove it with the rest."""
    stand_in.faults = [Fault(call="PUT subscribers", status=400, code=code)]
    assert await port.instruct(ME, Instruction.ERASE, [ANE]) is Confirmation.AWAITING_STAFF


@pytest.mark.parametrize(
    "code", [Code.SUPPRESSED, Code.DELETED, Code.UNSUBSCRIBED, Code.BOUNCED, Code.UNCONFIRMED]
)
async def test_a_name_that_cannot_be_corrected_needs_a_person(stand_in, port, code):
    """The wrong one is still there."""
    stand_in.faults = [Fault(call="PUT subscribers", status=400, code=code)]
    with pytest.raises(Permanent, match=rf"^processor_refused: campaign_monitor\.update code {code}$"):
        await port.instruct(ME, Instruction.CORRECT, [ANE], name="Right")


async def test_gone_before_its_name_is_corrected_is_not_held(stand_in, port):
    """203 on the way."""
    stand_in.faults = [Fault(call="PUT subscribers", status=400, code=Code.NOT_IN_LIST)]
    assert await port.instruct(ME, Instruction.CORRECT, [ANE], name="Right") is Confirmation.NOT_HELD


@pytest.mark.parametrize(
    ("instruction", "call"),
    [
        (Instruction.UNSUBSCRIBE, "POST unsubscribe"),
        (Instruction.SUPPRESS, "POST suppress"),
        (Instruction.RESTRICT, "POST suppress"),
        (Instruction.ERASE, "DELETE subscribers"),
        (Instruction.CORRECT, "PUT subscribers"),
    ],
)
async def test_a_yes_that_is_not_seen_afterwards_is_no_confirmation(stand_in, port, instruction, call):
    """200 without an effect."""
    stand_in.faults = [Fault(call=call, status=200, code=1, times=None)]
    with pytest.raises(Retryable, match="processor_unconfirmed"):
        await port.instruct(ME, instruction, [ANE], name="Right")


async def test_a_state_nobody_knows_may_get_mail():
    """Only known ones are trusted to get none."""
    states = [{"ListID": LIST, "SubscriberState": "Dormant"}]
    port = answering(httpx.Response(200, json=states))
    with pytest.raises(Retryable, match="processor_unconfirmed"):
        await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE])


@pytest.mark.parametrize(("said", "waited"), [("0", 0), ("1", 1), ("5", 5)])
async def test_too_early_by_seconds_waits_and_goes_on(stand_in, said, waited):
    """As the header says."""
    sleeps = Sleeps()
    port = connected(stand_in.url, sleep=sleeps)
    stand_in.faults = [Fault(status=429, code=429, headers={"X-RateLimit-Reset": said})]
    assert await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE]) is Confirmation.DONE
    assert sleeps == [waited]
    await port.close()


@pytest.mark.parametrize(
    "headers", [{}, {"X-RateLimit-Reset": "6"}, {"X-RateLimit-Reset": "-1"}, {"X-RateLimit-Reset": "soon"}]
)
async def test_too_early_by_more_is_left_to_the_queue(stand_in, headers):
    """Nor is a header waited for that says nothing."""
    sleeps = Sleeps()
    port = connected(stand_in.url, sleep=sleeps)
    stand_in.faults = [Fault(status=429, code=429, headers=headers)]
    with pytest.raises(Retryable, match=r"^processor_unreachable: campaign_monitor\.lists_for_email 429$"):
        await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE])
    assert sleeps == []
    await port.close()


async def test_always_too_early_ends(stand_in):
    """After three tries of one call."""
    sleeps = Sleeps()
    port = connected(stand_in.url, sleep=sleeps)
    stand_in.faults = [Fault(status=429, code=429, headers={"X-RateLimit-Reset": "1"}, times=None)]
    with pytest.raises(Retryable, match="processor_unreachable"):
        await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE])
    assert sleeps == [1, 1]
    await port.close()


async def test_a_wrong_key_needs_a_person(stand_in):
    """It will not get right by itself."""
    port = connected(stand_in.url, campaign_monitor_api_key="wrong")
    with pytest.raises(
        Permanent, match=r"^processor_refused: campaign_monitor\.lists_for_email 401 code 100$"
    ):
        await port.instruct(ME, Instruction.ERASE, [ANE])
    await port.close()


async def test_somebody_else_s_client_needs_a_person(stand_in):
    """Code 102."""
    port = connected(stand_in.url, campaign_monitor_client_id="d" * 32)
    with pytest.raises(Permanent, match=r"401 code 102$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])
    await port.close()


async def test_an_html_page_of_a_gateway_is_a_passing_fault(stand_in, port):
    """A body that is no JSON hides no status."""
    stand_in.faults = [Fault(status=502)]
    with pytest.raises(Retryable, match=r"^processor_unreachable: campaign_monitor\.lists_for_email 502$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"null",
        b'[{"ListID": "../../evil", "SubscriberState": "Active"}]',
        b'[{"ListID": 1}]',
    ],
)
async def test_an_answer_that_cannot_be_read_is_no_answer(body):
    """Least of all "not held"."""
    port = answering(httpx.Response(200, content=body))
    with pytest.raises(CannotTell, match=r"^processor_unreadable: campaign_monitor\.lists_for_email$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])


async def test_a_redirect_is_not_followed():
    """The key goes to nobody else."""
    port = answering(httpx.Response(302, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(Retryable, match=r"processor_unreachable: campaign_monitor\.lists_for_email 302$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])


async def test_a_slow_one_is_unreachable(stand_in, port, monkeypatch):
    """However slowly its bytes drip."""
    monkeypatch.setattr(campaign_monitor_api, "_CALL_SECONDS", 0.05)
    stand_in.faults = [Fault(delay_seconds=1.0)]
    with pytest.raises(Retryable, match=r"^processor_unreachable: campaign_monitor\.lists_for_email$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])


async def test_nobody_listening_is_unreachable():
    """Down."""
    port = connected("http://127.0.0.1:1/api/v3.3")
    with pytest.raises(Retryable, match=r"^processor_unreachable: campaign_monitor\.lists_for_email$"):
        await port.instruct(ME, Instruction.ERASE, [ANE])
    await port.close()


async def test_one_setting_for_all_lists_is_no_obstacle(stand_in, port):
    """The first call then unsubscribes from every list, and the second finds that."""
    stand_in.api.unsubscribes_everywhere = True
    stand_in.api.account.put([row(ListID=OTHER_LIST)])
    assert await port.instruct(ME, Instruction.SUPPRESS, [ANE]) is Confirmation.DONE
    assert [one.state for _, _, one in stand_in.api.account.of(ANE)] == ["Unsubscribed", "Unsubscribed"]
    assert stand_in.calls.count("POST unsubscribe") == 2


async def test_erasure_clears_every_field_once(stand_in, port):
    """A field of several values comes once for each."""
    await port.instruct(ME, Instruction.ERASE, [ANE])
    body = stand_in.bodies[stand_in.calls.index("PUT subscribers")]
    assert body["CustomFields"] == [{"Key": "[Tags]", "Value": "", "Clear": True}]
    assert (body["Name"], body["ConsentToTrack"]) == ("erased", "No")
    assert [one.fields for _, _, one in stand_in.api.account.of(ANE)] == [[]]


async def test_correction_touches_nothing_but_the_name(stand_in, port):
    """Fields and consent to tracking stay."""
    before = list(stand_in.api.account.lists[LIST].subscribers[ANE].fields)
    await port.instruct(ME, Instruction.CORRECT, [ANE], name="Right")
    body = stand_in.bodies[stand_in.calls.index("PUT subscribers")]
    assert (body["CustomFields"], body["ConsentToTrack"]) == ([], "Unchanged")
    assert stand_in.api.account.lists[LIST].subscribers[ANE].fields == before


async def test_a_right_name_is_not_sent_again(stand_in, port):
    """The second time there is nothing to write."""
    await port.instruct(ME, Instruction.CORRECT, [ANE], name="Ane")
    assert "PUT subscribers" not in stand_in.calls


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_nobody_is_ever_subscribed_again(stand_in, port, instruction):
    """No call asks for it, whatever the state."""
    for number, state in enumerate(("Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted")):
        stand_in.api.account.put([row(ListID=f"{number}" * 32, State=state)])
    stand_in.api.hides_deleted = True
    await port.instruct(ME, instruction, [ANE], name="Right")
    assert not any(isinstance(body, dict) and body.get("Resubscribe") for body in stand_in.bodies)


async def test_an_address_is_found_beyond_the_first_page(stand_in, port):
    """Of the suppression list and of the deleted ones, oldest last."""
    account = stand_in.api.account
    account.put([row(EmailAddress="old@people.example", State="Deleted")])
    account.put([row(EmailAddress=f"d{number}@people.example", State="Deleted") for number in range(1000)])
    account.suppress("older@people.example")
    for number in range(1000):
        account.suppress(f"s{number}@people.example")
    for email in ("old@people.example", "older@people.example"):
        assert await port.instruct(ME, Instruction.ERASE, [email]) is Confirmation.AWAITING_STAFF
    assert await port.instruct(ME, Instruction.ERASE, ["no@people.example"]) is Confirmation.NOT_HELD


async def test_a_closed_one_opens_again(stand_in, port):
    """As after a test of the worker."""
    await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE])
    await port.close()
    await port.close()
    assert await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE]) is Confirmation.DONE
