"""Buttons pressed when it is over, and asking for two things in two ways."""

from functions import http_requests
from shared.domain.rights import Right
from shared.services import intake
from shared.services.links import CANCEL, VERIFY
from tests.triggers.conftest import call, content
from tests.unit.services.driving import ask, fulfil, submit, token


async def _pressed(world, request_id) -> str:
    """Press the button that confirms, late, and return the page."""
    form = {"token": token(world, request_id, VERIFY)}
    response = await call(http_requests.verification, form=form, request_id=request_id)
    assert response.status_code == 200
    return response.get_body().decode()


async def test_confirming_a_cancelled_request_says_that_it_is_cancelled(world):
    """Nothing begins anew."""
    request_id = await submit(world, "ane@people.example", Right.ERASURE)
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    page = await _pressed(world, request_id)
    assert "Your request is cancelled" in page
    assert "We begin now" not in page


async def test_confirming_an_answered_request_says_that_it_is_closed(world):
    """Nor does it after the answer."""
    request_id = await fulfil(world, "ane@people.example", Right.ERASURE)
    page = await _pressed(world, request_id)
    assert "This request is closed" in page
    assert "We begin now" not in page


async def test_confirming_twice_says_the_same_while_the_work_goes_on(world):
    """A double click is no error."""
    request_id = await ask(world, "ane@people.example", Right.ERASURE)
    assert "We begin now" in await _pressed(world, request_id)


async def test_right_and_rights_together_are_refused(world):
    """Nobody guesses which one was meant."""
    body = {"email": "ane@people.example", "right": "access", "rights": ["erasure"]}
    response = await call(http_requests.submit, body=body)
    assert response.status_code == 400
    assert content(response)["code"] == "right_ambiguous"
    assert world.cases.partitions == {}
