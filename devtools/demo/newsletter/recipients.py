"""Who else received somebody's data: asked and noted before it leaves, told when the person is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from devtools.demo.findings import StoryEndedError
from devtools.demo.mailbox import Mailbox
from devtools.demo.newsletter.recorded import CARRIER, CARRIER_CONTACT
from devtools.demo.newsletter.scene import Scene
from devtools.demo.rights.staff import Staff
from devtools.demo.rights.systems import Systems
from devtools.demo.stranger import Stranger
from devtools.sample_data import SamplePerson

_ANALYTICS = "google_analytics"
_NEW_ORDER = "made-up-order-1"
_UNAVAILABLE = {"call": "delete", "status": 503, "times": 1}


@dataclass(kw_only=True)
class Recipients:
    """The carrier, the web analytics, and a buyer whom both know.

    Attributes:
        analytics_url: Where the web analytics' stand-in is.
    """

    scene: Scene
    mailbox: Mailbox
    stranger: Stranger
    systems: Systems
    staff: Staff
    buyer: SamplePerson
    analytics_url: str

    async def play(self) -> None:
        """Hand data on, erase the person, and see that whoever got something is told that and nothing else.

        Raises:
            StoryEndedError: something did not happen that all the rest needs.
        """
        scene = self.scene
        await self._hand_on()
        await self._fail_once()
        request_id = await self.stranger.ask(self.buyer.asks_as, ["erasure"], language="en")
        mail = await self.mailbox.wait(
            self.buyer.asks_as,
            lambda found: found.request_id == request_id and "verification" in found.links,
            what="the mail about the buyer's erasure",
        )
        await self.stranger.confirm(mail.links["verification"])
        await self.stranger.wait_until_closed(request_id, what="the buyer's erasure")
        notice = await self.mailbox.wait(CARRIER_CONTACT, lambda _: True, what="the notice to the carrier")
        await scene.quiet()  # a mail is out a moment before that is written down
        scene.findings.expect(_NEW_ORDER in notice.text, "the carrier is not told of the new order")
        for value in self._personal():
            scene.findings.expect(value not in notice.text, f"the notice to the carrier holds {value}")
        deleted = [(one["field"], one["value"]) for one in await self._deletions()]
        scene.findings.equal(
            deleted, [("userId", self.buyer.user_id)], "what the web analytics had to delete"
        )
        states = await self._states(request_id)
        scene.findings.equal(states.get(_ANALYTICS), "accepted", "where the web analytics stand")
        scene.findings.equal(states.get(CARRIER), "notified", "where the carrier stands")
        scored = {one["recipient_id"]: one for one in (await self._scorecard())["recipients"]}
        scene.findings.expect(scored[CARRIER]["unconfirmed"] > 0, "the scorecard takes a mail for an answer")
        scene.narrator.step(
            "a buyer is erased: the carrier got one mail about its orders, the web analytics one deletion"
        )

    async def _hand_on(self) -> None:
        """Ask before something leaves: to the carrier it may, to one without a contract it may not."""
        about = {"identifier": {"kind": "email", "value": self.buyer.asks_as}}
        parcel = {
            "id": "made-up-1",
            "recipient": CARRIER,
            "purpose": "delivery",
            "fields": ["/addressee/name"],
            "reference": _NEW_ORDER,
        }
        to_azure = {
            "id": "made-up-2",
            "recipient": "microsoft_azure",
            "purpose": "membership",
            "fields": ["/email"],
        }
        for _ in range(2):  # a caller that heard no answer asks again
            answers = await self.systems.hand_on([{**parcel, **about}, {**to_azure, **about}])
            self.scene.findings.equal(
                answers, ["allowed", "contract_missing"], "what is said before data leaves"
            )

    async def _fail_once(self) -> None:
        url = urljoin(self.analytics_url, "/stand-in/faults")
        (await self.scene.client.put(url, json=[_UNAVAILABLE])).raise_for_status()

    async def _deletions(self) -> Sequence[dict[str, Any]]:
        response = await self.scene.client.get(urljoin(self.analytics_url, "/stand-in/deletions"))
        if response.status_code != HTTPStatus.OK:
            raise StoryEndedError(f"the web analytics' stand-in: HTTP {response.status_code}")
        return list(response.json())

    async def _states(self, request_id: str) -> dict[str, str]:
        seen = await self.staff.look(request_id, purpose="see who was told")
        return {one["recipient_id"]: one["state"] for one in seen["request"]["notices"]}

    async def _scorecard(self) -> dict[str, Any]:
        return dict(await self.staff.read("operator", "recipients"))

    def _personal(self) -> list[str]:
        buyer = self.buyer
        found = (buyer.name, *buyer.emails, buyer.phone, buyer.address.street, buyer.user_id, buyer.member_id)
        return [one for one in found if one]


def a_buyer(everyone: Sequence[SamplePerson]) -> SamplePerson:
    """Return somebody who uses the product and had a parcel with the carrier.

    Raises:
        StoryEndedError: there is nobody.
    """
    for one in everyone:
        if one.user_id and set(one.carriers) == {CARRIER} and one.other_email is None:
            return one
    raise StoryEndedError("nobody among the made-up people had a parcel and uses the product")
