"""The specification's cases 9 to 14: customers, nothing held, portability, objections."""

import json

import pytest

from shared.domain.recipients import Instruction
from shared.domain.request_states import RequestState
from shared.domain.rights import Right
from shared.services import deciding
from tests.unit.services.cases_world import (
    ADMIN,
    AUTHOR,
    BYG,
    EMPLOYEE,
    MEMBER,
    NEWSLETTERS,
    NOBODY,
    alarms,
    as_customer,
    controls,
    done,
    everybody_else,
    file,
    held,
    letter_words,
    outcome,
    populated,
    seen,
    wishing,
)
from tests.unit.services.driving import deliver, letters, opened, submit

OF_THE_USER = {"usage_events", "installations", "usage_archive", "cloud_activity", "customer_reports"}


@pytest.mark.case(9)
@pytest.mark.clause("4.2.1", "2.2.1")
async def test_case_09_a_customer_learns_of_its_installation_and_the_employee_sees_that_it_did():
    """No membership, newsletter, or anything of another customer; no copy; one row in the ledger."""
    world = populated()
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.ACCESS)
    found = outcome(world, request_id, Right.ACCESS)
    everything = held(world, EMPLOYEE)
    assert set(found.by_store) == OF_THE_USER
    assert found.by_store["cloud_activity"] * 2 == everything["cloud_activity"]
    assert found.by_store["usage_archive"] * 2 == everything["usage-archive"]
    answer = {name: data.decode() for name, data in opened(world, request_id).items()}
    assert not [name for name in answer if name.startswith("data/")]
    assert not [name for name, text in answer.items() if "foods" in text.lower() or "cust-0002" in text]
    assert not [name for name, text in answer.items() if EMPLOYEE.email in text or EMPLOYEE.phone in text]
    (mail,) = letters(world, request_id).values()
    assert mail.to == ADMIN

    own = await done(world, EMPLOYEE, Right.ACCESS)
    rows = json.loads(opened(world, own)["about.json"])["disclosures"]
    told = [row for row in rows if row["purpose"] == "request of the customer for its installation"]
    assert [(row["recipient_id"], row["reference"]) for row in told] == [("customer", BYG.customer_id)]
    assert told[0]["fields"] == [f"{name} (count)" for name in sorted(OF_THE_USER)]


@pytest.mark.case(9)
@pytest.mark.clause("4.2.1")
async def test_case_09_an_address_leads_a_customer_to_its_licence_contact_and_no_further():
    """What is reached from an address is not followed to the user id."""
    world = populated()
    request_id = await as_customer(world, BYG, EMPLOYEE, Right.ACCESS, kind="email", value=EMPLOYEE.email)
    assert set(outcome(world, request_id, Right.ACCESS).by_store) == {"licences"}


@pytest.mark.case(10)
@pytest.mark.clause("4.2", "4.9")
async def test_case_10_a_person_without_data_gets_a_written_answer_with_where_to_complain():
    """Silence is no answer, and neither is an empty copy without a word."""
    world = populated()
    request_id = await done(world, NOBODY, Right.ACCESS)
    request = seen(world, request_id)
    assert request.state is RequestState.COMPLETED
    assert outcome(world, request_id, Right.ACCESS).result == "nothing_held"
    answer = letter_words(world, request_id, "letter-package_ready-0")
    assert "If we hold none, the copy says so" in answer
    for part in ("Test Authority", "https://authority.example", "courts (GDPR article 79)"):
        assert part in answer, part
    assert "no personal data about you" in opened(world, request_id)["index.html"].decode()
    assert request.closed_at is not None
    assert request.closed_at.date() <= request.due_on


@pytest.mark.case(10)
@pytest.mark.clause("4.4")
@pytest.mark.parametrize(
    "right",
    [Right.ERASURE, Right.WITHDRAWAL, Right.MARKETING_OBJECTION, Right.RECTIFICATION, Right.RESTRICTION],
)
async def test_case_10_every_other_right_of_somebody_we_do_not_know_is_answered_too(right):
    """Each ends with a letter that names the authority."""
    world = populated()
    wishes = wishing(corrections={"name": "New Name"}) if right is Right.RECTIFICATION else wishing()
    request_id = await done(world, NOBODY, right, wishes=wishes)
    (mail,) = letters(world, request_id).values()
    assert "Test Authority" in mail.text
    assert right in seen(world, request_id).outcomes


