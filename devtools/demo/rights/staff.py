"""Staff at their desks: they sign in at the local issuer and use the operations API, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from devtools.demo.findings import StoryEndedError
from devtools.stand_ins.issuer_staff import STAFF, TENANT_ID


class Staff:
    """Everybody of the made-up tenant.

    Args:
        client: Connections to share.
        api_url: Where the app's doors are.
        issuer_url: Authority of the issuer.

    Attributes:
        ahead_seconds: How far the app's clock is ahead; tokens are of that time.
    """

    def __init__(self, client: httpx.AsyncClient, api_url: str, issuer_url: str) -> None:
        self._client = client
        self._api_url = api_url
        self._issuer_url = issuer_url.removesuffix(f"/{TENANT_ID}")
        self._tokens: dict[tuple[str, int], str] = {}
        self.ahead_seconds = 0

    async def do(self, who: str, path: str, **body: object) -> Any:
        """Let a member of staff post to a door below `operations/`, and return what it answers.

        Raises:
            StoryEndedError: the door refused.
        """
        response = await self._post(who, path, body)
        if not response.is_success:
            said = response.text[:300]
            raise StoryEndedError(f"{who} at {path}: HTTP {response.status_code} {said}")
        return response.json()

    async def read(self, who: str, path: str) -> Any:
        """Let a member of staff read a door below `operations/`, and return what it answers.

        Raises:
            StoryEndedError: the door refused.
        """
        response = await self._client.get(
            f"{self._api_url}/operations/{path}",
            headers={"Authorization": f"Bearer {await self._token(who)}"},
        )
        if not response.is_success:
            raise StoryEndedError(f"{who} at {path}: HTTP {response.status_code} {response.text[:300]}")
        return response.json()

    async def refusal(self, who: str, path: str, **body: object) -> str:
        """Return the code with which a door refuses; empty: it does not."""
        response = await self._post(who, path, body)
        return "" if response.is_success else str(response.json().get("code", response.status_code))

    async def look(self, request_id: str, *, purpose: str, who: str = "operator") -> dict[str, Any]:
        """Let somebody look at a case, which is noted, and return what they see."""
        return dict(await self.do(who, f"cases/{request_id}/lookups", purpose=purpose))

    async def approve(self, request_id: str, *, reason: str, provision: str) -> None:
        """Let an approver read the plan and let exactly that one run."""
        seen = await self.look(request_id, purpose="decide about the request", who="approver")
        await self.do(
            "approver",
            f"cases/{request_id}/approval",
            plan_digest=seen["request"]["plan"]["digest"],
            reason=reason,
            provision=provision,
        )

    async def _post(self, who: str, path: str, body: Mapping[str, object]) -> httpx.Response:
        return await self._client.post(
            f"{self._api_url}/operations/{path}",
            json=body,
            headers={"Authorization": f"Bearer {await self._token(who)}"},
        )

    async def _token(self, who: str) -> str:
        key = (who, self.ahead_seconds)
        if key not in self._tokens:
            response = await self._client.post(
                f"{self._issuer_url}/stand-in/tokens",
                json={"staff": who, "ahead_seconds": self.ahead_seconds},
            )
            response.raise_for_status()
            self._tokens[key] = str(response.json()["access_token"])
        return self._tokens[key]


def administers(customer_id: str) -> dict[str, str]:
    """Return the app's setting that makes the made-up administrator one of this customer."""
    return {"STAFF_CUSTOMERS": json.dumps({STAFF["customer-admin"].staff_id: [customer_id]})}
