"""Every right ends with a letter that can be read, whoever asks, in both languages."""

import json
from dataclasses import replace

import pytest

from shared.domain.cases import portable_id
from shared.domain.errors import Invalid, NotAllowed, NotFound, Permanent
from shared.domain.limits import Limits
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.domain.tokens import issue
from shared.services import asking, attention, deciding, downloads, intake
from shared.services.links import PACKAGE, PORTABLE
from tests.factories import KEYS, contacts
from tests.unit.services.cases_world import (
    AUTHOR,
    BUYER,
    BYG,
    CONTACT,
    EMPLOYEE,
    MEMBER,
    NOBODY,
    alarms,
    answer_token,
    as_customer,
    controls,
    done,
    file,
    held,
    letter_words,
    move_to,
    outcome,
    populated,
    put,
    seen,
    sweep_at,
    wishing,
    words,
)
from tests.unit.services.driving import deliver, letters, opened, rest, stored, submit, token

DECIDED = {Right.OBJECTION}
WISHES = {
    Right.RECTIFICATION: wishing(corrections={"name": "New Madeup", "city": "Aarhus"}, statement="Not me"),
    Right.OBJECTION: wishing(objects_to=("usage", "learning_statistics")),
    Right.RESTRICTION: wishing(ground="claims"),
}
SIGNS = {
    "en": ("You can complain at any time to", "You do not have to write to us first"),
    "da": ("Datatilsyn", "klage"),
}
WHO = {one.key: one for one in (AUTHOR, MEMBER, EMPLOYEE, CONTACT, BUYER)}


@pytest.mark.clause("4.1", "4.9", "7.1")
@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize("who", [*sorted(WHO), "nobody"])
@pytest.mark.parametrize("right", list(Right))
async def test_every_right_of_everybody_ends_with_a_letter_that_names_both_offices(right, who, language):
    """Whoever it is and whatever was found: the controller, the authority and the courts stand in it."""
    world = populated()
    person = WHO.get(who, NOBODY)
    request_id = await done(world, person, right, language=language, wishes=WISHES.get(right, wishing()))
    request = seen(world, request_id)
    if request.state is RequestState.AWAITING_APPROVAL:
        await deciding.refuse(
            world.context, request_id, decided_by="op", reason="En grund", provision="GDPR article 12(4)"
        )
        await deliver(world)
        request = seen(world, request_id)
    assert request.is_final or request.state is RequestState.STANDING, request.attention
    assert right in request.outcomes
    answer = [mail for name, mail in letters(world, request_id).items() if "review" not in name][-1]
    assert mail_is_whole(answer, language)
    assert "Test Controller" in answer.text
    assert "https://authority.example" in answer.text
    courts = {"en": "court", "da": "domstol"}[language]
    assert courts in answer.text
    if who in WHO:
        text = answer.subject + answer.text + answer.html
        assert not [mark for mark in (person.name, person.phone, person.user_id) if mark and mark in text]


def mail_is_whole(mail, language: str) -> bool:
    """Tell whether nothing of the machinery shows."""
    text = mail.subject + mail.text
    assert not [part for part in ("{{", "}}", "{%", "None", "Undefined", "<p>") if part in text]
    assert f'lang="{language}"' in mail.html
    return bool(mail.subject.strip())


@pytest.mark.clause("4.2.1")
@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize(
    "right",
    [Right.ACCESS, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION, Right.MARKETING_OBJECTION],
)
async def test_every_right_a_customer_has_ends_with_a_letter_of_its_own(right, language):
    """To the administrator, and where the person must learn of it, to the person."""
    world = populated()
    wishes = wishing(corrections={"name": "New"}) if right is Right.RECTIFICATION else wishing()
    request_id = await as_customer(world, BYG, EMPLOYEE, right, language=language, wishes=wishes)
    request = seen(world, request_id)
    assert request.is_final or request.state is RequestState.STANDING, request.attention
    sent = letters(world, request_id)
    assert {mail.to for mail in sent.values()} <= {"admin@byg.example", EMPLOYEE.email}
    told = {name for name, mail in sent.items() if mail.to == EMPLOYEE.email}
    assert bool(told) is (right in (Right.RECTIFICATION, Right.ERASURE))
    for mail in sent.values():
        assert mail_is_whole(mail, language)


