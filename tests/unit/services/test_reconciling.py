"""What webhooks did not tell is found in the lists themselves, both ways, page by page and whoever dies."""

from datetime import timedelta

import pytest

from shared.datamap.loader import load
from shared.domain.consent import consent_in_force
from shared.domain.consent_ledger import ConsentEvent, EventKind, Evidence
from shared.domain.controls import Restriction
from shared.domain.errors import CannotTell, NotFound
from shared.domain.messages import RECONCILIATION_QUEUE, ApplyNewsletterChange, Reconcile, decode
from shared.domain.reconciliations import EVER
from shared.ports.controls import StoredControls
from shared.services import consent_ledger, newsletter_changes, newsletter_looks, poison, reconciling
from tests.factories import KEYS, World
from tests.fakes.newsletters import AUTHORS, NEWS

PURPOSE = "member_newsletter"
ANE, BO, CARL = "ane@people.example", "bo@people.example", "carl@people.example"


class Killed(Exception):
    """The worker dies here."""


@pytest.fixture
def made() -> World:
    """A World with the shipped policy."""
    return World(datamap=load())


async def sign_up(made: World, email: str, *, state: str | None) -> None:
    """Let somebody consent, and the processor have the address in a state; None: not at all."""
    now = made.clock.now()
    event = ConsentEvent(
        event_id=f"given-{email}",
        subject_key=KEYS.subject_key("email", email),
        purpose_id=PURPOSE,
        kind=EventKind.GIVEN,
        at=now,
        noted_at=now,
        channel="form",
        evidence=Evidence(policy_version="1"),
    )
    await consent_ledger.note(made.context, event)
    row = {"id": email, "email": email, "list_id": NEWS, "purpose": PURPOSE, "state": "subscribed"}
    made.documents.put("newsletter_signups", "/id", {**row, "consented_at": now.isoformat()})
    if state is not None:
        made.newsletters.put(NEWS, email, state)
    made.clock.advance(seconds=60)


async def consents(made: World, email: str) -> bool:
    """Whether the gate is open."""
    (stored,) = await made.controls.read((KEYS.subject_key("email", email),))
    return consent_in_force(stored.controls, PURPOSE, now=made.clock.now()) is not None


async def deliver(made: World) -> None:
    """Deliver until nothing is left."""
    while made.queue.sent:
        queue, body, _ = made.queue.sent.pop(0)
        if queue == RECONCILIATION_QUEUE:
            await reconciling.proceed(made.context, decode(Reconcile, body).run_id)
        else:
            change = decode(ApplyNewsletterChange, body)
            await newsletter_changes.apply(made.context, change.subject_key, change.list_id)


async def reconcile(made: World):
    """Make the run of today, and return it."""
    run_id = await reconciling.begin(made.context)
    await deliver(made)
    return (await made.reconciliations.read(run_id)).run


async def tomorrow(made: World) -> None:
    """Let a day go by."""
    made.clock.advance(days=1)


async def test_where_both_sides_agree_nothing_is_asked_and_nothing_told(made):
    """A page is enough."""
    await sign_up(made, ANE, state="Active")
    made.newsletters.put(NEWS, BO, "Unsubscribed")
    run = await reconcile(made)
    assert run.is_complete
    assert (run.extent, run.since, dict(run.counts)) == ("whole", EVER, {"agrees": 3})
    assert (run.repaired, run.diverging) == (0, 0)
    assert made.operators.alarms == []
    assert not any(kind == "given" for kind in made.newsletters.resubscribed)


@pytest.mark.clause("4.8")
@pytest.mark.parametrize("state", ["Unsubscribed", "Deleted"])
async def test_whoever_left_there_unheard_is_withdrawn_here(made, state):
    """The webhook got lost; nothing is sent from now on."""
    await sign_up(made, ANE, state=state)
    run = await reconcile(made)
    assert not await consents(made, ANE)
    assert (run.repaired, run.diverging) == (1, 0)
    assert run.subject_keys == (KEYS.subject_key("email", ANE),)
    assert made.newsletters.state(NEWS, ANE) == state
    assert ("newsletter.reconciliation.repaired", 1, {}) in made.operators.measured
    assert ("newsletter.reconciliation.diverging", 0, {}) in made.operators.measured
    await tomorrow(made)
    assert (await reconcile(made)).repaired == 0


@pytest.mark.clause("5.2")
async def test_whoever_is_in_a_list_without_a_consent_is_taken_off(made):
    """The processor does not ask there, so the sign-up counts for nothing."""
    made.newsletters.put(AUTHORS, BO, "Active")
    run = await reconcile(made)
    assert made.newsletters.state(AUTHORS, BO) == "Unsubscribed"
    assert run.counts["stop_there"] == 1


