"""The calls that manage webhooks, without HTTP.

Source: https://www.campaignmonitor.com/api/v3-3/webhooks/. The code for an unknown webhook is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from devtools.stand_ins.newsletter_delivery import Deliveries
from devtools.stand_ins.newsletter_pages import ApiError
from devtools.stand_ins.newsletter_webhooks import EVENT_TYPES, Webhook, Webhooks, is_acceptable


class WebhookApi:
    """Answers calls about the webhooks of one list."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries

    async def answer(self, call: str, list_id: str, rest: list[str], body: Mapping[str, Any]) -> Any:
        """Return what goes into the body; None: an empty one. `rest` is the path after `webhooks`.

        Raises:
            ApiError: it is refused.
        """
        match call, rest:
            case "POST", []:
                return self._create(list_id, body)
            case "GET", []:
                return [one.wire() for one in self._webhooks.of(list_id)]
            case "GET", [webhook_id, "test"]:
                await self._test(self._get(list_id, webhook_id))
            case "PUT", [webhook_id, "activate"]:
                self._get(list_id, webhook_id).switch_on()
            case "PUT", [webhook_id, "deactivate"]:
                self._get(list_id, webhook_id).switch_off()
            case "DELETE", [webhook_id]:
                self._webhooks.delete(self._get(list_id, webhook_id))
            case _:
                raise ApiError(404, 404, "We couldn't find the resource you're looking for.")
        return None

    def _create(self, list_id: str, body: Mapping[str, Any]) -> str:
        url, events = body.get("Url"), body.get("Events")
        if not is_acceptable(url):
            raise ApiError(400, 601, "Invalid webhook URL")
        if str(body.get("PayloadFormat", "")).lower() != "json":
            # XML is offered by the vendor; its layout is not known here.
            raise ApiError(400, 602, "Invalid payload format")
        if not isinstance(events, list) or not events or not set(events) <= set(EVENT_TYPES):
            raise ApiError(400, 603, "Invalid webhook events")
        return self._webhooks.create(list_id, str(url), events)

    def _get(self, list_id: str, webhook_id: str) -> Webhook:
        found = self._webhooks.get(list_id, webhook_id)
        if found is None:
            raise ApiError(404, 404, "We couldn't find the resource you're looking for.")
        return found

    async def _test(self, webhook: Webhook) -> None:
        status, text = await self._deliveries.test(webhook)
        if status // 100 != HTTPStatus.OK // 100:
            result = {
                "FailureStatus": "ProtocolError" if status else "ConnectFailure",
                "FailureResponseMessage": "",
                "FailureResponseCode": status,
                "FailureResponse": text,
            }
            raise ApiError(400, 610, "The webhook test failed", result=result)
