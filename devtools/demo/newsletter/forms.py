"""People at our own forms: they sign up, confirm or forget to, choose, and leave in one click."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from devtools.demo.findings import StoryEndedError
from devtools.demo.mailbox import Mailbox
from devtools.demo.newsletter.evidence import Evidence, Seat
from devtools.demo.newsletter.lists import CONFIRMED, OPEN, PURPOSES
from devtools.demo.newsletter.scene import Scene
from devtools.demo.rights.systems import SYSTEM_KEY, Systems
from devtools.demo.stranger import Stranger
from devtools.demo.together import all_at_once

WORDS = "Yes, please send me this newsletter. I can leave at any time."  # made up
_WORDING = {
    "consent": "on",
    "box_before": "empty",
    "policy_version": "1",
    "wording_version": "made-up-1",
    "wording_sha256": hashlib.sha256(WORDS.encode()).hexdigest(),
}
_ONE_CLICK = {"List-Unsubscribe": "One-Click"}
EACH = 3
STORIES = ("stays", "forgets", "leaves in one click", "leaves by typing", "chooses", "erased")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody at a form, what they do, and for which list they sign up."""

    address: str
    story: str
    list_id: str = OPEN

    @property
    def purpose_id(self) -> str:
        """What they sign up for."""
        return PURPOSES[self.list_id]


@dataclass(kw_only=True)
class Forms:
    """The forms, and those who come to them.

    Attributes:
        visitors: Everybody who came, in the order in which they did.
    """

    scene: Scene
    mailbox: Mailbox
    stranger: Stranger
    systems: Systems
    visitors: list[Visitor] = field(default_factory=list)

    async def come(self) -> None:
        """Let the first ones come, all at the same time."""
        came = [
            Visitor(address=f"{story.replace(' ', '.')}.{number}@forms.example", story=story)
            for story in STORIES
            for number in range(1 if story == "erased" else EACH)
        ]
        await all_at_once(self._signs_up(one) for one in came)
        self.scene.narrator.step(f"{len(came)} people filled in the form; all but {EACH} confirmed by mail")

    async def go_on(self) -> None:
        """Let them do what else their stories have, once the lists know them."""
        await all_at_once(self._goes_on(one) for one in list(self.visitors))
        self.scene.said_no |= {
            one.address for one in self.visitors if one.story.startswith("leaves") or one.story == "erased"
        }
        self.scene.narrator.step("some left in one click, by typing their address, or chose something else")

    async def come_back(self, addresses: list[str]) -> None:
        """Let people who had left sign up anew at our form: their new yes counts."""
        self.scene.said_no -= set(addresses)
        returning = [Visitor(address=one, story="comes back", list_id=CONFIRMED) for one in addresses]
        await all_at_once(self._signs_up(one) for one in returning)
        self.scene.narrator.step(f"{len(addresses)} people who had left signed up anew")

    def judge(self, evidence: Evidence) -> None:
        """Note whoever is not where their story leads."""
        for one in self.visitors:
            key = self.scene.judge.key_of(one.address)
            for list_id, purpose_id in PURPOSES.items():
                wanted = _ends_with(one) == list_id
                found = evidence.consents(key, purpose_id)
                what = f"the consent to {purpose_id} of {one.address}"
                self.scene.findings.equal(found, wanted, what)
                seat = Seat(list_id=list_id, address=one.address)
                if list_id == OPEN or not wanted:
                    self.scene.findings.equal(
                        evidence.gets_mail(seat), wanted, f"whether the list mails {one.address}"
                    )

    async def _signs_up(self, one: Visitor) -> None:
        fields = {**_WORDING, "email": one.address, "purposes": one.purpose_id, "language": "en"}
        as_json = {**fields, "consent": True, "purposes": [one.purpose_id]}
        by_form = len(self.visitors) % 2
        self.visitors.append(one)
        sent: dict[str, Any] = {"data": fields} if by_form else {"json": as_json}
        url = f"{self.scene.api_url}/newsletter/subscriptions"
        await self._expect("signing up", url, HTTPStatus.ACCEPTED, **sent)
        mail = await self.mailbox.wait(
            one.address, lambda found: "sign_up" in found.links, what=f"the mail to {one.address}"
        )
        if one.story == "forgets":
            return
        await self._expect_no(one, "before it was confirmed")
        response = await self.stranger.press(
            mail.links["sign_up"], path="/confirmation", what="confirm the sign-up"
        )
        if response.status_code != HTTPStatus.OK:
            raise StoryEndedError(f"confirming a sign-up: HTTP {response.status_code}")

    async def _goes_on(self, one: Visitor) -> None:
        match one.story:
            case "leaves in one click":
                await self._one_click(one)
            case "leaves by typing":
                url = f"{self.scene.api_url}/newsletter/unsubscribe"
                await self._expect("leaving", url, HTTPStatus.OK, json={"email": one.address})
            case "chooses":
                url, token = _link(await self._links(one), "preferences_url")
                body = {"token": token, "purposes": [PURPOSES[CONFIRMED]]}
                await self._expect("choosing", url, HTTPStatus.OK, json=body)
            case "erased":
                await self._erased(one)
                return
            case _:
                return
        await self._expect_no(one, "right after it ended")

    async def _one_click(self, one: Visitor) -> None:
        """Do what a mail program does; nothing but the answer's status matters to it."""
        url = (await self._links(one))["unsubscribe_url"]
        for _ in range(2):  # programs do it twice at times
            response = await self._expect("one click", url, HTTPStatus.OK, data=_ONE_CLICK)
            self.scene.findings.expect("set-cookie" not in response.headers, "one click sets a cookie")

    async def _erased(self, one: Visitor) -> None:
        request_id = await self.stranger.ask(one.address, ["erasure"], language="en")
        mail = await self.mailbox.wait(
            one.address, lambda found: "verification" in found.links, what="the mail about the erasure"
        )
        await self.stranger.confirm(mail.links["verification"])
        await self.stranger.wait_until_closed(request_id, what="the erasure")
        await self.scene.vendor.remove_by_hand(one.address)

    async def _links(self, one: Visitor) -> dict[str, str]:
        url = f"{self.scene.api_url}/newsletter/links"
        body = {"email": one.address, "purpose": one.purpose_id}
        headers = {"X-System-Key": SYSTEM_KEY}
        return dict((await self._expect("links", url, HTTPStatus.OK, json=body, headers=headers)).json())

    async def _expect_no(self, one: Visitor, when: str) -> None:
        (answer,) = await self.systems.ask(one.address, [(one.purpose_id, "mail")])
        self.scene.findings.expect(answer != "allow", f"{one.address} may be mailed {when}")

    async def _expect(self, what: str, url: str, status: HTTPStatus, **sent: Any) -> Any:
        response = await self.scene.client.post(url, **sent)
        if response.status_code != status:
            raise StoryEndedError(f"{what}: HTTP {response.status_code} {response.text[:300]}")
        return response


def _ends_with(one: Visitor) -> str:
    """Return the list that a story ends on; empty: none."""
    return {"stays": one.list_id, "comes back": one.list_id, "chooses": CONFIRMED}.get(one.story, "")


def _link(links: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return a link without its query, and its token."""
    parts = urlsplit(links[name])
    return parts._replace(query="").geturl(), parse_qs(parts.query)["token"][0]
