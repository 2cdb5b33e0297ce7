"""A package straight to another controller: where it goes, what stops it, and the ways out."""

import io
import zipfile

import pytest

from shared.domain.errors import Invalid, NotAllowed, Permanent, Retryable
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import deciding, intake, transferring
from shared.services.links import CANCEL, PACKAGE
from shared.services.wishing import checked_wishes
from tests.unit.services.cases_world import (
    AUTHOR,
    MEMBER,
    NOBODY,
    alarms,
    done,
    file,
    letter_words,
    outcome,
    populated,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters, step, stored, token

THERE = "https://other.example/inbox?for=mads"
ELSEWHERE = "https://elsewhere.example/"


def _to(url: str = THERE):
    return wishing(transfer_url=url)


@pytest.mark.clause("4.6", "4.6.1")
async def test_a_package_arrives_whole_and_the_letter_says_where_and_when():
    """The same bytes as the person could fetch; the host is named and not the path."""
    world = populated()
    request_id = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    assert outcome(world, request_id, Right.PORTABILITY).result == "transferred"
    with zipfile.ZipFile(io.BytesIO(world.transfers.received[THERE])) as archive:
        assert archive.testzip() is None
        assert "data/members/members-000001.json" in archive.namelist()
    assert world.transfers.received[THERE] == world.packages.contents[request_id]
    answer = letter_words(world, request_id, "letter-transferred-0")
    assert "other.example" in answer
    assert "for=mads" not in answer
    assert "for=mads" not in stored(world, request_id), "the address goes when the case closes"


@pytest.mark.clause("4.6")
@pytest.mark.parametrize(
    "url",
    [
        "http://other.example/",
        "https://localhost/",
        "https://10.1.2.3/",
        "https://169.254.169.254/metadata",
        "https://user:secret@other.example/",
        "https://other.example:8443/",
        "https://other.internal/",
        "https://[::1]/",
        "ftp://other.example/",
        "{{ 7 * 7 }}",
    ],
)
async def test_an_address_that_may_not_be_tried_is_refused_when_it_is_given(url):
    """At the door, and again when somebody wants to try another one."""
    world = populated()
    with pytest.raises(Invalid):
        checked_wishes(world.context, _to(url))
    world.transfers.error = Permanent("transfer_refused")
    request_id = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    with pytest.raises(Invalid):
        await transferring.change_transfer(world.context, request_id, transfer_url=url, decided_by="op")
    assert seen(world, request_id).state is RequestState.NEEDS_ATTENTION
    assert world.transfers.received == {}


@pytest.mark.clause("4.6")
async def test_an_address_that_became_forbidden_stops_the_case_and_costs_the_person_nothing():
    """Filed before it was checked: nothing is sent there, the copy lies ready, a person goes on."""
    world = populated()
    request_id = await done(world, MEMBER, Right.PORTABILITY, wishes=_to("https://127.0.0.1/x"))
    request = seen(world, request_id)
    assert request.state is RequestState.NEEDS_ATTENTION
    assert request.attention.startswith("transfer_url_")
    assert world.transfers.received == {}
    assert request_id in world.packages.contents
    assert "127.0.0.1" not in str(world.operators.alarms)


ERRORS = {
    "private network": NotAllowed("transfer_address_private"),
    "refused": Permanent("transfer_refused"),
    "redirected": Permanent("transfer_redirected"),
    "too slow": Retryable("transfer_timed_out"),
}


@pytest.mark.clause("4.6")
@pytest.mark.parametrize("why", sorted(ERRORS))
@pytest.mark.parametrize("way_out", ["another address", "the link"])
async def test_a_transfer_that_fails_stays_open_until_another_address_or_the_link(why, way_out):
    """A passing fault is tried again first; then a person is asked, and either way the person gets it."""
    world = populated()
    world.transfers.error = ERRORS[why]
    request_id = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    request = seen(world, request_id)
    assert request.state is RequestState.NEEDS_ATTENTION
    assert request.attention.startswith("transfer_")
    assert letters(world, request_id) == {}
    assert request.attention in alarms(world, request_id)
    assert "other.example" not in str(world.operators.alarms)

    world.transfers.error = None
    other = ELSEWHERE if way_out == "another address" else None
    await transferring.change_transfer(world.context, request_id, transfer_url=other, decided_by="op")
    await deliver(world)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    if other:
        assert set(world.transfers.received) == {ELSEWHERE}
        assert "elsewhere.example" in letter_words(world, request_id, "letter-transferred-0")
    else:
        assert world.transfers.received == {}
        assert set(letters(world, request_id)) == {"letter-portability_ready-0"}
        assert outcome(world, request_id, Right.PORTABILITY).result == "answered"


@pytest.mark.clause("4.6")
@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NotAllowed("transfer_refused_address"), "is not one on the public internet"),
        (Permanent("transfer_refused"), "the receiver did not take it"),
        (Permanent("transfer_certificate"), "could not prove that the address is its own"),
        (Permanent("transfer_too_slow"), "took it so slowly that we had to stop"),
        (Retryable("transfer_unreachable"), "did not answer, though we tried several times"),
        (Permanent("package_gone"), "for a technical reason on our side"),
    ],
)
async def test_the_letter_with_the_link_says_that_the_transfer_failed_and_why(error, why):
    """Whoever asked for a transfer and gets a link has to know that it was tried."""
    world = populated()
    world.transfers.error = error
    request_id = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    await transferring.change_transfer(world.context, request_id, transfer_url=None, decided_by="op")
    await deliver(world)
    answer = letter_words(world, request_id, "letter-portability_ready-0")
    assert "We could not do that (GDPR article 20(2)):" in answer
    assert why in answer
    assert "other.example" not in answer