@pytest.mark.case(11)
@pytest.mark.clause("4.6", "4.6.1")
async def test_case_11_an_author_is_refused_portability_by_a_person_and_offered_a_copy():
    """Letter f is not portable: a decision with its provision, the remedies, and access instead."""
    world = populated()
    request_id = await done(world, AUTHOR, Right.PORTABILITY)
    request = seen(world, request_id)
    assert request.state is RequestState.AWAITING_APPROVAL
    assert request.plan.needs_decision == ("nothing_portable",)
    assert request.outcomes == {}, "nobody is refused automatically"
    await deciding.refuse(
        world.context,
        request_id,
        decided_by="officer",
        reason="Your data is used on the basis of a legitimate interest",
        provision="GDPR article 20(1)",
    )
    await deliver(world)
    assert seen(world, request_id).state is RequestState.REJECTED
    answer = letter_words(world, request_id, "letter-refused-0")
    for part in (
        "legitimate interest",
        "GDPR article 20(1)",
        "Authors and self-service",
        "ask us for access, free of charge",
        "Test Authority",
        "GDPR article 79",
    ):
        assert part in answer, part
    assert request_id not in world.packages.contents


@pytest.mark.case(11)
@pytest.mark.clause("4.6", "4.6.1")
async def test_case_11_a_member_takes_along_what_was_given_and_observed_and_nothing_derived():
    """JSON with its schema and CSV, logins included; the link to usage is a profile and stays out."""
    world = populated()
    request_id = await done(world, MEMBER, Right.PORTABILITY)
    files = opened(world, request_id)
    (profile,) = _records(files, "members")
    (stored,) = [body for body in world.documents.bodies("members") if body["id"] == MEMBER.member_id]
    for path in ("email", "name", "phone", "address", "joined_at", "last_login_at"):
        assert profile[path] == stored[path], path
    assert "state" not in profile, "the system's own classification was not provided by the person"
    (signup,) = _records(files, "newsletter_signups")
    assert signup["consented_at"]
    schema = json.loads(files["schema/members.schema.json"])
    assert set(profile) <= set(schema["properties"])
    assert (
        files["data/members/members-000001.csv"].startswith(b"\xef\xbb\xbf")
        or b"last_login_at" in files["data/members/members-000001.csv"]
    )
    assert not [name for name in files if "usage_links" in name or "usage_events" in name]
    answer = letter_words(world, request_id, "letter-portability_ready-0")
    assert "Use of the application: The data is used because of a legitimate interest" in answer


def _records(files, store_id):
    page = json.loads(files[f"data/{store_id}/{store_id}-000001.json"])
    return page["records"] if isinstance(page, dict) else page


@pytest.mark.case(12)
@pytest.mark.clause("4.7", "4.7.1")
async def test_case_12_a_marketing_objection_stops_the_newsletter_in_the_queue():
    """It holds before the caller is answered: no reason, no identity check, no message delivered yet."""
    world = populated()
    assert world.processors.mails(MEMBER.email)
    request_id = await submit(world, MEMBER.email, Right.MARKETING_OBJECTION)
    assert controls(world, MEMBER.email).stops_marketing, "whoever empties the mail queue asks here"
    assert seen(world, request_id).questions == ()
    await deliver(world)
    assert not world.processors.mails(MEMBER.email)
    assert (NEWSLETTERS, Instruction.SUPPRESS, (MEMBER.email,)) in world.processors.told
    for kind, value in (
        ("email", MEMBER.email),
        ("user_id", MEMBER.user_id),
        ("member_id", MEMBER.member_id),
    ):
        assert controls(world, kind, value).stops_marketing, kind
    left = held(world, MEMBER)
    assert "newsletter_signups" not in left
    assert "usage_links" not in left, "the link is the profile that marketing was fitted with"
    assert left["members"] == 1
    (profile,) = [body for body in world.documents.bodies("members") if body["id"] == MEMBER.member_id]
    assert profile["newsletter"] is False
    assert set(letters(world, request_id)) == {"letter-marketing_stopped-0"}
    assert outcome(world, request_id, Right.MARKETING_OBJECTION).result == "marketing_stopped"


