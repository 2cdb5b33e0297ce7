"""The newsletter processor's lists, address by address, and the webhooks it tells us by.

Source: https://www.campaignmonitor.com/api/v3-3/subscribers/, /lists/ and /webhooks/.
"""

from collections.abc import Awaitable
from datetime import date
from typing import TypeVar

from shared.adapters._campaign_monitor_errors import REFUSED, Code
from shared.adapters.campaign_monitor_api import CampaignMonitorApi, Row, Subscriber
from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.domain.newsletters import Lists
from shared.ports.newsletters import EntryPage, ListEntry, Registration, StateList

_EVENTS = ("Subscribe", "Deactivate", "Update")
_ENDED = frozenset({Code.UNSUBSCRIBED, Code.DELETED, Code.BOUNCED, Code.NOT_IN_LIST})

_T = TypeVar("_T")


class CampaignMonitorLists:
    """The lists that are recorded, of one client.

    Args:
        api: The client's calls.
        lists: The lists we know; none: no processor is connected.
        has_contract: Whether the map records a contract with it: only then is an address handed over.
    """

    def __init__(self, api: CampaignMonitorApi, lists: Lists, *, has_contract: bool) -> None:
        self._api = api
        self._lists = lists
        self._has_contract = has_contract

    @property
    def lists(self) -> Lists:
        return self._lists

    async def entry(self, list_id: str, email: str) -> ListEntry | None:
        found = await _asked(self._api.subscriber(list_id, email))
        return None if found is None else _entry(found, found.state)

    async def add(self, list_id: str, email: str, *, name: str, returns: bool) -> str | None:
        if not self._has_contract:
            raise Permanent("contract_missing", "campaign_monitor")
        code = await self._api.add(list_id, email, name=name, resubscribe=returns)
        return None if code is None else code.name.lower()

    async def stop(self, list_id: str, email: str) -> None:
        code = await self._api.unsubscribe(list_id, email)
        if code in {Code.UNCONFIRMED, Code.SUPPRESSED}:
            # What cannot be unsubscribed, such as a sign-up nobody confirmed, is taken off the list.
            await self._api.delete(list_id, email)
        elif code is not None and code not in _ENDED:
            raise Permanent(REFUSED, f"campaign_monitor.unsubscribe code {code}")

    async def page(self, list_id: str, state: StateList, *, since: date, page: int) -> EntryPage:
        rows, pages = await _asked(self._api.in_state(list_id, state, since=since, page=page))
        return EntryPage(
            entries=tuple(_entry(row, row.state or state.capitalize()) for row in rows),
            next_page=page + 1 if page < pages else None,
        )

    async def registrations(self, list_id: str) -> tuple[Registration, ...]:
        return tuple(
            Registration(
                webhook_id=one.webhook_id,
                url=one.url,
                events=one.events,
                is_active=one.status == "Active",
                is_json=one.payload_format.lower() == "json",
            )
            for one in await _asked(self._api.webhooks(list_id))
        )

    async def register(self, list_id: str, url: str) -> str:
        return await _asked(self._api.create_webhook(list_id, url, events=_EVENTS))

    async def activate(self, list_id: str, webhook_id: str) -> None:
        await self._api.activate_webhook(list_id, webhook_id)

    async def remove(self, list_id: str, webhook_id: str) -> None:
        await self._api.delete_webhook(list_id, webhook_id)

    async def test(self, list_id: str, webhook_id: str) -> bool:
        return await self._api.test_webhook(list_id, webhook_id)


def _entry(found: Subscriber | Row, state: str) -> ListEntry:
    return ListEntry(email=found.email, state=state, name=found.name or "", changed=found.changed or "")


async def _asked(answer: Awaitable[_T]) -> _T:
    """Return an answer; one that cannot be read, such as a gateway's page, is asked for again later.

    Whoever asks here tries a bounded number of times before a person has to look.
    """
    try:
        return await answer
    except CannotTell as error:
        unreadable = Retryable(error.code, error.detail)
    raise unreadable