@pytest.mark.clause("4.6")
async def test_a_second_address_that_fails_is_the_one_the_letter_explains():
    """What stopped the first is over."""
    world = populated()
    world.transfers.error = Permanent("transfer_refused")
    request_id = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    world.transfers.error = Permanent("transfer_certificate")
    for url in (ELSEWHERE, None):
        await transferring.change_transfer(world.context, request_id, transfer_url=url, decided_by="op")
        await deliver(world)
    answer = letter_words(world, request_id, "letter-portability_ready-0")
    assert "prove that the address is its own" in answer
    assert "did not take it" not in answer


@pytest.mark.clause("4.6")
async def test_a_fault_that_passes_needs_nobody():
    """Two failures, then it arrives; nobody is alarmed."""
    world = populated()
    world.transfers.error = Retryable("transfer_timed_out")
    request_id = await file(world, MEMBER, Right.PORTABILITY, wishes=_to())
    while seen(world, request_id).deferrals < 2:
        await step(world)
    world.transfers.error = None
    await deliver(world)
    assert set(world.transfers.received) == {THERE}
    assert alarms(world, request_id) == []


@pytest.mark.clause("4.6")
async def test_a_failed_transfer_can_be_refused_or_cancelled():
    """By a person with a provision, or by the one who asked."""
    world = populated()
    world.transfers.error = Permanent("transfer_refused")
    refused = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    await deciding.refuse(
        world.context, refused, decided_by="op", reason="Not feasible", provision="GDPR article 20(2)"
    )
    await deliver(world)
    assert seen(world, refused).state is RequestState.REJECTED
    cancelled = await done(world, MEMBER, Right.PORTABILITY, wishes=_to())
    await intake.cancel(world.context, cancelled, token(world, cancelled, CANCEL))
    assert seen(world, cancelled).state is RequestState.CANCELLED


@pytest.mark.clause("4.6")
async def test_changing_a_transfer_of_a_case_that_did_not_stop_there_is_refused():
    """Only a stopped transfer has another address."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.PORTABILITY)
    with pytest.raises(NotAllowed, match="no_transfer_stopped"):
        await transferring.change_transfer(world.context, request_id, transfer_url=ELSEWHERE, decided_by="op")


@pytest.mark.clause("4.6")
async def test_nothing_to_take_along_is_not_sent_anywhere():
    """Somebody we do not know gets a letter, and the other controller nothing."""
    world = populated()
    request_id = await done(world, NOBODY, Right.PORTABILITY, wishes=_to())
    assert world.transfers.received == {}
    assert set(letters(world, request_id)) == {"letter-nothing_held-0"}


@pytest.mark.clause("4.6", "4.2")
async def test_a_transfer_beside_a_copy_sends_the_portable_part_only():
    """The copy of everything stays the person's."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ACCESS, Right.PORTABILITY, wishes=_to())
    with zipfile.ZipFile(io.BytesIO(world.transfers.received[THERE])) as archive:
        assert not [name for name in archive.namelist() if "usage" in name]
    with zipfile.ZipFile(io.BytesIO(world.packages.contents[request_id])) as archive:
        assert "data/usage_events/usage_events-000001.json" in archive.namelist()
    assert token(world, request_id, PACKAGE)


@pytest.mark.clause("4.6")
async def test_portability_for_an_author_can_be_granted_by_a_person():
    """The decision may also be that nothing portable is the answer: a package of nothing is a letter."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.PORTABILITY)
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="Send what there is",
    )
    await deliver(world)
    assert seen(world, request_id).state is RequestState.COMPLETED
    assert set(letters(world, request_id)) == {"letter-delayed_by_review-0", "letter-nothing_held-0"}


@pytest.mark.clause("4.6")
async def test_an_address_that_staff_entered_is_looked_at_by_somebody_else_before_anything_is_sent():
    """One member of staff alone could send anybody's data anywhere."""
    world = populated()
    request_id = await done(
        world, MEMBER, Right.PORTABILITY, wishes=_to(), entered_by="clerk", channel="phone"
    )
    request = seen(world, request_id)
    assert request.plan.needs_decision == ("entered_transfer",)
    assert not world.packages.contents
    digest = request.plan.digest
    with pytest.raises(NotAllowed, match="four_eyes"):
        await deciding.approve(world.context, request_id, plan_digest=digest, decided_by="clerk", reason="x")
    await deciding.approve(
        world.context, request_id, plan_digest=digest, decided_by="officer", reason="asked"
    )
    await deliver(world)
    assert outcome(world, request_id, Right.PORTABILITY).result == "transferred"