@pytest.mark.clause("4.9", "7.1")
async def test_a_complaint_that_says_something_is_read_by_a_person_before_its_words_go():
    """The person hears at once where to complain further, and again when it was read."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.COMPLAINT, wishes=wishing(statement="You lost my letter"))
    assert alarms(world, request_id) == ["approval_needed"]
    assert all("lost" not in details for _, _, details in world.operators.alarms)
    (first,) = letters(world, request_id).values()
    assert world.context.contacts.authority_email in first.text
    assert seen(world, request_id).wishes.statement == "You lost my letter"
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="op",
        reason="Read, and taken up with the support team",
    )
    await rest(world)
    assert "letter-complaint-0" in letters(world, request_id)
    assert seen(world, request_id).is_final


@pytest.mark.clause("4.9", "7.1")
async def test_a_complaint_without_words_is_answered_at_once():
    """There is nothing to read."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.COMPLAINT)
    assert alarms(world, request_id) == []
    assert set(letters(world, request_id)) == {"letter-complaint-0"}
    assert seen(world, request_id).is_final


@pytest.mark.clause("4.9", "4.9.1", "7.1")
@pytest.mark.parametrize("missing", ["authority_email", "controller_address", "authority_url"])
async def test_no_answer_leaves_while_a_contact_is_missing_and_it_leaves_when_it_is_there(missing):
    """The case stays open; nothing is lost meanwhile."""
    world = populated()
    whole = world.context
    world.context = replace(whole, contacts=contacts(**{missing: ""}))
    request_id = await file(world, AUTHOR, Right.COMPLAINT)
    with pytest.raises(Permanent, match="contacts_incomplete"):
        await deliver(world)
    assert letters(world, request_id) == {}
    assert seen(world, request_id).state is RequestState.ANSWERING
    world.context = whole
    world.clock.advance(seconds=world.limits.wake_seconds * 4)
    await rest(world)
    assert set(letters(world, request_id)) == {"letter-complaint-0"}
    assert seen(world, request_id).is_final


@pytest.mark.clause("4.2")
async def test_an_identity_that_staff_have_checked_starts_the_request():
    """Only how and when is kept, never the document; a second check finds nothing to do."""
    world = populated()
    request_id = await file(world, MEMBER, Right.ACCESS, channel="post", is_known=False)
    await deliver(world)
    state = await intake.identify(world.context, request_id, method="code_by_post", decided_by="clerk")
    assert state is RequestState.VERIFIED
    with pytest.raises(NotAllowed, match="identity_not_open"):
        await intake.identify(world.context, request_id, method="code_by_post", decided_by="clerk")
    await deliver(world)
    assert seen(world, request_id).state is RequestState.COMPLETED
    assert "identified" in world.cases.what_happened(request_id)
    assert "code_by_post" in stored(world, request_id)


@pytest.mark.clause("4.2")
async def test_a_case_whose_question_was_answered_is_called_to_mind_and_its_dates_are_watched():
    """Nobody looked at the answer: operators hear of it each day, and that it is due."""
    world = populated("2026-11-02T10:00")
    request_id = await file(world, MEMBER, Right.ACCESS, channel="mail", is_known=False)
    await asking.ask(world.context, request_id, kind="identity", text="Which number?", asked_by="op")
    await deliver(world)
    move_to(world, "2026-11-03T10:00")
    await asking.answer_by_link(world.context, request_id, answer_token(world, request_id), "4711")
    for day in range(4, 30):
        await sweep_at(world, f"2026-11-{day:02d}T10:00")
    for day in range(1, 8):
        await sweep_at(world, f"2026-12-{day:02d}T10:00")
    assert seen(world, request_id).state is RequestState.RECEIVED
    told = alarms(world, request_id)
    assert told.count("identity_undecided") > 10
    assert "due_soon" in told
    assert "overdue" in told


