"""Newsletters through the running stack: a form, a mail, a button, a click, an old list."""

import pytest

pytestmark = pytest.mark.platform
LOCAL_KEY = {"x-system-key": "local-development-only-system-key"}  # published; opens local runs only
METTE = "mette.newsletter@people.example"
FORM = {
    "email": METTE,
    "purposes": "member_newsletter",
    "consent": "on",
    "box_before": "empty",
    "policy_version": "1",
    "wording_version": "2026-1",
    "wording_sha256": "a" * 64,
    "language": "en",
}


async def gate(http, api) -> str:
    """Ask whether a newsletter may go to her."""
    question = {
        "identifier": {"kind": "email", "value": METTE},
        "purpose": "member_newsletter",
        "operation": "mail",
    }
    found = await http.post(f"{api}/processing-decisions", json=question, headers=LOCAL_KEY)
    return found.json()["decision"]


@pytest.mark.clause("2.4.2")
@pytest.mark.clause("4.8")
@pytest.mark.usefixtures("everyone")  # with the systems' containers
async def test_somebody_signs_up_leaves_in_one_click_and_no_old_list_brings_her_back(http, api, mailbox):
    """By real HTTP, queues and documents."""
    asked = await http.post(f"{api}/newsletter/subscriptions", data=FORM)
    assert asked.status_code == 202
    assert "One step is left" in asked.text
    mail = await mailbox.wait(METTE, lambda one: "sign_up" in one.links, what="the mail to confirm")
    page = await http.get(mail.links["sign_up"])
    assert page.status_code == 200
    assert await gate(http, api) == "deny"
    url, _, token = mail.links["sign_up"].partition("?token=")
    for _ in range(2):
        pressed = await http.post(url, data={"token": token})
        assert pressed.status_code == 200, pressed.text
    assert await gate(http, api) == "allow"
    wanted = {"email": METTE, "purpose": "member_newsletter"}
    links = (await http.post(f"{api}/newsletter/links", json=wanted, headers=LOCAL_KEY)).json()
    clicked = await http.post(links["unsubscribe_url"], data={"List-Unsubscribe": "One-Click"})
    assert (clicked.status_code, "set-cookie" in clicked.headers) == (200, False)
    assert await gate(http, api) == "deny"
    row = {
        **wanted,
        "given_at": "2026-01-15T10:00:00+01:00",
        "policy_version": "1",
        "wording_version": "2025-3",
        "wording_sha256": "b" * 64,
    }
    listed = await http.post(f"{api}/newsletter/imports", json={"rows": [row]}, headers=LOCAL_KEY)
    assert listed.json()["refused_before"] == 1
    assert await gate(http, api) == "deny"


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://www.clicklearn.com", True), ("https://evil.example", False)]
)
async def test_a_browser_may_send_the_form_from_our_sites_alone(http, api, origin, allowed):
    """Asked before it sends."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    found = await http.options(f"{api}/newsletter/subscriptions", headers=headers)
    assert (found.headers.get("access-control-allow-origin") == origin) is allowed
    sent = await http.post(f"{api}/newsletter/subscriptions", json={}, headers={"Origin": origin})
    assert (sent.headers.get_list("access-control-allow-origin") == [origin]) is allowed
