"""Several rights in one message: one case, one clock, an outcome and a letter for each."""

import io
import json
import zipfile

import pytest

from shared.domain.errors import Conflict, NotAllowed
from shared.domain.request_states import RequestState
from shared.domain.rights import IMMEDIATE, Right
from shared.services import deciding, downloads, intake
from shared.services.links import CANCEL
from tests.unit.services.cases_world import (
    BUYER,
    EMPLOYEE,
    MEMBER,
    alarms,
    controls,
    done,
    file,
    held,
    letter_words,
    outcome,
    populated,
    refuse,
    seen,
    sweep_at,
    wishing,
    words,
)
from tests.unit.services.driving import confirm, deliver, fulfil, letters, opened, rest, submit, token


@pytest.mark.clause("4.8", "4.7.1", "4.2", "4.4")
async def test_four_rights_of_one_message_are_one_case_with_four_outcomes():
    """One due date; the copy is made before the erasure, and each right has a letter of its own."""
    world = populated()
    wanted = (Right.ERASURE, Right.ACCESS, Right.WITHDRAWAL, Right.COMPLAINT)
    request_id = await done(world, MEMBER, *wanted)
    request = seen(world, request_id)
    assert len(world.cases.partitions) == 1
    assert request.rights == (Right.COMPLAINT, Right.WITHDRAWAL, Right.ACCESS, Right.ERASURE)
    assert {right: one.result for right, one in request.outcomes.items()} == {
        Right.COMPLAINT: "informed",
        Right.WITHDRAWAL: "withdrawn",
        Right.ACCESS: "answered",
        Right.ERASURE: "erased_with_retention",
    }
    assert set(letters(world, request_id)) == {
        "letter-complaint-0",
        "letter-withdrawn-1",
        "letter-package_ready-2",
        "letter-erased-3",
    }
    assert "data/members/members-000001.json" in opened(world, request_id)
    assert held(world, MEMBER) == {}


@pytest.mark.clause("4.8.1", "4.7.1")
async def test_what_waits_for_nobody_is_honoured_before_the_address_is_confirmed():
    """The mailing ends; the copy still needs the confirmation, and the request waits for it."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS, Right.WITHDRAWAL)
    await deliver(world)
    request = seen(world, request_id)
    assert request.state is RequestState.RECEIVED
    assert set(request.outcomes) == {Right.WITHDRAWAL}
    assert not world.processors.mails(MEMBER.email)
    assert set(letters(world, request_id)) == {"letter-verify-0", "letter-withdrawn-0"}
    await confirm(world, request_id)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.COMPLETED
    assert set(seen(world, request_id).outcomes) == {Right.WITHDRAWAL, Right.ACCESS}


async def test_a_copy_names_what_the_same_message_had_erased_before_it():
    """A withdrawal holds at once; the person would otherwise look for those records in vain."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS, Right.WITHDRAWAL)
    await deliver(world)
    await confirm(world, request_id)
    await rest(world)
    before = seen(world, request_id).outcomes[Right.WITHDRAWAL].by_store
    assert before
    about = json.loads(opened(world, request_id)["about.json"])
    assert {row["store_id"]: row["count"] for row in about["done_before"]} == before
    assert "What changed before this copy" in opened(world, request_id)["index.html"].decode()


async def test_a_copy_after_nothing_else_has_no_such_part():
    """An empty heading would only raise questions."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS)
    await deliver(world)
    await confirm(world, request_id)
    await rest(world)
    assert json.loads(opened(world, request_id)["about.json"])["done_before"] == []
    assert "What changed before this copy" not in opened(world, request_id)["index.html"].decode()


@pytest.mark.clause("4.8.1")
async def test_a_confirmation_while_the_first_right_is_at_work_counts_for_the_next():
    """A quick person need not confirm twice."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS, Right.WITHDRAWAL)
    await confirm(world, request_id)
    await deliver(world)
    assert seen(world, request_id).state is RequestState.COMPLETED