@pytest.mark.clause("4.2")
async def test_a_question_nobody_answers_ends_with_its_link():
    """Not after a week, as an unconfirmed request does, but after the time of its answer."""
    world = populated("2026-11-02T10:00")
    request_id = await file(world, MEMBER, Right.ACCESS, channel="mail", is_known=False)
    await asking.ask(world.context, request_id, kind="identity", text="Which number?", asked_by="op")
    await deliver(world)
    await sweep_at(world, "2026-12-31T09:00")
    assert seen(world, request_id).state is RequestState.RECEIVED
    await sweep_at(world, "2027-01-01T10:01")
    await sweep_at(world, "2027-01-01T11:00")
    assert seen(world, request_id).state is RequestState.EXPIRED
    assert "Which number?" not in stored(world, request_id)


@pytest.mark.clause("4.4", "4.1")
async def test_an_erasure_that_has_erased_is_not_refused_but_brought_to_its_end():
    """One order could not be judged; mended and taken up again, all is counted once."""
    world = populated()
    (order,) = world.documents.bodies("orders")
    put(world, "orders", {**order, "invoice_on": "some day"})
    request_id = await done(world, BUYER, Right.ERASURE)
    request = seen(world, request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "records_undecidable")
    with pytest.raises(NotAllowed, match="too_late"):
        await deciding.refuse(
            world.context, request_id, decided_by="op", reason="It stays", provision="GDPR article 17(3)(b)"
        )
    put(world, "orders", order)
    await attention.retry(world.context, request_id, decided_by="op")
    await deliver(world)
    assert held(world, BUYER) == {"orders": 1}
    assert outcome(world, request_id, Right.ERASURE).by_store == {
        "members": 1,
        "newsletter_signups": 1,
        "orders": 1,
        "cloud_access_log": 2,
    }
    assert set(letters(world, request_id)) == {"letter-erased-0"}


@pytest.mark.clause("4.7.2")
async def test_an_objection_is_not_upheld_without_a_reason():
    """The letter tells what decided it; the provision is known."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    digest = seen(world, request_id).plan.digest
    with pytest.raises(Invalid, match="reason_missing"):
        await deciding.approve(world.context, request_id, plan_digest=digest, decided_by="op", reason=" ")
    assert seen(world, request_id).decisions == ()
    await deciding.approve(world.context, request_id, plan_digest=digest, decided_by="op", reason="Followed")
    await deliver(world)
    answer = letter_words(world, request_id, "letter-objection_upheld-0")
    assert "What decided it: Followed. Provision: GDPR article 21(1)" in answer


@pytest.mark.clause("4.4", "4.2")
@pytest.mark.parametrize("fetched", ["none", "copy", "both"])
async def test_an_erasure_beside_two_copies_takes_those_that_were_fetched(fetched):
    """What waits to be fetched stays to its day and is named; what was fetched goes."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ACCESS, Right.PORTABILITY)
    request = seen(world, request_id)
    links = [token(world, request_id, PACKAGE)]
    links.append(issue(KEYS, purpose=PORTABLE, request_id=request_id, expires_at=request.portable.expires_at))
    for link in links[: {"none": 0, "copy": 1, "both": 2}[fetched]]:
        await downloads.download_url(world.context, request_id, link)
    erased = await done(world, MEMBER, Right.ERASURE)
    left = {
        "none": {request_id, portable_id(request_id)},
        "copy": {portable_id(request_id)},
        "both": set(),
    }[fetched]
    assert set(world.packages.contents) == left
    kept = [one for one in outcome(world, erased, Right.ERASURE).kept if one.store_id == "packages"]
    assert sum(one.records for one in kept) == len(left)


