"""Cases that need no decision: the app answers them on the day they come."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from devtools.demo.rights.archives import disclosed_to, judge_customers, judge_portable, texts_of
from devtools.demo.rights.scene import Scene
from devtools.stand_ins.issuer_staff import STAFF

ADMINISTRATOR = "administrator@customer.example"
BY_POST_DAYS = 5
_PURPOSE = "compare the letter that came by post"
NEW_SURNAME = "Corrected-Example"


def corrected_name(name: str) -> str:
    """Return what the person says the right name is."""
    return f"{name.partition(' ')[0]} {NEW_SURNAME}"


async def customer_then_access(scene: Scene) -> None:
    """A customer asks about one employee; the employee asks as well, and sees that the customer did."""
    person = scene.cast["access"]
    theirs, others = person.customers
    ask = {
        "customer_name": theirs.name,
        "right": "access",
        "kind": "user_id",
        "value": person.user_id,
        "answer_to": ADMINISTRATOR,
    }
    code = await scene.staff.refusal(
        "customer-admin", "customer-requests", customer_id=others.customer_id, **ask
    )
    scene.findings.equal(code, "customer_not_theirs", "asking about another customer's installation")
    made = await scene.staff.do("customer-admin", "customer-requests", customer_id=theirs.customer_id, **ask)
    scene.requests["customer"] = made["request_id"]
    mail = await scene.answered("customer", "customer_package_ready", to=ADMINISTRATOR)
    data = await scene.stranger.fetch_package(mail.links["package"])
    judge_customers(data, person, theirs, others, scene.findings)
    await scene.ask("access", ("access",))
    mail = await scene.answered("access", "package_ready")
    data = await scene.stranger.fetch_package(mail.links["package"])
    told = disclosed_to(data, theirs.customer_id)
    scene.findings.equal(len(set(told)), 1, "disclosures to the customer that the employee's answer shows")
    scene.packages.judge(person, data, more={"disclosures": len(told)})
    await scene.closed("access")


async def rectification(scene: Scene) -> None:
    """A name is wrong everywhere."""
    person = scene.cast["rectification"]
    name = corrected_name(person.name)
    await scene.ask("rectification", ("rectification",), corrections={"name": name})
    await scene.answered("rectification", "rectified")
    await scene.closed("rectification")

    async def by_hand(address: str) -> None:
        await scene.newsletter.rename_by_hand(address, name)

    await scene.tell_recipients("rectification", by_hand)


async def portability(scene: Scene) -> None:
    """Data to take along, fetched by link."""
    await scene.ask("portability", ("portability",))
    mail = await scene.answered("portability", "portability_ready")
    data = await scene.stranger.fetch_package(mail.links["package"])
    judge_portable(data, scene.cast["portability"], scene.findings)
    await scene.closed("portability")


async def transfer(scene: Scene) -> None:
    """The same, handed straight to another controller."""
    path = "/inbox/from-clicklearn"
    await scene.ask("transfer", ("portability",), transfer_url=f"{scene.receiver.origin}{path}")
    await scene.answered("transfer", "transferred")
    data, headers = scene.receiver.received.get(path, (b"", {}))
    judge_portable(data, scene.cast["transfer"], scene.findings)
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
    scene.findings.equal(headers.get("content-digest"), digest, "the digest of what was transferred")
    await scene.closed("transfer")


async def marketing_objection(scene: Scene) -> None:
    """No more marketing, to any address of the person; the membership goes on."""
    person = scene.cast["marketing_objection"]
    mailed = await scene.newsletter.mails(person.member_email)
    scene.findings.expect(mailed, "the newsletter does not go to the one who will object to it")
    await scene.ask("marketing_objection", ("marketing_objection",), is_confirmed=False)
    await scene.answered("marketing_objection", "marketing_stopped")
    await scene.closed("marketing_objection")
    await scene.expect_uses("marketing_objection", [("targeted_marketing", "profile")], "marketing_objection")
    await _no_newsletter(scene, "marketing_objection")


async def withdrawal(scene: Scene) -> None:
    """No more newsletter, as easily as it was agreed to; the membership goes on."""
    person = scene.cast["withdrawal"]
    mailing = [("member_newsletter", "mail")]
    given_at = datetime.now(UTC) - timedelta(days=1)
    await scene.systems.opt_in(person.asks_as, "member_newsletter", given_at.isoformat())
    await scene.expect_uses("withdrawal", mailing, "allow")
    await scene.ask("withdrawal", ("withdrawal",), is_confirmed=False)
    await scene.expect_uses("withdrawal", mailing, "no_consent")  # at once, before anything was worked on
    await scene.answered("withdrawal", "withdrawn")
    await scene.closed("withdrawal")
    await _no_newsletter(scene, "withdrawal")


async def complaint(scene: Scene) -> None:
    """Where to complain."""
    await scene.ask("complaint", ("complaint",), is_confirmed=False)
    await scene.answered("complaint", "complaint")
    await scene.closed("complaint")


async def several(scene: Scene) -> None:
    """Several rights in one message: one case, an answer for each."""
    person = scene.cast["several"]
    await scene.ask("several", ("erasure", "access", "withdrawal", "complaint"))
    await scene.answered("several", "complaint")
    await scene.answered("several", "withdrawn")
    copy = await scene.answered("several", "package_ready")
    await scene.answered("several", "erased", "erased_with_retention")
    await scene.closed("several")
    data = await scene.stranger.fetch_package(copy.links["package"])
    scene.packages.judge(person, data, more={"newsletter_signups": -1})  # withdrawn before it was collected
    await scene.stranger.delete_package(copy.links["package"])
    await scene.tell_recipients("several", scene.newsletter.remove_by_hand)


async def by_post(scene: Scene) -> None:
    """A letter of some days ago, entered by staff: its own day counts, and that somebody looked is shown."""
    person = scene.cast["post"]
    received_at = datetime.now(UTC) - timedelta(days=BY_POST_DAYS)
    made = await scene.staff.do(
        "operator",
        "cases",
        rights=["access"],
        email=person.asks_as,
        channel="post",
        received_at=received_at.isoformat(),
        language=person.language,
    )
    scene.requests["post"] = made["request_id"]
    await scene.staff.look(made["request_id"], purpose=_PURPOSE)
    await scene.confirm("post")
    status = await scene.stranger.status(made["request_id"])
    wanted = received_at.astimezone(ZoneInfo("Europe/Copenhagen")).date().isoformat()
    scene.findings.equal(status["received_on"], wanted, "the day on which the letter by post came")
    mail = await scene.answered("post", "package_ready")
    data = await scene.stranger.fetch_package(mail.links["package"])
    scene.packages.judge(person, data, more={"lookups": 1})
    text = "\n".join(texts_of(data).values())
    scene.findings.expect(_PURPOSE in text, "the copy does not show that staff looked at the case")
    for name, member in STAFF.items():
        scene.findings.expect(member.staff_id not in text, f"the copy names the {name}")
    await scene.closed("post")


async def _no_newsletter(scene: Scene, case: str) -> None:
    await scene.expect_uses(case, [("membership", "use")], "allow")
    for address in scene.cast[case].emails:
        mailed = await scene.newsletter.mails(address)
        scene.findings.expect(not mailed, f"the newsletter still goes to the person of the case {case}")


CASES = (
    customer_then_access,
    rectification,
    portability,
    transfer,
    marketing_objection,
    withdrawal,
    complaint,
    several,
    by_post,
)
"""Played beside each other."""
