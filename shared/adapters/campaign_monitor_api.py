"""The calls of Campaign Monitor's API that rights need, v3.3, with JSON.

The address is in the query string of half of them, so no URL may reach a log or an error: the HTTP client's
own loggers are silenced, and its exceptions, which carry the request, end here.
Source: https://www.campaignmonitor.com/api/v3-3/subscribers/, /lists/ and /clients/.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import date
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.adapters._campaign_monitor_errors import REFUSED, UNREACHABLE, Code, refusal
from shared.adapters.circuit_breaker import CircuitBreaker
from shared.domain.errors import CannotTell, ComplianceError, Permanent, Retryable
from shared.settings import Settings

_CALL_SECONDS = 30.0
_TIME_OUTS = httpx.Timeout(20.0, connect=5.0)
_ATTEMPTS = 3
_LONGEST_WAIT_SECONDS = 5
_PAGE_SIZE = 1000  # the most one page takes
_WORK_SIZE = 200  # of a page whose every row may cost calls
_RESET = "X-RateLimit-Reset"  # seconds
_NONE_ALLOWED: frozenset[Code] = frozenset()
_ABSENT = frozenset({Code.NOT_IN_LIST, Code.DELETED})
_TEST_FAILED = frozenset({Code.TEST_FAILED})

_Id = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{32}$")]  # becomes part of a URL
_T = TypeVar("_T")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class HoldingList(_Answer):
    """A list that holds an address. `state` is an open set: see `campaign_monitor`."""

    list_id: _Id = Field(alias="ListID")
    state: str = Field(alias="SubscriberState")


class ClientList(_Answer):
    """One list of the client."""

    list_id: _Id = Field(alias="ListID")


class CustomField(_Answer):
    """One value; a field of several values comes once for each."""

    key: str = Field(alias="Key")


class Subscriber(_Answer):
    """What one list holds of an address, as the vendor writes it."""

    email: str = Field(alias="EmailAddress")
    name: str | None = Field(default=None, alias="Name")
    state: str = Field(default="", alias="State")
    changed: str | None = Field(default=None, alias="Date")
    custom_fields: tuple[CustomField, ...] = Field(default=(), alias="CustomFields")


class Row(_Answer):
    """One address of a page. Name and state are not in every kind of page."""

    email: str = Field(alias="EmailAddress")
    name: str | None = Field(default=None, alias="Name")
    state: str = Field(default="", alias="State")
    changed: str | None = Field(default=None, alias="Date")


class Webhook(_Answer):
    """A webhook of a list."""

    webhook_id: str = Field(alias="WebhookID", pattern=r"^[0-9a-zA-Z-]{1,64}$")  # becomes part of a URL
    url: str = Field(alias="Url")
    events: tuple[str, ...] = Field(default=(), alias="Events")
    status: str = Field(default="", alias="Status")
    payload_format: str = Field(default="", alias="PayloadFormat")


class _Page(_Answer):
    rows: tuple[Row, ...] = Field(alias="Results")
    pages: int = Field(alias="NumberOfPages")


class CampaignMonitorApi:
    """One client of an account. Connects at the first call.

    Args:
        settings: Where it is and the key.
        transport: What carries the calls; None is the network. Tests hand in their own.
        sleep: Waits so many seconds before a call that came too early is made again.
        clock: Seconds that only grow, for how long nobody calls a processor that does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # At INFO and below these write every URL, and with it the address.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._url = settings.campaign_monitor_url.rstrip("/")
        self._client_id = settings.campaign_monitor_client_id
        self._key = settings.campaign_monitor_api_key
        # A local run talks to loopback, where no proxy helps.
        self._through_proxy = settings.deployment == "azure"
        self._transport = transport
        self._sleep = sleep
        self._breaker = CircuitBreaker(UNREACHABLE, "campaign_monitor", clock=clock)
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def lists(self) -> tuple[ClientList, ...]:
        """Return every list of the client."""
        response = await self._call(HTTPMethod.GET, f"/clients/{self._client_id}/lists.json", "lists")
        return _read(tuple[ClientList, ...], response, "lists")

    async def lists_for_email(self, email: str) -> tuple[HoldingList, ...]:
        """Return the lists that hold an address; empty: none that it shows."""
        path = f"/clients/{self._client_id}/listsforemail.json"
        response = await self._call(
            HTTPMethod.GET, path, "lists_for_email", params={"email": email}, allowed=_ABSENT
        )
        return () if response.is_error else _read(tuple[HoldingList, ...], response, "lists_for_email")

    async def subscriber(self, list_id: str, email: str) -> Subscriber | None:
        """Return what a list holds of an address; None: it shows nothing."""
        response = await self._call(
            HTTPMethod.GET, _subscriber(list_id), "subscriber", params={"email": email}, allowed=_ABSENT
        )
        return None if response.is_error else _read(Subscriber, response, "subscriber")

    async def update(
        self, list_id: str, email: str, *, name: str, clear: Sequence[str] = (), tracking: str
    ) -> Code | None:
        """Write a name over the one in a list and clear custom fields; None: done, else why not.

        `tracking` is the vendor's `Yes`, `No` or `Unchanged`. Nobody is ever subscribed again by it.
        """
        body = {
            "EmailAddress": email,
            "Name": name,
            "CustomFields": [{"Key": key, "Value": "", "Clear": True} for key in clear],
            "Resubscribe": False,
            "RestartSubscriptionBasedAutoresponders": False,
            "ConsentToTrack": tracking,
        }
        response = await self._call(
            HTTPMethod.PUT,
            _subscriber(list_id),
            "update",
            params={"email": email},
            body=body,
            allowed=frozenset(Code),
        )
        return _code(response)

    async def unsubscribe(self, list_id: str, email: str) -> Code | None:
        """Set an address to unsubscribed; None: done, else why not."""
        response = await self._call(
            HTTPMethod.POST,
            f"/subscribers/{list_id}/unsubscribe.json",
            "unsubscribe",
            body={"EmailAddress": email},
            allowed=frozenset(Code),
        )
        return _code(response)

    async def add(self, list_id: str, email: str, *, name: str, resubscribe: bool) -> Code | None:
        """Add an address; None: queued there, else why not. Nobody's reading is tracked by it.

        `resubscribe`: also one that left. Only a consent that was given since allows it.
        """
        body = {
            "EmailAddress": email,
            "Name": name,
            "CustomFields": [],
            "Resubscribe": resubscribe,
            "RestartSubscriptionBasedAutoresponders": False,
            "ConsentToTrack": "Unchanged",
        }
        response = await self._call(
            HTTPMethod.POST, _subscriber(list_id), "add", body=body, allowed=frozenset(Code)
        )
        return _code(response)

    async def delete(self, list_id: str, email: str) -> None:
        """Set an address to deleted; its data stay with the vendor. Not there is done."""
        await self._call(
            HTTPMethod.DELETE, _subscriber(list_id), "delete", params={"email": email}, allowed=_ABSENT
        )

    async def suppress(self, emails: Sequence[str]) -> None:
        """Put addresses on the client's list of those that get no mail at all."""
        await self._call(
            HTTPMethod.POST,
            f"/clients/{self._client_id}/suppress.json",
            "suppress",
            body={"EmailAddresses": list(emails)},
        )

    async def suppressed(self) -> AsyncGenerator[str, None]:
        """Yield the addresses of the suppression list, newest first."""
        path = f"/clients/{self._client_id}/suppressionlist.json"
        async with aclosing(self._rows(path, "suppressed")) as rows:
            async for row in rows:
                yield row.email

    async def deleted(self, list_id: str) -> AsyncGenerator[str, None]:
        """Yield the addresses that are deleted in a list, newest first."""
        async with aclosing(self._rows(f"/lists/{list_id}/deleted.json", "deleted")) as rows:
            async for row in rows:
                yield row.email

    async def in_state(
        self, list_id: str, state: str, *, since: date, page: int
    ) -> tuple[tuple[Row, ...], int]:
        """Return a page of what came to a state since a day, the oldest first, and how many pages there are.

        `state` is as the vendor's path names it.
        """
        params = {
            "date": since.isoformat(),
            "page": str(page),
            "pagesize": str(_WORK_SIZE),
            "orderfield": "date",
            "orderdirection": "asc",
        }
        response = await self._call(HTTPMethod.GET, f"/lists/{list_id}/{state}.json", state, params=params)
        found = _read(_Page, response, state)
        return found.rows, found.pages

    async def webhooks(self, list_id: str) -> tuple[Webhook, ...]:
        """Return the webhooks of a list."""
        response = await self._call(HTTPMethod.GET, f"/lists/{list_id}/webhooks.json", "webhooks")
        return _read(tuple[Webhook, ...], response, "webhooks")

    async def create_webhook(self, list_id: str, url: str, *, events: Sequence[str]) -> str:
        """Register a webhook with JSON bodies, and return its id."""
        body = {"Events": list(events), "Url": url, "PayloadFormat": "json"}
        path = f"/lists/{list_id}/webhooks.json"
        return _read(
            str, await self._call(HTTPMethod.POST, path, "create_webhook", body=body), "create_webhook"
        )

    async def activate_webhook(self, list_id: str, webhook_id: str) -> None:
        """Switch a webhook on."""
        path = f"/lists/{list_id}/webhooks/{webhook_id}/activate.json"
        await self._call(HTTPMethod.PUT, path, "activate_webhook")

    async def delete_webhook(self, list_id: str, webhook_id: str) -> None:
        """Remove a webhook."""
        path = f"/lists/{list_id}/webhooks/{webhook_id}.json"
        await self._call(HTTPMethod.DELETE, path, "delete_webhook")

    async def test_webhook(self, list_id: str, webhook_id: str) -> bool:
        """Let the vendor call a webhook; whether its call was answered with a success."""
        path = f"/lists/{list_id}/webhooks/{webhook_id}/test.json"
        response = await self._call(HTTPMethod.GET, path, "test_webhook", allowed=_TEST_FAILED)
        return response.is_success

    async def _rows(self, path: str, where: str) -> AsyncGenerator[Row, None]:
        number, pages = 1, 1
        while number <= pages:
            params = {
                "page": str(number),
                "pagesize": str(_PAGE_SIZE),
                "orderfield": "date",
                "orderdirection": "desc",
            }
            page = _read(_Page, await self._call(HTTPMethod.GET, path, where, params=params), where)
            for row in page.rows:
                yield row
            number, pages = number + 1, page.pages

    async def _call(
        self,
        method: HTTPMethod,
        path: str,
        call: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        allowed: frozenset[Code] = _NONE_ALLOWED,
    ) -> httpx.Response:
        """Make one call; the answer is a success or has an allowed code.

        A call that comes too early is made again if the vendor says after how long and that is soon. Any
        other is left to whoever called: a queue waits better than a worker.
        """
        where = f"campaign_monitor.{call}"
        for attempt in range(1, _ATTEMPTS + 1):
            response = await self._sent(method, path, where, params, body)
            if response.is_success and _is_page(response):
                raise Retryable(UNREACHABLE, f"{where} page")
            if response.is_success or _code(response) in allowed:
                return response
            wait_seconds = _wait_seconds(response)
            if wait_seconds is not None and wait_seconds > _LONGEST_WAIT_SECONDS:
                self._breaker.asked_to_wait(wait_seconds)
            if wait_seconds is None or wait_seconds > _LONGEST_WAIT_SECONDS or attempt == _ATTEMPTS:
                raise refusal(response.status_code, _any_code(response), where)
            await self._sleep(wait_seconds)
        raise AssertionError("the last attempt returns or raises")

    async def _sent(
        self,
        method: HTTPMethod,
        path: str,
        where: str,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> httpx.Response:
        failure: ComplianceError
        self._breaker.check()
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                response = await self._opened().request(method, self._url + path, params=params, json=body)
        except (TimeoutError, httpx.TransportError):
            self._breaker.failed()
            failure = Retryable(UNREACHABLE, where)
        except (httpx.HTTPError, httpx.InvalidURL):
            failure = Permanent(REFUSED, where)
        else:
            if httpx.codes.is_server_error(response.status_code):
                self._breaker.failed()
            else:
                self._breaker.succeeded()
            return response
        # Outside the handlers, so that no traceback holds the client's exception and its URL.
        raise failure

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                auth=httpx.BasicAuth(self._key, "x"),
                headers={"Accept": "application/json"},
                timeout=_TIME_OUTS,
                transport=self._transport,
                trust_env=self._through_proxy,
            )
        return self._client


