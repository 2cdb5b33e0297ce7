"""The newsletter processor, instructed through its API as far as that goes.

Its API has no erasure: deleting is a state, and name, address and reports stay readable. So an erasure writes
a placeholder over the name, clears what it can, deletes in every list and then waits for staff, who remove
the person there for good. Source: https://www.campaignmonitor.com/api/v3-3/subscribers/ and
https://www.campaignmonitor.com/forums/topic/2421/whats-the-difference-between-delete-and-unsubscribe/.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Final

import httpx

from shared.adapters._campaign_monitor_errors import REFUSED, Code
from shared.adapters.campaign_monitor_api import CampaignMonitorApi, HoldingList
from shared.domain.errors import CannotTell, Permanent, Retryable
from shared.domain.identifiers import EMAIL, normalise
from shared.domain.recipients import Confirmation, Instruction
from shared.ports.processors import NEEDS_CONTRACT
from shared.settings import Settings

RECIPIENT_ID: Final = "campaign_monitor"
PLACEHOLDER: Final = "erased"

_DELETED: Final = "Deleted"
_UNSUBSCRIBED: Final = "Unsubscribed"
# A state we do not know may be one that gets mail.
_WITHOUT_MAIL: Final = frozenset({_UNSUBSCRIBED, "Bounced", _DELETED})


class CampaignMonitor:
    """Campaign Monitor, or nobody where no client is set.

    Attributes:
        api: The client's calls.

    Args:
        settings: Which account and client.
        has_contract: Whether the map records a contract with it.
        transport: What carries the calls; None is the network. Tests hand in their own.
        sleep: Waits so many seconds before a call that came too early is made again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        has_contract: bool,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._is_connected = bool(settings.campaign_monitor_client_id)
        self._has_contract = has_contract
        self.api = CampaignMonitorApi(settings, transport=transport, sleep=sleep)

    def connected(self) -> tuple[str, ...]:
        return (RECIPIENT_ID,) if self._is_connected else ()

    async def close(self) -> None:
        """Close its connections."""
        await self.api.close()

    async def instruct(
        self, recipient_id: str, instruction: Instruction, emails: Sequence[str], *, name: str | None = None
    ) -> Confirmation:
        if recipient_id not in self.connected():
            raise Permanent("processor_not_connected", recipient_id)
        if instruction in NEEDS_CONTRACT and not self._has_contract:
            raise Permanent("contract_missing", recipient_id)
        addresses = tuple({normalise(EMAIL, email): email for email in emails}.values())
        if not addresses:
            raise CannotTell("processor_not_asked", recipient_id)
        match instruction:
            case Instruction.UNSUBSCRIBE:
                return await self._unsubscribe(addresses)
            case Instruction.SUPPRESS:
                return await self._suppress(addresses)
            case Instruction.RESTRICT:
                return await self._restrict(addresses)
            case Instruction.ERASE:
                return await self._erase(addresses)
            case Instruction.CORRECT:
                return await self._correct(addresses, name)

    async def _unsubscribe(self, addresses: Sequence[str]) -> Confirmation:
        shown = {address for address in addresses if await self._stop(address)}
        is_held = bool(shown) or bool(await self._kept(addresses))
        return Confirmation.DONE if is_held else Confirmation.NOT_HELD

    async def _suppress(self, addresses: Sequence[str]) -> Confirmation:
        shown = {address for address in addresses if await self._stop(address)}
        is_held = await self._put_on_suppression_list(addresses, shown)
        return Confirmation.DONE if is_held else Confirmation.NOT_HELD

    async def _restrict(self, addresses: Sequence[str]) -> Confirmation:
        """Stop all mail and keep every list as it is; a person looks at the rest and lifts it one day."""
        shown = {address for address in addresses if await self.api.lists_for_email(address)}
        is_held = await self._put_on_suppression_list(addresses, shown)
        return Confirmation.AWAITING_STAFF if is_held else Confirmation.NOT_HELD

    async def _erase(self, addresses: Sequence[str]) -> Confirmation:
        missing = set()
        for address in addresses:
            holding = await self.api.lists_for_email(address)
            for one in holding:
                await self._erase_in(one.list_id, address)
            if not holding:
                missing.add(address)
            elif any(one.state != _DELETED for one in await self.api.lists_for_email(address)):
                raise _unconfirmed("erase")
        if len(missing) < len(addresses) or await self._kept(missing):
            return Confirmation.AWAITING_STAFF
        return Confirmation.NOT_HELD

    async def _correct(self, addresses: Sequence[str], name: str | None) -> Confirmation:
        if not name:
            raise Permanent("correction_empty", RECIPIENT_ID)
        results = [
            await self._rename(one, address, name)
            for address in addresses
            for one in await self.api.lists_for_email(address)
            if one.state != _DELETED
        ]
        if await self._deleted(addresses):
            # A deleted one takes no new name: staff correct it there, or remove it.
            return Confirmation.AWAITING_STAFF
        return Confirmation.DONE if any(results) else Confirmation.NOT_HELD

    async def _stop(self, address: str) -> bool:
        """End all mail of every list to an address; tell whether any list holds it."""
        holding = await self.api.lists_for_email(address)
        told = [one for one in holding if one.state not in {_UNSUBSCRIBED, _DELETED}]
        for one in told:
            code = await self.api.unsubscribe(one.list_id, address)
            if code in {Code.UNCONFIRMED, Code.SUPPRESSED}:
                # What cannot be unsubscribed, such as a sign-up nobody confirmed, is taken off the list.
                await self.api.delete(one.list_id, address)
        after = await self.api.lists_for_email(address) if told else holding
        if any(one.state not in _WITHOUT_MAIL for one in after):
            raise _unconfirmed("unsubscribe")
        return bool(holding)

    async def _put_on_suppression_list(self, addresses: Sequence[str], shown: set[str]) -> bool:
        """Suppress the addresses that are held; tell whether any is.

        One that is not held stays out of it: suppressing it would hand it over.
        """
        held = shown | await self._kept(set(addresses) - shown)
        if held:
            await self.api.suppress(sorted(held))
            if await _found_in(self.api.suppressed(), held) != held:
                raise _unconfirmed("suppress")
        return bool(held)

    async def _erase_in(self, list_id: str, address: str) -> None:
        found = await self.api.subscriber(list_id, address)
        if found is not None:
            keys = tuple(dict.fromkeys(one.key for one in found.custom_fields))
            # Refused for a state that takes no changes: staff remove the name together with the rest.
            await self.api.update(list_id, found.email, name=PLACEHOLDER, clear=keys, tracking="No")
        await self.api.delete(list_id, address)

    async def _kept(self, addresses: Collection[str]) -> set[str]:
        """Return the addresses that are kept as suppressed or deleted, whether or not a list shows them."""
        found = await _found_in(self.api.suppressed(), addresses)
        return found | await self._deleted(set(addresses) - found)

    async def _deleted(self, addresses: Collection[str]) -> set[str]:
        """Return the addresses that a list keeps as deleted."""
        found: set[str] = set()
        for one in await self.api.lists() if addresses else ():
            found |= await _found_in(self.api.deleted(one.list_id), set(addresses) - found)
        return found

    async def _rename(self, one: HoldingList, address: str, name: str) -> bool:
        """Write the right name in one list; tell whether the list has the person."""
        found = await self.api.subscriber(one.list_id, address)
        if found is None:
            return False
        if found.name == name:
            return True
        code = await self.api.update(one.list_id, found.email, name=name, tracking="Unchanged")
        if code is Code.NOT_IN_LIST:
            return False
        if code is not None:
            raise Permanent(REFUSED, f"campaign_monitor.update code {code}")
        after = await self.api.subscriber(one.list_id, address)
        if after is None or after.name != name:
            raise _unconfirmed("correct")
        return True


def _unconfirmed(call: str) -> Retryable:
    return Retryable("processor_unconfirmed", f"campaign_monitor.{call}")


async def _found_in(rows: AsyncGenerator[str, None], addresses: Collection[str]) -> set[str]:
    """Return the addresses that are among the rows; reads no further than it must."""
    sought = {normalise(EMAIL, address): address for address in addresses}
    found: set[str] = set()
    async with aclosing(rows) as opened:
        while len(found) < len(addresses):
            email = await anext(opened, None)
            if email is None:
                break
            if normalise(EMAIL, email) in sought:
                found.add(sought[normalise(EMAIL, email)])
    return found
