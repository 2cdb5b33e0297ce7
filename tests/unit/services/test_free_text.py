"""What people and staff write stays text: in letters, copies, headers and logs."""

import pytest

from shared.domain.errors import Invalid
from shared.domain.rights import Right
from shared.domain.wishes import Requester, Scope
from shared.services import asking, telling
from tests.unit.services.cases_world import (
    BYG,
    EMPLOYEE,
    MEMBER,
    approve,
    as_customer,
    done,
    populated,
    refuse,
    seen,
    wishing,
    words,
)
from tests.unit.services.driving import deliver, letters, opened

NASTY = "<script>alert(1)</script> {{ 7 * 7 }} {% include 'x' %} \r\nBcc: all@people.example"


@pytest.mark.clause("4.1", "4.7.2")
@pytest.mark.parametrize("field", ["reason", "provision", "hint"])
async def test_markup_and_template_text_of_a_refusal_stay_text(field):
    """In both forms of the letter, in no header, and not in any log."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await refuse(world, request_id, **{field: NASTY})
    await deliver(world)
    _require_text(world, letters(world, request_id)["letter-refused-0"])


@pytest.mark.clause("4.1", "4.7.2")
async def test_markup_and_template_text_of_an_approval_stay_text():
    """The letter of an objection that is upheld tells the reason."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    await approve(world, request_id, reason=NASTY, provision=NASTY)
    await deliver(world)
    _require_text(world, letters(world, request_id)["letter-objection_upheld-0"])


@pytest.mark.clause("4.2")
@pytest.mark.parametrize("what", ["question", "extension"])
async def test_markup_and_template_text_to_the_person_stay_text(what):
    """A question and the reason of an extension."""
    world = populated()
    request_id = await done(world, MEMBER, Right.OBJECTION)
    if what == "question":
        await asking.ask(world.context, request_id, kind="clarification", text=NASTY, asked_by="op")
    else:
        await asking.extend(world.context, request_id, months=1, reason=NASTY, decided_by="op")
    await deliver(world)
    name = "letter-question-0" if what == "question" else "letter-extended-0"
    _require_text(world, letters(world, request_id)[name])


@pytest.mark.clause("4.3")
async def test_markup_in_what_a_person_says_stays_text_in_the_copy():
    """The statement of a correction is shown as it was typed, and runs nowhere."""
    world = populated()
    await done(
        world,
        MEMBER,
        Right.RECTIFICATION,
        wishes=wishing(statement=NASTY, objects_to=("usage",), corrections={"city": "<b>{{ 7 * 7 }}</b>"}),
    )
    request_id = await done(world, MEMBER, Right.ACCESS)
    pages = {
        name: text.decode() for name, text in opened(world, request_id).items() if name.endswith(".html")
    }
    assert any("&lt;script&gt;" in page for page in pages.values())
    for name, page in pages.items():
        assert "<script>alert" not in page, name
        assert "<b>{{" not in page, name


@pytest.mark.clause("3.2")
async def test_markup_in_what_staff_note_of_a_recipient_stays_text():
    """Why a recipient could not be told is written into the last letter."""
    world = populated()
    request_id = await done(world, MEMBER, Right.ERASURE)
    for notice in seen(world, request_id).open_notices:
        await telling.note_told(
            world.context,
            request_id,
            recipient_id=notice.recipient_id,
            right=notice.right,
            state="impossible",
            why=NASTY,
            noted_by="op",
        )
    await deliver(world)
    _require_text(world, letters(world, request_id)["letter-recipients_done-0"])


@pytest.mark.clause("4.2.1")
async def test_a_customers_name_with_markup_or_a_link_is_refused_and_nothing_is_filed():
    """It would stand in the letter to the administrator and in the one to the person."""
    world = populated()
    for name in (NASTY, "Your account is in danger, go to evil.example"):
        with pytest.raises(Invalid, match="customer_name_unfit"):
            await as_customer(world, BYG, EMPLOYEE, Right.ERASURE, customer_name=name)
    assert not world.cases.partitions
    assert not world.notifier.mails


@pytest.mark.clause("4.2.1")
async def test_markup_in_a_customers_name_that_is_on_file_stays_text():
    """Whatever let it in: both letters show it as it is."""
    world = populated()
    request_id = await done(
        world,
        "admin@customer.example",
        Right.ERASURE,
        identifiers={"user_id": (EMPLOYEE.user_id,), "installation_id": BYG.installation_ids},
        requester=Requester(kind="customer", customer_id=BYG.customer_id, customer_name=NASTY),
        scope=Scope(customer_id=BYG.customer_id),
        wishes=wishing(tell=EMPLOYEE.email),
    )
    assert set(letters(world, request_id)) == {"letter-customer_done-0", "letter-subject_told-0"}
    for mail in letters(world, request_id).values():
        _require_text(world, mail)


def _require_text(world, mail) -> None:
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "{{ 7 * 7 }}" in words(mail)
    assert "\n" not in mail.subject
    assert "\r" not in mail.text + mail.html
    assert "Bcc" not in mail.subject + mail.to
    for code, _, details in world.operators.alarms:
        assert "script" not in code + details
