"""Filing, confirming, following and cancelling a request."""

import contextlib
import json
import re

import pytest

from shared.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import IMMEDIATE, Right
from shared.domain.wishes import Wishes
from shared.services import intake
from shared.services.links import CANCEL, VERIFY
from shared.services.sweeping import sweep
from tests.factories import World
from tests.unit.services.driving import (
    ENDED,
    ask,
    confirm,
    deliver,
    fulfil,
    letters,
    marked,
    opened,
    step,
    stored,
    submit,
    token,
    traces,
)


def _world(**changes) -> tuple[World, dict[str, str]]:
    world = World(**changes)
    return world, world.add_person("ane")


async def test_a_known_and_an_unknown_address_are_treated_alike():
    """The same calls on every port, the same mail, the same status: nothing is looked up."""
    seen = []
    for email in ("ane@people.example", "nobody@people.example"):
        calls: list[str] = []

        async def noted(name, calls=calls):
            calls.append(name)

        world = World(turn=noted)
        world.add_person("ane")
        request_id = await submit(world, email, Right.ERASURE, repeat_key="1")
        await deliver(world)
        mail = letters(world, request_id)["letter-verify-0"]
        await confirm(world, request_id)
        status = await intake.status(world.context, request_id)
        text = re.sub(r"token=\S+", "token", mail.text.replace(request_id, "id"))
        seen.append((calls, mail.subject, text, status.state, status.due_on))
        assert "documents.page" not in calls
    assert seen[0] == seen[1]


async def test_nothing_is_sent_or_looked_at_before_the_address_is_confirmed():
    """One mail to the address, and waiting."""
    world, ane = _world()
    request_id = await submit(world, ane["email"], Right.ERASURE)
    await deliver(world)
    assert world.cases.request(request_id).state is RequestState.RECEIVED
    assert set(letters(world, request_id)) == {"letter-verify-0"}
    assert traces(world, ane)


async def test_an_address_that_is_none_is_refused_before_anything_is_stored():
    """Nor counted."""
    world, _ = _world()
    with pytest.raises(Invalid):
        await submit(world, "not an address", Right.ERASURE)
    assert world.cases.partitions == {}
    assert world.rate_limits.hits == {}


async def test_a_confirmation_pressed_twice_changes_nothing():
    """It says where the request stands."""
    world, ane = _world()
    request_id = await ask(world, ane["email"], Right.ACCESS)
    events = world.cases.what_happened(request_id)
    assert await confirm(world, request_id) is RequestState.VERIFIED
    assert world.cases.what_happened(request_id) == events
    await deliver(world)
    assert await confirm(world, request_id) is RequestState.COMPLETED


@pytest.mark.parametrize("wrong", ["none", "cancel", "other"])
async def test_only_the_request_s_own_link_confirms_it(wrong):
    """Not a forged one, one of another purpose or of another request."""
    world, ane = _world()
    request_id = await submit(world, ane["email"], Right.ERASURE)
    other = await submit(world, ane["email"], Right.ACCESS)
    key = {
        "none": "1.x",
        "cancel": token(world, request_id, CANCEL),
        "other": token(world, other, VERIFY),
    }[wrong]
    with pytest.raises(NotAllowed) as caught:
        await intake.verify(world.context, request_id, key)
    assert caught.value.code == "token_invalid"
    assert world.cases.request(request_id).state is RequestState.RECEIVED


@pytest.mark.parametrize(
    ("email", "client", "most"),
    [("ane@people.example", "198.51.100.{}", 5), ("p{}@people.example", "198.51.100.7", 30)],
    ids=["of one address", "of one client"],
)
async def test_the_request_after_the_last_allowed_one_waits_an_hour(email, client, most):
    """Below and at the limit they pass; above it they are told when to come again."""
    world = World()
    for number in range(most):
        await submit(world, email.format(number), Right.ACCESS, client=client.format(number))
    with pytest.raises(NotAllowed) as caught:
        await submit(world, email.format(most), Right.ACCESS, client=client.format(most))
    assert caught.value.code == "too_many_requests"
    assert caught.value.retry_after_seconds == 3600
    assert len(world.cases.partitions) == most
    world.clock.advance(hours=1)
    assert await submit(world, email.format(most), Right.ACCESS, client=client.format(most))


