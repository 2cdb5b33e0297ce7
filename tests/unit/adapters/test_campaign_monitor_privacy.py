"""No address, name or key of the newsletter processor's calls gets into a log or an error."""

import base64
import logging
import traceback
from urllib.parse import unquote

import httpx
import pytest

from devtools.stand_ins.campaign_monitor import Fault
from devtools.stand_ins.newsletter_account import API_KEY
from shared.domain.errors import Permanent, Retryable
from shared.domain.recipients import Confirmation, Instruction
from tests.contract.conftest import local_settings
from tests.unit.adapters.conftest import ANE, ME, PLAIN, answering, nothing_held


@pytest.mark.parametrize(
    "email",
    [ANE, "a&b=c@people.example", "a%2Bb@people.example", "o'hara#1?@people.example", "jørn@people.example"],
)
async def test_the_query_string_carries_the_address_as_it_is(email):
    """An unencoded plus sign would be read as a blank, and an ampersand as the end."""
    seen = []

    def answer(request):
        seen.append(request.url.query.decode())
        return nothing_held(request)

    told = await answering(answer).instruct(ME, Instruction.UNSUBSCRIBE, [email])
    assert told is Confirmation.NOT_HELD
    (query,) = [one for one in seen if one.startswith("email=")]
    encoded = query.removeprefix("email=")
    assert unquote(encoded) == email
    assert not set("+&=#?' ø") & set(encoded)


@pytest.mark.parametrize("instruction", list(Instruction))
async def test_no_address_name_or_key_gets_into_a_log(stand_in, port, caplog, instruction):
    """Even where everything else logs all there is."""
    with caplog.at_level(logging.DEBUG):
        await port.instruct(ME, instruction, [ANE], name="Ane Right")
        stand_in.faults = [Fault(drop=True)]
        with pytest.raises(Retryable):
            await port.instruct(ME, instruction, [ANE], name="Ane Right")
    text = caplog.text + "".join(str(record.args) for record in caplog.records)
    assert "people.example" not in unquote(text)
    assert "Ane" not in text
    assert API_KEY not in text
    assert not any(record.name.startswith(("httpx", "httpcore")) for record in caplog.records)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("to https://x.example/?email=ane@people.example"),
        httpx.ReadTimeout("at ane@people.example"),
        httpx.DecodingError("of ane@people.example"),
        httpx.InvalidURL("ane@people.example"),
        httpx.Response(400, json={"Code": 1, "Message": "ane@people.example is not valid"}),
        httpx.Response(500, json={"Code": 500, "Message": "ane@people.example"}),
        httpx.Response(400, text="ane@people.example"),
        httpx.Response(400, json={"Code": "ane@people.example"}),
        httpx.Response(200, json=["ane@people.example"]),
    ],
)
async def test_no_address_gets_into_an_error(answer):
    """Nor into its traceback, its cause or its context."""

    def respond(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises((Retryable, Permanent)) as caught:
        await answering(respond).instruct(ME, Instruction.ERASE, [PLAIN])
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "people.example" not in unquote("".join(traceback.format_exception(caught.value)))


async def test_the_key_is_the_user_name_and_is_shown_nowhere():
    """HTTP Basic."""
    seen = []

    def answer(request):
        seen.append(request.headers["Authorization"])
        return nothing_held(request)

    port = answering(answer)
    await port.instruct(ME, Instruction.UNSUBSCRIBE, [ANE])
    assert set(seen) == {"Basic " + base64.b64encode(f"{API_KEY}:x".encode()).decode()}
    assert API_KEY not in repr(local_settings(campaign_monitor_api_key=API_KEY))