def _subscriber(list_id: str) -> str:
    return f"/subscribers/{list_id}.json"


def _is_page(response: httpx.Response) -> bool:
    """Whether somebody on the way answered: the vendor's own successes are JSON, or empty."""
    kind: str = response.headers.get("Content-Type", "")
    return kind.lower().startswith("text/html")


def _any_code(response: httpx.Response) -> int | None:
    """Return the vendor's code in an error; None: none that can be read."""
    try:
        code = response.json()["Code"]
    except (ValueError, TypeError, KeyError):  # not JSON, no object, no such key
        return None
    return code if isinstance(code, int) else None


def _code(response: httpx.Response) -> Code | None:
    """Return the code of a refused request that says where the subscriber stands."""
    code = _any_code(response) if response.status_code == HTTPStatus.BAD_REQUEST else None
    return Code(code) if code in set(Code) else None


def _wait_seconds(response: httpx.Response) -> int | None:
    """Return how long the vendor asks to wait before the call is made again; None: it does not say."""
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    said = response.headers.get(_RESET, "")
    if not (said.isascii() and said.isdigit()):
        return None
    return int(said[:6])  # days, at most


def _read(kind: type[_T], response: httpx.Response, call: str) -> _T:
    try:
        return TypeAdapter(kind).validate_json(response.content)
    except ValidationError:
        # Without its cause, which quotes what it could not read.
        unreadable = CannotTell("processor_unreadable", f"campaign_monitor.{call}")
    raise unreadable
