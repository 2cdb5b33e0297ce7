"""The newsletter's processor behind its back: what happens there, how badly it tells, and the truth."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urljoin

import httpx

from devtools.demo.findings import StoryEndedError
from devtools.demo.newsletter.lists import CONFIRMED, PURPOSES
from devtools.stand_ins.newsletter_account import API_KEY

OUTAGE = [
    {"status": HTTPStatus.INTERNAL_SERVER_ERROR, "times": 6},  # HTML, as a gateway sends it
    {"status": HTTPStatus.FOUND, "headers": {"Location": "https://elsewhere.example/"}, "times": 6},
    {"half": True, "times": 6},
    {"drop": True, "times": 6},
    {"status": HTTPStatus.SERVICE_UNAVAILABLE, "code": 503, "after": True, "times": 6},
    {
        "status": HTTPStatus.TOO_MANY_REQUESTS,
        "code": 429,
        "headers": {"X-RateLimit-Reset": "1"},
        "times": 2,
    },
]
"""What goes wrong there one after the other, call by call. It ends by itself."""
_DELIVERING_SECONDS = 300.0


class Vendor:
    """One account.

    Args:
        client: Connections to share.
        url: Base of its API.
    """

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._backstage = urljoin(url, "/stand-in/")

    async def open(self, webhook_url: str) -> None:
        """Make the lists and register their webhooks, as staff would."""
        rows = [
            {"list_id": list_id, "title": f"{purpose_id} (made up)", "confirms": list_id == CONFIRMED}
            for list_id, purpose_id in PURPOSES.items()
        ]
        await self.do("PUT", "lists", rows)
        await self.weather(automatic=False)
        body = {
            "Events": ["Subscribe", "Update", "Deactivate"],
            "Url": webhook_url,
            "PayloadFormat": "json",
        }
        for list_id in PURPOSES:
            made = await self._client.post(
                f"{self._url}/lists/{list_id}/webhooks.json", json=body, auth=(API_KEY, "x")
            )
            if made.status_code != HTTPStatus.CREATED:
                raise StoryEndedError(f"registering a webhook: HTTP {made.status_code} {made.text[:200]}")

    async def test_webhooks(self) -> None:
        """Let the account call each webhook for a test.

        Raises:
            StoryEndedError: one was not answered with a success.
        """
        for list_id in PURPOSES:
            path = f"{self._url}/lists/{list_id}/webhooks"
            for one in (await self._client.get(f"{path}.json", auth=(API_KEY, "x"))).json():
                tested = await self._client.get(f"{path}/{one['WebhookID']}/test.json", auth=(API_KEY, "x"))
                if tested.status_code != HTTPStatus.OK:
                    raise StoryEndedError(f"the test call failed: {tested.text[:200]}")

    async def live(self, list_id: str, **crowd: Any) -> dict[str, int]:
        """Let a crowd live on one list; return how often each thing happened."""
        return dict(await self.do("POST", "crowd", {"list_ids": [list_id], **crowd}))

    async def bring_in(self, list_id: str, addresses: list[str]) -> int:
        """Import addresses as staff would, those who left too; return how many the account took."""
        rows = [{"EmailAddress": one, "Name": "", "ConsentToTrack": "Unchanged"} for one in addresses]
        response = await self._client.post(
            f"{self._url}/subscribers/{list_id}/import.json",
            json={"Subscribers": rows, "Resubscribe": True},
            auth=(API_KEY, "x"),
        )
        body = response.json()
        result = body.get("ResultData", body)
        if "TotalNewSubscribers" not in result:
            raise StoryEndedError(f"importing there: HTTP {response.status_code} {response.text[:200]}")
        return int(result["TotalExistingSubscribers"]) + int(result["TotalNewSubscribers"])

    async def remove_by_hand(self, address: str) -> None:
        """Remove somebody for good, which the API cannot."""
        await self.do("DELETE", f"subscribers?email={quote(address)}")

    async def weather(self, **weather: Any) -> None:
        """Set how deliveries go."""
        await self.do("PUT", "weather", weather)

    async def deliver(self) -> dict[str, int]:
        """Deliver all that waits; return how many bodies and events were taken, and bodies not."""
        return dict(await self.do("POST", "deliveries"))

    async def truth(self) -> dict[str, Any]:
        """Return all that the account holds."""
        return dict(await self._get("subscribers"))

    async def journal(self) -> list[dict[str, Any]]:
        """Return every event and what became of it."""
        return list(await self._get("events"))

    async def calls(self) -> dict[str, int]:
        """Return how often each call was made."""
        return dict(await self._get("calls"))

    async def do(self, method: str, path: str, body: Any = None) -> Any:
        """Do something behind its back.

        Raises:
            StoryEndedError: it cannot be done.
        """
        response = await self._client.request(
            method, self._backstage + path, json=body, timeout=_DELIVERING_SECONDS
        )
        if not response.is_success:
            raise StoryEndedError(f"{path}: HTTP {response.status_code} {response.text[:200]}")
        return response.json()

    async def _get(self, path: str) -> Any:
        response = await self._client.get(self._backstage + path)
        response.raise_for_status()
        return response.json()