_OTHERS = [right for right in Right if right not in IMMEDIATE]


@pytest.mark.parametrize("wanted", sorted(IMMEDIATE))
@pytest.mark.parametrize("immediate_too", [False, True], ids=["identified ones", "the others at once too"])
async def test_no_request_of_another_right_keeps_a_person_from_one_honoured_at_once(wanted, immediate_too):
    """Whoever knows an address can use up its bucket of this hour, and no other right's."""
    world, ane = _world()
    rights = _OTHERS + (sorted(IMMEDIATE - {wanted}) if immediate_too else [])
    for number in range(6 * len(rights)):
        with contextlib.suppress(NotAllowed):
            await submit(world, ane["email"], rights[number % len(rights)], client=f"198.51.100.{number}")
    for most in range(5):
        assert await submit(world, ane["email"], wanted, client=f"203.0.113.{most}")
    with pytest.raises(NotAllowed, match="too_many_requests"):
        await submit(world, ane["email"], wanted, client="203.0.113.5")


async def test_a_withdrawal_that_comes_with_an_erasure_passes_where_erasures_are_full():
    """The right honoured at once is not lost with the other; without it the other waits."""
    world, ane = _world()
    for number in range(5):
        await submit(world, ane["email"], Right.ERASURE, client=f"198.51.100.{number}")
    assert await submit(world, ane["email"], Right.ERASURE, Right.WITHDRAWAL)
    with pytest.raises(NotAllowed, match="too_many_requests"):
        await submit(world, ane["email"], Right.ERASURE)


async def test_an_address_gets_no_more_mails_than_its_buckets_have_room_for():
    """Four buckets of five, however rights are mixed."""
    world, ane = _world()
    passed = 0
    mixes = [(Right.ERASURE, one) for one in sorted(IMMEDIATE)] + [(one,) for one in Right]
    for number in range(10 * len(mixes)):
        with contextlib.suppress(NotAllowed):
            await submit(world, ane["email"], *mixes[number % len(mixes)], client=f"198.51.100.{number}")
            passed += 1
    assert passed <= 20


async def test_counters_are_kept_by_pseudonym():
    """No address of a person or a machine is a key of the shared store."""
    world, ane = _world()
    await submit(world, ane["email"], Right.ACCESS, client="198.51.100.7")
    assert not marked(str(list(world.rate_limits.hits)), [ane["email"], "198.51.100.7"])


async def _buckets(kind: str, *submissions: dict[str, str]) -> int:
    world = World()
    for one in submissions:
        email = one.get("email", "ane@people.example")
        await submit(world, email, Right.ACCESS, client=one.get("client", "198.51.100.7"))
    return len({bucket for bucket, _ in world.rate_limits.hits if bucket.startswith(kind)})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::7", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
        ("2001:DB8:0:1::7", "2001:0db8:0000:0001::8", True),
        ("2001:db8:0:1::7", "2001:db8:0:2::7", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", False),
        ("198.51.100.7", "198.51.100.8", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("local", "unknown", False),
    ],
)
async def test_a_client_is_counted_by_what_it_cannot_change_at_will(one, other, same):
    """A network of IPv6, an address of IPv4; a word that is no address as it is."""
    assert (await _buckets("client-", {"client": one}, {"client": other}) == 1) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ane@people.example", "Ane+1@people.example", True),
        ("ane+1@people.example", "ane+2+3@people.example", True),
        ("ane+1@people.example", "ane+1@other.example", False),
        ("ane@people.example", "bo+ane@people.example", False),
        ("+1@people.example", "+2@people.example", False),
    ],
)
async def test_mail_is_counted_by_the_mailbox_it_arrives_in(one, other, same):
    """A tag makes no new mailbox."""
    assert (await _buckets("address-", {"email": one}, {"email": other}) == 1) is same


async def test_a_tag_still_makes_another_identity():
    """Only the count of mails leaves it out: the records of the two stay apart."""
    world = World()
    first = await submit(world, "ane@people.example", Right.ACCESS)
    second = await submit(world, "ane+1@people.example", Right.ACCESS)
    assert world.cases.request(first).subject_keys != world.cases.request(second).subject_keys


