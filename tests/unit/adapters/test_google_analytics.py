"""Google Analytics is told to delete by what the map says it knows people by, and its receipt is kept."""

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from devtools.stand_ins.google_analytics import PROPERTY_ID, SERVICE_ACCOUNT, Fault, GoogleAnalyticsStandIn
from shared.adapters.google_analytics import QUOTA_PAUSE_SECONDS, GoogleAnalytics
from shared.adapters.google_tokens import GoogleTokens
from shared.domain.errors import CannotTell, ComplianceError, Permanent, Retryable
from shared.domain.recipients import NO_IDENTIFIER, NOT_POSSIBLE, Answered, Confirmation, Instruction
from tests.contract.conftest import local_settings

ANE = {"email": ("ane@people.example",), "user_id": ("user-ane",)}
BY_USER = {"user_id": "userId"}


@pytest.fixture
async def stand_in():
    async with GoogleAnalyticsStandIn() as made:
        yield made


@pytest.fixture
def connect(stand_in, tmp_path):
    """Return how to connect the adapter to the stand-in."""
    key_file = tmp_path / "key.json"
    stand_in.write_key_file(key_file)

    def made(*, identifiers=None, has_contract=False, property_id=PROPERTY_ID, **more):
        settings = local_settings(
            google_analytics_property_id=property_id,
            google_analytics_url=stand_in.url,
            google_key_file=str(key_file),
        )
        return GoogleAnalytics(
            settings,
            identifiers=BY_USER if identifiers is None else identifiers,
            has_contract=has_contract,
            tokens=more.pop("tokens", None) or GoogleTokens(settings),
            **more,
        )

    return made


@pytest.mark.clause("3.2", "4.4")
async def test_a_person_s_identifier_is_deleted_and_the_receipt_is_not_called_done(connect, stand_in):
    port = connect()
    answered = await port.instruct(Instruction.ERASE, ANE)
    ((field, value, received_at),) = stand_in.deletions
    assert (field, value) == ("userId", "user-ane"), "one identifier a request, and the address is not sent"
    assert (answered.confirmation, answered.receipt_at) == (Confirmation.ACCEPTED, received_at)
    assert (
        timedelta(days=59)
        < datetime.combine(answered.gone_by, datetime.min.time(), tzinfo=UTC) - received_at
        < timedelta(days=67)
    )
    await port.close()


async def test_it_is_gone_two_months_and_seventy_two_hours_after_the_receipt(connect):
    body = {"deletionRequestTime": "2026-12-29T22:30:00.123456789Z"}  # in Copenhagen it is nearly the 30th
    port = connect(
        tokens=FixedToken(), transport=httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    )
    answered = await port.instruct(Instruction.ERASE, ANE)
    assert answered.gone_by == date(2027, 3, 1)
    assert answered.receipt_at == datetime(2026, 12, 29, 22, 30, 0, 123456, tzinfo=UTC)


async def test_each_of_several_identifiers_is_a_request_of_its_own(connect, stand_in):
    port = connect(identifiers={"user_id": "userId", "device_id": "appInstanceId"})
    person = {"user_id": ("u-1", "u-2"), "device_id": ("d-1",)}
    await port.instruct(Instruction.ERASE, person)
    assert [(name, value) for name, value, _ in stand_in.deletions] == [
        ("userId", "u-1"),
        ("userId", "u-2"),
        ("appInstanceId", "d-1"),
    ]
    await port.close()


@pytest.mark.parametrize("instruction", list(Instruction))
@pytest.mark.parametrize(("identifiers", "person"), [({}, ANE), (BY_USER, {"email": ("a@b.example",)})])
async def test_without_an_identifier_nothing_is_sent_and_that_is_a_valid_end(
    connect, stand_in, instruction, identifiers, person
):
    answered = await connect(identifiers=identifiers).instruct(instruction, person)
    assert answered == Answered(confirmation=Confirmation.NOT_HELD, why=NO_IDENTIFIER)
    assert (stand_in.deletions, stand_in.tokens) == ([], set())


@pytest.mark.parametrize("instruction", [one for one in Instruction if one is not Instruction.ERASE])
async def test_what_its_api_cannot_do_is_for_staff(connect, stand_in, instruction):
    answered = await connect().instruct(instruction, ANE)
    assert answered == Answered(confirmation=Confirmation.AWAITING_STAFF, why=NOT_POSSIBLE)
    assert stand_in.deletions == []


async def test_an_address_in_clear_is_not_handed_over_without_a_contract(connect, stand_in):
    by_address = {"email": "userProvidedData"}
    with pytest.raises(Permanent, match="contract_missing"):
        await connect(identifiers=by_address).instruct(Instruction.ERASE, ANE)
    assert stand_in.deletions == []
    port = connect(identifiers=by_address, has_contract=True)
    assert (await port.instruct(Instruction.ERASE, ANE)).confirmation is Confirmation.ACCEPTED
    await port.close()


