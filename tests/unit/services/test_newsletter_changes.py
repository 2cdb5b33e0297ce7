"""What changes here is changed at the newsletter processor, and nobody is added who left there."""

from datetime import UTC, datetime

import pytest

from shared.domain.errors import Retryable
from shared.services import leaving, newsletter_changes
from shared.services.newsletter_leavings import note_gone
from tests.fakes.newsletters import NEWS
from tests.unit.services.newsletter_world import (
    PURPOSE,
    body,
    comes_back,
    consents,
    deliver,
    event,
    key,
    later,
    sign_up,
    told,
    without_zone,
    world,
)

METTE = "mette@people.example"


@pytest.mark.clause("3.2")
async def test_whoever_signed_up_here_is_added_there_when_the_queue_gets_to_it():
    """And is looked for until the processor shows it."""
    made = world()
    made.newsletters.delays = True
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], name="Mette")
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert len(made.newsletter_changes.all()) == 1
    made.newsletters.settle()
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert made.newsletter_changes.all() == []


async def test_whoever_leaves_right_after_being_added_is_not_added_again():
    """She left there before we looked: that is her last word, not a reason to add her once more."""
    made = world()
    made.newsletters.delays = True
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    made.newsletters.queued.clear()
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert made.newsletters.queued == []
    assert not await consents(made, METTE)


async def test_what_is_to_be_done_is_asked_when_it_is_done():
    """She signed up and left again before the queue got to it: nobody is added."""
    made = world()
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) is None
    assert made.newsletter_changes.all() == []


async def test_nobody_is_subscribed_again_without_a_consent_given_since():
    """With one, she is; the processor needs to be told that she returns."""
    made = world()
    await sign_up(made, METTE)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    await deliver(made)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await deliver(made)
    assert made.newsletters.resubscribed == []
    later(made, minutes=1)
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await deliver(made)
    assert made.newsletters.resubscribed == [METTE]
    assert made.newsletters.state(NEWS, METTE) == "Active"


@pytest.mark.parametrize("knows_zone", [True, False])
@pytest.mark.parametrize("where", ["here", "there"])
async def test_whoever_returns_within_minutes_needs_nobody_to_look(where, knows_zone):
    """That she had left was seen, by the processor's own time: no other leaving is taken for it."""
    made = world() if knows_zone else without_zone(world())
    await sign_up(made, METTE)
    for _ in range(2):
        if where == "there":
            made.newsletters.put(NEWS, METTE, "Unsubscribed")
        await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
        await deliver(made)
        (seen,) = made.newsletter_leavings.all()
        assert (seen.subject_key, seen.list_id) == (key(METTE), NEWS)
        assert seen.changed == made.newsletters.states[NEWS, METTE].changed
        await comes_back(made, METTE)


async def test_who_is_seen_twice_was_seen_the_first_time():
    """A second look at one leaving says no less; another leaving takes its place."""
    made = world()
    first = made.clock.now()
    for changed in ("2026-03-02 10:00:00", "2026-03-02 10:00:00", "", "yesterday"):
        await note_gone(made.context, key(METTE), NEWS, changed)
        later(made, minutes=1)
    (seen,) = made.newsletter_leavings.all()
    assert seen.seen_at == first
    await note_gone(made.context, key(METTE), "f" * 32, "2026-03-02 11:00:00")
    await note_gone(made.context, key(METTE), NEWS, "2026-03-02 11:00:00")
    (seen,) = made.newsletter_leavings.all()
    assert seen.changed == "2026-03-02 11:00:00"


async def test_whoever_leaves_twice_in_an_hour_that_comes_twice_has_left():
    """Both leavings are written the same: at half past two."""
    made = world()
    made.clock.moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    await sign_up(made, METTE)
    made.clock.moment = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await told(made, body(event("Deactivate", METTE, State="Unsubscribed")))
    made.clock.moment = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    await sign_up(made, METTE, state="Active")
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    made.clock.moment = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert [one.change.attention for one in made.newsletter_changes.all()] == ["newsletter_left_unclear"]


async def test_a_sign_up_that_came_first_is_ended_by_a_leaving_there():
    """She was on the list, signed up once more, and left there before the queue got to it."""
    made = world()
    await sign_up(made, METTE)
    later(made, minutes=10)
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await deliver(made)
    assert made.newsletters.resubscribed == []
    assert not await consents(made, METTE)
    assert made.newsletter_changes.all() == []


@pytest.mark.parametrize("returns", [True, False])
async def test_whoever_was_deleted_there_since_is_not_added_though_the_list_shows_nothing(returns):
    """The listing of deleted ones does."""
    made = world()
    made.newsletters.page_size = 1
    made.newsletters.put(NEWS, "bo@people.example", "Deleted")
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=returns)
    later(made, minutes=20)
    made.newsletters.put(NEWS, METTE, "Deleted")
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Deleted"
    assert not await consents(made, METTE)


async def test_nobody_is_added_while_the_deleted_ones_cannot_be_read():
    """She may be one of them."""
    made = world()
    await sign_up(made, METTE, state=None)
    made.newsletters.refused.add((NEWS, "deleted"))
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) is None
    assert [code for code, _, _ in made.operators.alarms] == ["processor_refused"]


async def test_what_nobody_can_tell_apart_waits_for_staff_and_nobody_is_added():
    """She signed up and left there within a minute. A later event is a reason to look once more."""
    made = world()
    await sign_up(made, METTE)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await deliver(made)
    (waiting,) = await made.newsletter_changes.waiting_for_staff(limit=5)
    assert waiting.change.attention == "newsletter_left_unclear"
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert [code for code, _, _ in made.operators.alarms] == ["newsletter_left_unclear"]
    made.newsletters.put(NEWS, METTE)  # staff asked her, and added her there
    await told(made, body(event("Subscribe", METTE)))
    assert made.newsletter_changes.all() == []
    assert await consents(made, METTE)