async def test_a_submission_repeated_with_its_key_is_one_request():
    """A lost answer costs no second mail; another address with the same key is another request."""
    world, ane = _world()
    first = await submit(world, ane["email"], Right.ACCESS, repeat_key="k-1")
    assert await submit(world, ane["email"].upper(), Right.ACCESS, repeat_key="k-1") == first
    assert await submit(world, "bo@people.example", Right.ACCESS, repeat_key="k-1") != first
    assert await submit(world, ane["email"], Right.ACCESS, repeat_key="k-2") != first
    await deliver(world)
    assert world.notifier.times_sent[f"{first}-letter-verify-0"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"rights": (Right.ERASURE,)},
        {"rights": (Right.ACCESS, Right.ERASURE)},
        {"language": "da"},
        {"wishes": Wishes(statement="and where you got it")},
    ],
)
async def test_a_key_used_again_for_something_else_is_told_and_files_nothing(other):
    """Another wish is neither swallowed by the first one nor filed under a key that says it is the same."""
    world, ane = _world()
    asked = {"rights": (Right.ACCESS,), "language": "en"}
    first = await submit(world, ane["email"], repeat_key="k-1", **asked)
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        await submit(world, ane["email"], repeat_key="k-1", **{**asked, **other})
    assert list(world.cases.partitions) == [first]
    assert await submit(world, ane["email"], repeat_key="k-1", **asked) == first
    await submit(world, ane["email"], repeat_key="k-2", **{**asked, **other})
    await deliver(world)
    assert ane["email"] not in str(world.cases.request(first).body_digest)
    assert len(world.cases.partitions) == 2


async def test_a_key_tells_the_same_from_another_after_the_case_is_closed():
    """The digest stays; the words it is made of are gone."""
    world, ane = _world()
    first = await fulfil(world, ane["email"], Right.ACCESS, repeat_key="k-1")
    assert await submit(world, ane["email"], Right.ACCESS, repeat_key="k-1") == first
    with pytest.raises(Conflict, match="idempotency_key_reused"):
        await submit(world, ane["email"], Right.ERASURE, repeat_key="k-1")


async def test_request_ids_tell_nothing():
    """Opaque, and different for the same address."""
    world, ane = _world()
    ids = {await submit(world, ane["email"], Right.ACCESS) for _ in range(3)}
    assert len(ids) == 3
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)


@pytest.mark.parametrize(("seconds", "state"), [(-1, "received"), (0, "received"), (1, "expired")])
async def test_a_request_nobody_confirms_is_forgotten_after_its_last_second(seconds, state):
    """Below, at and above; what was typed goes with it."""
    world, ane = _world()
    request_id = await submit(world, ane["email"], Right.ERASURE)
    await deliver(world)
    await sweep_at(world, world.limits.wake_seconds)
    await sweep_at(world, world.limits.verification_days * 86_400 + seconds - world.limits.wake_seconds)
    await sweep_at(world, 0)
    assert world.cases.request(request_id).state == state
    assert marked(stored(world, request_id), [ane["email"]]) == (state == "received")


async def sweep_at(world: World, seconds: float) -> None:
    world.clock.advance(seconds=seconds)
    await sweep(world.context)
    await deliver(world)


async def test_an_expired_request_cannot_be_confirmed():
    """Neither by its link nor by the button of an open page."""
    world, ane = _world()
    request_id = await submit(world, ane["email"], Right.ERASURE)
    key = token(world, request_id, VERIFY)
    world.clock.advance(days=7, seconds=1)
    with pytest.raises(NotAllowed) as caught:
        await intake.verify(world.context, request_id, key)
    assert caught.value.code == "token_expired"


async def test_an_unknown_request_is_not_found():
    """And nothing is said about why."""
    world, _ = _world()
    with pytest.raises(NotFound) as caught:
        await intake.status(world.context, "0" * 32)
    assert caught.value.code == "request_unknown"


async def test_the_status_holds_no_personal_data():
    """Anybody who has the id may read it."""
    world, ane = _world()
    request_id = await fulfil(world, ane["email"], Right.ACCESS)
    status = await intake.status(world.context, request_id)
    assert not marked(str(status), list(ane.values()))
    assert status.copy_available


