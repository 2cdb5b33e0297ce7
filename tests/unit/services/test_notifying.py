"""Recipients whose contact is known are told by mail, once, of nothing but what they received themselves."""

from datetime import timedelta

import pytest

from shared.datamap.loader import load
from shared.domain.errors import NotAllowed, Permanent, Retryable
from shared.domain.limits import Limits
from shared.domain.recipients import NoticeState
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day
from shared.domain.wishes import Wishes
from shared.ports.notifier import NOT_ACCEPTED
from shared.services import overview
from shared.services.notifying import NOT_DELIVERABLE
from shared.services.reminding import NOTICES_DUE, UNCONFIRMED
from shared.services.sweeping import sweep
from shared.services.telling import note_told
from tests.unit.services.cases_world import BUYER, NEWSLETTERS, alarms, at, done, populated, seen
from tests.unit.services.driving import deliver, letters

CARRIER = "postnord"
CONTACT = "data@carrier.example"
DAYS = Limits().confirm_days
PERSONAL = (BUYER.name, BUYER.member_email, BUYER.phone, BUYER.address.street, BUYER.member_id)


def reachable(recipient_id=CARRIER, **changes):
    """Return the map with a recipient's contact in it."""
    datamap = load()
    entered = {"contact": CONTACT, **changes}
    return datamap.model_copy(
        update={
            "recipients": tuple(
                one.model_copy(update=entered) if one.id == recipient_id else one
                for one in datamap.recipients
            )
        }
    )


def world_with(datamap=None, **changes):
    return populated(**{"connected": (), "datamap": datamap or reachable(), **changes})


def notice(world, request_id, right=Right.ERASURE, recipient_id=CARRIER):
    (found,) = [
        one
        for one in seen(world, request_id).notices
        if (one.recipient_id, one.right) == (recipient_id, right)
    ]
    return found


def mail(world, request_id, right=Right.ERASURE, recipient_id=CARRIER):
    return letters(world, request_id).get(f"notice-{recipient_id}-{right}")


async def sweeps(world, moment):
    world.clock.moment = moment
    for _ in range(4):
        await sweep(world.context)
        await deliver(world)


def noon(world, days):
    return at(f"{(copenhagen_day(world.clock.now()) + timedelta(days=days)).isoformat()}T12:00")


@pytest.mark.clause("3.1", "4.4")
@pytest.mark.parametrize(
    ("language", "words"), [("en", "We have erased this data"), ("da", "Vi har slettet disse oplysninger")]
)
async def test_the_carrier_is_told_of_an_erasure_by_order_and_fields_and_of_nothing_else(language, words):
    world = world_with(reachable(contact_language=language))
    request_id = await done(world, BUYER, Right.ERASURE)
    sent = mail(world, request_id)
    order_no = next(
        row["reference"] for row in world.documents.bodies("disclosures") if row["recipient"] == CARRIER
    )
    assert (sent.to, sent.language) == (CONTACT, language)
    for body in (sent.text, sent.html):
        assert words in " ".join(body.split())
        assert order_no in body
        assert request_id in body
        for value in PERSONAL:
            assert value not in body
    assert world.notifier.times_sent[sent.mail_id] == 1
    found = notice(world, request_id)
    assert (found.state, found.asked_at, found.chase_on) == (
        NoticeState.NOTIFIED,
        world.clock.now(),
        copenhagen_day(world.clock.now()) + timedelta(days=DAYS),
    )
    assert seen(world, request_id).is_final, "a carrier that does not answer keeps no case open"
    assert "notices_open" not in alarms(world, request_id)


@pytest.mark.clause("3.1")
async def test_a_carrier_learns_nothing_of_what_another_one_carried():
    world = world_with(people=(BUYER.__class__(**{**vars(BUYER), "carriers": ("postnord", "dhl")}),))
    request_id = await done(world, BUYER, Right.ERASURE)
    others = [row["reference"] for row in world.documents.bodies("disclosures") if row["recipient"] == "dhl"]
    assert others
    assert not any(one in mail(world, request_id).text for one in others)
    assert notice(world, request_id, recipient_id="dhl").state is NoticeState.DUE, "its contact is not stated"


@pytest.mark.clause("4.3", "4.3.1")
async def test_of_a_correction_the_carrier_learns_which_fact_and_not_the_value():
    world = world_with()
    right_name = "Odalisque Newname"
    request_id = await done(
        world, BUYER, Right.RECTIFICATION, wishes=Wishes(corrections={"name": right_name})
    )
    sent = mail(world, request_id, Right.RECTIFICATION)
    assert "What was corrected: Name on the invoice. " in " ".join(sent.text.split())
    assert right_name not in sent.text + sent.html
    assert BUYER.name not in sent.text + sent.html


@pytest.mark.clause("4.3.1")
async def test_a_carrier_that_never_received_the_fact_is_not_told_of_its_correction():
    """The parcel had no phone number on it."""
    for fields, told in ((["/addressee/name"], False), (["/addressee/phone"], True), (["phone no."], True)):
        world = world_with()
        for row in world.documents.bodies("disclosures"):
            world.documents.put("disclosures", "/subject_key", {**row, "fields": fields})
        wishes = Wishes(corrections={"phone": "+44 113 496 0999"})
        request_id = await done(world, BUYER, Right.RECTIFICATION, wishes=wishes)
        assert (CARRIER in {one.recipient_id for one in seen(world, request_id).notices}) is told, fields