async def test_whoever_returns_and_is_shown_as_before_is_waited_for():
    """The addition takes effect later; what she left before is no new leaving."""
    made = world()
    made.newsletters.delays = True
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    later(made, minutes=10)
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    for _ in range(3):
        await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert await consents(made, METTE)
    assert len(made.newsletters.queued) == 1
    made.newsletters.settle()
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert made.newsletter_changes.all() == []


async def test_whoever_returns_and_leaves_again_is_believed_at_once():
    """What is shown is another leaving than the one before the addition."""
    made = world()
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    later(made, minutes=10)
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert made.newsletters.state(NEWS, METTE) == "Active"
    later(made, minutes=10)
    made.newsletters.put(NEWS, METTE, "Unsubscribed")
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert not await consents(made, METTE)
    assert made.newsletters.resubscribed == [METTE]


@pytest.mark.parametrize("does", ["add", "stop"])
async def test_of_two_workers_at_one_change_one_changes_something_there(does):
    """The other may have looked before, and would undo what its person did since."""
    made, calls = world(), []
    await sign_up(made, METTE, state=None if does == "add" else "Active")
    if does == "stop":
        await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    else:
        await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    real = getattr(made.newsletters, does)

    async def called(*args, **more):
        calls.append(args)
        await newsletter_changes.apply(made.context, key(METTE), NEWS)  # its message came twice
        return await real(*args, **more)

    setattr(made.newsletters, does, called)
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert len(calls) == 1


async def test_whoever_leaves_while_being_added_is_stopped_next():
    """The worker that adds finds it asked for anew, and hands it on at once."""
    made = world()
    await sign_up(made, METTE, state=None)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    real = made.newsletters.add

    async def added(*args, **more):
        await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
        made.queue.sent.clear()
        return await real(*args, **more)

    made.newsletters.add = added
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert len(made.queue.sent) == 1
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"
    assert made.newsletter_changes.all() == []


@pytest.mark.parametrize(
    ("why", "code"), [("contract", "contract_missing"), ("list", "newsletter_add_refused")]
)
async def test_what_a_machine_cannot_do_waits_for_staff(why, code):
    """Until somebody takes it up again."""
    made = world()
    await sign_up(made, METTE, state=None)
    made.newsletters.has_contract = why != "contract"
    made.newsletters.suppressed |= {METTE} if why == "list" else set()
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])
    await deliver(made)
    (waiting,) = await made.newsletter_changes.waiting_for_staff(limit=5)
    assert waiting.change.attention == code
    assert [found for found, _, _ in made.operators.alarms] == [code]
    made.newsletters.has_contract, made.newsletters.suppressed = True, set()
    assert await newsletter_changes.retry_all(made.context) == 1
    await newsletter_changes.sweep(made.context)
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Active"


@pytest.mark.parametrize("state", ["Unsubscribed", "Deleted"])
async def test_whoever_left_there_while_staff_were_waited_for_is_not_added_by_trying_again(state):
    """Her sign-up was older; that she signed up herself brings nobody back who left since."""
    made = world()
    await sign_up(made, METTE, state=None)
    made.newsletters.suppressed.add(METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS], returns=True)
    await deliver(made)
    later(made, hours=1)
    made.newsletters.suppressed.clear()
    made.newsletters.put(NEWS, METTE, state)
    assert await newsletter_changes.retry_all(made.context) == 1
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == state
    assert not await consents(made, METTE)
    assert made.newsletter_changes.all() == []


async def test_trying_again_passes_over_what_was_asked_for_anew():
    """And takes up the others."""
    made, emails = world(), ["a@people.example", "b@people.example", "c@people.example"]
    for email in emails:
        await sign_up(made, email, state=None)
        made.newsletters.suppressed.add(email)
        await newsletter_changes.ask_for(made.context, email, [NEWS])
    await deliver(made)
    real, written = made.newsletter_changes.write, []

    async def write(stored):
        if not written:
            written.append(stored.change.email)
            await newsletter_changes.ask_for(made.context, stored.change.email, [NEWS], name="Ane")
        return await real(stored)

    made.newsletter_changes.write = write
    assert await newsletter_changes.retry_all(made.context) == 2
    assert not [one for one in made.newsletter_changes.all() if one.change.attention]


async def test_an_outage_is_told_once_and_outlasted():
    """The longer it lasts, the later it is tried again."""
    made = world()
    await sign_up(made, METTE)
    await leaving.leave(made.context, METTE, [PURPOSE], at=made.clock.now(), channel="form")
    made.newsletters.is_unreachable = True
    for _ in range(20):
        await newsletter_changes.apply(made.context, key(METTE), NEWS)
    assert [found for found, _, _ in made.operators.alarms] == ["processor_unreachable"]
    made.newsletters.is_unreachable = False
    later(made, hours=2)
    assert await newsletter_changes.sweep(made.context) == 1
    await deliver(made)
    assert made.newsletters.state(NEWS, METTE) == "Unsubscribed"


async def test_a_gate_that_cannot_be_asked_changes_nothing():
    """It is tried again."""
    made = world()
    await sign_up(made, METTE)
    await newsletter_changes.ask_for(made.context, METTE, [NEWS])

    async def unreachable(_keys):
        raise Retryable("service_unreachable")

    made.controls.read, kept = unreachable, made.controls.read
    await newsletter_changes.apply(made.context, key(METTE), NEWS)
    made.controls.read = kept
    assert made.newsletters.state(NEWS, METTE) == "Active"
    assert len(made.newsletter_changes.all()) == 1