async def test_the_status_does_not_tell_whether_something_had_to_stay():
    """Who knows the id learns nothing about invoices; the letter tells the person."""
    seen = []
    for email in ("ane@people.example", "nobody@people.example"):
        world, _ = _world()
        request_id = await fulfil(world, email, Right.ERASURE)
        seen.append((await intake.status(world.context, request_id)).state)
    assert seen == [RequestState.COMPLETED] * 2
    world, ane = _world()
    request_id = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(request_id).state is RequestState.COMPLETED_WITH_RETENTION


async def test_the_status_counts_days_as_copenhagen_does():
    """As the letters and the due date do."""
    world, ane = _world()
    world.clock.moment = world.clock.moment.replace(month=10, day=31, hour=23, minute=30)
    request_id = await submit(world, ane["email"], Right.ACCESS)
    status = await intake.status(world.context, request_id)
    assert (str(status.received_on), str(status.due_on)) == ("2026-11-01", "2026-12-01")


# cancelling


@pytest.mark.parametrize("when", ["received", "verified", "in_progress"])
async def test_a_copy_can_be_cancelled_while_it_is_made(when):
    """Twice is once; nothing is published, the address is forgotten."""
    world, ane = _world(limits=Limits(page_documents=1, page_keys=1, message_documents=1))
    request_id = await submit(world, ane["email"], Right.ACCESS)
    if when != "received":
        await deliver(world)
        await confirm(world, request_id)
    if when == "in_progress":
        await deliver(world, only="request-plan")
        assert world.cases.request(request_id).state is RequestState.IN_PROGRESS
    key = token(world, request_id, CANCEL)
    for _ in range(2):
        assert await intake.cancel(world.context, request_id, key) is RequestState.CANCELLED
    await deliver(world)
    assert world.packages.contents == {}
    assert not marked(stored(world, request_id), list(ane.values()))


async def test_an_erasure_can_be_cancelled_until_it_begins():
    """In its waiting time nothing is lost."""
    world, ane = _world(limits=Limits(grace_seconds=3600))
    before = traces(world, ane)
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await step(world)
    assert world.cases.request(request_id).state is RequestState.PLANNED
    assert await intake.cancel(world.context, request_id, token(world, request_id, CANCEL)) == "cancelled"
    await deliver(world)
    assert traces(world, ane) == before


async def test_an_erasure_that_began_can_no_longer_be_cancelled():
    """It goes on to its end."""
    world, ane = _world()
    request_id = await ask(world, ane["email"], Right.ERASURE)
    await deliver(world, only="request-plan")
    with pytest.raises(NotAllowed) as caught:
        await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    assert caught.value.code == "too_late"
    await deliver(world)
    assert world.cases.request(request_id).state in ENDED


async def test_an_answered_request_can_no_longer_be_cancelled():
    """The answer is on its way, or out."""
    world, ane = _world()
    request_id = await ask(world, ane["email"], Right.ACCESS)
    await deliver(world, until="request-letter")
    key = token(world, request_id, CANCEL)
    for _ in range(2):
        with pytest.raises(NotAllowed) as caught:
            await intake.cancel(world.context, request_id, key)
        assert caught.value.code == "too_late"
        await deliver(world)


async def test_cancelling_an_erasure_leaves_the_copy_that_was_answered_before():
    """The copy is the person's; only what is still to come is cancelled."""
    world, ane = _world(limits=Limits(grace_seconds=3600))
    request_id = await ask(world, ane["email"], Right.ACCESS, Right.ERASURE)
    while world.cases.request(request_id).phase == 0:
        await step(world)
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    assert traces(world, ane)
    assert opened(world, request_id)
    assert (await intake.status(world.context, request_id)).copy_available


async def test_a_cancelled_request_frees_the_person_for_the_next():
    """No claim of it stands in the way."""
    world, ane = _world()
    request_id = await ask(world, ane["email"], Right.ACCESS)
    await deliver(world, only="request-plan")
    await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    second = await fulfil(world, ane["email"], Right.ERASURE)
    assert world.cases.request(second).state in ENDED
    assert all(json.loads(text)["claims"] == [] for _, text in world.controls.rows.values())