@pytest.mark.clause("4.8.1")
async def test_what_was_honoured_stays_honoured_when_the_rest_lapses():
    """Nobody confirms: the copy is forgotten, the withdrawal is not."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ACCESS, Right.WITHDRAWAL)
    await deliver(world)
    await sweep_at(world, "2026-11-12T10:00")
    await sweep_at(world, "2026-11-12T11:00")
    request = seen(world, request_id)
    assert request.state is RequestState.EXPIRED
    assert request.email is None
    assert controls(world, MEMBER.email).withdrawn_at is not None
    assert "newsletter_signups" not in held(world, MEMBER)


@pytest.mark.clause("4.4", "4.8.1")
async def test_an_erasure_that_has_not_begun_can_be_cancelled_after_a_withdrawal_was_honoured():
    """What was done stays done; nothing more is."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.ERASURE, Right.WITHDRAWAL)
    await deliver(world)
    before = held(world, MEMBER)
    state = await intake.cancel(world.context, request_id, token(world, request_id, CANCEL))
    await deliver(world)
    assert state is RequestState.CANCELLED
    assert held(world, MEMBER) == before
    assert set(seen(world, request_id).outcomes) == {Right.WITHDRAWAL}


@pytest.mark.clause("4.5", "4.7.2")
async def test_an_objection_restricts_at_once_though_other_rights_of_the_message_come_first():
    """While the correction waits for a person, the telemetry is already out of use."""
    world = populated()
    request_id = await done(
        world,
        MEMBER,
        Right.OBJECTION,
        Right.RECTIFICATION,
        wishes=wishing(objects_to=("usage",), corrections={"email": "mads.new@people.example"}),
    )
    request = seen(world, request_id)
    assert (request.right, request.state) == (Right.RECTIFICATION, RequestState.AWAITING_APPROVAL)
    assert controls(world, "user_id", MEMBER.user_id).restricts("usage")


@pytest.mark.clause("4.5")
async def test_nothing_is_restricted_for_somebody_who_has_not_shown_who_they_are():
    """A stranger cannot stop the processing of another's data."""
    world = populated()
    request_id = await submit(world, MEMBER.email, Right.COMPLAINT, Right.RESTRICTION)
    await deliver(world)
    assert set(seen(world, request_id).outcomes) == {Right.COMPLAINT}
    assert controls(world, MEMBER.email).restrictions == ()
    await confirm(world, request_id)
    await deliver(world)
    assert controls(world, MEMBER.email).is_restricted


@pytest.mark.clause("4.8", "5.2")
async def test_a_case_that_waits_for_a_person_keeps_no_other_right_waiting():
    """Access is answered and the objection waits for weeks: a withdrawal meanwhile is carried out at once."""
    world = populated()
    first = await done(world, MEMBER, Right.ACCESS, Right.OBJECTION)
    assert seen(world, first).state is RequestState.AWAITING_APPROVAL
    second = await submit(world, MEMBER.email, Right.WITHDRAWAL)
    await deliver(world)
    assert seen(world, second).state is RequestState.COMPLETED
    assert "newsletter_signups" not in held(world, MEMBER)


@pytest.mark.clause("4.4", "4.5")
async def test_a_restriction_and_an_erasure_in_one_message_are_a_contradiction_a_person_settles():
    """The protective one holds; the erasure waits for a decision, and runs when it is taken."""
    world = populated()
    request_id = await done(world, BUYER, Right.ERASURE, Right.RESTRICTION)
    request = seen(world, request_id)
    assert (request.right, request.state) == (Right.ERASURE, RequestState.AWAITING_APPROVAL)
    assert request.plan.needs_decision == ("restricted",)
    assert held(world, BUYER)["members"] == 1
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=request.plan.digest,
        decided_by="officer",
        reason="They confirmed",
    )
    await deliver(world)
    assert held(world, BUYER) == {"orders": 1}


