"""What a test or a scenario may see and do behind the vendor's back, below `/stand-in/`.

| call | what it does |
| --- | --- |
| `GET subscribers` | everything the account holds: the truth |
| `PUT subscribers` | rows that are simply there, told to nobody |
| `DELETE subscribers?email=` | what staff do by hand: gone for good |
| `PUT lists` | rows of `list_id`, `title`, `confirms` |
| `POST crowd` | many people live by seed; see `Crowd`; answers how often each thing happened |
| `GET events` | every event there was, and what became of it |
| `PUT weather` | how deliveries go; see `Weather` |
| `POST deliveries` | deliver all that waits, now; answers how much was taken |
| `PUT clock` | `ahead_seconds`: so far ahead is the account's time |
| `PUT faults` | failures in force; see `Fault` |
| `PUT rate-limit` | `calls` in `seconds`; an empty object: none |
| `GET calls` | how often each call was made |
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from devtools.stand_ins.newsletter_crowd import Crowd, live
from devtools.stand_ins.newsletter_faults import Fault, RateLimit

if TYPE_CHECKING:
    from devtools.stand_ins.campaign_monitor import CampaignMonitorStandIn


class Backstage:
    """Answers calls below `/stand-in/` of one stand-in."""

    def __init__(self, stand_in: CampaignMonitorStandIn) -> None:
        self._stand_in = stand_in

    async def answer(self, request: web.BaseRequest, body: Any) -> web.Response:
        """Return the answer; 400 for a body that cannot be, 404 for no such call."""
        call = f"{request.method} {request.path.removeprefix('/stand-in/')}"
        try:
            found = self._seen(call) if request.method == "GET" else await self._done(call, request, body)
        except LookupError:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        except (TypeError, ValueError) as error:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=str(error))
        if request.method != "GET":
            self._stand_in.api.account.save()
        return web.json_response(found)

    def _seen(self, call: str) -> Any:
        match call:
            case "GET subscribers":
                return self._stand_in.api.account.everything()
            case "GET events":
                return [one.as_json() for one in self._stand_in.webhooks.journal]
            case "GET calls":
                return Counter(self._stand_in.calls)
        raise LookupError(call)

    async def _done(self, call: str, request: web.BaseRequest, body: Any) -> Any:
        account = self._stand_in.api.account
        match call:
            case "PUT subscribers":
                account.put(body)
            case "DELETE subscribers":
                account.remove_for_good(request.query.get("email", ""))
            case "PUT lists":
                for one in body:
                    found = account.list_of(one["list_id"])
                    found.title = one.get("title", found.title)
                    found.confirms = bool(one.get("confirms", found.confirms))
            case "POST crowd":
                return live(self._stand_in.api.changes, Crowd(**body))
            case "PUT clock":
                account.clock.ahead_seconds = float(body["ahead_seconds"])
            case _:
                return await self._weathered(call, body)
        return None

    async def _weathered(self, call: str, body: Any) -> Any:
        stand_in = self._stand_in
        match call:
            case "PUT weather":
                stand_in.deliveries.weather = replace(stand_in.deliveries.weather, **body)
            case "POST deliveries":
                return await stand_in.deliveries.flush()
            case "PUT faults":
                stand_in.faults = [Fault(**one) for one in body]
            case "PUT rate-limit":
                stand_in.rate_limit = RateLimit(**body) if body else None
            case _:
                raise LookupError(call)
        return None