@pytest.mark.clause("2.4")
async def test_whoever_consented_and_is_missing_there_is_added(made):
    """Once, and a second run finds nothing."""
    await sign_up(made, ANE, state=None)
    run = await reconcile(made)
    assert made.newsletters.state(NEWS, ANE) == "Active"
    assert (run.counts["add_there"], run.repaired) == (1, 1)
    made.clock.advance(days=7)
    assert (await reconcile(made)).repaired == 0


async def test_nobody_is_looked_for_while_a_listing_is_missing(made):
    """Somebody who left may be in it, and would be added again."""
    await sign_up(made, ANE, state=None)
    made.newsletters.refused.add((NEWS, "deleted"))
    run = await reconcile(made)
    assert made.newsletters.state(NEWS, ANE) is None
    assert [(one.step.what, one.code) for one in run.failures] == [
        ("deleted", "processor_refused"),
        ("sign_ups", "reconciliation_incomplete"),
    ]
    assert run.is_over
    assert not run.is_complete
    assert ("reconciliation_failed", None, f"deleted {NEWS} processor_refused") in made.operators.alarms
    await tomorrow(made)
    made.newsletters.refused.clear()
    assert (await reconcile(made)).is_complete
    assert made.newsletters.state(NEWS, ANE) == "Active"


async def test_what_bounces_is_no_difference(made):
    """A mail server is not the person."""
    await sign_up(made, ANE, state="Bounced")
    run = await reconcile(made)
    assert (run.repaired, run.diverging, run.counts["unreachable"]) == (
        0,
        0,
        2,
    )  # there, and among our sign-ups
    ledger = await made.consent_ledger.of_person((KEYS.subject_key("email", ANE),))
    assert [one.kind for one in ledger] == [EventKind.GIVEN]
    assert await consents(made, ANE)


async def test_a_change_that_is_on_its_way_is_left_alone(made):
    """What is seen there is about to be over."""
    await sign_up(made, ANE, state=None)
    await newsletter_changes.ask_for(made.context, ANE, [NEWS])
    made.queue.sent.clear()
    assert (await reconcile(made)).repaired == 0


async def test_a_restricted_person_is_neither_added_nor_withdrawn(made):
    """It stays as it is until the restriction ends."""
    await sign_up(made, ANE, state=None)
    await sign_up(made, BO, state="Unsubscribed")
    for email in (ANE, BO):
        (stored,) = await made.controls.read((KEYS.subject_key("email", email),))
        mark = Restriction(restriction_id="r", ground="accuracy", placed_at=made.clock.now())
        marked = stored.controls.model_copy(update={"restrictions": (mark,)})
        await made.controls.write(StoredControls(controls=marked, etag=stored.etag))
    assert (await reconcile(made)).repaired == 0
    assert made.newsletters.state(NEWS, ANE) is None
    assert await consents(made, BO)


async def test_an_address_that_is_none_stops_no_other(made):
    """It is counted."""
    made.newsletters.put(NEWS, "no address", "Active")
    await sign_up(made, CARL, state="Unsubscribed")
    run = await reconcile(made)
    assert run.counts["email_invalid"] == 1
    assert not await consents(made, CARL)


async def test_a_person_whose_controls_cannot_be_understood_stops_no_other(made, monkeypatch):
    """And nothing is changed about that one."""
    await sign_up(made, ANE, state="Unsubscribed")
    await sign_up(made, BO, state="Unsubscribed")
    real = newsletter_looks.wanted

    async def wanted(context, email, mailing_list):
        if email == ANE:
            raise CannotTell("document_unreadable")
        return await real(context, email, mailing_list)

    monkeypatch.setattr(newsletter_looks, "wanted", wanted)
    run = await reconcile(made)
    assert run.counts["document_unreadable"] == 2  # in the list there, and among our sign-ups
    assert (run.repaired, run.diverging) == (1, 2)
    assert ("newsletter_diverging", None, "2") in made.operators.alarms
    assert await consents(made, ANE)
    assert not await consents(made, BO)


async def test_every_page_is_gone_through(made):
    """More than one page holds, in every listing."""
    people = [f"p{number}@people.example" for number in range(7)]
    for email in people:
        await sign_up(made, email, state="Unsubscribed")
    assert (await reconcile(made)).repaired == len(people)
    pages = [
        page
        for list_id, state, _, page in made.newsletters.asked
        if (list_id, state) == (NEWS, "unsubscribed")
    ]
    assert pages == [1, 2, 3, 4]


async def test_once_a_day_whole_every_week_and_recent_between(made):
    """A second tick of the day begins nothing."""
    await reconcile(made)
    assert await reconciling.begin(made.context) is None
    await tomorrow(made)
    recent = await reconcile(made)
    assert recent.extent == "recent"
    assert recent.since == made.clock.now().date() - timedelta(days=3)
    assert "sign_ups" not in recent.counts
    made.clock.advance(days=6)
    assert (await reconcile(made)).extent == "whole"


