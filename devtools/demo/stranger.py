"""What anybody with a browser can do with the app: ask, press buttons, fetch. HTTP and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from devtools.demo.findings import StoryEndedError
from devtools.demo.web_form import WebForm, forms_of

LOOK_SECONDS = 0.5
ORIGIN = "https://www.clicklearn.com"
CLOSED = frozenset({"completed", "completed_with_retention"})
STUCK = frozenset({"needs_attention", "awaiting_approval", "rejected", "cancelled", "expired"})


class Stranger:
    """Somebody on the other side of the network.

    Args:
        client: Connections to share; redirects must not be followed.
        api_url: Where the app's doors are, such as `http://127.0.0.1:7071/api`.
        patience_seconds: How long to wait for a request to close.
    """

    def __init__(self, client: httpx.AsyncClient, api_url: str, *, patience_seconds: float = 90.0) -> None:
        self._client = client
        self._api_url = api_url
        self._patience_seconds = patience_seconds

    async def ask(self, address: str, rights: Sequence[str], *, language: str, **wishes: object) -> str:
        """Ask by JSON, as a program would, and return the request's id. Without rights words alone ask."""
        asked: dict[str, object] = {"rights": list(rights)} if len(rights) > 1 else {}
        if len(rights) == 1:
            asked = {"right": rights[0]}
        response = await self._client.post(
            f"{self._api_url}/requests", json={"email": address, "language": language, **asked, **wishes}
        )
        _expect(response, HTTPStatus.ACCEPTED, "asking by JSON")
        if set(response.json()) != {"request_id", "status_url"}:
            raise StoryEndedError(f"asking by JSON answered with {sorted(response.json())}")
        return str(response.json()["request_id"])

    async def fill_in_form(self, address: str, rights: Sequence[str], *, language: str) -> None:
        """Ask with a plain HTML form of ClickLearn's web site; the answer is a page."""
        fields: dict[str, Any] = {"email": address, "language": language}
        fields["rights" if len(rights) > 1 else "right"] = list(rights)
        response = await self._client.post(
            f"{self._api_url}/requests", data=fields, headers={"Origin": ORIGIN, "Accept": "text/html"}
        )
        _expect(response, HTTPStatus.ACCEPTED, "asking with a form")
        allowed = response.headers.get("access-control-allow-origin")
        if allowed != ORIGIN:
            raise StoryEndedError(f"asking with a form: the web site's origin got {allowed!r}")

    async def press(self, link: str, *, path: str, what: str, **typed: str) -> httpx.Response:
        """Open a mailed link and press the button that posts to a path; return what came back.

        `typed`: what is written into the form's fields first.

        Raises:
            StoryEndedError: the page is not there or has no such button.
        """
        page = await self._client.get(link, headers={"Accept": "text/html"})
        _expect(page, HTTPStatus.OK, f"opening the page to {what}")
        form = next((one for one in forms_of(page.text, page_url=link) if _leads_to(one, path)), None)
        if form is None:
            raise StoryEndedError(f"the page to {what} has no form that posts to {path}")
        fields = {**form.fields, **typed}
        return await self._client.post(form.action, data=fields, headers={"Accept": "text/html"})

    async def answer(self, link: str, text: str) -> None:
        """Open the link of a question, write the answer and press the button."""
        response = await self.press(link, path="/answer", what="answer the question", text=text)
        _expect(response, HTTPStatus.OK, "answering the question")

    async def confirm(self, link: str) -> None:
        """Open the link of the first mail and press its button."""
        response = await self.press(link, path="/verification", what="confirm the address")
        _expect(response, HTTPStatus.OK, "confirming the address")

    async def fetch_package(self, link: str) -> bytes:
        """Open the link of the answer, press its button and follow where it leads to the ZIP file."""
        response = await self.press(link, path="/package", what="fetch the copy")
        _expect(response, HTTPStatus.SEE_OTHER, "fetching the copy")
        found = await self._client.get(response.headers["location"])
        _expect(found, HTTPStatus.OK, "downloading the copy")
        return found.content

    async def delete_package(self, link: str) -> None:
        """Press the other button of the same page, and see that the copy is gone."""
        response = await self.press(link, path="/package/deletion", what="delete the copy")
        _expect(response, HTTPStatus.OK, "deleting the copy")
        gone = await self._client.get(link, headers={"Accept": "text/html"})
        _expect(gone, HTTPStatus.GONE, "opening the link of a deleted copy")

    async def status(self, request_id: str) -> dict[str, Any]:
        """Return where a request stands."""
        response = await self._client.get(f"{self._api_url}/requests/{request_id}")
        _expect(response, HTTPStatus.OK, "asking for the status")
        return dict(response.json())

    async def wait_until_closed(self, request_id: str, *, what: str) -> str:
        """Look politely until a request is closed, and return its state.

        Raises:
            StoryEndedError: it stopped, or was not closed in time.
        """
        return await self.wait_for_state(request_id, CLOSED, what=what)

    async def wait_for_state(self, request_id: str, wanted: Collection[str], *, what: str) -> str:
        """Look politely until a request is in one of these states, and return which.

        Raises:
            StoryEndedError: it stopped in another one, or took too long.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            state = str((await self.status(request_id))["state"])
            if state in wanted:
                return state
            if state in CLOSED | STUCK or time.monotonic() > deadline:
                raise StoryEndedError(f"{what} is {state} and not {' or '.join(sorted(wanted))}")
            await asyncio.sleep(LOOK_SECONDS)


def _leads_to(form: WebForm, path: str) -> bool:
    return form.method == "post" and httpx.URL(form.action).path.endswith(path)


def _expect(response: httpx.Response, status: HTTPStatus, what: str) -> None:
    if response.status_code != status:
        said = response.text[:300] if "json" in response.headers.get("content-type", "") else ""
        raise StoryEndedError(
            f"{what}: HTTP {response.status_code} instead of {status.value} {said}".rstrip()
        )