@pytest.mark.case(13)
@pytest.mark.clause("4.7", "4.7.2", "4.5")
async def test_case_13_an_objection_to_telemetry_restricts_it_at_once():
    """Exactly what is objected to, under every identifier, while a person decides."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))
    for kind, value in (("email", MEMBER.email), ("user_id", MEMBER.user_id)):
        (mark,) = controls(world, kind, value).restrictions
        assert (mark.ground, mark.activity_ids) == ("objection", ("usage",))
        assert mark.forbids("usage", "user_experience")
        assert not mark.forbids("content_cloud", "learning_statistics")
    assert seen(world, request_id).state is RequestState.AWAITING_APPROVAL
    assert "approval_needed" in alarms(world, request_id)
    assert set(letters(world, request_id)) == {"letter-objection_received-0"}
    assert held(world, MEMBER)["usage_events"] == 4


@pytest.mark.case(13)
@pytest.mark.clause("4.7.2", "4.4.1")
async def test_case_13_an_objection_that_is_upheld_erases_and_tells_whoever_received_the_data():
    """The telemetry goes, and nothing else; the restriction becomes an objection that lasts."""
    world = populated()
    others = everybody_else(world, MEMBER)
    request_id = await done(
        world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage", "content_cloud"))
    )
    await deciding.approve(
        world.context,
        request_id,
        plan_digest=seen(world, request_id).plan.digest,
        decided_by="officer",
        reason="Nothing outweighs the objection",
        provision="GDPR article 21(1)",
    )
    await deliver(world)
    assert held(world, MEMBER) == {"members": 1, "usage_links": 1, "newsletter_signups": 1}
    assert everybody_else(world, MEMBER) == others
    found = controls(world, "user_id", MEMBER.user_id)
    assert not found.is_restricted
    assert [(one.kind, one.activity_ids) for one in found.objections if one.in_force] == [
        ("general", ("usage", "content_cloud"))
    ]
    assert outcome(world, request_id, Right.OBJECTION).result == "objection_upheld"
    assert {(one.recipient_id, one.instruction) for one in seen(world, request_id).notices} == {
        ("customer", Instruction.ERASE)
    }
    answer = letter_words(world, request_id, "letter-objection_upheld-0")
    assert "Nothing outweighs the objection" in answer
    assert "The customer whose installation you use" in answer


@pytest.mark.case(13)
@pytest.mark.clause("4.7.2")
async def test_case_13_an_objection_that_is_rejected_gets_reasons_and_remedies_and_is_lifted_after_them():
    """The use goes on only when the letter is out."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("usage",)))
    before = held(world, MEMBER)
    await deciding.refuse(
        world.context,
        request_id,
        decided_by="officer",
        reason="We need it to defend a claim about the licence",
        provision="GDPR article 21(1)",
    )
    assert controls(world, MEMBER.email).is_restricted
    await deliver(world)
    assert not controls(world, MEMBER.email).is_restricted
    assert held(world, MEMBER) == before
    assert controls(world, MEMBER.email).objections == ()
    answer = letter_words(world, request_id, "letter-refused-0")
    for part in ("to defend a claim", "GDPR article 21(1)", "Test Authority", "courts", "not a program"):
        assert part in answer, part
    assert seen(world, request_id).state is RequestState.REJECTED


@pytest.mark.case(14)
@pytest.mark.clause("4.7.2", "2.2.2")
async def test_case_14_an_objection_to_cloud_statistics_is_one_to_letter_f():
    """The letter c in the text excuses nothing: restricted, decided, and erased when upheld."""
    world = populated()
    request_id = await file(world, MEMBER, Right.OBJECTION, wishes=wishing(objects_to=("content_cloud",)))
    await deliver(world)
    assert controls(world, MEMBER.email).restricts("content_cloud")
    request = seen(world, request_id)
    assert request.plan.needs_decision == ("objection",)
    assert {entry.store_id for entry in request.plan.entries} == {
        "cloud_activity",
        "customer_reports",
        "cloud_access_log",
    }
    await deciding.approve(
        world.context, request_id, plan_digest=request.plan.digest, decided_by="officer", reason="Followed"
    )
    await deliver(world)
    left = held(world, MEMBER)
    assert not {"cloud_activity", "customer_reports", "cloud-access-log"} & set(left)
    assert left["usage_events"] == 4