@pytest.mark.clause("4.5")
async def test_the_carrier_is_told_of_a_restriction():
    world = world_with()
    request_id = await done(world, BUYER, Right.RESTRICTION, wishes=Wishes(ground="accuracy"))
    assert "stored with us and not used" in " ".join(mail(world, request_id, Right.RESTRICTION).text.split())


@pytest.mark.parametrize("days", [DAYS, DAYS + 1, DAYS + 2])
async def test_a_recipient_that_does_not_answer_is_called_to_mind_after_its_day(days):
    world = world_with()
    moment = noon(world, days)
    request_id = await done(world, BUYER, Right.ERASURE)
    for day in range(1, days + 1):
        await sweeps(world, moment - timedelta(days=days - day))
    assert alarms(world, request_id).count(UNCONFIRMED) == max(0, days - DAYS)
    assert NOTICES_DUE not in alarms(world, request_id)
    listed = await overview.listing(world.context, attention=UNCONFIRMED)
    assert [row.request_id for row in listed.rows] == [request_id] * (days > DAYS)
    assert world.notifier.times_sent[f"{request_id}-notice-{CARRIER}-erasure"] == 1


async def test_its_answer_is_noted_and_then_nobody_is_reminded():
    world = world_with()
    request_id = await done(world, BUYER, Right.ERASURE)
    asked_at = world.clock.now()
    await sweeps(world, noon(world, DAYS + 1))
    told = {"recipient_id": CARRIER, "right": Right.ERASURE, "why": "", "noted_by": "op"}
    await note_told(world.context, request_id, state="told", **told)
    found = notice(world, request_id)
    assert (found.state, found.asked_at, found.by) == (NoticeState.TOLD, asked_at, "op")
    assert seen(world, request_id).attention is None
    before = alarms(world, request_id)
    await sweeps(world, noon(world, 9))
    assert alarms(world, request_id) == before
    with pytest.raises(NotAllowed):
        await note_told(world.context, request_id, state="told", **told)


async def test_a_mail_that_the_service_does_not_take_goes_out_of_the_closed_case_later():
    world = world_with()
    refused = [("notifier.send", Retryable(NOT_ACCEPTED))]
    send = world.notifier.send

    async def send_all_but_notices(sent):
        if sent.to == CONTACT and refused:
            raise refused.pop()[1]
        await send(sent)

    world.notifier.send = send_all_but_notices
    request_id = await done(world, BUYER, Right.ERASURE)
    assert notice(world, request_id).state is NoticeState.NOTIFIED
    assert world.notifier.times_sent[f"{request_id}-notice-{CARRIER}-erasure"] == 1


async def test_a_notice_whose_message_was_lost_leaves_the_closed_case_by_the_sweep():
    world = world_with()
    deliver_all = world.queue.send

    async def losing(messages, **more):
        kept = [one for one in messages if not getattr(one, "letter_id", "").startswith("notice-")]
        await deliver_all(kept, **more)

    world.queue.send = losing
    request_id = await done(world, BUYER, Right.ERASURE)
    assert seen(world, request_id).is_final
    assert notice(world, request_id).state is NoticeState.DUE
    world.queue.send = deliver_all
    await sweeps(world, world.clock.now() + timedelta(seconds=Limits().letter_settle_seconds))
    assert notice(world, request_id).state is NoticeState.NOTIFIED
    assert mail(world, request_id).to == CONTACT


async def test_a_recipient_that_no_mail_reaches_is_told_by_staff():
    world = world_with()
    send = world.notifier.send

    async def refuse(sent):
        if sent.to == CONTACT:
            raise Permanent("mail_refused")
        await send(sent)

    world.notifier.send = refuse
    request_id = await done(world, BUYER, Right.ERASURE)
    found = notice(world, request_id)
    assert (found.state, found.letter_id, found.why) == (NoticeState.DUE, None, NOT_DELIVERABLE)
    assert NOT_DELIVERABLE in alarms(world, request_id)
    assert mail(world, request_id) is None


async def test_a_notice_that_may_be_out_is_looked_for_and_not_sent_again():
    world = world_with()
    send = world.notifier.send
    lost = [Retryable("mail_outcome_unknown")]

    async def unknown(sent):
        await send(sent)
        if sent.to == CONTACT and lost:
            raise lost.pop()

    world.notifier.send = unknown
    try:
        request_id = await done(world, BUYER, Right.ERASURE)
    except Retryable:
        await deliver(world)
        (request_id,) = world.cases.partitions
    await sweeps(world, world.clock.now() + timedelta(hours=1))
    assert notice(world, request_id).state is NoticeState.NOTIFIED
    assert world.notifier.times_sent[f"{request_id}-notice-{CARRIER}-erasure"] == 1


async def test_where_the_contact_is_not_stated_staff_tell_as_before():
    world = populated(connected=())
    request_id = await done(world, BUYER, Right.ERASURE)
    assert (notice(world, request_id).state, notice(world, request_id).letter_id) == (NoticeState.DUE, None)
    assert "notices_open" in alarms(world, request_id)


async def test_the_person_reads_that_the_carrier_has_been_told():
    world = populated(datamap=reachable())
    request_id = await done(world, BUYER, Right.ERASURE)
    assert NEWSLETTERS in {one.recipient_id for one in seen(world, request_id).open_notices}
    for one in seen(world, request_id).open_notices:
        await note_told(
            world.context,
            request_id,
            recipient_id=one.recipient_id,
            right=one.right,
            state="told",
            why="",
            noted_by="op",
        )
    await deliver(world)
    text = " ".join(letters(world, request_id)["letter-recipients_done-0"].text.split())
    assert "PostNord: has been told." in text