@pytest.mark.parametrize(("quota", "works"), [(1, True), (0, False)])
async def test_a_quota_that_is_used_up_is_waited_for(connect, stand_in, quota, works):
    stand_in.quota = quota
    port = connect()
    if works:
        assert (await port.instruct(Instruction.ERASE, ANE)).confirmation is Confirmation.ACCEPTED
    else:
        with pytest.raises(Retryable) as caught:
            await port.instruct(Instruction.ERASE, ANE)
        assert caught.value.retry_after_seconds == QUOTA_PAUSE_SECONDS
        assert stand_in.deletions == []
    await port.close()


async def test_the_pause_that_it_names_is_kept(connect, stand_in):
    stand_in.faults = [Fault(call="delete", status=429, headers={"Retry-After": "120"})]
    port = connect()
    with pytest.raises(Retryable) as caught:
        await port.instruct(Instruction.ERASE, ANE)
    assert caught.value.retry_after_seconds == 120
    await port.close()


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(call="delete", status=400), Permanent, "processor_refused"),
        (Fault(call="delete", status=403), Permanent, "processor_refused"),
        (Fault(call="delete", status=404), Permanent, "processor_refused"),
        (
            Fault(call="delete", status=302, headers={"Location": "/elsewhere"}),
            Permanent,
            "processor_refused",
        ),
        (Fault(call="delete", status=500), Retryable, "processor_unreachable"),
        (Fault(call="delete", status=503, html=True), Retryable, "processor_unreachable"),
        (Fault(call="delete", drop=True), Retryable, "processor_unreachable"),
        (Fault(call="delete", status=200, html=True), CannotTell, "processor_unreadable"),
        (Fault(call="delete", status=200), CannotTell, "processor_unreadable"),
        (Fault(call="token", status=400), Retryable, "processor_unreachable"),
        (Fault(call="token", status=500, times=None), Retryable, "processor_unreachable"),
        (Fault(call="token", drop=True, times=None), Retryable, "processor_unreachable"),
    ],
)
async def test_a_failure_is_told_for_what_it_is_and_repeats_no_value(connect, stand_in, fault, kind, code):
    stand_in.faults = [fault]
    port = connect()
    with pytest.raises(ComplianceError) as caught:
        await port.instruct(Instruction.ERASE, ANE)
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert "user-ane" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    await port.close()


async def test_a_deletion_whose_answer_was_lost_is_asked_for_again_without_harm(connect, stand_in):
    stand_in.faults = [Fault(call="delete", drop=True, after=True)]
    port = connect()
    with pytest.raises(Retryable):
        await port.instruct(Instruction.ERASE, ANE)
    assert (await port.instruct(Instruction.ERASE, ANE)).confirmation is Confirmation.ACCEPTED
    assert [value for _, value, _ in stand_in.deletions] == ["user-ane"] * 2
    await port.close()


async def test_a_token_that_was_taken_back_is_fetched_anew_once(connect, stand_in):
    port = connect()
    await port.instruct(Instruction.ERASE, ANE)
    stand_in.tokens.clear()
    await port.instruct(Instruction.ERASE, ANE)
    assert len(stand_in.deletions) == 2
    stand_in.faults = [Fault(call="delete", status=401, times=None)]
    with pytest.raises(Permanent, match="processor_refused"):
        await port.instruct(Instruction.ERASE, ANE)
    await port.close()


async def test_one_token_does_for_many_deletions(connect, stand_in):
    port = connect()
    await asyncio.gather(*(port.instruct(Instruction.ERASE, ANE) for _ in range(5)))
    assert len(stand_in.tokens) == 1
    await port.close()


async def test_another_property_is_not_ours(connect, stand_in):
    port = connect(property_id="400000002")
    with pytest.raises(Permanent, match="processor_refused"):
        await port.instruct(Instruction.ERASE, ANE)
    assert stand_in.deletions == []
    await port.close()


async def test_nothing_of_the_person_or_the_token_is_logged(connect, stand_in, caplog):
    with caplog.at_level(logging.DEBUG):
        port = connect()
        await port.instruct(Instruction.ERASE, ANE)
        await port.close()
    for secret in ("user-ane", *stand_in.tokens):
        assert secret not in caplog.text


def test_it_is_connected_where_a_property_is_set(connect):
    assert connect().connected() == ("google_analytics",)
    assert connect(property_id="").connected() == ()
    assert SERVICE_ACCOUNT.endswith(".iam.gserviceaccount.com")


class FixedToken:
    """Tokens that need no endpoint."""

    async def token(self, *, anew=False):
        return "token-anew" if anew else "token"