@pytest.mark.clause("4.2", "4.6")
async def test_a_copy_and_a_package_to_take_along_do_not_replace_each_other():
    """Both can be fetched by their own link until their day, and both go when it comes."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ACCESS, Right.PORTABILITY)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    assert set(letters(world, request_id)) == {"letter-package_ready-0", "letter-portability_ready-1"}
    assert len(world.packages.contents) == 2
    copies = {}
    for letter_id in ("letter-package_ready-0", "letter-portability_ready-1"):
        link = next(
            word for word in letter_words(world, request_id, letter_id).split() if "/package?token=" in word
        )
        copies[letter_id] = await _fetched(world, request_id, link.rpartition("token=")[2])
    assert "index.html" in copies["letter-package_ready-0"]
    assert "data/usage_events/usage_events-000001.json" in copies["letter-package_ready-0"]
    assert "portability.json" in copies["letter-portability_ready-1"]
    await sweep_at(world, "2026-11-17T10:00")
    await sweep_at(world, "2026-11-17T11:00")
    await sweep_at(world, "2026-11-17T12:00")
    assert world.packages.contents == {}
    assert not (await intake.status(world.context, request_id)).copy_available


async def _fetched(world, request_id, token_text):
    url = await downloads.download_url(world.context, request_id, token_text)
    name = url.removeprefix("memory://packages/").partition("?")[0]
    with zipfile.ZipFile(io.BytesIO(world.packages.contents[name])) as archive:
        return archive.namelist()


@pytest.mark.clause("4.3", "4.2")
async def test_the_copy_of_a_message_that_also_corrects_has_the_right_values():
    """Rectification comes first."""
    world = populated()
    request_id = await done(
        world, MEMBER, Right.ACCESS, Right.RECTIFICATION, wishes=wishing(corrections={"name": "Mads Right"})
    )
    page = json.loads(opened(world, request_id)["data/members/members-000001.json"])
    assert "Mads Right" in json.dumps(page)


@pytest.mark.clause("4.1")
async def test_one_refused_right_does_not_take_the_others_with_it():
    """The state of the whole is not rejected when something was granted."""
    world = populated()
    request_id = await done(world, EMPLOYEE, Right.ACCESS, Right.OBJECTION)
    await deciding.refuse(
        world.context, request_id, decided_by="officer", reason="A claim", provision="GDPR article 21(1)"
    )
    await deliver(world)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    assert [outcome(world, request_id, right).result for right in request.rights] == ["answered", "refused"]


@pytest.mark.clause("4.1")
async def test_unclear_words_get_the_protective_reading_and_then_what_was_meant():
    """Restricted until a person has said what was asked for; then that alone is done."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="unclear"))
    assert controls(world, MEMBER.email).restrictions[0].ground == "unclear"
    digest = seen(world, request_id).plan.digest
    with pytest.raises(NotAllowed, match="meaning_unknown"):
        await deciding.approve(world.context, request_id, plan_digest=digest, decided_by="op", reason="x")
    await deciding.reread(
        world.context, request_id, rights=(Right.ACCESS,), decided_by="op", reason="They asked for a copy"
    )
    assert not controls(world, MEMBER.email).is_restricted
    await deliver(world)
    request = seen(world, request_id)
    assert (request.rights, request.state) == ((Right.ACCESS,), RequestState.COMPLETED)
    assert "approval_needed" in alarms(world, request_id)


@pytest.mark.clause("4.1")
async def test_no_letter_says_that_unclear_words_asked_for_a_restriction():
    """Neither the one that asks to confirm, nor the one of the review, nor the refusal."""
    world = populated()
    request_id = await fulfil(
        world, MEMBER.asks_as, Right.RESTRICTION, wishes=wishing(ground="unclear", statement="please ...")
    )
    await refuse(world, request_id)
    await deliver(world)
    sent = letters(world, request_id)
    assert set(sent) == {"letter-verify-0", "letter-delayed_by_review-0", "letter-refused-0"}
    for mail in sent.values():
        assert "restriction of" not in words(mail) + mail.html + mail.subject
        assert "what you wrote to us" in words(mail)
        assert "wrote to" in mail.subject


