"""Google Analytics, told to delete what it keeps under one person's identifiers.

Its API takes the deletion on and says nothing more: no status, no list, no end. What it gives is the moment
it received the request; the data leaves reports within 72 hours and the servers at a run every two months. It
has no call that corrects or restricts one person's data.
Source: https://developers.google.com/analytics/devguides/config/admin/v1/rest/v1alpha/properties/submitUserDeletion
and https://developers.google.com/analytics/devguides/config/userdeletion/v3.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, Protocol

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.domain.errors import CannotTell, ComplianceError, Permanent, Retryable
from shared.domain.identifiers import Identifiers
from shared.domain.periods import add_months
from shared.domain.recipients import NO_IDENTIFIER, NOT_POSSIBLE, Answered, Confirmation, Instruction
from shared.domain.times import copenhagen_day
from shared.settings import Settings

RECIPIENT_ID: Final = "google_analytics"
FIELDS: Final = frozenset({"userId", "clientId", "appInstanceId", "userProvidedData"})
IN_CLEAR: Final = "userProvidedData"  # an address or a phone number, which it may not have yet
QUOTA_PAUSE_SECONDS: Final = 3_600  # 500 deletions a day; which hour the day begins is not documented
DELETION_MONTHS: Final = 2
DELETION_HOURS: Final = 72

_CALL_SECONDS: Final = 30.0
_TIME_OUTS: Final = httpx.Timeout(20.0, connect=5.0)
_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class Tokens(Protocol):
    """Gives tokens that its API takes."""

    async def token(self, *, anew: bool = False) -> str:
        """Return one; `anew`: not the one before."""
        ...


class _Receipt(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    received_at: AwareDatetime = Field(alias="deletionRequestTime")


class GoogleAnalytics:
    """One property, or nothing where none is set.

    Args:
        settings: Which property, and where its API is.
        identifiers: How it knows people: our kind of identifier to its field, from the map.
        has_contract: Whether the map records a contract with it.
        tokens: What its API is called with.
        transport: What carries the calls; None is the network. Tests hand in their own.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        identifiers: Mapping[str, str],
        has_contract: bool,
        tokens: Tokens,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._property_id = settings.google_analytics_property_id
        self._url = settings.google_analytics_url.rstrip("/")
        self._through_proxy = settings.deployment == "azure"
        self._identifiers = identifiers
        self._has_contract = has_contract
        self._tokens = tokens
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        for name in ("httpx", "httpcore"):  # they log URLs
            logging.getLogger(name).setLevel(logging.WARNING)

    def connected(self) -> tuple[str, ...]:
        return (RECIPIENT_ID,) if self._property_id else ()

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def instruct(self, instruction: Instruction, identifiers: Identifiers) -> Answered:
        """Ask for the deletion of everything under each identifier the property knows the person by.

        A second call asks again, which changes nothing there and counts against the day's quota.

        Raises:
            Retryable: `processor_unreachable`, after the quota with `retry_after_seconds`.
            Permanent: `processor_refused`, or `contract_missing`: an address or a phone number would be
                handed to it in clear.
            CannotTell: `processor_unreadable`: no receipt in its answer.
        """
        theirs = [
            (field, value) for kind, field in self._identifiers.items() for value in identifiers.get(kind, ())
        ]
        if not theirs:
            return Answered(confirmation=Confirmation.NOT_HELD, why=NO_IDENTIFIER)
        if instruction is not Instruction.ERASE:
            return Answered(confirmation=Confirmation.AWAITING_STAFF, why=NOT_POSSIBLE)
        if not self._has_contract and any(field == IN_CLEAR for field, _ in theirs):
            raise Permanent("contract_missing", RECIPIENT_ID)
        received_at = max([await self._delete(field, value) for field, value in theirs])
        last_hour = received_at + timedelta(hours=DELETION_HOURS)
        return Answered(
            confirmation=Confirmation.ACCEPTED,
            receipt_at=received_at.astimezone(UTC),
            gone_by=add_months(copenhagen_day(last_hour), DELETION_MONTHS),
        )

    async def _delete(self, field: str, value: str) -> datetime:
        body = {field: value}
        response = await self._sent(body, await self._tokens.token())
        if response.status_code == HTTPStatus.UNAUTHORIZED:  # a token can be taken back before its time
            response = await self._sent(body, await self._tokens.token(anew=True))
        if not response.is_success:
            raise _refusal(response)
        try:
            return _Receipt.model_validate_json(response.content).received_at
        except ValidationError:
            # Without its cause, which quotes what it could not read.
            unreadable = CannotTell("processor_unreadable", "google_analytics.delete")
        raise unreadable

    async def _sent(self, body: Mapping[str, str], token: str) -> httpx.Response:
        failure: ComplianceError
        url = f"{self._url}/v1alpha/properties/{self._property_id}:submitUserDeletion"
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                return await self._opened().post(url, json=body, headers={"Authorization": f"Bearer {token}"})
        except (TimeoutError, httpx.TransportError):
            failure = Retryable("processor_unreachable", "google_analytics.delete")
        except (httpx.HTTPError, httpx.InvalidURL):
            failure = Permanent("processor_refused", "google_analytics.delete")
        # Outside the handlers, so that no traceback holds the client's exception and its body.
        raise failure

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers={"Accept": "application/json"},
                timeout=_TIME_OUTS,
                transport=self._transport,
                trust_env=self._through_proxy,
            )
        return self._client


def _refusal(response: httpx.Response) -> ComplianceError:
    """Return our error for an answer that is no success; its text stays out, for it may repeat a value."""
    status = response.status_code
    where = f"google_analytics.delete {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Retryable("processor_unreachable", where, retry_after_seconds=_pause(response))
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable("processor_unreachable", where)
    return Permanent("processor_refused", where)


def _pause(response: httpx.Response) -> int:
    """Return how long to wait after the quota: as it says, or an hour."""
    said = response.headers.get("Retry-After", "")
    return int(said) if said.isascii() and said.isdigit() else QUOTA_PAUSE_SECONDS