async def test_while_the_processor_does_not_answer_nothing_is_lost(made):
    """The run waits, longer each time, and goes on where it was."""
    await sign_up(made, ANE, state="Unsubscribed")
    made.newsletters.is_unreachable = True
    run = await reconcile(made)
    assert (run.attempts, run.is_over) == (1, False)
    await reconciling.begin(made.context)
    assert made.queue.sent == []  # not yet
    made.clock.advance(seconds=made.limits.wake_seconds)
    assert (await reconcile(made)).attempts == 2
    made.newsletters.is_unreachable = False
    made.clock.advance(days=1)  # no other run begins before this one is over
    done = await reconcile(made)
    assert (done.run_id, done.is_complete) == (run.run_id, True)
    assert not await consents(made, ANE)


async def test_a_run_that_nobody_answers_is_given_up(made):
    """It is told once, and the next day's looks as far back."""
    made.newsletters.is_unreachable = True
    run = await reconcile(made)
    for number in range(1, made.limits.newsletter_attempts + 1):
        assert (run.attempts, run.is_over) == (number, False)
        made.clock.advance(seconds=made.limits.wake_seconds * 16)
        run = await reconcile(made)
    assert run.is_over
    assert len(run.failures) == 9
    failed = [one for one in made.operators.alarms if one[0] == "reconciliation_failed"]
    assert failed == [("reconciliation_failed", None, f"unsubscribed {NEWS} processor_unreachable")]
    made.newsletters.is_unreachable = False
    made.clock.advance(days=1)
    assert (await reconcile(made)).since == EVER


async def test_an_answer_about_one_address_that_is_never_readable_stops_no_other(made):
    """It is left to staff."""
    await sign_up(made, ANE, state="Unsubscribed")
    await sign_up(made, BO, state="Unsubscribed")
    made.newsletters.unreadable.add(ANE)
    run = await reconcile(made)
    assert run.counts["processor_unreadable"] == 2
    assert run.diverging == 2
    assert not await consents(made, BO)


async def test_a_run_that_takes_long_goes_on_in_another_message(made):
    """From the page after the last one saved."""
    made = World(datamap=load(), limits=made.limits.__class__(message_seconds=-1.0))
    await sign_up(made, ANE, state="Active")
    run_id = await reconciling.begin(made.context)
    made.queue.sent.clear()
    await reconciling.proceed(made.context, run_id)
    assert [queue for queue, _, _ in made.queue.sent] == [RECONCILIATION_QUEUE]


async def test_whoever_dies_at_any_step_leaves_a_run_that_ends_alike():
    """A worker dies before and after every write; the timer takes the run up again."""
    for place in range(400):
        count = 0

        async def turn(_name, place=place):
            nonlocal count
            count += 1
            if count == place:
                raise Killed

        made = World(datamap=load())
        await sign_up(made, ANE, state="Unsubscribed")
        await sign_up(made, BO, state=None)
        made.newsletters.put(AUTHORS, CARL, "Active")
        for fake in vars(made).values():
            if hasattr(fake, "turn") and fake is not made:
                fake.turn = turn
        for _ in range(6):
            try:
                await reconciling.begin(made.context)
                await deliver(made)
                await newsletter_changes.sweep(made.context)
                await deliver(made)
            except Killed:
                pass
            made.clock.advance(seconds=made.limits.wake_seconds)
        died = count >= place
        count = place + 1  # nobody dies while it is looked at
        assert not await consents(made, ANE), place
        assert made.newsletters.state(NEWS, BO) == "Active", place
        assert made.newsletters.state(AUTHORS, CARL) == "Unsubscribed", place
        assert made.newsletters.resubscribed == [], place
        if place > 0 and not died:
            assert place > 100  # it did die at every step before
            return
    pytest.fail("it does not end")


async def test_without_lists_nothing_begins(made):
    """No processor is connected."""
    made.newsletters.known = ()
    assert await reconciling.begin(made.context) is None


async def test_a_list_that_left_the_settings_is_given_up(made):
    """The others go on."""
    run_id = await reconciling.begin(made.context)
    made.newsletters.known = made.newsletters.known[1:]
    await deliver(made)
    run = (await made.reconciliations.read(run_id)).run
    assert {one.code for one in run.failures} == {"newsletter_list_unknown", "reconciliation_incomplete"}


async def test_a_poisoned_message_gives_up_one_listing(made):
    """And the run goes on at once with the next."""
    run_id = await reconciling.begin(made.context)
    _, body, _ = made.queue.sent.pop()
    await poison.put_aside(made.context, RECONCILIATION_QUEUE, body)
    assert ("reconciliation_poisoned", None, run_id) in made.operators.alarms
    run = await reconcile(made)
    assert [one.code for one in run.failures] == ["reconciliation_poisoned", "reconciliation_incomplete"]


async def test_an_unknown_run_is_an_error(made):
    """Its message belongs to staff."""
    with pytest.raises(NotFound):
        await reconciling.proceed(made.context, "2026-01-01")
