"""Cases in which a person decides, and those that wait for a day: on the first day, and on later ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from devtools.demo.rights.scene import Scene
from devtools.demo.rights.systems import ON_INTEREST, USES

REASON = "The figures are needed for the accounts of this year, which weighs more here"
PROVISION = "GDPR article 21(1)"
OUTSIDE = "All we hold about you rests on a legitimate interest, not on consent or a contract"
OUTSIDE_PROVISION = "GDPR article 20(1)"
_MORE_TIME = "Many systems have to be read for this objection"
_HOLD_DAYS = 60


async def restriction(scene: Scene) -> None:
    """Nothing may be done with the data until the person was told that it may again."""
    await scene.expect_uses("restriction", USES, "allow")
    request_id = await scene.ask(
        "restriction", ("restriction",), ground="accuracy", message="My postal address is not right."
    )
    await scene.answered("restriction", "restricted")
    await scene.closed("restriction")
    found = await scene.systems.ask(scene.cast["restriction"].asks_as, USES)
    scene.denied_after_restriction = sum(one == "restricted" for one in found)
    scene.findings.equal(
        scene.denied_after_restriction, len(USES), "uses that are denied after the restriction"
    )
    await scene.staff.do("approver", f"cases/{request_id}/lifting", reason="The address was checked")
    notice = await scene.letter("restriction", "restriction_lifting")
    scene.tell("restriction", f"got notice: {notice.subject}")


async def restriction_lifted(scene: Scene) -> None:
    """The day of the notice has come; what had fallen due meanwhile is erased."""
    await scene.expect_uses("restriction", USES, "allow")
    scene.outcomes["restriction"] += ", lifted"
    scene.tell("restriction", "is lifted, and the membership that had ended long ago is erased")


async def erasure_held(scene: Scene) -> None:
    """A hold was placed before the person asks to be forgotten."""
    person = scene.cast["erasure"]
    review_on = datetime.now(UTC).date() + timedelta(days=_HOLD_DAYS)
    held = await scene.staff.do(
        "operator",
        "holds",
        kind="email",
        value=person.email,
        ground="legal_claim",
        reason="A claim about a delivery is before the court",
        review_on=review_on.isoformat(),
    )
    scene.hold_id = held["hold_id"]
    before = await scene.newsletter.states(person.member_email)
    await scene.ask("erasure", ("erasure",))
    mail = await scene.letter("erasure", "erased_nothing")
    scene.first_answer = mail
    text = " ".join(mail.text.split())
    says_why = "a legal claim that it is needed for" in text or "nødvendigt for et retligt krav" in text
    scene.findings.expect(says_why, "the letter under a hold does not say that a hold keeps the data")
    scene.tell("erasure", "nothing was erased, because of a hold; the letter says so")
    await scene.closed("erasure")
    after = await scene.newsletter.states(person.member_email)
    scene.findings.equal(after, before, "what the newsletter's processor holds of the one under a hold")


async def erasure_released(scene: Scene) -> None:
    """The hold is released; the erasure that waited for it is carried out and answered anew."""
    released = await scene.staff.do("approver", f"holds/{scene.hold_id}/release")
    scene.findings.equal(released["taken_up"], 1, "erasures that the release took up")
    await scene.answered("erasure", "erased_with_retention", "erased", after=scene.first_answer)
    await scene.closed("erasure")
    await scene.tell_recipients("erasure", scene.newsletter.remove_by_hand)


async def objection(scene: Scene) -> None:
    """An objection stops the use at once, and an approver upholds it."""
    request_id = await scene.ask("objection", ("objection",), message="I do not want to be watched.")
    await scene.waits_for_staff("objection", "objection_received")
    await scene.expect_uses("objection", ON_INTEREST, "restricted")
    await scene.staff.approve(request_id, reason="No interest of ours weighs more", provision=PROVISION)
    await scene.answered("objection", "objection_upheld")
    await scene.closed("objection")
    await scene.expect_uses("objection", ON_INTEREST, "objected")


async def refusal(scene: Scene) -> None:
    """An objection that an approver refuses: with a reason, a provision and the way to complain."""
    request_id = await scene.ask("refusal", ("objection",))
    await scene.waits_for_staff("refusal", "objection_received")
    await scene.expect_uses("refusal", ON_INTEREST, "restricted")
    await _refuse(scene, "refusal", request_id, REASON, PROVISION)
    await scene.expect_uses("refusal", ON_INTEREST, "allow")


async def unclear(scene: Scene) -> None:
    """Words that can mean anything: the most protective reading, a question, and a second reading."""
    request_id = await scene.ask("unclear", (), message="Please see to it that my data is in order.")
    await scene.waits_for_staff("unclear", "delayed_by_review")
    await scene.expect_uses("unclear", ON_INTEREST, "restricted")
    question = "Do you want a copy of your data, or something else?"
    await scene.staff.do("operator", f"cases/{request_id}/questions", kind="clarification", text=question)
    mail = await scene.letter("unclear", "question")
    wish = "A copy, so that I can check it."
    await scene.stranger.answer(mail.links["answer"], wish)
    seen = await scene.staff.look(request_id, purpose="read the answer to our question", who="approver")
    scene.findings.equal(seen["request"]["questions"][0]["answer"], wish, "the answer that staff see")
    await scene.staff.do("approver", f"cases/{request_id}/reading", rights=["access"], reason="So it says")
    await scene.answered("unclear", "package_ready")
    await scene.closed("unclear")
    await scene.expect_uses("unclear", ON_INTEREST, "allow")


async def extension(scene: Scene) -> None:
    """An objection that takes longer; the person is told the reason and the new date."""
    request_id = await scene.ask("extension", ("objection",))
    await scene.waits_for_staff("extension", "objection_received")
    due_on = (await scene.stranger.status(request_id))["due_on"]
    await scene.staff.do("approver", f"cases/{request_id}/extension", months=2, reason=_MORE_TIME)
    mail = await scene.letter("extension", "extended")
    scene.findings.expect(
        _MORE_TIME in " ".join(mail.text.split()), "the letter of the extension does not give the reason"
    )
    extended = (await scene.stranger.status(request_id))["due_on"]
    scene.findings.expect(extended > due_on, f"the extended answer is due on {extended}, before on {due_on}")
    scene.outcomes["extension"] = "extended"
    scene.tell("extension", f"was to be answered by {due_on} and now by {extended}")


async def extension_used(scene: Scene, log: str) -> None:
    """After the first date and before the second: nobody is alarmed, and the objection is upheld."""
    request_id = scene.requests["extension"]
    scene.findings.expect(_overdue(request_id) not in log, "an extended case is called overdue")
    await scene.staff.approve(request_id, reason="No interest of ours weighs more", provision=PROVISION)
    await scene.answered("extension", "objection_upheld")
    await scene.closed("extension")


async def deadline(scene: Scene) -> None:
    """A case that a person has to decide, and nobody does."""
    await scene.ask("deadline", ("portability",))
    await scene.waits_for_staff("deadline", "delayed_by_review")


async def deadline_passed(scene: Scene, log: str) -> None:
    """The last day has passed: operators are alarmed, and the answer comes late."""
    request_id = scene.requests["deadline"]
    scene.findings.expect(_overdue(request_id) in log, "nobody is alarmed of the case that is late")
    scene.outcomes["deadline"] = "overdue"
    scene.tell("deadline", "its last day has passed, and an operator was alarmed")
    await _refuse(scene, "deadline", request_id, OUTSIDE, OUTSIDE_PROVISION)


async def _refuse(scene: Scene, case: str, request_id: str, reason: str, provision: str) -> None:
    await scene.staff.do("approver", f"cases/{request_id}/refusal", reason=reason, provision=provision)
    mail = await scene.answered(case, "refused")
    text = " ".join(mail.text.split())
    danish = provision.replace("GDPR article ", "artikel ").replace("(1)", ", stk. 1")
    names = reason in text and (provision in text or danish in text)
    scene.findings.expect(names, f"the refusal of the case {case} lacks its reason or its provision")
    await scene.closed(case, "rejected")


def _overdue(request_id: str) -> str:
    return f"alarm code=overdue request={request_id}"


CASES = (restriction, erasure_held, objection, refusal, unclear, extension, deadline)
"""Played beside each other on the first day."""