@pytest.mark.clause("4.2")
async def test_a_copy_is_not_found_by_the_link_of_another_kind():
    """Each link is for its own copy; a forged one is for none."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ACCESS)
    expires_at = seen(world, request_id).package.expires_at
    other = issue(KEYS, purpose=PORTABLE, request_id=request_id, expires_at=expires_at)
    with pytest.raises(NotFound, match="package_gone"):
        await downloads.download_url(world.context, request_id, other)
    with pytest.raises(NotAllowed, match="token_invalid"):
        await downloads.download_url(world.context, request_id, other[:-1] + "x")


@pytest.mark.clause("4.2")
async def test_identifiers_that_match_too_many_people_stop_the_case_before_anything_is_read():
    """Three member records under one address: a person has to look."""
    world = populated()
    (profile,) = [one for one in world.documents.bodies("members") if one["id"] == MEMBER.member_id]
    for other in ("member-second", "member-third"):
        put(world, "members", {**profile, "id": other})
    request_id = await done(world, MEMBER, Right.ACCESS)
    request = seen(world, request_id)
    assert (request.state, request.attention) == (RequestState.NEEDS_ATTENTION, "too_many_member_id")
    assert world.packages.contents == {}
    assert "too_many_member_id" in alarms(world, request_id)


@pytest.mark.clause("4.2", "4.4")
@pytest.mark.parametrize("right", list(Right))
async def test_a_closed_case_keeps_nothing_of_the_person(right):
    """No address, no identifiers, no wish, no question: pseudonyms and facts alone."""
    world = populated(connected=())
    request_id = await done(world, MEMBER, right, wishes=WISHES.get(right, wishing()))
    if not seen(world, request_id).is_final and seen(world, request_id).state is not RequestState.STANDING:
        await deciding.refuse(
            world.context, request_id, decided_by="op", reason="r", provision="GDPR article 12(4)"
        )
        await deliver(world)
    request = seen(world, request_id)
    if request.state is RequestState.STANDING:
        assert right is Right.RESTRICTION, "the notice before lifting needs the address"
        return
    text = stored(world, request_id)
    for mark in (*MEMBER.markers, "New Madeup", "Aarhus", "Not me"):
        assert mark.lower() not in text.lower(), mark
    for mark in MEMBER.markers:
        assert mark not in json.dumps([str(one) for one in world.operators.alarms])
        assert mark not in json.dumps(list(world.evidence.records.values()))


@pytest.mark.clause("4.8")
async def test_a_withdrawal_does_not_undo_a_sign_up_that_is_newer():
    """The message was late: who signed up anew since then stays signed up with us."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.WITHDRAWAL)
    world.clock.advance(seconds=60)
    (signup,) = [one for one in world.documents.bodies("newsletter_signups") if one["email"] == MEMBER.email]
    put(
        world,
        "newsletter_signups",
        {**signup, "id": "news-new", "consented_at": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")},
    )
    await deliver(world)
    left = [one["id"] for one in world.documents.bodies("newsletter_signups") if one["email"] == MEMBER.email]
    assert left == ["news-new"]
    assert seen(world, request_id).is_final


@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    "limits", [Limits(), Limits(page_documents=1, page_keys=1, message_documents=1, lanes=2)]
)
async def test_nobody_else_is_touched_by_all_rights_at_once(limits):
    """Everything one person can ask for, in one message, in small and in large steps."""
    world = populated(limits=limits)
    others = {one.key: held(world, one) for one in (AUTHOR, EMPLOYEE, CONTACT, BUYER)}
    rights = [one for one in Right if one not in (Right.OBJECTION, Right.RESTRICTION)]
    request_id = await done(world, MEMBER, *rights, wishes=wishing(corrections={"city": "Aarhus"}))
    assert set(seen(world, request_id).outcomes) == set(rights)
    assert held(world, MEMBER) == {}
    assert {one.key: held(world, one) for one in (AUTHOR, EMPLOYEE, CONTACT, BUYER)} == others
    assert controls(world, MEMBER.email).stops_marketing
    assert "data/members/members-000001.json" in opened(world, request_id)
    assert set(world.notifier.times_sent.values()) == {1}
    assert all(words(mail) for mail in letters(world, request_id).values())
