"""Those around the app: other systems that ask before they act, and the processor of the newsletter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin

import httpx

from devtools.demo.findings import StoryEndedError

SYSTEM_KEY = "local-development-only-system-key"  # its SHA-256 is in the example settings
USES = (
    ("user_experience", "use"),
    ("completion_tracking", "report"),
    ("customer_analysis", "profile"),
    ("learning_statistics", "report"),
    ("customer_reports", "report"),
    ("proactive_support", "support"),
    ("membership", "use"),
    ("member_services", "use"),
    ("targeted_marketing", "profile"),
    ("licence_administration", "use"),
    ("delivery", "ship"),
    ("membership", "erase"),
)
"""What other systems are about to do with a person's data; nothing stands against it at first."""
ON_INTEREST = USES[:6]
"""Those of them that rest on a legitimate interest alone."""


class Systems:
    """ClickLearn's other systems, which hold the key that lets systems ask."""

    def __init__(self, client: httpx.AsyncClient, api_url: str) -> None:
        self._client = client
        self._api_url = api_url

    async def ask(self, address: str, uses: Sequence[tuple[str, str]]) -> list[str]:
        """Return for each purpose and operation `allow`, or the code of why it is denied."""
        identifier = {"kind": "email", "value": address}
        questions = [
            {"identifier": identifier, "purpose": purpose, "operation": operation}
            for purpose, operation in uses
        ]
        found = await self._post("processing-decisions", {"questions": questions})
        return [one["code"] if one["decision"] == "deny" else "allow" for one in found["decisions"]]

    async def hand_on(self, sendings: Sequence[dict[str, Any]]) -> list[str]:
        """Ask whether something may leave, and return the code of each answer."""
        found = await self._post("disclosures", {"disclosures": list(sendings)})
        return [str(one["code"]) for one in found["disclosures"]]

    async def opt_in(self, address: str, purpose: str, given_at: str) -> None:
        """Note that a person agreed to a purpose."""
        body = {"email": address, "purpose": purpose, "policy_version": "1", "given_at": given_at}
        if not (await self._post("consents", body))["counts"]:
            raise StoryEndedError(f"an opt-in to {purpose} does not count")

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = await self._client.post(
            f"{self._api_url}/{path}", json=body, headers={"X-System-Key": SYSTEM_KEY}
        )
        if not response.is_success:
            raise StoryEndedError(f"{path}: HTTP {response.status_code} {response.text[:300]}")
        return response.json()


class Newsletter:
    """The account of the newsletter's processor, seen and worked on as in the vendor's own pages."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._subscribers = urljoin(url, "/stand-in/subscribers")

    async def states(self, address: str) -> dict[str, tuple[str, str]]:
        """Return state and name of an address in each list that has it, by the list's id."""
        found = await self._everything()
        return {
            list_id: (one["state"], one["name"])
            for list_id, content in found["lists"].items()
            for key, one in content["subscribers"].items()
            if key == address.lower()
        }

    async def mails(self, address: str) -> bool:
        """Tell whether the next newsletter would go to an address."""
        suppressed = (await self._everything())["suppressed"]
        states = (await self.states(address)).values()
        return address.lower() not in suppressed and any(state == "Active" for state, _ in states)

    async def remove_by_hand(self, address: str) -> None:
        """Remove somebody for good, which the vendor's API cannot."""
        (await self._client.delete(self._subscribers, params={"email": address})).raise_for_status()

    async def rename_by_hand(self, address: str, name: str) -> None:
        """Write somebody's right name in each list."""
        rows = [
            {"ListID": list_id, "EmailAddress": address, "Name": name, "State": state}
            for list_id, (state, _) in (await self.states(address)).items()
        ]
        (await self._client.put(self._subscribers, json=rows)).raise_for_status()

    async def _everything(self) -> dict[str, Any]:
        response = await self._client.get(self._subscribers)
        response.raise_for_status()
        return dict(response.json())
