"""The newsletter processor's lists: how one address stands there, and how to change that."""

from datetime import date
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.newsletters import Lists

UNREADABLE = "processor_unreadable"
"""The code of an answer that could not be read. As a `Retryable` it may be readable next time, or never."""

StateList = Literal["active", "unconfirmed", "unsubscribed", "bounced", "deleted"]


class ListEntry(BaseModel):
    """An address as a list has it. `state` is an open set.

    `changed`: when it came to that state, as the processor writes it, without a zone; empty: it does not say.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    email: str
    state: str
    name: str = ""
    changed: str = ""


class EntryPage(BaseModel):
    """Some entries of a listing. `next_page` None: there are no more."""

    model_config = ConfigDict(frozen=True)

    entries: tuple[ListEntry, ...]
    next_page: int | None


class Registration(BaseModel):
    """A webhook as the processor has it. Its URL carries the secret: show it nowhere."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    webhook_id: str
    url: str = Field(repr=False)
    events: tuple[str, ...]
    is_active: bool
    is_json: bool


class Newsletters(Protocol):
    """One account's lists. Every call raises what `Processors` does, and `UNREADABLE` as a `Retryable`."""

    @property
    def lists(self) -> Lists:
        """Return the lists we know; none where no processor is connected."""
        ...

    async def entry(self, list_id: str, email: str) -> ListEntry | None:
        """Return how an address stands in a list. None: the list shows nothing of it."""
        ...

    async def add(self, list_id: str, email: str, *, name: str, returns: bool) -> str | None:
        """Add an address; it is queued there, not seen at once. None: taken; else the state that forbids it.

        `returns`: also one that left before, which only a consent given since then allows.
        """
        ...

    async def stop(self, list_id: str, email: str) -> None:
        """End mail of a list to an address. Not there, or ended already, is done."""
        ...

    async def page(self, list_id: str, state: StateList, *, since: date, page: int) -> EntryPage:
        """Return a page, counted from 1, of the addresses that came to a state since a day.

        The processor counts days in its account's zone. The longest there come first, so that what comes
        meanwhile is at the end; what leaves the listing meanwhile may hide another entry.
        """
        ...

    async def registrations(self, list_id: str) -> tuple[Registration, ...]:
        """Return the webhooks of a list."""
        ...

    async def register(self, list_id: str, url: str) -> str:
        """Register a webhook for all events, as JSON, and return its id."""
        ...

    async def activate(self, list_id: str, webhook_id: str) -> None:
        """Switch a webhook on again."""
        ...

    async def remove(self, list_id: str, webhook_id: str) -> None:
        """Remove a webhook that `registrations` showed."""
        ...

    async def test(self, list_id: str, webhook_id: str) -> bool:
        """Let the processor call a webhook, and return whether it got an answer it takes."""
        ...
