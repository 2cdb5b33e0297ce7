"""Mail through Microsoft Graph, from one mailbox of the controller's.

Graph has no idempotency key, so each mail carries its id as a named property of our own, and the copy that
Graph keeps in Sent Items is found by it.

Sources: learn.microsoft.com/graph/api/user-sendmail, .../graph/api/singlevaluelegacyextendedproperty-get,
.../graph/throttling. Why JSON and not MIME: docs/adr/0010.
"""

import asyncio
import re
import time
from typing import Any
from urllib.parse import quote

import httpx

from shared.adapters.graph_tokens import GraphTokens
from shared.adapters.mail_address import require_one_recipient
from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.ports.notifier import NOT_ACCEPTED, OUTCOME_UNKNOWN, Mail
from shared.settings import Settings

# The set and name of the property are part of every mail sent: never change them.
MAIL_ID_PROPERTY = "String {6f7f4d1c-0f5e-4b0a-9a5e-3f1d2c8b7a64} Name MailId"
CALL_SECONDS = 90  # a call ends by then, its token included

_CONNECTIONS = 4  # Graph lets one app make so many calls to mail at a time
_MOST_WAIT_SECONDS = 3_600
_MOST_PAGES = 20
_ERROR_CODE = re.compile(r"[A-Za-z0-9_.]{1,64}")
# Nothing of the request has reached Graph.
_NEVER_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

_ACCEPTED = 202
_OK = 200
_THIS_MAIL = frozenset({400, 413})  # refused for what it is
_THE_MAILBOX = frozenset({401, 403, 404})  # refused for who asks or from where: operators repair that
_TOO_MANY = 429
_BUSY = 503
_SERVER_ERROR = 500


class GraphNotifier:
    """Sends from one mailbox and looks into its Sent Items."""

    def __init__(self, settings: Settings, tokens: GraphTokens) -> None:
        self._base_url = settings.graph_url.rstrip("/")
        self._mailbox = f"{self._base_url}/users/{quote(settings.graph_mailbox, safe='@')}"
        self._tokens = tokens
        self._client: httpx.AsyncClient | None = None
        self._closed_until = 0.0  # of the worker's monotonic clock: Graph asked for silence so long

    async def send(self, mail: Mail) -> None:
        where = "graph.send"
        require_one_recipient(mail.to, where)
        self._require_open(where)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                headers = await self._headers()
                answer = await self._http().post(
                    f"{self._mailbox}/sendMail", headers=headers, json=_body(mail)
                )
        except _NEVER_CONNECTED as error:
            raise Retryable(NOT_ACCEPTED, where) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Retryable(OUTCOME_UNKNOWN, where) from error
        if answer.status_code != _ACCEPTED:
            raise self._refusal(answer, where)

    async def was_sent(self, mail_id: str) -> bool:
        where = "graph.was_sent"
        self._require_open(where)
        url = f"{self._mailbox}/mailFolders/sentitems/messages"
        query: dict[str, str] | None = _by_mail_id(mail_id)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                for _ in range(_MOST_PAGES):
                    answer = await self._http().get(url, params=query, headers=await self._headers())
                    found, url, query = self._page(answer, where), _next_page(answer), None
                    if found:
                        return True
                    if not url:
                        return False
                    if not url.startswith(f"{self._base_url}/"):
                        break
        except (httpx.HTTPError, TimeoutError) as error:
            raise Retryable("mail_unreachable", where) from error
        raise CannotTell("sent_items_unreadable", where)

    async def close(self) -> None:
        """Close every connection; the next use opens them again."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # A kept connection that the service just gave up looks like one that broke under the request,
            # which is the one thing that makes a letter wait. Letters are few: each has a new one.
            limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=0)
            self._client = httpx.AsyncClient(timeout=httpx.Timeout(30, connect=10), limits=limits)
        return self._client

    async def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {await self._tokens.token()}"}

    def _require_open(self, where: str) -> None:
        seconds = self._closed_until - time.monotonic()
        if seconds > 0:
            raise Retryable(NOT_ACCEPTED, f"{where} throttled", retry_after_seconds=int(seconds) + 1)

    def _refusal(self, answer: httpx.Response, where: str) -> Retryable | Permanent:
        """Return what an answer that is not 202 means. Its message stays out: it may repeat the address."""
        status = answer.status_code
        detail = f"{where} {status} {_code(answer)}".rstrip()
        seconds = self._wait(answer)
        # A 503 without a time to come back may come from a gateway that lost the answer.
        if status == _TOO_MANY or (status == _BUSY and seconds is not None):
            return Retryable(NOT_ACCEPTED, detail, retry_after_seconds=seconds)
        if status in _THE_MAILBOX:
            return Retryable(NOT_ACCEPTED, detail)
        if status in _THIS_MAIL:
            return Permanent("mail_refused", detail)
        return Retryable(OUTCOME_UNKNOWN, detail)

    def _page(self, answer: httpx.Response, where: str) -> bool:
        """Tell whether a page of Sent Items holds a mail."""
        detail = f"{where} {answer.status_code} {_code(answer)}".rstrip()
        if answer.status_code == _TOO_MANY or answer.status_code >= _SERVER_ERROR:
            raise Retryable("mail_unreachable", detail, retry_after_seconds=self._wait(answer))
        found = _json(answer).get("value")
        if answer.status_code != _OK or not isinstance(found, list):
            raise CannotTell("sent_items_unreadable", detail)
        return bool(found)

    def _wait(self, answer: httpx.Response) -> int | None:
        """Return the seconds Graph asks to wait, and keep to them; None: it names none."""
        named = answer.headers.get("Retry-After", "")
        if not named.isdecimal():
            return None
        seconds = min(int(named), _MOST_WAIT_SECONDS)
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)
        return seconds


def _body(mail: Mail) -> dict[str, Any]:
    return {
        "message": {
            "subject": mail.subject,
            "body": {"contentType": "HTML", "content": mail.html},
            "toRecipients": [{"emailAddress": {"address": mail.to}}],
            "singleValueExtendedProperties": [{"id": MAIL_ID_PROPERTY, "value": mail.mail_id}],
        },
        "saveToSentItems": True,  # the copy is what tells that it was sent
    }


def _by_mail_id(mail_id: str) -> dict[str, str]:
    value = mail_id.replace("'", "''")
    condition = f"ep/id eq '{MAIL_ID_PROPERTY}' and ep/value eq '{value}'"
    return {"$filter": f"singleValueExtendedProperties/Any(ep: {condition})", "$select": "id", "$top": "1"}


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        read = answer.json()
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _code(answer: httpx.Response) -> str:
    error = _json(answer).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""


def _next_page(answer: httpx.Response) -> str:
    """Return where a page's rest is; a filtered page may be empty and yet not the last."""
    return str(_json(answer).get("@odata.nextLink") or "")