@pytest.mark.clause("4.5")
async def test_unclear_words_that_meant_a_restriction_leave_one_with_its_true_ground():
    """Nothing is lifted in between, and the copy no longer says that it is unclear."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="unclear"))
    await deciding.reread(
        world.context, request_id, rights=(Right.RESTRICTION,), decided_by="op", reason="They said so"
    )
    assert controls(world, MEMBER.email).is_restricted
    await deliver(world)
    (mark,) = controls(world, MEMBER.email).restrictions
    assert (mark.ground, mark.lifted_at) == ("accuracy", None)
    assert seen(world, request_id).state is RequestState.STANDING


@pytest.mark.clause("4.8", "4.1")
async def test_rereading_does_not_answer_twice_what_was_answered():
    """The withdrawal was honoured; only what was unclear is read anew."""
    world = populated()
    request_id = await done(
        world, MEMBER, Right.WITHDRAWAL, Right.RESTRICTION, wishes=wishing(ground="unclear")
    )
    await deciding.reread(
        world.context, request_id, rights=(Right.WITHDRAWAL, Right.ACCESS), decided_by="op", reason="So meant"
    )
    await deliver(world)
    request = seen(world, request_id)
    assert request.rights == (Right.WITHDRAWAL, Right.ACCESS)
    assert request.state is RequestState.COMPLETED
    assert set(world.notifier.times_sent.values()) == {1}


@pytest.mark.clause("4.8")
@pytest.mark.parametrize("right", sorted(IMMEDIATE))
async def test_a_right_that_waits_for_nobody_needs_no_confirmation_alone(right):
    """Not even a mail that asks for one."""
    world = populated()
    request_id = await submit(world, MEMBER.email, right)
    await deliver(world)
    assert "letter-verify-0" not in letters(world, request_id)
    assert seen(world, request_id).is_final


@pytest.mark.clause("4.2")
async def test_rights_come_once_however_often_they_are_named():
    """The order of the message plays no part."""
    world = populated()
    request_id = await file(world, MEMBER, Right.ACCESS, Right.WITHDRAWAL, Right.ACCESS)
    assert seen(world, request_id).rights == (Right.WITHDRAWAL, Right.ACCESS)


@pytest.mark.clause("4.5")
async def test_a_reading_that_was_not_saved_leaves_the_protection_where_it_is():
    """Somebody wrote the case at the same moment: the answer is a conflict, and nothing is lifted."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="unclear", statement="?"))
    world.cases.commit, commit = _refused, world.cases.commit
    with pytest.raises(Conflict):
        await deciding.reread(
            world.context, request_id, rights=(Right.ACCESS,), decided_by="officer", reason="asked"
        )
    world.cases.commit = commit
    assert controls(world, MEMBER.email).is_restricted


@pytest.mark.clause("4.5")
async def test_a_reading_that_died_after_it_was_saved_is_finished_by_the_plan():
    """The restriction nobody asked for does not stay for good."""
    world = populated()
    request_id = await done(world, MEMBER, Right.RESTRICTION, wishes=wishing(ground="unclear", statement="?"))
    world.controls.write, write = _refused, world.controls.write
    with pytest.raises(Conflict):
        await deciding.reread(
            world.context, request_id, rights=(Right.ACCESS,), decided_by="officer", reason="asked"
        )
    world.controls.write = write
    assert controls(world, MEMBER.email).is_restricted
    await rest(world)
    assert not controls(world, MEMBER.email).is_restricted
    assert outcome(world, request_id, Right.ACCESS).result == "answered"


async def _refused(*_arguments, **_options):
    raise Conflict("somebody_was_faster")
